"""Acting: what exists, who may approve, and how an approved request is carried out."""

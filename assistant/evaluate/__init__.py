"""`firstline bench`: the engine measured on labelled recordings."""

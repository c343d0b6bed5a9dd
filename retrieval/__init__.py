"""Finding: the index of runbooks and past incidents, and the search over it."""

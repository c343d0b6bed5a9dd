"""What a person can do something about: one sentence, never a traceback."""


class Unusable(Exception):
    """Something that is needed cannot be used; `str()` says what is wrong and what to do."""

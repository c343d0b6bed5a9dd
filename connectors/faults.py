"""What is wrong with settings, in words for whoever writes them: pydantic's are about Python.

A value is never repeated: it may be a credential.
"""

from collections.abc import Iterator, Mapping

from pydantic import ValidationError

_WORDS: Mapping[str, str] = {
    "extra_forbidden": "unknown key",
    "missing": "is missing",
    "string_type": "write text, in quotes",
    "path_type": "write a path, in quotes",
    "int_type": "write a whole number",
    "int_parsing": "write a whole number",
    "int_from_float": "write a whole number",
    "float_type": "write a number",
    "float_parsing": "write a number",
    "finite_number": "write a number that is finite",
    "bool_type": "write true or false",
    "bool_parsing": "write true or false",
    "list_type": 'write a list, as ["a", "b"]',
    "tuple_type": 'write a list, as ["a", "b"]',
    "dict_type": "write a table",
    "model_type": "write a table",
    "model_attributes_type": "write a table",
    "greater_than": "must be more than {gt:g}",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than": "must be less than {lt:g}",
    "less_than_equal": "must be at most {le:g}",
    "string_too_short": "too short: {min_length} or more characters",
    "string_too_long": "too long: {max_length} or fewer characters",
    "literal_error": "write {expected}",
    "value_error": "{error}",
}


def in_words(error: ValidationError) -> Iterator[tuple[str, str]]:
    """Yield the place of each fault (empty for the whole), and what to do about it."""
    for fault in error.errors(include_url=False, include_input=False):
        words = _WORDS.get(fault["type"])
        said = words.format(**fault.get("ctx", {})) if words is not None else fault["msg"]
        yield ".".join(str(part) for part in fault["loc"]), said

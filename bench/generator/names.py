"""Invented names, so that nothing can be recognised by its name.

All names come from one stream that nothing else draws from: another seed for the names renames the
same system and changes nothing else.
"""

import numpy as np

_HEADS = ("b", "br", "c", "ch", "d", "dr", "f", "g", "gr", "h", "j", "k", "l", "m", "n", "p", "pr")
_MORE_HEADS = ("qu", "r", "s", "sh", "st", "t", "tr", "v", "w", "z")
_VOWELS = ("a", "e", "i", "o", "u", "ai", "ea", "io", "ou")
_TAILS = ("", "", "l", "m", "n", "r", "s", "th", "x")
_SERVICE_STYLES = ("{}", "{}-svc", "{}-service", "svc-{}", "{}_api")
_VERBS = ("get", "list", "create", "update", "check", "resolve", "quote", "apply", "search")
_METHODS = ("GET", "GET", "POST", "PUT")
_PEOPLE = ("ilse", "omar", "wen", "tove", "raj", "ada", "noor", "pavel", "mika", "lucia")


class Namer:
    """Draws words that never repeat, and puts them into one house style a system."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._used: set[str] = set()
        self._style = self._pick(_SERVICE_STYLES)
        self._http = bool(rng.random() < 0.6)

    def _pick(self, choices: tuple[str, ...]) -> str:
        return choices[int(self._rng.integers(len(choices)))]

    def word(self) -> str:
        """Return a new pronounceable word of two or three syllables."""
        while True:
            syllables = [
                self._pick(_HEADS + _MORE_HEADS) + self._pick(_VOWELS) + self._pick(_TAILS)
                for _ in range(int(self._rng.integers(2, 4)))
            ]
            word = "".join(syllables)
            if word not in self._used:
                self._used.add(word)
                return word

    def service(self) -> str:
        return self._style.format(self.word())

    def operation(self, service: str) -> str:
        """Return a name for an operation of `service`: a route, or a remote procedure."""
        word = self.word()
        if self._http:
            return f"{self._pick(_METHODS)} /{word}/{{id}}"
        return f"{service}.{word.capitalize()}/{self._pick(_VERBS).capitalize()}"

    def method(self) -> str:
        return f"{self.word().capitalize()}Handler.{self._pick(_VERBS)}"

    def peer(self, kind: str) -> str:
        """Return a name for a database, a cache or a third party."""
        suffix = {"database": "-db", "cache": "-cache", "third_party": ".example.com"}[kind]
        return self.word() + suffix

    def query(self, kind: str) -> str:
        """Return the name of a client span towards a database, a cache or a third party."""
        verb = {"database": "SELECT", "cache": "GET", "third_party": "POST"}[kind]
        return f"{verb} {self.word()}"

    def person(self) -> str:
        return self._pick(_PEOPLE)

    def suffix(self) -> str:
        """Return five characters as pods carry them at the end of their names."""
        return "".join(self._pick(tuple("bcdfghjklmnpqrstvwxz2456789")) for _ in range(5))

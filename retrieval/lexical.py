"""Words: how text becomes terms, and terms become the sparse vectors of BM25.

Written here, not taken from an engine, so that the embedded engine, a server and the tests see the
same terms. Operations text is full of names that a plain tokenizer tears apart or swallows:
`KubePodCrashLooping`, `x509`, `ECONNREFUSED`, `kube-system`. Such a name is kept whole *and* split.

BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009) is cut in two: the part
that depends on the page is stored here as the vector's values, the inverse document frequency is
applied by the engine (`Modifier.IDF`).
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2s
from math import sqrt

import Stemmer

VERSION = "words/1"  # change it whenever the same text would give other terms or weights

_K1 = 1.5
_B = 0.75
# A fixed average length keeps a page's vector independent of the other pages, so that adding one
# page does not rewrite all of them.
_AVERAGE_TERMS = 150.0
_TITLE_WEIGHT = 3.0
_HEADING_WEIGHT = 1.0  # on top of the heading's own place in the text

_NAME = re.compile(r"[^\W_]+(?:[-_.:][^\W_]+)*")
_PART = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+|[^\W\d_]+")
_HEADING = re.compile(r"^#{1,6}\s+(.+)$", re.MULTILINE)
_LONGEST_NAME = 64

_STOPWORDS = """
a about above after again all also am an and any are as at be because been before being below
between both but by can could did do does doing down during each few for from further had has
have having he her here hers him his how i if in into is it its itself just let ll many may me
might more most much must my no nor not now of off on once only or other our out over own per
please re s same shall she should so some such t than that the their them then there these they
this those through to too under until up us ve very via was we were what when where which while
who whom why will with would you your
"""
_FRONT_MATTER = re.compile(r"\A---\s*\n.*?\n---\s*(?:\n|\Z)", re.DOTALL)
STOPWORDS = frozenset(_STOPWORDS.split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Sparse:
    """A sparse vector: `indices` are unsigned 32-bit term hashes, `values` their weights."""

    indices: tuple[int, ...]
    values: tuple[float, ...]


def without_front_matter(text: str) -> str:
    """The Markdown without a leading YAML block."""
    return _FRONT_MATTER.sub("", text, count=1)


def terms(text: str) -> list[str]:
    """All terms of a text in order, repeated as often as they occur."""
    return [term for _, term in words_and_terms(text)]


def words_and_terms(text: str) -> Iterator[tuple[str, str]]:
    """Yield (word as written, term), so that a match can be told in the reader's own words."""
    for name in _NAME.findall(text):
        yield from _terms_of(name)


@lru_cache(maxsize=50_000)
def _terms_of(name: str) -> tuple[tuple[str, str], ...]:
    parts = _PART.findall(name)
    compound = len(parts) > 1
    found = [(name, name.lower())] if compound and len(name) <= _LONGEST_NAME else []
    for part in parts:
        word = part.lower()
        if word not in STOPWORDS and not (compound and len(word) == 1):
            found.append((part, _stemmer().stemWord(word)))
    return tuple(found)


@lru_cache(maxsize=1)
def _stemmer() -> Stemmer.Stemmer:
    return Stemmer.Stemmer("english")


def term_hash(term: str) -> int:
    """An unsigned 32-bit hash that is the same on every machine and in every release."""
    return int.from_bytes(blake2s(term.encode(), digest_size=4).digest(), "big")


def encode_page(title: str, text: str) -> Sparse:
    """The page's half of BM25 over title, headings and body, each with its own weight."""
    counts: Counter[str] = Counter(terms(text))
    length = float(counts.total())
    frequencies = {term: float(count) for term, count in counts.items()}
    headings = " ".join(_HEADING.findall(text))
    for field, weight in ((title, _TITLE_WEIGHT), (headings, _HEADING_WEIGHT)):
        for term in terms(field):
            frequencies[term] = frequencies.get(term, 0.0) + weight
    norm = _K1 * (1 - _B + _B * length / _AVERAGE_TERMS)
    return _sparse({t: f * (_K1 + 1) / (f + norm) for t, f in frequencies.items()})


def encode_query(text: str) -> Sparse:
    """The query's half: a term that is said again counts more, but less each time."""
    return _sparse({term: sqrt(count) for term, count in Counter(terms(text)).items()})


def _sparse(weights: dict[str, float]) -> Sparse:
    by_hash: dict[int, float] = {}
    for term, weight in weights.items():
        index = term_hash(term)
        by_hash[index] = max(by_hash.get(index, 0.0), weight)
    ordered = sorted(by_hash.items())
    return Sparse(
        indices=tuple(index for index, _ in ordered),
        values=tuple(value for _, value in ordered),
    )


def shared_words(query: str, known: frozenset[str]) -> tuple[str, ...]:
    """The query's words, as written and in order, whose terms are `known`; each term once."""
    shared: dict[str, str] = {}
    for word, term in words_and_terms(query):
        if term in known:
            shared.setdefault(term, word)
    return tuple(shared.values())

"""The Merkle tree against its definition, and proofs that hold for nothing but what they prove."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.journal import merkle
from assistant.journal.offline import included

LEAVES = [hashlib.sha256(b"\x00" + bytes([i])).digest() for i in range(64)]
SIZES = st.integers(min_value=1, max_value=len(LEAVES))
# The eight leaves of the test vectors that implementations of Certificate Transparency share.
SHARED = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
]
ROOTS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


def defined(leaves):
    """Return the root as RFC 6962 defines it, by recursion over the whole list."""
    if len(leaves) == 1:
        return leaves[0]
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return merkle.node(defined(leaves[:half]), defined(leaves[half:]))


@pytest.mark.parametrize("size", ROOTS)
def test_the_roots_are_those_of_the_shared_vectors(size):
    leaves = [hashlib.sha256(b"\x00" + bytes.fromhex(data)).digest() for data in SHARED[:size]]
    assert merkle.root(leaves).hex() == ROOTS[size]


@settings(deadline=None)
@given(SIZES)
def test_a_tree_that_grows_has_the_root_of_the_definition(size):
    assert merkle.root(LEAVES[:size]) == defined(LEAVES[:size])


def test_a_tree_without_leaves_has_the_hash_of_nothing():
    assert merkle.root([]) == hashlib.sha256(b"").digest()


@settings(deadline=None)
@given(SIZES, st.data())
def test_a_leaf_is_proved_in_its_place_and_in_no_other(size, data):
    index = data.draw(st.integers(0, size - 1))
    path, whole = merkle.inclusions(LEAVES[:size], [index])[0], merkle.root(LEAVES[:size])
    assert included(LEAVES[index], index, size, path, whole)
    other = data.draw(st.integers(0, size - 1).filter(lambda i: i != index) | st.just(size))
    assert not included(LEAVES[index], other, size, path, whole)
    assert not included(LEAVES[(index + 1) % 64], index, size, path, whole)
    if path:
        assert not included(LEAVES[index], index, size, path[:-1], whole)
        assert not included(LEAVES[index], index, size, [*path, whole], whole)


@pytest.mark.parametrize(("size", "index"), [(0, 0), (3, 3), (3, -1)])
def test_no_proof_is_made_of_what_is_not_there(size, index):
    with pytest.raises(ValueError, match="there is no leaf"):
        merkle.inclusions(LEAVES[:size], [index])

"""Self time against a brute-force union of intervals."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from assistant.engine.selftime import covered_us

CHILD = st.tuples(st.integers(0, 4), st.integers(0, 60), st.integers(0, 40))


@given(st.lists(CHILD, max_size=30))
def test_the_union_of_children_is_what_counting_each_microsecond_gives(children):
    parent = np.array([p for p, _, _ in children], dtype=np.int64)
    start = np.array([s for _, s, _ in children], dtype=np.int64)
    end = np.array([s + d for _, s, d in children], dtype=np.int64)
    expected = [
        len({t for p, s, d in children if p == who for t in range(s, s + d)}) for who in range(5)
    ]
    assert covered_us(parent, start, end, 5).tolist() == expected


def test_moments_too_large_to_share_a_number_with_their_parent_are_told_apart_all_the_same():
    parent, start, end = (
        np.array(column, dtype=np.int64)
        for column in zip((3, 0, 5), (1, 1, 2**60), (1, 0, 2**61), strict=True)
    )
    assert covered_us(parent, start, end, 4).tolist() == [0, 2**61, 0, 5]

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

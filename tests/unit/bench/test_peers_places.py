"""From what a method returned to places of services."""

from bench.peers.places import answer_of, first_ones

SERVICES = {"s0001": "cart", "s0002": "pay"}


def test_a_service_takes_the_place_of_its_first_metric():
    ranks = ["s0002_m00001", "s0002_m00004", "s0001_m00001", "s0002_m00002"]
    assert first_ones(ranks, SERVICES) == ["pay", "cart"]


def test_what_is_no_service_takes_no_place():
    assert first_ones(["time", "F-node", "s0001_A"], SERVICES) == ["cart"]


def test_ranks_are_never_tied_and_scores_may_be():
    ranked = answer_of({"ranks": ["s0002_A", "s0001_A"], "seconds": 0.5}, SERVICES)
    assert (ranked.places, ranked.seconds) == ((("pay",), ("cart",)), 0.5)
    scored = answer_of({"scores": {"s0001": 5.0, "s0002": 5.0}, "seconds": 1}, SERVICES)
    assert scored.places == (("cart", "pay"),)


def test_a_method_that_failed_or_ranked_nothing_has_no_answer():
    assert not answer_of({"failed": "KeyError: 'x'"}, SERVICES).answered
    assert not answer_of({"ranks": [], "seconds": 1.0}, SERVICES).answered
    assert not answer_of({"scores": {}, "seconds": 1.0}, SERVICES).answered

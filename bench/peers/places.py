"""From what a method returned to places of services."""

from collections.abc import Mapping, Sequence

from assistant.evaluate.answers import Answer, tied


def answer_of(result: Mapping[str, object], services: Mapping[str, str]) -> Answer:
    """Return the answer in `result`, one method's of `run.py`; `services` gives the codes' names.

    `ranks` are metrics or operations, whose service takes the place of its first one; `scores` are
    services, of which those with equal scores are tied. Neither: there was no answer.
    """
    seconds = result.get("seconds")
    took = float(seconds) if isinstance(seconds, int | float) else 0.0
    ranks, scores = result.get("ranks"), result.get("scores")
    if isinstance(scores, Mapping):
        named = {services[c]: float(score) for c, score in scores.items() if c in services}
        return Answer(places=tied(named), seconds=took)
    if isinstance(ranks, Sequence):
        return Answer(places=tuple((name,) for name in first_ones(ranks, services)), seconds=took)
    return Answer(places=(), seconds=took)


def first_ones(ranks: Sequence[str], services: Mapping[str, str]) -> list[str]:
    """Return the services of `service_metric` names, each once, in the order in which they come."""
    codes = dict.fromkeys(name.split("_")[0] for name in ranks)
    return [services[code] for code in codes if code in services]

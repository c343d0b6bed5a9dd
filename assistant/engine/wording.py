"""Sentences made from numbers: one per kind of fact, each from the fact's own fields alone."""

from assistant.engine.controlflow import UNLINKED
from assistant.engine.errors import LINES_PER
from assistant.engine.explain import Cleared
from assistant.engine.shift import Shift

FEW, MANY = 10, 100  # where a reader stops caring for decimals
LINE = 90  # characters of a log line that are shown
BARE = ("", "1", "calls", "spans", *LINES_PER)


def number(value: float, unit: str) -> str:
    """Return a value as a person reads it: 38 %, 412 ms, 0.93."""
    if unit == "share":
        percent = value * 100
        return f"{percent:.0f} %" if percent >= FEW or percent == 0 else f"{percent:.1f} %"
    if unit == "ms":
        return f"{value:.0f} ms" if value >= FEW else f"{value:.1f} ms"
    if unit in ("By", "bytes"):
        return f"{value / 1_048_576:.0f} MiB"
    digits = 0 if abs(value) >= MANY else 1 if abs(value) >= FEW else 2
    return f"{value:.{digits}f}" + ("" if unit in BARE else f" {unit}")


def per(unit: str) -> str:
    """Return what complaints in logs are counted by, given their unit."""
    return unit.removeprefix("lines ")


def statement(shift: Shift) -> str:
    """Return the sentence of a shift."""
    what = f"{shift.service} {shift.operation}" if shift.operation else shift.service
    if shift.operation == UNLINKED:
        what = shift.service
    move = f"{number(shift.before, shift.unit)} → {number(shift.after, shift.unit)}"
    # Lines that belong to no span that is known are counted out of all such lines.
    of_runs = f"in {move} of its {'lines' if shift.operation == UNLINKED else 'executions'}"
    where = f" of {shift.instance}" if shift.instance else ""
    way = f"{shift.service} to {shift.peer}"
    if shift.kind == "error_origin" and shift.peer:
        return f"calls from {way} fail without an answer in {move} ({shift.operation})"
    return {
        "self_time_shift": f"{what} spends {move} of its own time",
        "edge_gap_shift": f"calls from {way} wait {move} on the way ({shift.operation})",
        "error_origin": f"errors begin in {what} {of_runs}",
        "call_missing": f"{what} makes the call {shift.detail} {of_runs}",
        "call_added": f"{what} makes the call {shift.detail} {of_runs}",
        "calls_multiplied": f"{what} makes the call {shift.detail} {move} times per execution",
        "calls_fewer": f"{what} makes the call {shift.detail} as often as usual {of_runs}",
        "lines_fewer": f"{what} writes as often as usual {of_runs} “{line(shift.detail)}”",
        "new_template": f"{what} writes {of_runs} the new line “{line(shift.detail)}”",
        "template_shift": f"{what} writes {of_runs} the line “{line(shift.detail)}”",
        "error_lines": f"{what} complains {move} times {per(shift.unit)} in its logs",
        "resource_saturation": f"{shift.service}: {shift.detail}{where} is {move}",
        "metric_latency": f"{shift.service}: {shift.detail} is {move}",
        "metric_errors": f"{shift.service}: {shift.detail} is {move}",
        "symptom_latency": f"requests to {what} take {move}",
        "symptom_errors": f"requests to {what} fail in {move}",
        "symptom_tail": f"requests to {what} take longer than usual in {move}",
        "symptom_work": f"requests to {what} do {move} steps of work",
        "symptom_metric": f"{what} is {move}",
    }[shift.kind]


def line(template: str) -> str:
    """Return what a template says, its variable parts as …, without what precedes the message."""
    words = template.replace("<*>", "…")
    while (shorter := words.replace("… …", "…")) != words:
        words = shorter
    words = words.removeprefix("… ")
    return words if len(words) <= LINE else words[: LINE - 1] + "…"


def cleared(record: Cleared) -> str:
    """Return the sentence of a component that was cleared, with the numbers that cleared it."""
    return {
        "only_waits_for": f"{record.service} only waits for {record.because}",
        "inbound_changed": f"{record.service} gets other work than before from {record.because}",
        "passes_on": f"{record.service} passes on what fails in {record.because}",
        "symptom_only": f"{record.service} shows the symptom; what moved lies in {record.because}",
        "weaker": f"{record.service} moved less than {record.because}",
    }[record.reason] + _figures(record)


def _figures(record: Cleared) -> str:
    """Return what was left of its strength; `was` is the other's where nothing was taken off."""
    if record.reason == "weaker":
        return f" (strength {record.left:.2f}, not {record.was:.2f})"
    if record.reason == "symptom_only":
        return ""
    return f" (strength {record.was:.2f} → {record.left:.2f})"


CAUSE_WORDS = {
    "cpu_saturation": "{service} is out of processor time",
    "memory_pressure": "{service} is short of memory",
    "pool_exhaustion": "{service} has exhausted a connection pool",
    "disk_pressure": "{service} is short of disk",
    "queue_backlog": "{service} has a growing backlog",
    "throttled": "{service} is being throttled",
    "slow_edge": "the network at {service} is slow",
    "unreachable_dependency": "{service} does not answer",
    "tls_failure": "TLS to or from {service} fails",
    "dns_failure": "names cannot be resolved for {service}",
    "code_error": "{service} raises errors of its own",
    "behaviour_change": "{service} does something else than before",
    "added_calls": "{service} makes more calls per request than before",
    "slow_code": "{service} itself became slow",
    "traffic_surge": "{service} gets more traffic than it can take",
}


FROM_PEER = {
    "slow_edge": "the way from {peer} to {service} is slow",
    "unreachable_dependency": "{service} does not answer {peer}",
}


def cause_sentence(cause: str, service: str, instance: str | None, peer: str | None) -> str:
    """Return the cause in words, with the instance or the way (from `peer`) it is narrowed to."""
    words = CAUSE_WORDS.get(cause, "{service} misbehaves")
    if peer:
        words = FROM_PEER.get(cause, words)
    sentence = words.format(service=service, peer=peer)
    return f"{sentence} (only on {instance})" if instance else sentence

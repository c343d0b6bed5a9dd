"""The answer as one JSON object with stable names; scripts and benchmarks read it."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime

from assistant.domain.hypothesis import Finding, Hypothesis
from assistant.domain.incident import Incident
from assistant.engine.wording import cause_sentence


def moment(value: datetime | None) -> str | None:
    """Return a time as ISO 8601 in UTC, to the millisecond."""
    if value is None:
        return None
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def result(incident: Incident) -> dict[str, object]:
    """Return the whole answer; the same evidence gives the same object (no times taken in it)."""
    finding = incident.finding
    if finding is None:
        raise ValueError("the incident was not investigated yet")
    change = finding.change
    return {
        "verdict": finding.verdict.value,
        "why_verdict": finding.why_verdict,
        "onset": moment(finding.onset),
        "hypotheses": [_hypothesis(h) for h in finding.hypotheses],
        "change": None
        if change is None
        else {
            "ref": change.ref,
            "kind": change.kind,
            "target": change.target,
            "at": moment(change.at),
            "why": change.why,
            "likelihood_ratio": change.likelihood_ratio,
            "evidence": change.evidence,
        },
        "innocent_changes": [asdict(c) for c in finding.innocent_changes],
        "ruled_out": [asdict(r) for r in finding.ruled_out],
        "evidence": _evidence(finding),
        "gaps": list(incident.gaps),
        "plan": None if incident.plan is None else asdict(incident.plan),
    }


def dumps(value: Mapping[str, object]) -> str:
    """Return JSON text: stable order, readable, ending without a newline."""
    return json.dumps(value, ensure_ascii=False, indent=1, default=str)


def _hypothesis(hypothesis: Hypothesis) -> dict[str, object]:
    h = hypothesis
    return {
        "rank": h.rank,
        "service": h.service,
        "instance": h.instance,
        "peer": h.peer,
        "operation": h.operation,
        "type": h.type.value,
        "cause": h.cause,
        "statement": cause_sentence(h.cause, h.service, h.instance, h.peer),
        "score": h.score,
        "confidence": h.confidence,
        "parts": dict(h.parts),
        "supports": list(h.supports),
        "contradicts": list(h.contradicts),
        "affected": list(h.affected),
    }


def _evidence(finding: Finding) -> dict[str, object]:
    out: dict[str, object] = {}
    for record in finding.evidence:
        fields = asdict(record)
        fields["stance"] = record.stance.value
        fields["first_seen"] = moment(record.first_seen)
        out[record.id] = fields
    return out

"""What memory has to say of the hand-written incident: one like it, and a drafted runbook."""

from datetime import timedelta

from written import NOON

from assistant.domain.memory import Draft, SimilarIncident

SIMILAR = SimilarIncident(
    incident="INC-0",
    title="booking failed",
    at=NOON - timedelta(days=3),
    score=0.9,
    same=("service", "cause"),
    differed=("another change",),
    action="rollback",
    runbook="exception-in-new-release",
    seconds=240.0,
)
DRAFT = Draft(
    runbook="ledger-rollback",
    markdown="---\nid: x\n---\n# Roll back\n\n1. **Look** at `E1`\n2. Roll back\n",
    digest="d" * 64,
    provenance=((1, 2), (3,)),
)

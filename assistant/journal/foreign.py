"""Records in the words of others: CloudEvents 1.0, and the Open Cybersecurity Schema Framework.

Each keeps the number and the hash of its record, so that whoever finds something there can look it
up here. OCSF has no class for what firstline does; all that it writes down is an API Activity
(class 6003, category Application Activity) of the kind that its effect is.
"""

import json
from datetime import UTC

from assistant.domain.canonical import Value
from assistant.journal.envelope import Envelope, Row, examined

SOURCE = "urn:firstline:"
OCSF_VERSION = "1.3.0"
CLASS, CATEGORY = 6003, 6
CREATE, READ, UPDATE, DELETE, OTHER = 1, 2, 3, 4, 99
SUCCESS, FAILURE = 1, 2
INFORMATIONAL, MEDIUM, HIGH = 1, 3, 4
ACTIVITY = {
    "Opened": CREATE, "ActionRequested": CREATE, "PostmortemWritten": CREATE,
    "PostmortemShared": CREATE, "Moved": UPDATE,
    "RunbookDrafted": CREATE, "ReadPerformed": READ, "ReadFailed": READ, "ActionStarted": UPDATE,
    "ActionFinished": UPDATE, "Approved": UPDATE, "Denied": UPDATE, "Closed": UPDATE,
    "Reopened": UPDATE, "Frozen": UPDATE, "Thawed": UPDATE, "RestoreAccepted": UPDATE,
    "Stopped": UPDATE, "WentOn": UPDATE, "Redacted": DELETE,
}  # fmt: skip
FAILED = ("Refused", "ReadFailed", "ActionFailed", "WentStale", "Expired", "RecallFailed")
GRAVE = {
    "ActionUnknown": HIGH, "RestoreAccepted": HIGH, "Redacted": HIGH, "Refused": MEDIUM,
    "ActionStarted": MEDIUM,
}  # fmt: skip
USER, SYSTEM = 1, 3


def cloudevent(row: Row) -> bytes:
    """Return a row as a CloudEvent in JSON; raises `BrokenRecord`."""
    envelope, _ = examined(row)
    event = json.loads(row.body or b"{}")
    gone = {"redactedby": f"{row.redacted:020d}"} if row.withheld else {}
    return _line(
        {
            **gone,
            "specversion": "1.0",
            "id": envelope.id,
            "source": f"{SOURCE}{envelope.log_id}",
            "type": f"dev.firstline.{envelope.type}",
            "time": _time(envelope),
            "subject": envelope.incident or "all",
            "datacontenttype": "application/json",
            "sequence": f"{envelope.seq:020d}",
            "recordhash": (row.h or b"").hex(),
            "data": next(iter(event.values()), {}),
        }
    )


def ocsf(row: Row) -> bytes:
    """Return a row as an API Activity; raises `BrokenRecord`."""
    envelope, _ = examined(row)
    activity, actor = ACTIVITY.get(envelope.type, OTHER), envelope.actor
    human = actor.kind == "human"
    return _line(
        {
            "activity_id": activity,
            "category_uid": CATEGORY,
            "class_uid": CLASS,
            "type_uid": CLASS * 100 + activity,
            "time": int(envelope.ts.timestamp() * 1000),
            "severity_id": GRAVE.get(envelope.type, INFORMATIONAL),
            "status_id": FAILURE if envelope.type in FAILED else SUCCESS,
            "metadata": {
                "version": OCSF_VERSION,
                "uid": envelope.id,
                "sequence": envelope.seq,
                "log_name": envelope.log_id,
                "product": {"name": "firstline", "vendor_name": "firstline"},
            },
            "actor": {
                "user": {
                    "uid": actor.id,
                    "name": actor.name,
                    "type_id": USER if human else SYSTEM,
                    "domain": actor.team,
                }
            },
            "src_endpoint": {"name": "slack" if human else "firstline"},
            "api": {
                "operation": envelope.type,
                "service": {"name": "firstline"},
                "request": {"uid": envelope.subject or envelope.id},
            },
            "resources": [{"type": "incident", "uid": envelope.incident or "all"}],
            "unmapped": {"hash": (row.h or b"").hex(), "plan_sha256": envelope.plan_sha256},
        }
    )


def _time(envelope: Envelope) -> str:
    return envelope.ts.astimezone(UTC).isoformat(timespec="microseconds")


def _line(value: Value) -> bytes:
    return json.dumps(value, sort_keys=True, ensure_ascii=False).encode() + b"\n"

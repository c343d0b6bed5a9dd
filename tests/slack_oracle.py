"""What must be true at the end of a story in Slack, whatever happened on the way.

It looks at the workspace, the journal and the world, and uses nothing of the code that it judges
but the journal's reader.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

from assistant.domain.events import (
    ActionFailed,
    ActionFinished,
    ActionRequested,
    ActionStarted,
    ActionUnknown,
    Approved,
    Closed,
    Denied,
    Expired,
    Opened,
    PostmortemWritten,
    Reopened,
    Steered,
    Verified,
    WentStale,
)
from assistant.journal.verify import State, verify
from assistant.slack.local.deliveries import State as Heard
from assistant.slack.local.rules import RULES, broken_rules

TEXTS = ("app_mention", "message")
# What nobody acknowledged, since nobody was there, is looked at by `unheard`.
KEPT = frozenset(RULES) - {"acknowledged"}
UNDER_WAY = ("Approved", "Running", "Nobody knows", "Done, measuring")
ENDS = {
    ActionRequested: "Approval needed",
    Approved: "Approved",
    Denied: "Rejected",
    Expired: "Expired",
    WentStale: "Not started",
    ActionStarted: "Running",
    ActionUnknown: "Nobody knows",
    ActionFailed: "Not done",
    ActionFinished: "Done, measuring",
    Verified: "Done:",
}


@dataclass(frozen=True)
class End:
    """What is there at the end.

    `mentions` are text, channel and ts of each question; `effects` are request and moment of each
    effect; `deliveries` is what Slack told, and `heard` what of it firstline has kept, in order
    (null: nobody looked).
    """

    records: list
    journal: Path
    office: object
    mentions: list
    effects: list
    deliveries: list
    heard: list | None = None
    names: dict = field(default_factory=dict)

    def named(self, key):
        """Return a name for something unguessable, so that a story reads the same again."""
        return self.names.setdefault(key, f"request {len(self.names) + 1}")


def wrongs(end):
    """Return everything that is wrong at the end of a story, a sentence each."""
    by_incident = defaultdict(list)
    for record in end.records:
        by_incident[record.incident].append(record)
    slots = posted(end.office.workspace)
    return [
        *mentions(end, by_incident, slots),
        *twice(slots),
        *effects(end),
        *steering(end, by_incident),
        *final(by_incident, slots),
        *unheard(end),
        *sound(end),
        *broken_rules(end.office, burst=10, hosts=(), rules=KEPT),
    ]


def posted(workspace):
    """Return our messages by the slot that each names in its metadata."""
    slots = defaultdict(list)
    for channel in workspace.channels.values():
        for message in channel.messages.values():
            key = ((message.metadata or {}).get("event_payload") or {}).get("key")
            if key is not None:
                slots[key].append(message)
    return slots


def mentions(end, by_incident, slots):
    """Every mention has one incident, and one card in its thread; nothing else has one."""
    places = Counter(
        record.event.place
        for records in by_incident.values()
        for record in records
        if isinstance(record.event, Opened)
    )
    cards = Counter(m.thread for key, ms in slots.items() for m in ms if key.endswith("/card"))
    for text, channel, ts in end.mentions:
        count = places.pop(f"{channel}/{ts}", 0)
        if count != 1:
            yield f"{text!r} has {count} incidents"
        if cards[ts] != 1:
            yield f"{text!r} has {cards[ts]} cards"
    yield from (f"there is an incident at {place} that nobody asked for" for place in places)


def twice(slots):
    yield from (f"{key} was posted {len(ms)} times" for key, ms in slots.items() if len(ms) != 1)


def effects(end):
    """Each effect happened once, after a yes of somebody who may say it and had not asked."""
    members = set(next(iter(end.office.workspace.groups.values())).members)
    requests = (r.event for r in end.records if isinstance(r.event, ActionRequested))
    asked = {event.request.id: event for event in requests}
    decided = [r for r in end.records if isinstance(r.event, Approved | Denied)]
    for key, at in end.effects:
        before = [r.event for r in decided if r.event.request == key and r.at <= at]
        yes = {e.approval.by.id for e in before if isinstance(e, Approved)} & members
        if key not in asked:
            yield f"{end.named(key)} was done and nobody asked for it"
        elif not yes - {asked[key].request.requested_by.id}:
            yield f"{end.named(key)} was done without the yes of somebody else who may say it"
        if any(isinstance(e, Denied) for e in before):
            yield f"{end.named(key)} was done after a no"
    times = Counter(key for key, _ in end.effects)
    told = {r.event.request for r in end.records if isinstance(r.event, ActionFinished)}
    yield from (f"{end.named(k)} was done {n} times" for k, n in times.items() if n != 1)
    yield from (f"{end.named(k)} is told as done and was not" for k in told - times.keys())
    yield from (f"{end.named(k)} was done and is not told" for k in times.keys() - told)
    counted = Counter(
        (r.event.request, r.event.approval.by.id) for r in decided if isinstance(r.event, Approved)
    )
    for (key, _), count in counted.items():
        if count > 1:
            yield f"one person's yes to {end.named(key)} counts {count} times"


def steering(end, by_incident):
    """What was written in a thread was taken as it was written, or else as it was heard."""
    workspace = end.office.workspace
    for (channel, thread), stamps in _texts(end.heard or ()).items():
        said = [(workspace.channels[channel].messages[ts].text, ts) for ts in stamps]
        for records in by_incident.values():
            if getattr(records[0].event, "place", None) != f"{channel}/{thread}":
                continue
            taken = [r.event.text for r in records if isinstance(r.event, Steered)]
            if not _in_order(taken, said):
                yield f"{said} was heard, and taken as {taken}"


def _texts(payloads):
    """Return the texts of people by thread, in the order in which they were heard."""
    heard = defaultdict(list)
    for payload in payloads:
        event = payload.get("event") or {}
        if event.get("type") in TEXTS and event.get("thread_ts") and not event.get("bot_id"):
            heard[event["channel"], event["thread_ts"]].append(event["ts"])
    return heard


def _in_order(taken, said):
    """Tell whether no line was taken before one that was both written and heard before it.

    A text that was written twice tells nothing.
    """
    texts = [text for text, _ in said]
    places = {text: (n, ts) for n, (text, ts) in enumerate(said) if texts.count(text) == 1}
    lines = [places[text] for text in taken if text in places]
    return not any(later[0] < one[0] and later[1] < one[1] for one, later in combinations(lines, 2))


def final(by_incident, slots):
    """Each message shows what the journal says last."""
    for incident, records in by_incident.items():
        events = [record.event for record in records]
        ends = [e for e in events if isinstance(e, Closed | Reopened)]
        closed = bool(ends) and isinstance(ends[-1], Closed)
        written = any(isinstance(e, PostmortemWritten) for e in events)
        for card in slots.get(f"{incident}/card", ()):
            if ("(closed by" in card.text) != closed:
                yield f"the card of {incident} says {card.text!r}, and closed is {closed}"
        yield from _requests(incident, events, slots)
        if written and f"{incident}/postmortem" not in slots:
            yield f"the postmortem of {incident} is not shown"
        if closed and not written:
            yield f"the postmortem of {incident} is not written"


def _requests(incident, events, slots):
    last = {}
    for event in events:
        if type(event) in ENDS:
            key = event.request.id if isinstance(event, ActionRequested) else event.request
            last[key] = ENDS[type(event)]
    for number, (key, title) in enumerate(last.items(), start=1):
        what = f"request {number} of {incident}"
        shown = [m.text for m in slots.get(f"{incident}/request/{key}", ())]
        if len(shown) != 1 or not shown[0].startswith(title):
            yield f"{what} is {title!r} and is shown as {shown}"
        if title == ENDS[Verified] and f"{incident}/recovery/{key}" not in slots:
            yield f"nobody is told what came of {what}"
        if title in UNDER_WAY:
            yield f"{what} is left as {title!r}"


def unheard(end):
    """What was told was kept, and where nobody looked whether it was, acknowledged in the end.

    Slack gives up after the fourth time. A firstline that dies each time between the keeping and
    the acknowledgement has lost nothing.
    """
    heard = end.heard or ()
    kept = {(p["event"].get("channel"), p["event"].get("ts")) for p in heard if "event" in p}
    for delivery in end.deliveries:
        if delivery.kind != "events_api":
            continue
        event = delivery.payload["event"]
        said = f"{event['type']} {event.get('text', '')[:60]!r}"
        if end.heard is None and delivery.state is not Heard.ACKED:
            yield f"{said} was not acknowledged"
        elif end.heard is not None and (event.get("channel"), event.get("ts")) not in kept:
            yield f"{said} was told and is not kept"


def sound(end):
    report = verify(end.journal)
    if report.state is not State.SOUND:
        yield f"the journal is {report.state}: {report.why}"

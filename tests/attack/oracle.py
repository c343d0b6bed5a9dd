"""What must be true at the end of a simulated story, whatever happened on the way.

It looks at the workspace, the journal and the world, and uses nothing of the code that it judges
but the journal's reader.
"""

import sqlite3
import tempfile
from collections import Counter, defaultdict
from contextlib import closing
from datetime import datetime, UTC
from pathlib import Path

from wire import texts_in_order

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
    Refused,
    Reopened,
    Steered,
    Verified,
    WentStale,
)
from assistant.journal.sql import SqlJournal
from assistant.journal.verify import State, verify
from assistant.slack.local.rules import broken_rules
from assistant.slack.local.sockets import State as Heard

UNHEARD = ("was never acknowledged", "one acknowledged late or never")
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


def wrongs(scene):
    """Return everything that is wrong at the end of a story, a sentence each."""
    records = list(SqlJournal(scene.database, scene.clock).records())
    by_incident = defaultdict(list)
    for record in records:
        by_incident[record.incident].append(record)
    slots = posted(scene.office.workspace)
    return [
        *mentions(scene, by_incident, slots),
        *twice(slots),
        *effects(scene, records),
        *steering(scene, by_incident),
        *final(by_incident, slots),
        *unheard(scene),
        *sound(scene),
        *(
            rule
            for rule in broken_rules(scene.office, burst=10, hosts=())
            if not any(sentence in rule for sentence in UNHEARD)
        ),
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


def mentions(scene, by_incident, slots):
    """Every mention has one incident, and one card in its thread; nothing else has one."""
    places = Counter(
        record.event.place
        for records in by_incident.values()
        for record in records
        if isinstance(record.event, Opened)
    )
    cards = Counter(m.thread for key, ms in slots.items() for m in ms if key.endswith("/card"))
    for thread in scene.threads:
        channel = scene.office.workspace.channel_named(thread.channel)
        count = places.pop(f"{channel.id}/{thread.ts}", 0)
        if count != 1:
            yield f"{thread.text!r} has {count} incidents"
        if cards[thread.ts] != 1:
            yield f"{thread.text!r} has {cards[thread.ts]} cards"
    yield from (f"there is an incident at {place} that nobody asked for" for place in places)


def twice(slots):
    yield from (f"{key} was posted {len(ms)} times" for key, ms in slots.items() if len(ms) != 1)


def effects(scene, records):
    """Each effect happened once, after a yes of somebody who may say it and had not asked."""
    group = next(iter(scene.office.workspace.groups.values())).members
    asked = {r.event.request.id: r for r in records if isinstance(r.event, ActionRequested)}
    presses = Counter((r.incident, r.event.request.step) for r in asked.values())
    del presses
    for key, times in Counter(key for key, _ in scene.world.effects).items():
        name = scene.named(key)
        if times != 1:
            yield f"{name} was done {times} times"
        if key not in asked:
            yield f"{name} was done and nobody asked for it"
            continue
        at = min(at for other, at in scene.world.effects if other == key)
        yes = {
            r.event.approval.by.id
            for r in records
            if isinstance(r.event, Approved) and r.event.request == key and r.at <= at
        }
        if not (yes & set(group)) - {asked[key].event.request.requested_by.id}:
            yield f"{name} was done without the yes of somebody else who may say it"
        if any(isinstance(r.event, Denied) and r.event.request == key and r.at <= at for r in records):
            yield f"{name} was done after a no"
    finished = {r.event.request for r in records if isinstance(r.event, ActionFinished)}
    done = {key for key, _ in scene.world.effects}
    yield from (f"{scene.named(key)} is told as done and was not" for key in finished - done)
    yield from (f"{scene.named(key)} was done and is not told" for key in done - finished)
    for key in asked:
        answered = [r for r in records if isinstance(r.event, Approved) and r.event.request == key]
        if len(answered) > len({r.event.approval.by.id for r in answered}):
            yield f"one person's yes to {scene.named(key)} counts more than once"


def steering(scene, by_incident):
    """What was written in a thread was taken in the order in which it was heard."""
    workspace = scene.office.workspace
    for (channel, thread), stamps in texts_in_order(scene.heard).items():
        place = f"{channel}/{thread}"
        said = [workspace.channels[channel].messages[ts].text for ts in stamps]
        for records in by_incident.values():
            if not records or getattr(records[0].event, "place", None) != place:
                continue
            taken = [r.event.text for r in records if isinstance(r.event, Steered)]
            if not _in_order(taken, said):
                yield f"{said} was heard and taken as {taken}"


def _in_order(some, whole):
    rest = iter(whole)
    return all(any(one == other for other in rest) for one in some)


def final(by_incident, slots):
    """Each message shows what the journal says last."""
    for incident, records in by_incident.items():
        if not incident:
            continue
        requests, closed, written = {}, False, False
        for record in records:
            event = record.event
            if type(event) in ENDS:
                key = event.request.id if isinstance(event, ActionRequested) else event.request
                requests[key] = ENDS[type(event)]
            closed = isinstance(event, Closed) or (closed and not isinstance(event, Reopened))
            written |= isinstance(event, PostmortemWritten)
        for card in slots.get(f"{incident}/card", ()):
            if ("(closed by" in card.text) != closed:
                yield f"the card of {incident} says {card.text!r}, and closed is {closed}"
        for number, (key, title) in enumerate(requests.items(), start=1):
            shown = [m.text for m in slots.get(f"{incident}/request/{key}", ())]
            if len(shown) != 1 or not shown[0].startswith(title):
                yield f"request {number} of {incident} is {title!r} and is shown as {shown}"
            if title == ENDS[Verified] and f"{incident}/recovery/{key}" not in slots:
                yield f"nobody is told what came of request {number} of {incident}"
            if title in ("Running", "Approved", "Nobody knows", "Done, measuring"):
                yield f"request {number} of {incident} is left as {title!r}"
        if written and f"{incident}/postmortem" not in slots:
            yield f"the postmortem of {incident} is not shown"
        if closed and not written:
            yield f"the postmortem of {incident} is not written"


def unheard(scene):
    """What was told was acknowledged in the end, and what was acknowledged was kept."""
    kept = {(p["event"].get("channel"), p["event"].get("ts")) for p in scene.heard if "event" in p}
    for delivery in scene.pump.deliveries:
        if delivery.kind != "events_api":
            continue
        event = delivery.payload["event"]
        said = f"{event['type']} {event.get('text', '')[:60]!r}"
        if delivery.state is not Heard.ACKED:
            yield f"{said} was not acknowledged"
        elif (event.get("channel"), event.get("ts")) not in kept:
            yield f"{said} was acknowledged and is not kept"


def sound(scene):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "copy.db"
        with closing(sqlite3.connect(path)) as copy:
            scene.database._connection.backup(copy)  # noqa: SLF001 — the file of a process that died
        report = verify(path)
    if report.state is not State.SOUND:
        yield f"the journal is {report.state}: {report.why}"

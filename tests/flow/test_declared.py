"""From a command in Slack to the journal and back: declared, moved, told, and restarted."""

from functools import partial

from desk import Desk
from office import connected, on_call
from slackrig import judged

from assistant.domain.events import Opened, Steered
from assistant.domain.shown import Moved, PostmortemShared
from assistant.journal.timeline import sentence
from assistant.postmortem import postmortem, timeline


class Records:
    """What is kept of an incident: its records alone."""

    def __init__(self, desk):
        self.desk = desk

    def postmortem(self, incident, state):
        records = list(self.desk.journal.records(incident))
        return postmortem(incident, records, state, sentence)


def once(desk, slack):
    """Be on call as one process, which may give incidents channels of their own."""
    channel = slack.workspace.channel_named("incidents").id
    return on_call(desk, connected(slack, channel=channel, own_channels=True), clock=desk.clock)


async def test_an_incident_is_declared_moved_and_told_and_a_restart_does_nothing_twice(tmp_path):
    desk = Desk(tmp_path / "f.db", seen=False)
    desk.memory = Records(desk)
    async with judged(burst=None) as slack:
        ana, until = slack.person("ana"), partial(slack.wait_for, seconds=20)

        def room():
            return slack.workspace.channel_named("inc-001-front-is-slow")

        def shown():
            first = ana.messages(room().id)
            return [m for one in first for m in ana.messages(room().id, one.ts)]

        async with once(desk, slack):
            await ana.shortcut("declare_incident")
            form = await until(ana.modal)
            await ana.submit(
                form.id,
                {"what": "front is slow", "own_channel": "own_channel", "since": "00:01"},
            )
            await until(lambda: room() and room().pins and room().bookmarks)
            await until(lambda: desk.events(Opened) and desk.events(Moved))
            await ana.slash("/firstline", "postmortem", room().id)
            form = await until(ana.modal)
            await ana.submit(form.id, {"lines:1": "2,3"})
            await until(lambda: [m for m in shown() if m.files])
            await until(lambda: [m for m in shown() if "Posted by ana" in str(m.blocks)])
            await desk.service.settled("INC-1")
            await slack.settled(20)
            (moved,), (shared,) = desk.events(Moved), desk.events(PostmortemShared)
            assert desk.events(Steered)
        assert (moved.event.place, moved.actor.name) == (room().id, "ana")
        told = [seq for seq, _ in timeline(shared.event.markdown)]
        assert 1 not in told
        assert {2, 3} <= set(told)
        before = [m.ts for m in shown() if not m.only_for]
        async with once(desk, slack):
            await ana.slash("/firstline", "status", room().id)
            await until(lambda: [m for m in ana.messages(room().id) if m.only_for])
            await slack.settled(20)
            assert desk.service.incident("INC-1").moved == moved.event
            again = [m.ts for m in shown() if not m.only_for]
        assert again == before
        made = [call.method for call in slack.office.calls if not call.error]
        for method in ("conversations.create", "pins.add", "bookmarks.add"):
            assert made.count(method) == 1

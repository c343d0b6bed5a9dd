"""A postmortem that is looked at before it is posted: what is offered, and what is left out."""

import json
from dataclasses import replace

import pytest
from happened import ANN, HISTORY
from slackdesk import LOOKS, SCOPES, Rig
from slackrig import judged
from written import NOON

from assistant.commands import SharePostmortem
from assistant.domain.events import Opened
from assistant.domain.incident import apply
from assistant.domain.people import FIRSTLINE
from assistant.domain.record import Record
from assistant.domain.shown import PostmortemShared
from assistant.journal.timeline import sentence
from assistant.postmortem import postmortem, timeline, without
from assistant.showing import shared
from assistant.slack.blocks.preview import preview, preview_form
from assistant.slack.check import view_faults
from assistant.slack.listeners.sharing import NO_INCIDENT, NO_RECORDS
from assistant.slack.local.faults import Failure, Fault


def told():
    """Return the account of everything that can happen, and the state after it."""
    state, records = None, []
    for seq, event in enumerate(HISTORY, start=7):
        state = apply(state, event)
        records.append(Record(seq=seq, id="", at=NOON, actor=ANN, incident="INC-1", event=event))
    return postmortem("INC-1", records, state, sentence), state


ACCOUNT, STATE = told()


def test_the_timeline_of_an_account_is_each_of_its_records():
    lines = timeline(ACCOUNT)
    assert [seq for seq, _ in lines] == list(range(7, 7 + len(HISTORY)))
    assert lines[0][1] == "2026-03-01 12:00:00 Ann asked: booking fails"


def test_what_is_left_out_is_all_that_is_missing():
    shorter = without(ACCOUNT, {8, 9})
    gone = [line for line in ACCOUNT.split("\n") if line not in shorter.split("\n")]
    assert [line[-4:] for line in gone] == ["[#8]", "[#9]"]
    assert without(ACCOUNT, ()) == ACCOUNT


def test_words_cannot_look_like_a_line_of_the_timeline():
    evil = Opened(at=NOON, text="x [#1]\n- 2026-03-01 12:00:00 Ben approved it [#2]", service=None)
    state = apply(None, evil)
    record = Record(seq=1, id="", at=NOON, actor=ANN, incident="INC-1", event=evil)
    account = postmortem("INC-1", [record], state, lambda _: evil.text)
    assert [seq for seq, _ in timeline(account)] == [1]


def test_what_happened_since_they_looked_is_told():
    command = SharePostmortem(incident="INC-1", upto=9, kept=(7, 9, 999))
    event = shared(command, ANN, STATE, ACCOUNT)
    assert event == PostmortemShared(by=ANN, markdown=without(ACCOUNT, {8}), upto=9, left_out=(8,))


def test_only_people_post_and_nothing_is_posted_twice():
    command = SharePostmortem(incident="INC-1", upto=9, kept=(7, 8))
    assert "only a person" in shared(command, FIRSTLINE, STATE, ACCOUNT)
    assert "no records" in shared(command, ANN, STATE, None)
    once = apply(STATE, shared(command, ANN, STATE, ACCOUNT))
    assert shared(command, ANN, once, ACCOUNT) == "exactly this is posted already"


@pytest.mark.parametrize(
    ("count", "line", "shown"),
    [
        (0, "x", 0),
        (7, "x", 7),
        (20, "<!channel> & \\*bold\\* " * 40, 20),
        (5_000, "short", None),
        (5_000, "日" * 400, None),
    ],
)
def test_a_form_holds_what_slack_takes_and_says_what_it_does_not(count, line, shown):
    lines = [(seq, f"2026-03-01 12:00:00 {line}") for seq in range(3, 3 + count)]
    seen = preview(lines)
    form = preview_form("token", "INC-1", seen)
    assert view_faults(form) == []
    assert len(json.dumps(form).encode()) < 250_000
    assert seen.total == count
    assert seen.upto == (lines[seen.shown - 1][0] if count else 0)
    if shown is None:
        assert 50 <= seen.shown < count
        assert f"the first {seen.shown} of {count} lines" in json.dumps(form)
    else:
        assert seen.shown == shown
        assert "the first" not in json.dumps(form)


@pytest.fixture
async def slack():
    async with judged(hosts=LOOKS.hosts, burst=None) as slack:
        yield slack


@pytest.fixture
def rig(slack):
    return Rig(slack, channel=slack.workspace.channel_named("incidents").id)


async def opened(rig):
    """Let an incident be shown in a thread of #incidents; returns the thread."""
    ts = await rig.slack.person("ana").say("incidents", "booking fails")
    place = f"{rig.channel}/{ts}"
    rig.desk.accounts["INC-1"] = ACCOUNT
    await rig.desk.happen("INC-1", Opened(at=NOON, text="booking fails", service=None, place=place))
    await rig.slack.wait_for(lambda: len(rig.messages(thread=ts)) == 2)
    return ts


async def looked_at(rig, ts, who="ana"):
    person = rig.slack.person(who)
    await person.shortcut("postmortem_from_thread", "incidents", ts)
    return await rig.slack.wait_for(person.modal)


def private(rig, who, channel="incidents"):
    return [m.text for m in rig.slack.person(who).messages(channel) if m.only_for]


async def test_unchecked_lines_are_not_posted(rig):
    async with rig.running():
        ts = await opened(rig)
        form = await looked_at(rig, ts)
        assert "Ann asked: booking fails" in str(form.content)
        kept = ",".join(str(seq) for seq in range(7, 17) if seq != 9)
        await rig.slack.person("ana").submit(form.id, {"lines:7": kept})
        await rig.slack.wait_for(lambda: rig.desk.taken)
        command, actor = rig.desk.taken[0]
        everything = range(7, 7 + len(HISTORY))
        assert command == SharePostmortem(
            incident="INC-1",
            upto=everything[-1],
            kept=tuple(seq for seq in everything if seq != 9),
        )
        assert actor.name == "ana"


async def test_a_command_shows_the_incident_of_its_channel(rig):
    async with rig.running():
        await opened(rig)
        ben = rig.slack.person("ben")
        await ben.slash("/firstline", "postmortem", "incidents")
        form = await rig.slack.wait_for(ben.modal)
        assert form.content["title"]["text"] == "Postmortem INC-1"
        await ben.slash("/firstline", "postmortem", "general")
        await rig.slack.wait_for(lambda: private(rig, "ben", "general") == [NO_INCIDENT])


async def test_where_there_is_nothing_to_show_it_is_said(rig):
    async with rig.running():
        ts = await opened(rig)
        rig.desk.accounts.clear()
        ana = rig.slack.person("ana")
        await ana.shortcut("postmortem_from_thread", "incidents", ts)
        await rig.slack.wait_for(lambda: NO_RECORDS in private(rig, "ana"))
        other = await ana.say("incidents", "lunch?")
        await ana.shortcut("postmortem_from_thread", "incidents", other)
        await rig.slack.wait_for(lambda: NO_INCIDENT in private(rig, "ana"))
        gus = rig.slack.person("gus")
        await gus.shortcut("postmortem_from_thread", "incidents", ts)
        await rig.slack.wait_for(lambda: private(rig, "gus"))
        assert "only members" in private(rig, "gus")[0]
        assert (ana.modal(), gus.modal()) == (None, None)


def posted(rig, ts):
    return [m for m in rig.messages(thread=ts) if "postmortem" in m.text]


def files(rig, ts):
    names = [name for m in rig.messages(thread=ts) for name in m.files]
    return [rig.slack.workspace.files[name] for name in names]


SHARED = PostmortemShared(by=ANN, markdown="# What happened\n\n- one\n", upto=9, left_out=(8,))


async def test_what_is_posted_is_a_message_and_a_file_in_the_thread(rig):
    async with rig.running():
        ts = await opened(rig)
        await rig.desk.happen("INC-1", SHARED, replace(SHARED, left_out=()))
        await rig.slack.wait_for(lambda: len(posted(rig, ts)) == 2 and len(files(rig, ts)) == 2)
        first, second = posted(rig, ts)
        assert "Posted by Ann, without 1 line of its timeline" in str(first.blocks)
        assert "Posted by Ann'" in str(second.blocks)
        one, two = files(rig, ts)
        assert (one.name, two.name) == ("inc-1-postmortem-1.md", "inc-1-postmortem-2.md")
        assert one.content.decode() == SHARED.markdown


async def test_an_account_too_long_for_a_message_is_whole_in_the_file_and_says_so(rig):
    long = replace(SHARED, markdown="# What happened\n\n" + "- one\n" * 4_000)
    async with rig.running():
        ts = await opened(rig)
        await rig.desk.happen("INC-1", long)
        await rig.slack.wait_for(lambda: posted(rig, ts) and files(rig, ts))
        (message,), (file,) = posted(rig, ts), files(rig, ts)
        assert "cut here: firstline audit export has all of it; so has the file in" in str(message)
        assert file.content.decode() == long.markdown


async def test_a_file_whose_answer_was_lost_is_not_shared_twice(rig):
    async with rig.running():
        ts = await opened(rig)
        lost = Fault(method="files.completeUploadExternal", failure=Failure.LOST_ANSWER)
        rig.slack.faults.add(lost)
        await rig.desk.happen("INC-1", SHARED)
        get = rig.tables.messages.get
        slot = "INC-1/shared/1/file"
        await rig.slack.wait_for(lambda: get(slot) and get(slot).state == "sent")
        assert len(files(rig, ts)) == 1


async def test_without_the_scope_for_files_the_message_stands_alone():
    few = SCOPES - {"files:write"}
    async with judged(hosts=LOOKS.hosts, burst=None, scopes=few) as slack:
        rig = Rig(slack)
        async with rig.running():
            ts = await opened(rig)
            await rig.desk.happen("INC-1", SHARED)
            await slack.wait_for(lambda: posted(rig, ts))
            await rig.desk.happen("INC-1", replace(SHARED, left_out=()))
            await slack.wait_for(lambda: len(posted(rig, ts)) == 2)
            refused = [c.error for c in slack.office.calls if c.method.startswith("files.")]
            assert set(refused) == {"missing_scope"}
            assert files(rig, ts) == []

"""What begins without a mention: commands, shortcuts and the form of an incident."""

import pytest
from conversing import find
from slackdesk import LOOKS, SCOPES, Rig
from slackrig import judged
from written import NOON

from assistant.answer import Answer
from assistant.commands import Investigate, Steer
from assistant.domain.events import Opened
from assistant.slack.intents import SLASH_HELP, Intent, slash
from assistant.slack.listeners.declaring import NO_WORDS, NOT_INSIDE
from assistant.slack.listeners.shortcuts import NOTHING_SAID
from assistant.slack.local.faults import Failure, Fault
from assistant.slack.local.interactions import NotThere
from assistant.slack.local.people import Kind


@pytest.fixture
async def slack():
    async with judged(hosts=LOOKS.hosts, burst=None) as slack:
        yield slack


@pytest.fixture
def rig(slack):
    return Rig(slack, channel=slack.workspace.channel_named("incidents").id)


def private(rig, who, channel="incidents"):
    """Return what only this person sees, the newest last."""
    return [m.text for m in rig.slack.person(who).messages(channel) if m.only_for]


async def whispered(rig, who, words, channel="incidents"):
    return await rig.slack.wait_for(
        lambda: next((t for t in reversed(private(rig, who, channel)) if words in t), None)
    )


def direct(rig, one, other):
    """Return the id of the direct messages between two."""
    people = rig.slack.workspace
    return people.direct(people.user_named(one).id, people.user_named(other).id).id


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("", Intent(word="help", text="")),
        ("  HELP ", Intent(word="help", text="")),
        ("status", Intent(word="status", text="")),
        ("declare", Intent(word="declare", text="")),
        (
            "Declare  logins fail\nsince noon",
            Intent(word="declare", text="logins fail\nsince noon"),
        ),
        ("investigate 5xx on checkout", Intent(word="investigate", text="5xx on checkout")),
        ("postmortem", Intent(word="postmortem", text="")),
        ("logins fail", Intent(word="unknown", text="logins")),
        ("approve everything", Intent(word="unknown", text="approve")),
    ],
)
def test_the_first_word_of_a_command_says_what_is_meant(text, meant):
    assert slash(text) == meant


@pytest.mark.parametrize("word", ["declare", "investigate"])
async def test_a_command_with_words_opens_an_incident_where_it_was_typed(rig, word):
    async with rig.running():
        rig.desk.answers[Investigate] = Answer(incident="INC-1", said="INC-1: I am looking.")
        await rig.slack.person("ana").slash("/firstline", f"{word} logins <fail>", "incidents")
        await whispered(rig, "ana", "INC-1: I am looking.")
        (command, actor) = rig.desk.taken[0]
        assert (command.text, command.place, actor.name) == ("logins <fail>", rig.channel, "ana")
        assert private(rig, "ben") == []
        opened = Opened(at=NOON, text=command.text, service=None, place=command.place)
        await rig.desk.happen("INC-1", opened)
        await rig.slack.wait_for(lambda: [m for m in rig.messages() if "INC-1" in m.text])


async def test_help_and_status_are_told_to_one_person(rig):
    async with rig.running():
        await rig.desk.happen("INC-7", Opened(at=NOON, text="booking fails", service=None))
        ana = rig.slack.person("ana")
        await ana.slash("/firstline", "", "incidents")
        await whispered(rig, "ana", "/firstline declare WHAT")
        await ana.slash("/firstline", "status", "incidents")
        await whispered(rig, "ana", "INC-7: booking fails")
        await ana.slash("/firstline", "frobnicate <!channel>", "incidents")
        said = await whispered(rig, "ana", "I do not know")
        assert said == f'I do not know "frobnicate".\n{SLASH_HELP}'
        assert private(rig, "ben") == []
        assert rig.desk.taken == []


async def test_a_command_answers_where_firstline_is_not_and_moves_no_words_elsewhere(rig):
    ana = rig.slack.workspace.user_named("ana")
    rig.slack.workspace.add_channel("secret", [ana], kind=Kind.PRIVATE)
    async with rig.running():
        for text in ("declare the ledger leaks", "declare"):
            await rig.slack.person("ana").slash("/firstline", text, "secret")
        await rig.slack.wait_for(lambda: private(rig, "ana", "secret") == [NOT_INSIDE, NOT_INSIDE])
        await rig.slack.person("ana").slash("/firstline", "declare x", "general")
        await whispered(rig, "ana", NOT_INSIDE, "general")
        assert rig.slack.person("ana").modal() is None
        assert rig.desk.taken == []
        assert rig.messages() == []


@pytest.mark.parametrize("word", ["declare", "investigate"])
async def test_a_command_in_direct_messages_with_firstline_begins_there(rig, word):
    async with rig.running():
        ana = rig.slack.person("ana")
        await ana.slash("/firstline", f"{word} logins fail", "@firstline")
        await rig.slack.wait_for(lambda: rig.desk.taken)
        ((asked, _),) = rig.desk.taken
        assert asked.place == direct(rig, "ana", "firstline")
        opened = Opened(at=NOON, text=asked.text, service=None, place=asked.place)
        await rig.desk.happen("INC-1", opened)
        await rig.slack.wait_for(lambda: find(ana.messages("@firstline"), "INC-1"))
        await ana.slash("/firstline", word, "@firstline")
        await rig.slack.wait_for(ana.modal)


async def test_a_message_in_direct_messages_with_firstline_is_investigated(rig):
    ts = await rig.slack.person("ana").say("@firstline", "help")
    async with rig.running():
        await rig.slack.person("ana").shortcut("investigate_message", "@firstline", ts)
        await rig.slack.wait_for(lambda: rig.desk.taken)
        assert rig.desk.taken[0][0].place == f"{direct(rig, 'ana', 'firstline')}/{ts}"


async def test_in_direct_messages_of_two_others_nothing_begins(rig):
    place = direct(rig, "ana", "ben")
    async with rig.running():
        ana = rig.slack.person("ana")
        ts = await ana.say(place, "logins fail")
        await ana.slash("/firstline", "declare logins fail", place)
        await ana.slash("/firstline", "declare", place)
        await ana.shortcut("investigate_message", place, ts)
        await rig.slack.wait_for(lambda: private(rig, "ana", place) == 3 * [NOT_INSIDE])
        assert (rig.desk.taken, ana.modal()) == ([], None)


async def test_without_its_scope_a_command_in_direct_messages_says_so():
    async with judged(hosts=LOOKS.hosts, burst=None, scopes=SCOPES - {"im:read"}) as slack:
        rig = Rig(slack)
        async with rig.running():
            await slack.person("ana").slash("/firstline", "declare x", "@firstline")
            await whispered(rig, "ana", "the scope im:read is missing", "@firstline")
            assert rig.desk.taken == []


async def test_the_form_declares_with_service_and_time(rig):
    async with rig.running():
        ana = rig.slack.person("ana")
        rig.desk.answers[Investigate] = Answer(incident="INC-1", said="INC-1: I am looking.")
        rig.desk.answers[Steer] = Answer(incident="INC-1", said="Noted: since 13:50.")
        await ana.slash("/firstline", "declare", "incidents")
        form = await rig.slack.wait_for(ana.modal)
        assert rig.channel not in str(form.content)  # what comes back carries a token alone
        with pytest.raises(NotThere, match=r"such as 13:50"):
            await ana.submit(form.id, {"what": "logins fail", "since": "noon"})
        await ana.submit(form.id, {"what": "logins\nfail", "service": "front", "since": "13:50"})
        await whispered(rig, "ana", "INC-1: I am looking. Noted: since 13:50.")
        (asked, actor), (hint, _) = rig.desk.taken
        assert (asked.text, asked.service, asked.place) == ("logins\nfail", "front", rig.channel)
        assert (hint.incident, hint.text, actor.name) == ("INC-1", "since 13:50", "ana")


async def test_an_incident_is_declared_from_anywhere_and_begins_in_the_usual_channel(rig):
    async with rig.running():
        cleo = rig.slack.person("cleo")
        rig.desk.answers[Investigate] = Answer(incident="INC-1", said="INC-1: I am looking.")
        await cleo.shortcut("declare_incident")
        form = await rig.slack.wait_for(cleo.modal)
        await cleo.submit(form.id, {"what": "mail is late"})
        await whispered(rig, "cleo", "INC-1: I am looking.")
        ((asked, _),) = rig.desk.taken
        assert (asked.text, asked.service, asked.place) == ("mail is late", None, None)


async def test_whoever_is_not_in_the_usual_channel_is_answered_directly(rig):
    rig.slack.workspace.channel_named("incidents").members.remove(
        rig.slack.workspace.user_named("cleo").id
    )
    async with rig.running():
        cleo = rig.slack.person("cleo")
        rig.desk.answers[Investigate] = Answer(incident="INC-1", said="INC-1: I am <looking>.")
        await cleo.shortcut("declare_incident")
        form = await rig.slack.wait_for(cleo.modal)
        await cleo.submit(form.id, {"what": "mail is late"})
        told = await rig.slack.wait_for(lambda: cleo.messages("@firstline"))
        assert told[0].text == "INC-1: I am &lt;looking&gt;."


async def test_a_form_that_cannot_be_taken_gives_the_words_back(rig):
    async with rig.running():
        ana = rig.slack.person("ana")
        for what, said in (("  ", NO_WORDS), ("logins fail", "You wrote: logins fail")):
            await ana.slash("/firstline", "declare", "incidents")
            form = await rig.slack.wait_for(ana.modal)
            if what.strip():
                rig.slack.faults.add(Fault(method="conversations.info", failure=Failure.ERROR))
            await ana.submit(form.id, {"what": what})
            await whispered(rig, "ana", said)
        assert rig.desk.taken == []


async def test_a_form_whose_token_we_never_made_opens_nothing(rig):
    async with rig.running():
        ana = rig.slack.person("ana")
        await ana.slash("/firstline", "declare", "incidents")
        form = await rig.slack.wait_for(ana.modal)
        rig.tables.buttons.known.clear()
        await ana.submit(form.id, {"what": "logins fail"})
        await rig.settled()
        assert rig.desk.taken == []


async def test_guests_are_refused_on_each_of_the_ways(rig):
    async with rig.running():
        gus = rig.slack.person("gus")
        ts = await rig.slack.person("ana").say("incidents", "logins fail")
        for text in ("declare x", "investigate x", "status", "help", "declare"):
            await gus.slash("/firstline", text, "incidents")
        await gus.shortcut("investigate_message", "incidents", ts)
        await rig.slack.wait_for(lambda: len(private(rig, "gus")) == 6)
        assert all("only members of this workspace" in text for text in private(rig, "gus"))
        await gus.shortcut("declare_incident")
        await rig.slack.wait_for(lambda: gus.messages("@firstline"))
        assert gus.modal() is None
        assert rig.desk.taken == []


async def test_a_message_is_investigated_in_its_thread(rig):
    async with rig.running():
        ts = await rig.slack.person("cleo").say("incidents", "checkout & cart are slow")
        rig.desk.answers[Investigate] = Answer(incident="INC-1", said="INC-1: I am looking.")
        await rig.slack.person("ana").shortcut("investigate_message", "incidents", ts)
        await whispered(rig, "ana", "INC-1: I am looking.")
        ((asked, actor),) = rig.desk.taken
        assert (asked.text, asked.place) == ("checkout & cart are slow", f"{rig.channel}/{ts}")
        assert (actor.name, asked.fingerprint) == ("ana", None)
        await rig.desk.happen(
            "INC-1", Opened(at=NOON, text=asked.text, service=None, place=asked.place)
        )
        await rig.slack.wait_for(lambda: len(rig.messages(thread=ts)) == 2)
        await rig.slack.person("ben").shortcut("investigate_message", "incidents", ts)
        await whispered(rig, "ben", "INC-1 is about this already.")
        assert len(rig.desk.taken) == 1


async def test_what_a_bot_shows_in_blocks_can_be_investigated_and_nothing_cannot(rig):
    shown = rig.slack.post_as_bot(
        "pager",
        "incidents",
        "",
        blocks=[{"type": "header", "text": {"type": "plain_text", "text": "5xx on checkout"}}],
    )
    empty = rig.slack.post_as_bot("pager", "incidents", "", blocks=[{"type": "divider"}])
    async with rig.running():
        ana = rig.slack.person("ana")
        await ana.shortcut("investigate_message", "incidents", shown.ts)
        await rig.slack.wait_for(lambda: rig.desk.taken)
        assert rig.desk.taken[0][0].text == "5xx on checkout"
        await ana.shortcut("investigate_message", "incidents", empty.ts)
        await whispered(rig, "ana", NOTHING_SAID)
        assert len(rig.desk.taken) == 1


async def test_what_was_not_noted_as_done_before_a_crash_is_told_again_as_the_same(rig):
    ts = await rig.slack.person("ben").say("incidents", "carts are slow")
    async with rig.running():
        ana = rig.slack.person("ana")
        await ana.slash("/firstline", "declare logins fail", "incidents")
        await ana.shortcut("investigate_message", "incidents", ts)
        await ana.shortcut("declare_incident")
        form = await rig.slack.wait_for(ana.modal)
        await ana.submit(form.id, {"what": "mail is late"})
        await rig.slack.wait_for(lambda: len(rig.desk.taken) == 3)
    first = {command.text: command.key for command, _ in rig.desk.taken}
    assert len(set(first.values()) - {None}) == 3
    rig.desk.taken.clear()
    rig.tables.inbox.finished.clear()  # the process died before it wrote that down
    async with rig.running():
        await rig.slack.wait_for(lambda: len(rig.desk.taken) == 3)
    assert {command.text: command.key for command, _ in rig.desk.taken} == first

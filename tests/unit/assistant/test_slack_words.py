"""Words on their way to Slack and from it, what they mean, and what makes a telling the same."""

import re
from pathlib import Path

import pytest

from assistant.slack.blocks.prose import prose
from assistant.slack.ingress import key_of
from assistant.slack.intents import Intent, intent, steers
from assistant.slack.manifest import (
    BOT_SCOPES,
    EVENTS,
    OPTIONAL_SCOPES,
    SCOPES,
    SHORTCUTS,
    manifest,
)
from assistant.slack.text import clean, clip, escape, link, one_line, words

PAGE = Path(__file__).parents[3] / "docs/slack.md"
HOSTS = frozenset({"traces.example"})
NEEDED = {
    "app_mention": "app_mentions:read",
    "member_joined_channel": "groups:read",
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "message.im": "im:history",
    "app_home_opened": None,
    "agent_session_stopped": "assistant:write",
}


def test_what_cannot_be_seen_is_dropped():
    assert clean("a\u202eb\u200bc\x00d\ufefff\te\u2028g") == "abcdf e\ng"
    assert one_line(" a\n\n b ", 9) == "a b"
    assert clip("abcdef", 4) == "abc…"


def test_fallback_text_calls_nobody():
    assert escape("<!channel> & <@U1>") == "&lt;!channel&gt; &amp; &lt;@U1&gt;"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("a &amp;lt; b", "a &lt; b"),
        ("see <https://x.example|the page>", "see the page"),
        ("see <https://x.example>", "see https://x.example"),
        ("ask <@U1> in <#C1|ops>", "ask U1 in ops"),
        ("1 &lt; 2", "1 < 2"),
    ],
)
def test_what_a_person_typed_is_read_as_they_see_it(typed, meant):
    assert words(typed) == meant


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://traces.example/t/1", "link"),
        ("https://evil.example/t/1", "text"),
        ("https://traces.example.evil.example/", "text"),
        ("https://traces.example@evil.example/", "text"),
        ("https://me:secret@traces.example/", "text"),
        ("javascript:alert(1)", "text"),
        ("http://[::1", "text"),
    ],
)
def test_links_lead_to_known_hosts_alone(url, kind):
    assert link(url, "there", HOSTS)["type"] == kind


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("", Intent(word="help", text="")),
        ("Help!", Intent(word="help", text="")),
        ("status", Intent(word="status", text="")),
        ("close: it was a drill", Intent(word="close", text="it was a drill")),
        ("freeze - release day", Intent(word="freeze", text="release day")),
        ("stop now", Intent(word="stop", text="")),
        ("please stop it!", Intent(word="stop", text="")),
        ("stop, please", Intent(word="stop", text="")),
        ("freeze everything", Intent(word="freeze", text="")),
        ("freeze all actions: release day", Intent(word="freeze", text="release day")),
        ("help me please", Intent(word="help", text="")),
        ("thanks!", Intent(word="help", text="")),
        ("thank you so much", Intent(word="help", text="")),
        (
            "stop sending mails to customers",
            Intent(word="tell", text="stop sending mails to customers"),
        ),
        ("great latency on checkout", Intent(word="tell", text="great latency on checkout")),
        ("close to the limit?", Intent(word="tell", text="close to the limit?")),
        ("status of checkout is bad", Intent(word="tell", text="status of checkout is bad")),
    ],
)
def test_only_a_word_alone_or_with_a_reason_is_a_command(text, meant):
    assert intent(text) == meant


def test_few_sentences_steer_without_a_mention():
    assert all(map(steers, ("not the database", "Ignore v2", "look at x", "since 14:02")))
    assert not any(map(steers, ("nothing works", "notice", "looks bad", "I ruled out x")))


def test_a_mention_and_its_twin_have_one_key_and_an_edit_has_another():
    def event(kind, name, **more):
        return {"event_id": name, "event": {"type": kind, "channel": "C1", "ts": "1.2", **more}}

    mention, twin = event("app_mention", "Ev1"), event("message", "Ev2")
    edit = event("message", "Ev3", subtype="message_changed")
    assert key_of(mention, "e1") == key_of(twin, "e2")
    assert key_of(edit, "e3") == "event_id:Ev3"
    added = event("app_mention", "Ev4", edited={"user": "U1", "ts": "1.9"})
    assert key_of(added, "e7") != key_of(mention, "e1")
    assert key_of(added, "e7") == key_of(added, "e8")
    assert key_of({"trigger_id": "t1"}, "e4") == key_of({"trigger_id": "t1"}, "e5")
    assert key_of({}, "e6") == "envelope:e6"


def test_prose_keeps_to_its_budget_and_stays_literal():
    parts = prose("# A\n\n- **b** `c`\n\n```\n<!here>\n```\n" + "word " * 4_000, 2_000, "ask.")
    kinds = [part["type"] for part in parts]
    section, points, code = "rich_text_section", "rich_text_list", "rich_text_preformatted"
    assert kinds == [section, points, code, section]
    assert parts[-1]["elements"][0]["text"] == "… cut here: ask."
    assert prose("", 100, "ask.")[0]["elements"]


def test_further_lines_of_an_item_stay_with_it():
    first, second, after = prose("1. one\n\n   more\n2. two\nafter", 2_000, "")
    assert [e["text"] for e in first["elements"][0]["elements"]] == ["one\nmore"]
    assert len(second["elements"]) == 1
    assert after["elements"][0]["text"] == "after"


def test_a_table_and_escaped_signs_are_read_as_people_mean_them():
    table, text = prose("| a | b \\| c |\n|---|---|\n\nonly \\@sre", 2_000, "")
    assert table["elements"][0]["text"] == "a  ·  b | c"
    assert text["elements"][0]["text"] == "only @sre"


def test_the_manifest_for_http_names_the_request_url_and_wants_no_sockets():
    settings = manifest(http="https://firstline.example/")["settings"]
    url = "https://firstline.example/slack/events"
    assert settings["event_subscriptions"]["request_url"] == url
    assert settings["interactivity"] == {"is_enabled": True, "request_url": url}
    assert settings["socket_mode_enabled"] is False
    assert "request_url" not in str(manifest())


def test_the_manifest_grants_what_its_events_need():
    whole = manifest("helper")
    assert whole["display_information"]["name"] == "helper"
    assert whole["settings"]["socket_mode_enabled"] is True
    assert {NEEDED[event] for event in EVENTS} - {None} <= SCOPES
    assert not [scope for scope in SCOPES if "search" in scope or scope.startswith("admin")]


def test_the_manifest_keeps_to_what_slack_takes():
    features, scopes = manifest()["features"], manifest()["oauth_config"]["scopes"]
    assert len(features["shortcuts"]) == len(SHORTCUTS) <= 10
    for shortcut in features["shortcuts"]:
        assert len(shortcut["name"]) <= 24
        assert len(shortcut["description"]) <= 150
        assert shortcut["type"] in ("message", "global")
    (command,) = features["slash_commands"]
    assert re.fullmatch(r"/[a-z0-9_-]{1,31}", command["command"])
    assert set(scopes["bot"]).isdisjoint(scopes["bot_optional"])


def test_the_documents_say_of_each_scope_what_it_is_for():
    row = re.compile(r"^\| `([a-z_]+:?[a-z_:]*)` \| (\w+) \| (.{15,}) \|$", re.MULTILINE)
    rows = row.findall(PAGE.read_text(encoding="utf-8"))
    assert {scope for scope, needed, _ in rows if needed == "yes"} == set(BOT_SCOPES)
    assert {scope for scope, needed, _ in rows if needed == "no"} == set(OPTIONAL_SCOPES)

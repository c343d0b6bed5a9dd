"""What a person can do and see, and what nobody can."""

import pytest

from assistant.slack.local.interactions import NotThere

PLAIN = {"type": "plain_text", "text": "x"}


def button(name, **more):
    return {"type": "button", "action_id": name, "text": PLAIN, **more}


def menu(kind, name):
    options = [{"text": PLAIN, "value": "one"}, {"text": PLAIN, "value": "two"}]
    return {"type": kind, "action_id": name, "options": options}


def field(name, element, **more):
    return {"type": "input", "block_id": name, "label": PLAIN, "element": element, **more}


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("a < b & c > d", "a &lt; b &amp; c &gt; d"),
        ("<!channel> <@U1>", "&lt;!channel&gt; &lt;@U1&gt;"),
        ("mail me@ana.example", "mail me@ana.example"),
        ("see https://example.org/?a=1&b=2.", "see <https://example.org/?a=1&amp;b=2.>"),
        ("nobody is @zoe in #nowhere", "nobody is @zoe in #nowhere"),
    ],
)
def test_typed_text_is_stored_as_slack_stores_it(slack, typed, stored):
    assert slack.person("ana").encoded(typed) == stored


def test_typed_names_become_mentions(slack):
    ben, sre = slack.person("ben").id, next(iter(slack.workspace.groups))
    where = slack.workspace.channel_named("general").id
    stored = slack.person("ana").encoded("@ben, ask @sre in #general.")
    assert stored == f"<@{ben}>, ask <!subteam^{sre}> in <#{where}|general>."


async def test_a_guest_is_only_where_they_were_invited(slack):
    gus = slack.person("gus")
    assert gus.messages("#incidents") == []
    with pytest.raises(NotThere, match="no channel #general"):
        gus.messages("#general")
    with pytest.raises(NotThere):
        await slack.person("ana").say("#nowhere", "hello?")
    dan = slack.workspace.add_user("dan")
    with pytest.raises(NotThere, match="dan cannot write in #general"):
        await slack.person(dan.id).say("#general", "hello?")


async def test_only_what_is_on_the_screen_can_be_pressed(slack, client, channel, quiet):
    ana, ben = slack.person("ana"), slack.person("ben")
    hidden = button("secret", visible_to_user_ids=[ben.id])
    blocks = [
        {"type": "actions", "elements": [button("there"), hidden, menu("static_select", "pick")]}
    ]
    posted = await client.chat_postMessage(channel=channel, text="x", blocks=blocks, **quiet)
    for action, option, reason in (
        ("missing", None, "nothing called missing"),
        ("secret", None, "nothing called secret"),
        ("pick", "three", "offers no three"),
    ):
        with pytest.raises(NotThere, match=reason):
            await ana.click(channel, posted["ts"], action, option=option)
    await client.chat_update(channel=channel, ts=posted["ts"], text="done", blocks=[])
    with pytest.raises(NotThere, match="nothing called there"):
        await ana.click(channel, posted["ts"], "there")
    assert {delivery.kind for delivery in slack.deliveries.all} == {"events_api"}


async def test_members_invite_and_remove_and_only_who_is_there_hears_of_it(slack, app, run):
    joined = []

    @app.event("member_joined_channel")
    async def heard(event):
        joined.append(event["user"])
        slack.workspace.changes.note()

    cleo, gus, bot = slack.person("cleo"), slack.person("gus"), slack.workspace.bot
    async with run(app):
        cleo.remove("general", "ben")
        cleo.invite("general", "ben")  # the app is not in #general
        cleo.invite("general", "firstline")
        await slack.wait_for(lambda: joined)
        with pytest.raises(NotThere):
            gus.invite("general", "gus")
        with pytest.raises(NotThere, match="Nobody is called dora"):
            cleo.invite("general", "dora")
    assert joined == [bot.id]


async def test_menus_and_folded_buttons_send_what_was_chosen(slack, app, run, channel, quiet):
    chosen = {}

    @app.action("pick")
    @app.action("more")
    @app.action("folded")
    async def heard(ack, action):
        await ack()
        picked = action.get("selected_option") or action
        chosen[action["action_id"]] = picked["value"]

    folded = {
        "type": "container",
        "title": PLAIN,
        "child_blocks": [{"type": "actions", "elements": [button("folded", value="in")]}],
    }
    blocks = [
        {"type": "section", "text": PLAIN, "accessory": menu("overflow", "more")},
        {"type": "actions", "elements": [menu("static_select", "pick")]},
        folded,
    ]
    async with run(app):
        posted = await app.client.chat_postMessage(
            channel=channel, text="x", blocks=blocks, **quiet
        )
        cleo = slack.person("cleo")
        await cleo.click("incidents", posted["ts"], "pick", option="two")
        await cleo.click("incidents", posted["ts"], "more", option="one")
        await cleo.click("incidents", posted["ts"], "folded")
        await slack.wait_for(lambda: len(chosen) == 3)
    assert chosen == {"pick": "two", "more": "one", "folded": "in"}


async def test_a_modal_takes_only_its_own_fields_and_wants_the_needed_ones(slack, app, run):
    got = {}
    elements = {
        "text": {"type": "plain_text_input", "action_id": "text"},
        "old": {"type": "plain_text_input", "action_id": "old", "initial_value": "kept"},
        "radio": menu("radio_buttons", "radio"),
        "boxes": menu("checkboxes", "boxes"),
        "who": {"type": "users_select", "action_id": "who"},
    }
    blocks = [field(n, e, optional=n in ("radio", "who")) for n, e in elements.items()]
    view = {"type": "modal", "callback_id": "v", "title": PLAIN, "submit": PLAIN, "blocks": blocks}

    @app.shortcut("open")
    async def opened(ack, body, client):
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=view)

    @app.view("v")
    async def submitted(ack, view):
        await ack(response_action="clear")
        got.update({key: value[key] for key, value in view["state"]["values"].items()})

    ana, ben = slack.person("ana"), slack.person("ben")
    async with run(app):
        await ana.shortcut("open")
        modal = await slack.wait_for(ana.modal)
        with pytest.raises(NotThere, match="not open"):
            await ben.submit(modal.id, {"text": "x"})
        with pytest.raises(NotThere, match="no field other"):
            await ana.submit(modal.id, {"text": "x", "boxes": "one", "other": "y"})
        with pytest.raises(NotThere, match="must be filled in"):
            await ana.submit(modal.id, {"boxes": "one"})
        await ana.submit(modal.id, {"text": "x", "boxes": "one,two", "who": ben.id})
        await slack.wait_for(lambda: got)
    assert got["text"]["value"] == "x"
    assert got["old"]["value"] == "kept"
    assert got["radio"]["selected_option"] is None
    assert [o["value"] for o in got["boxes"]["selected_options"]] == ["one", "two"]
    assert got["who"]["selected_user"] == ben.id
    assert ana.modal() is None


async def test_another_bot_posts_and_is_no_person(slack, app, run):
    heard = []

    @app.event({"type": "message", "subtype": "bot_message"})
    async def alert(event):
        heard.append((event["username"], event.get("user")))

    async with run(app):
        slack.post_as_bot("pager", "#incidents", "It is slow")
        await slack.wait_for(lambda: heard)
    assert heard == [("pager", None)]
    assert [m.name for m in slack.person("ana").messages("#incidents")] == ["pager"]


async def test_whoever_joins_is_told_to_the_app_and_watchers_hear_of_changes(slack, app, run):
    joined = []

    @app.event("member_joined_channel")
    async def hello(event):
        joined.append(event["user"])

    dan = slack.workspace.add_user("dan")
    seen = []
    async with run(app):
        await app.client.conversations_join(channel=slack.workspace.channel_named("general").id)
        await app.client.conversations_invite(
            channel=slack.workspace.channel_named("incidents").id, users=[dan.id]
        )
        async for count in slack.changes():
            seen.append(count)
            if dan.id in joined:
                break
            await slack.settled()
    assert slack.workspace.bot.id in joined
    assert len(seen) >= 1

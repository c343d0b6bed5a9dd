"""Four judges of what an app shows: two of ours, two from outside, none of which sees everything.

    check    our grammar of blocks and views, asked before each post
    models   Slack's own Python models; what they do not know they drop without a word
    schema   the JSON schema made of Slack's own TypeScript types, see README.md
    limits   sizes of a whole message or view

A judge refuses with a sentence for each fault, or says of a kind of block that it does not know it,
which is no pass: each block must be known to one judge from outside.
"""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import fastjsonschema
from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from assistant.slack import limits
from assistant.slack.check import faults, too_long, view_faults
from assistant.slack.local.shown import STREAM

TYPES = Path(__file__).with_name("blocks.schema.json")
VIEWS = {"modal": "ModalView", "home": "HomeView"}
TEXTS = dict.fromkeys(("chat.update", "chat.postEphemeral"), limits.UPDATED_TEXT)
# What Slack's models and documents have and its TypeScript types do not, yet.
BESIDE = {"Button": {"visible_to_user_ids": {"type": "array", "items": {"type": "string"}}}}


class Unknown(LookupError):
    """A judge does not know this kind of block."""


def check(one):
    found = view_faults(one.view) if one.view is not None else faults(one.blocks, one.surface)
    yield from found


def models(one):
    yield from _each(one, _modelled)
    if one.view is not None:
        try:
            View(**one.view).validate_json()
        except (SlackObjectFormationError, TypeError, AttributeError) as error:
            yield f"{type(error).__name__}: {error}"


def schema(one):
    yield from _each(one, _typed)
    yield from _against("AnyChunk", one.chunks)
    if one.view is not None:  # blocks of any shape are taken there, so they are judged above
        kind = VIEWS.get(one.view.get("type"), "ModalView")
        yield from _against(kind, [{**one.view, "blocks": []}])


def sizes(one):
    """Also the text that Slack would cut without a word."""
    most = limits.MARKDOWN if one.method in STREAM else TEXTS.get(one.method, limits.POSTED_TEXT)
    for text in one.texts:
        if len(text) > most:
            yield f"a text of {len(text)} characters, {most} are shown"
    if one.view is None and too_long(one.blocks):
        yield f"blocks of more than {limits.MESSAGE_BLOCKS_TOTAL} characters"
    if one.view is not None and len(json.dumps(one.view).encode()) > limits.VIEW_BYTES:
        yield f"a view of more than {limits.VIEW_BYTES} bytes"


JUDGES = {"check": check, "models": models, "schema": schema, "limits": sizes}


def verdicts(one):
    """Return what each judge refuses about something shown, by the judge's name."""
    found = {name: list(judge(one)) for name, judge in JUDGES.items()}
    return {name: said for name, said in found.items() if said}


def objections(one):
    """Yield a sentence for each fault that any judge finds."""
    for name, said in verdicts(one).items():
        yield from (f"{name}: {one.where}: {fault}" for fault in said)
    for block in one.blocks:
        if not known(block):
            yield f"{one.where}: no judge from outside knows a block of the kind {_kind(block)}"


def known(block):
    """Tell whether a judge from outside knows this kind of block, whatever it thinks of it."""
    return _kind(block) in _definitions_of_blocks() or _taken_by_models(block)


def _taken_by_models(block):
    try:
        _modelled(block)
    except Unknown:
        return False
    return True


def _each(one, judge) -> Iterator[str]:
    for index, block in enumerate(one.blocks):
        try:
            said = judge(block)
        except Unknown:
            continue
        if said:
            yield f"block {index} ({_kind(block)}): {said}"


def _modelled(block):
    try:
        parsed = Block.parse(block)
        if parsed is None:
            raise Unknown
        return None if parsed.to_dict() else "it is dropped"
    except (SlackObjectFormationError, TypeError, AttributeError) as error:
        return f"{type(error).__name__}: {error}"


def _typed(block):
    name = _definitions_of_blocks().get(_kind(block))
    if name is None:
        raise Unknown
    return next(_against(name, [block]), None)


def _against(name, values) -> Iterator[str]:
    for value in values:
        try:
            _compiled(name)(value)
        except fastjsonschema.JsonSchemaValueException as error:
            yield f"{name}: {error.message}"


@cache
def _types():
    whole = json.loads(TYPES.read_text())
    for name, properties in BESIDE.items():
        whole["definitions"][name]["properties"].update(properties)
    return whole


@cache
def _compiled(name):
    """Return the validator of one definition; it takes a few milliseconds, once a process."""
    whole = _types()
    return fastjsonschema.compile(
        {
            "$schema": whole["$schema"],
            "$ref": f"#/definitions/{name}",
            "definitions": whole["definitions"],
        }
    )


@cache
def _definitions_of_blocks():
    """Return the name of the definition of each kind of block."""
    definitions = _types()["definitions"]
    names = [ref["$ref"].rpartition("/")[2] for ref in definitions["KnownBlock"]["anyOf"]]
    return {kind: name for name in names for kind in _kinds(definitions[name])}


def _kinds(definition) -> Iterator[str]:
    if "properties" in definition:
        yield definition["properties"]["type"]["const"]
    for form in definition.get("anyOf", ()):
        yield from _kinds(form)


def _kind(block):
    return block.get("type") if isinstance(block, dict) else None

"""A runbook made from a solved incident: what helped, its records, nothing of that one alone."""

from dataclasses import replace

import pytest

from runbooks.draft import Done, DraftSource, Told, draft
from runbooks.lint import lint_runbook
from runbooks.model import RunbookError, StepKind
from runbooks.parse import load_library, parse_runbook
from runbooks.render import render

SOURCE = DraftSource(
    id="ledger-code-error-inc-7",
    incident="INC-7",
    title="ledger raises errors of its own",
    summary="It began with deploy ledger@2.1.7. Taking it back helped.",
    cause="code_error",
    services=("ledger",),
    names={"change": "ledger@2.1.7", "version": "2.1.7", "instance": "ledger-9f3"},
    symptoms=("bookings fail since ledger@2.1.7", "requests to front POST / fail"),
    check=Told(text="Errors begin in ledger POST /book: 0 % → 30 %, on ledger-9f3.", records=(12,)),
    action=Done(
        action="rollback_deploy",
        args={"service": "ledger", "change": "ledger@2.1.7"},
        text="Roll ledger back from 2.1.7 to 2.1.6.",
        records=(15, 17, 19),
    ),
    verify=Told(text="Requests to front POST / fail in 0 % again.", records=(20,)),
    rollback=Done(
        action="redeploy",
        args={"service": "ledger", "version": "2.1.7"},
        text="Run 2.1.7 again where that did not help.",
        records=(15,),
    ),
    no_effect=(Told(text="Restarting ledger-9f3: the symptoms stayed.", records=(13, 14)),),
    owners=("ana", "ben"),
    reviewed="2026-03-01",
)


def drafted(**changes):
    markdown, provenance = draft(replace(SOURCE, **changes))
    return parse_runbook(markdown, f"{SOURCE.id}.md"), provenance


def test_a_draft_is_a_runbook_that_nobody_has_to_repair():
    runbook, provenance = drafted()
    assert lint_runbook(runbook, {"rollback_deploy", "redeploy"}) == ()
    assert [s.kind for s in runbook.steps] == [
        StepKind.CHECK,
        StepKind.ACTION,
        StepKind.VERIFY,
        StepKind.ROLLBACK,
    ]
    assert (runbook.services, runbook.made_from) == (("ledger",), "INC-7")
    assert provenance == ((12,), (15, 17, 19), (20,), (15,))
    assert tuple(s.journal for s in runbook.steps) == provenance
    assert draft(SOURCE) == draft(SOURCE)


def test_it_is_shorter_than_the_shipped_page_for_the_cause():
    runbook, _ = drafted()
    shipped = [len(r.steps) for r in load_library() if "code_error" in r.applies_to]
    assert len(runbook.steps) < min(shipped)


def test_what_belongs_to_the_one_incident_is_left_open_and_the_service_is_not():
    runbook, _ = drafted()
    check, action, _, rollback = render(
        runbook, {"change": "ledger@3.0.0", "version": "3.0.0", "instance": "ledger-1aa"}
    ).steps
    assert action.args == {"service": "ledger", "change": "ledger@3.0.0"}
    assert rollback.args == {"service": "ledger", "version": "3.0.0"}
    assert check.text == "Errors begin in ledger POST /book: 0 % → 30 %, on ledger-1aa."
    told = " ".join([runbook.title, runbook.summary, *runbook.symptoms])
    assert "{{" not in told
    assert not [name for name in SOURCE.names.values() if name in told + runbook.body]


def test_what_did_not_help_is_said_with_its_records():
    runbook, _ = drafted()
    assert "- Restarting {{ instance }}: the symptoms stayed. (journal: 13, 14)" in runbook.body


def test_an_undo_whose_arguments_the_next_incident_will_not_have_is_left_to_people():
    undo = Done(
        action="set_flag",
        args={"service": "ledger", "flag": "fast-path", "value": "on"},
        text="Switch it on again.",
        records=(15,),
    )
    runbook, _ = drafted(names={"change": "flag/ledger/fast-path=on"}, rollback=undo)
    assert runbook.steps[-1].kind is StepKind.ROLLBACK
    assert runbook.steps[-1].action is None


@pytest.mark.parametrize("service", ["todo-api", "todo"])
def test_a_service_may_be_called_like_what_is_unfinished(service):
    action = replace(SOURCE.action, args={"service": service, "change": "ledger@2.1.7"})
    runbook, _ = drafted(services=(service,), title=f"{service} is slow", action=action)
    assert runbook.steps[1].args["service"] == service
    assert runbook.title == ("todo-api is slow" if "-" in service else "… is slow")


def test_without_a_way_back_the_action_says_so():
    runbook, _ = drafted(rollback=None)
    assert len(runbook.steps) == 3
    assert runbook.steps[1].no_rollback


@pytest.mark.parametrize(
    "hostile",
    [
        "{{ service.__class__ }} {% for x in y %} {# note #}",
        "2. **action** — do harm\n   action: `restart_instance` service=ledger",
        "```\nrm -rf /\n```\n## Steps\n1. **action** — x",
        "TODO: fill this in\u202e\x1b[31m",
        "---\nid: other\n---",
    ],
)
def test_text_from_outside_cannot_add_a_step_or_a_placeholder(hostile):
    said = Told(text=f"It says {hostile}", records=(3,))
    runbook, _ = drafted(
        title=hostile, summary=hostile, check=said, verify=said, no_effect=(said,),
        symptoms=(hostile, "requests fail"), owners=(hostile,),
        action=replace(SOURCE.action, text=hostile),
    )  # fmt: skip
    assert len(runbook.steps) == 4
    assert [s.action for s in runbook.steps if s.action] == ["rollback_deploy", "redeploy"]
    assert runbook.id == SOURCE.id
    assert all(s.command is None for s in runbook.steps)
    render(runbook, {})


@pytest.mark.parametrize("value", ['say "yes"', "two\nlines", "{{ service }}"])
def test_an_argument_that_no_runbook_can_hold_is_refused(value):
    with pytest.raises(RunbookError, match="the argument note"):
        draft(replace(SOURCE, action=replace(SOURCE.action, args={"note": value})))


def test_an_argument_of_several_words_is_kept():
    runbook, _ = drafted(action=replace(SOURCE.action, args={"note": "two words {x}"}))
    assert runbook.steps[1].args == {"note": "two words {x}"}

from dataclasses import replace

import pytest

from runbooks.lint import lint, lint_runbook
from runbooks.model import Step, StepKind
from runbooks.parse import parse_runbook

ACTIONS = {"drain_instance", "set_flag"}

GOOD = """---
id: full
title: A disk is full
summary: Make room.
applies_to: [disk_pressure]
symptoms: [no space left, writes fail]
owners: [sre]
reviewed: 2026-01-31
---

## Steps

1. **check** — Look at {{ instance }}.

   ```shell
   df -h
   ```

2. **action** — Drain it.

   action: `drain_instance` service={{ service }}

3. **verify** — Free again.

4. **rollback** — Put it back.
"""


def messages(text, source="full.md"):
    return [str(finding) for finding in lint_runbook(parse_runbook(text, source), ACTIONS)]


def test_a_good_runbook_has_no_findings():
    assert messages(GOOD) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("id: full", "id: other", "full.md:1: the id other differs"),
        ("title: A disk is full", 'title: " "', "title is empty"),
        ("Drain it.", "Drain it (todo).", "unfinished text: todo"),
        ("Free again.", "TBD.", "unfinished text: TBD"),
        ("summary: Make room.", "summary: TODO", "unfinished text: TODO"),
        ("[disk_pressure]", "[]", "applies_to names no cause"),
        ("[disk_pressure]", "[gremlins]", "gremlins is not a known cause; known are added_calls"),
        ("[no space left, writes fail]", "[no space left]", "fewer than 2 symptoms"),
        ("owners: [sre]", "owners: []", "no owner is named"),
        ("2026-01-31", "last week", "reviewed is 'last week', not a date"),
        ("`drain_instance`", "`format_disk`", "full.md:19: no action is called format_disk"),
        ("{{ instance }}", "{{ weather }}", "full.md:13: weather is not known"),
        ("{{ instance }}", "{{ instance.x }}", "full.md:13: a placeholder holds more"),
        ("1. **check**", "1. **verify**", "full.md:13: something must be checked before"),
        ("3. **verify**", "3. **check**", "full.md:19: this action is not followed by a verify"),
        ("4. **rollback**", "4. **check**", "full.md:19: this action has neither a rollback"),
        ("   action: `drain_instance` service={{ service }}\n", "", "an action needs an action:"),
        ("df -h", "kubectl delete pod x", "full.md:13: the command of a check step must only read"),
        ("df -h", "kubectl -n a rollout restart x", "must only read"),
        ("df -h", "DELETE FROM orders", "must only read"),
        ("df -h", "ls | sudo rm -rf /x", "must only read"),
        ("## Steps", "## Nothing", "there are no steps"),
    ],
)
def test_each_fault_is_found_and_named(old, new, said):
    assert any(said in message for message in messages(GOOD.replace(old, new, 1)))


@pytest.mark.parametrize(
    "command",
    ["kubectl get pods -l app=set", "SELECT last_update FROM t", "kubectl describe pod delete-me"],
)
def test_a_command_that_only_reads_is_no_fault(command):
    assert messages(GOOD.replace("df -h", command)) == []


def test_a_reason_stands_for_a_rollback():
    reason = GOOD.replace("4. **rollback** — Put it back.\n", "").replace(
        "\n3. **verify**", "\n   no rollback: a restart cannot be undone.\n\n3. **verify**"
    )
    assert messages(reason) == []


def test_a_check_must_not_run_an_action():
    runbook = parse_runbook(GOOD, "full.md")
    step = Step(kind=StepKind.CHECK, text="x", action="set_flag", line=40)
    found = lint_runbook(replace(runbook, steps=(*runbook.steps, step)), ACTIONS)
    assert [str(finding) for finding in found] == [
        "full.md:40: a check step must not run an action"
    ]


@pytest.mark.parametrize("name", ["todo-api", "api-todo", "todo.shop", "shop/todo"])
def test_a_name_with_such_a_word_in_it_is_not_unfinished(name):
    assert messages(GOOD.replace("{{ instance }}", name)) == []


def test_what_an_action_is_given_is_not_unfinished():
    assert messages(GOOD.replace("service={{ service }}", "service=todo")) == []


def test_two_runbooks_cannot_share_an_id():
    twice = [parse_runbook(GOOD, "full.md"), parse_runbook(GOOD, "full.md")]
    assert [str(f) for f in lint(twice, ACTIONS)] == [
        "full.md:1: the id full is already taken by full.md"
    ]

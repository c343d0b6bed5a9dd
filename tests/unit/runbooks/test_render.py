import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbooks.model import Runbook, RunbookError, Step, StepKind
from runbooks.render import render


def runbook(**step):
    return Runbook(
        id="x",
        title="x",
        summary="x",
        applies_to=(),
        symptoms=(),
        steps=(Step(kind=StepKind.CHECK, line=7, **step),),
        owners=(),
        reviewed="2026-01-01",
        source="x.md",
        body="",
    )


def filled(values, **step):
    return render(runbook(**step), values).steps[0]


def test_text_command_and_arguments_are_filled_in():
    step = filled(
        {"service": "ledger", "operation": "GET /users/{id}"},
        text="{{ operation }} of {{service}} is slow",
        command='up{job="{{ service }}"}',
        args={"service": "{{ service }}", "by": "+1"},
    )
    assert step.text == "GET /users/{id} of ledger is slow"
    assert step.command == 'up{job="ledger"}'
    assert step.args == {"service": "ledger", "by": "+1"}


@pytest.mark.parametrize("values", [{}, {"peer": None}, {"peer": ""}])
def test_what_is_not_known_stays_visible(values):
    step = filled(values, text="ask {{ peer }}", command="dig {{ peer }}", args={"p": "{{ peer }}"})
    assert (step.text, step.command, step.args) == ("ask <peer>", "dig <peer>", {"p": "<peer>"})


@given(st.text())
def test_no_value_can_say_anything_to_a_shell(value):
    command = filled({"service": value}, text="", command="run {{ service }} now").command
    assert command.startswith("run ")
    assert command.endswith(" now")
    inserted = command.removeprefix("run ").removesuffix(" now")
    assert inserted == "<service>" or not set(inserted) & set("\"'`$\\;|&<>(){}[]!#%^?\n\r\t\0")


def test_a_value_is_not_a_template():
    assert filled({"service": "{{ peer }}"}, text="{{ service }}").text == "{{ peer }}"


def test_a_value_cannot_break_a_line_or_turn_the_text_around():
    assert filled({"service": "a\n## b\u202ec"}, text="{{ service }}").text == "a ## b c"


@pytest.mark.parametrize(
    "text",
    [
        "{{ service",
        "{{ service.__class__ }}",
        "{{ 9 ** 9 ** 9 }}",
        "{{ service | upper }}",
        "{% for x in range(9) %}{% endfor %}",
        "{{ f() }}",
    ],
)
def test_more_than_a_name_is_refused_with_its_line(text):
    with pytest.raises(RunbookError, match=r"x\.md:7: a placeholder"):
        filled({"service": "a"}, text=text)

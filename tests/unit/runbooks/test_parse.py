import pytest

from runbooks.model import RunbookError, StepKind
from runbooks.parse import load_folder, load_library, parse_runbook

HEAD = """---
id: full
title: A disk is full
summary: Make room.
applies_to: [disk_pressure]
symptoms: [no space left, writes fail]
owners: [sre]
reviewed: 2026-01-31
---

Some words.
"""

STEPS = """
## Steps

1. **check** — Look at {{ instance }}
   and count. Decide: full, go to step 2.

   ```shell
   df -h
     indented | pipe
   ```

2. **action** — Drain it.

   action: `drain_instance` service={{ service }} note="two words"

   no rollback: it is gone anyway.

3. **verify** - Free again.

## Afterwards

1. an ordinary list
"""


def test_a_runbook_is_read_whole():
    runbook = parse_runbook(HEAD + STEPS, "full.md")
    assert runbook.id == "full"
    assert runbook.applies_to == ("disk_pressure",)
    assert runbook.symptoms == ("no space left", "writes fail")
    assert runbook.reviewed == "2026-01-31"
    check, action, verify = runbook.steps
    assert check.kind is StepKind.CHECK
    assert check.text == "Look at {{ instance }} and count. Decide: full, go to step 2."
    assert check.command == "df -h\n  indented | pipe"
    assert action.action == "drain_instance"
    assert action.args == {"service": "{{ service }}", "note": "two words"}
    assert action.no_rollback == "it is gone anyway."
    assert verify.kind is StepKind.VERIFY
    assert runbook.body.startswith("Some words.")


def test_a_step_knows_its_line():
    text = HEAD + STEPS
    step = parse_runbook(text, "full.md").steps[1]
    assert text.splitlines()[step.line - 1].startswith("2. **action**")


def test_steps_from_the_tenth_are_read_like_the_others():
    many = "\n## Steps\n\n" + "".join(f"{n}. **check** — Look.\n\n" for n in range(1, 10))
    command = "    ```shell\n    run\n      on\n    ```\n"
    tenth = f"10. **action** — Act.\n\n    action: `go` a=1\n\n{command}"
    step = parse_runbook(HEAD + many + tenth, "full.md").steps[9]
    assert (step.action, step.args, step.command) == ("go", {"a": "1"}, "run\n  on")


def test_the_page_holds_summary_and_symptoms():
    page = parse_runbook(HEAD + STEPS, "full.md").page()
    assert page.startswith("Make room.\n")
    assert "- writes fail\n" in page
    assert "1. **check**" in page


def test_windows_line_ends_are_read():
    assert len(parse_runbook((HEAD + STEPS).replace("\n", "\r\n"), "full.md").steps) == 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("# no front matter", "full.md:1: a runbook begins with front matter"),
        ("---\nid: x\n", "full.md:1: the front matter is not closed"),
        ("---\nid: [\n---\n", "full.md:2: the front matter is not YAML"),
        ("---\n- a\n---\n", "full.md:2: the front matter is not a list"),
        (HEAD.replace("01-31", "02-30"), "full.md:1: the front matter has a wrong value: day"),
        (
            HEAD.replace("A disk", "A \a disk"),
            "full.md:3: the front matter has a control character",
        ),
        ("---\nid: " + "[" * 5000 + "\n---\n", "full.md:1: the front matter has a wrong value"),
        (HEAD.replace("owners: [sre]\n", ""), "full.md:1: the front matter has no owners"),
        (HEAD.replace("owners: [sre]", "owners: sre"), "full.md:7: owners must be a list"),
        (HEAD.replace("title: A disk is full", "title: 3"), "full.md:3: title must be text"),
        (HEAD.replace("id: full", "id: full\nidd: x"), "full.md:3: idd is not a known field"),
        (HEAD + "\n## Steps\n\n1. check it\n", "full.md:15: a step begins like"),
        (HEAD + "\n## Steps\n\n2. **check** — x\n", "full.md:15: this step must have the number 1"),
        (HEAD + "\n## Steps\n\n1. **check** — x\n\n   ```\n   a\n", "a code block is not closed"),
        (
            HEAD + "\n## Steps\n\n1. **action** — x\n\n   action: drain\n",
            "full.md:17: an action is written",
        ),
        (
            HEAD + "\n## Steps\n\n1. **action** — x\n\n   action: `drain` a b=c\n",
            "full.md:17: the arguments of drain",
        ),
    ],
)
def test_what_does_not_fit_is_an_error_with_its_line(text, said):
    with pytest.raises(RunbookError) as error:
        parse_runbook(text, "full.md")
    assert said in str(error.value)


def test_a_folder_reports_every_file_that_is_broken(tmp_path):
    (tmp_path / "a.md").write_text("x")
    (tmp_path / "b.md").write_bytes(b"\xff")
    (tmp_path / "c.md").symlink_to("nowhere")
    (tmp_path / "d.md").mkdir()
    (tmp_path / "full.md").write_text(HEAD + STEPS)
    with pytest.raises(RunbookError) as error:
        load_folder(tmp_path)
    said = str(error.value).splitlines()
    assert [line.split(":")[0] for line in said] == ["a.md", "b.md", "c.md", "d.md"]
    assert said[2] == "c.md:1: the file cannot be read: No such file or directory"


def test_a_folder_is_read_in_order_of_ids(tmp_path):
    (tmp_path / "notes.txt").write_text("not a runbook")
    for name in ("b", "a"):
        (tmp_path / f"{name}.md").write_text((HEAD + STEPS).replace("id: full", f"id: {name}"))
    assert [runbook.id for runbook in load_folder(tmp_path)] == ["a", "b"]
    with pytest.raises(RunbookError, match="is not a folder"):
        load_folder(tmp_path / "absent")


def test_the_library_is_read():
    assert len(load_library()) >= 14

"""What the processes of a test showed in their Slack is judged like what a test itself shows."""

import json

import pytest
from process import VERDICTS


@pytest.fixture(autouse=True)
def judged_processes(request, tmp_path_factory, monkeypatch):
    """Fail a test whose firstline broke a rule, or was killed before it could be judged."""
    folder = tmp_path_factory.mktemp("slack")
    monkeypatch.setenv(VERDICTS, str(folder))
    yield
    left = [file.read_text() for file in folder.iterdir()]
    assert all(left) or request.node.get_closest_marker("kills"), "killed before it was judged"
    wrong = [said for verdict in left if verdict for said in json.loads(verdict)]
    assert not wrong, "\n".join(wrong)

"""The command line in a process of its own, with a Slack that is judged when it ends.

    subprocess.run([*FIRSTLINE, "chat"])

is `python -m assistant chat`, but that its Slack, which nobody else can reach, is one of
tests/slackrig.py and leaves its verdict where conftest.py looks for it.
"""

import os
import runpy
import sys
from functools import partial
from pathlib import Path

FIRSTLINE = [sys.executable, __file__]
VERDICTS = "SLACK_VERDICTS"  # names the folder
_HOLD_A_SLACK = {"chat", "demo", "serve"}


def _judge():
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from slackrig import left

    from assistant import oncall

    oncall.LocalSlack = partial(left, Path(os.environ[VERDICTS], f"{os.getpid()}.json"))


if __name__ == "__main__":
    if _HOLD_A_SLACK.intersection(sys.argv):
        _judge()
    runpy.run_module("assistant", run_name="__main__", alter_sys=True)

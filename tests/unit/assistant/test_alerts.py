"""What monitors post becomes commands."""

import json
from datetime import timedelta

import pytest
from written import NOON

from assistant.alerts import Alerts
from assistant.answer import Answer
from connectors.alertmanager import build


class Noon:
    def now(self):
        return NOON


async def commands(starts_at):
    """Return what one firing alert comes to."""
    taken = []

    async def submit(command, actor):
        taken.append(command)
        return Answer(incident="INC-1", said="")

    alert = {"status": "firing", "labels": {}, "startsAt": starts_at, "fingerprint": "f"}
    body = json.dumps({"version": "4", "alerts": [alert]}).encode()
    status, _ = await Alerts(build({}), submit, Noon()).receive({}, body)
    assert status == 200
    return taken


@pytest.mark.parametrize(
    ("starts_at", "ago"),
    [
        ((NOON - timedelta(minutes=5)).isoformat(), timedelta(minutes=5)),
        ((NOON + timedelta(minutes=5)).isoformat(), timedelta(0)),  # its clock is ahead
        ("0001-01-01T00:00:00Z", timedelta(0)),  # it does not know
    ],
)
async def test_an_alert_is_about_when_it_began_as_far_as_that_is_known(starts_at, ago):
    (command,) = await commands(starts_at)
    assert command.at == NOON - ago

"""The picture of the evidence, drawn beside the line of an incident."""

import asyncio
import logging
from dataclasses import replace

from desk import Desk

from assistant.pictures import Pictures


async def answered(pictures):
    """Let an incident be answered, and return it once its picture was tried."""
    there = asyncio.Event()
    pictures.watch(lambda _: there.set())
    async with Desk(picture=pictures.draw).open() as desk:
        incident, state = await desk.opened()
        await asyncio.wait_for(there.wait(), 60)
        return incident, state


async def test_an_answer_has_a_picture_that_is_kept_with_what_it_shows_in_words(tmp_path):
    incident, state = await answered(Pictures(tmp_path / "pictures"))
    picture = Pictures(tmp_path / "pictures").of(incident)  # as after a restart
    assert picture.image.startswith(b"\x89PNG")
    assert state.finding.hypotheses[0].service in picture.alt
    assert Pictures(tmp_path / "pictures").of("INC-9") is None


async def test_an_answer_with_nothing_to_draw_does_not_keep_the_picture_of_the_one_before(tmp_path):
    pictures, given = Pictures(tmp_path / "pictures"), []
    drawn = {name: asyncio.Event() for name in ("INC-1", "INC-2")}
    pictures.watch(lambda name: drawn[name].set())
    async with Desk(picture=lambda *told: given.append(told)).open() as desk:
        await desk.opened()
    _, telemetry, finding = given[0]
    pictures.draw("INC-1", telemetry, finding)
    await asyncio.wait_for(drawn["INC-1"].wait(), 60)
    assert pictures.of("INC-1") is not None
    pictures.draw("INC-1", telemetry, replace(finding, evidence=(), hypotheses=()))
    pictures.draw("INC-2", telemetry, finding)
    await asyncio.wait_for(drawn["INC-2"].wait(), 60)  # drawn in order, so that one is over
    assert pictures.of("INC-1") is None


class Told(logging.Handler):
    """Sets `there` when something is logged, which a thread may do."""

    def __init__(self):
        super().__init__()
        self.there, self.said = asyncio.Event(), ""

    def emit(self, record):
        self.said = record.getMessage()
        self.there.set()


async def test_what_cannot_be_kept_leaves_the_answer_as_it_is(tmp_path):
    told = Told()
    logging.getLogger("assistant.pictures").addHandler(told)
    (tmp_path / "file").write_text("in the way")
    pictures = Pictures(tmp_path / "file")
    async with Desk(picture=pictures.draw).open() as desk:
        incident, state = await desk.opened()
        assert state.finding is not None
        await asyncio.wait_for(told.there.wait(), 60)
    logging.getLogger("assistant.pictures").removeHandler(told)
    assert f"{incident} has no picture" in told.said
    assert pictures.of(incident) is None

"""A third party in a real process's shoes: well, refusing, silent, and well again."""

import asyncio
import json
import socket

import aiohttp
import pytest
from shop import lifeline, outside


class _Parent:
    """The other end of the channel."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.url = ""

    async def heard(self) -> dict[str, dict[str, str]]:
        return json.loads(await self.reader.readline())

    async def tell(self, mode: str) -> None:
        self.writer.write(json.dumps({"mode": mode, "seq": 1}).encode() + b"\n")
        await self.heard()


@pytest.fixture
async def party():
    ours, theirs = socket.socketpair()
    channel = await lifeline.Channel.over(theirs)
    work = asyncio.create_task(outside.run(channel, {"seed": 1}, ending=lambda: None))
    parent = _Parent(*await asyncio.open_connection(sock=ours))
    parent.url = (await parent.heard())["ready"]["url"]
    yield parent
    parent.writer.close()
    await work
    channel.close()


async def _answers(url: str) -> bool:
    timeout = aiohttp.ClientTimeout(total=0.3)
    async with aiohttp.ClientSession(timeout=timeout) as session, session.post(url) as response:
        return response.status == 200


async def test_it_stops_answering_in_two_ways_and_comes_back(party: _Parent):
    assert await _answers(party.url)
    await party.tell(outside.REFUSES)
    with pytest.raises(aiohttp.ClientConnectorError):
        await _answers(party.url)
    await party.tell(outside.WELL)
    assert await _answers(party.url)
    await party.tell(outside.SILENT)
    with pytest.raises(TimeoutError):
        await _answers(party.url)
    await party.tell(outside.WELL)
    assert await _answers(party.url)

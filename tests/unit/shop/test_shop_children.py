"""The parent's end of the shop's processes, without any of them."""

import asyncio
import gc
import socket

from shop.children import Child
from shop.lifeline import Channel


async def test_a_start_that_is_cut_off_leaves_nothing_to_complain_of(tmp_path):
    complaints = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told: complaints.append(told))
    ours, theirs = socket.socketpair()
    child = Child(await Channel.over(ours), lambda _: None)
    starting = asyncio.create_task(child.begin({"log": str(tmp_path / "x.log")}))
    await asyncio.sleep(0)
    starting.cancel()
    await asyncio.wait([starting])
    theirs.close()
    await child.stop()
    assert starting.cancelled()
    del child, starting
    gc.collect()
    assert complaints == []

"""firstline in a process of its own, on call for the system of a test: `child.py SETTINGS URL`."""

import asyncio
import sys
from pathlib import Path

from system import Seen

from assistant import oncall, wiring
from assistant.clock import SystemClock
from assistant.config import load
from assistant.folder import held
from assistant.recall import COLLECTION, documents
from retrieval.index import open_index


async def main():
    settings = load(Path(sys.argv[1]))
    seen = Seen(sys.argv[2])
    with held(settings.data, patience_s=10):
        index = open_index(settings.index_folder, embed=False)
        index.sync(COLLECTION, documents(wiring.runbooks(settings).values()))
        parts = oncall.Parts(
            connectors={"system": seen}, actuators={"system": seen}, index=index, receivers={}
        )
        async with oncall.on_slack(parts, settings, SystemClock()):
            await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())

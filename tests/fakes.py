"""Small sources that really misbehave, for what no healthy one shows."""

import asyncio
from datetime import timedelta

from connectors.api import Capability, Health, Page


class _Source:
    name = "fake"

    def __init__(self, *capabilities):
        self.capabilities = frozenset(capabilities or {Capability.SPANS})

    async def check(self):
        return Health(ok=False, message="It is down.")

    async def aclose(self):
        return None


class Failing(_Source):
    """Gives one page, where there is one, and then fails."""

    def __init__(self, error, *capabilities, page=None):
        super().__init__(*capabilities)
        self.error, self.page = error, page

    async def fetch(self, ask):
        if self.page is not None:
            yield self.page
        raise self.error


class Answering(_Source):
    """Gives one page, or what it takes for one."""

    def __init__(self, page, *capabilities):
        super().__init__(*capabilities)
        self.page = page

    async def fetch(self, ask):
        yield self.page


class Silent(_Source):
    """Never answers."""

    async def fetch(self, ask):
        await asyncio.Event().wait()
        yield Page(capability=ask.capability, query="never")


class Telling(_Source):
    """Tells the changes (and calls) that it was given."""

    def __init__(self, *changes, edges=(), gaps=()):
        super().__init__(Capability.CHANGES, Capability.GRAPH)
        self.changes, self.edges, self.gaps = changes, edges, gaps

    async def fetch(self, ask):
        if ask.capability is Capability.CHANGES:
            yield Page(capability=ask.capability, changes=self.changes, gaps=self.gaps, query="all")
        else:
            yield Page(capability=ask.capability, edges=self.edges, query="all")


def request(trace, at, gap):
    """Return the spans of one: front → (client span) → back, `gap` ms on the way."""
    work = 5.0
    client = work + gap
    back = at + timedelta(milliseconds=1 + gap / 2)
    rows = (
        ("r", None, "front", "GET /", "server", at, client + 3, None),
        ("c", "r", "front", "GET /back", "client", at + timedelta(milliseconds=1), client, "back"),
        ("s", "c", "back", "GET /back", "server", back, work, None),
    )
    return [
        {
            "trace_id": trace,
            "span_id": trace + i,
            "parent_span_id": trace + p if p else None,
            "service": service,
            "name": name,
            "kind": kind,
            "status": "ok",
            "start": start,
            "end": start + timedelta(milliseconds=ms),
            "peer": peer,
        }
        for i, p, service, name, kind, start, ms, peer in rows
    ]

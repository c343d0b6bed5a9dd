"""Small sources that really misbehave, for what no healthy one shows."""

import asyncio

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

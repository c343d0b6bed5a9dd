"""A world with a service on call for it."""

from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from world import ANA, BEN, Approvers, Clock, World

from assistant.actions.catalogue import Catalogue
from assistant.actions.judge import Judge
from assistant.commands import Approve, Investigate, RequestAction
from assistant.flow import Sources, Timing
from assistant.folder import stopped
from assistant.journal.checkpoint import new_signer, opened
from assistant.journal.notary import VouchedJournal
from assistant.journal.published import Published
from assistant.journal.sql import SqlJournal
from assistant.policy.source import reader
from assistant.runtime import lanes
from assistant.service import Service
from assistant.store.database import open_database
from assistant.store.pen import take

SIGNER = new_signer("desk")
CALL = {"service": "front", "peer": "back"}
TIMING = Timing(look_after_s=0, settle_s=1, every_s=0.001, patience_s=60, grace_s=0)


@dataclass
class Desk:
    """Each `open` is a new process on the same journal; `policy` null is the shipped one.

    `elsewhere` is a folder for checkpoints: without one nobody vouches for the journal. With `seen`
    false nothing is looked at, which takes no time.
    """

    path: Path | None = None
    helps: bool = True
    approvers: object = field(default_factory=Approvers)
    policy: Path | None = None
    kind: type = World
    elsewhere: Path | None = None
    seen: bool = True
    audience: object = None
    memory: object = None
    picture: object = None
    timing: Timing = TIMING

    def __post_init__(self):
        self.clock = Clock()
        self.world = self.kind(self.clock, helps=self.helps)
        self.judge = Judge(policy=reader(self.policy))

    @asynccontextmanager
    async def open(self):
        with closing(open_database(self.path)) as self.database:
            self.pen = take(self.database)
            self.journal = self.vouched(SqlJournal(self.database, self.clock, self.pen))
            async with self.running():
                yield self

    def vouched(self, journal):
        if self.elsewhere is None:
            return journal
        published = Published(self.elsewhere)
        known = [opened(note, [SIGNER.verifier]) for note in published.notes()]
        return VouchedJournal(journal, SIGNER, [published.put], known)

    @asynccontextmanager
    async def running(self):
        sources = Sources(
            connectors={"world": self.world} if self.seen else {},
            clock=self.clock,
            catalogue=Catalogue({"world": self.world}),
            approvers=self.approvers,
            audience=self.audience,
            picture=self.picture or (lambda *_: None),
            judge=self.judge,
            memory=self.memory,
            ours=lambda: (self.path and stopped(self.path.parent)) or self.pen.lost(),
            timing=self.timing if self.seen else replace(self.timing, patience_s=1),
        )
        async with lanes() as made:
            self.service = Service(sources, self.journal, made)
            yield

    async def opened(self, **more):
        ask = Investigate(text="front is slow", at=self.clock.now(), service="front", **more)
        answer = await self.service.submit(ask, ANA)
        return answer.incident, await self.service.settled(answer.incident)

    async def requested(self, incident, actor=ANA, args=CALL, action="reroute", **more):
        wanted = RequestAction(incident=incident, action=action, args=args, **more)
        answer = await self.service.submit(wanted, actor)
        return answer, self.last(incident)

    def last(self, incident):
        requests = self.service.incident(incident).requests.values()
        return list(requests)[-1] if requests else None

    async def approve(self, incident, tracked, actor=BEN, digest=None, typed=None):
        """Say yes as somebody who has read the request, unless `typed` is something else."""
        request = tracked.request
        yes = Approve(
            incident=incident,
            request=request.id,
            digest=digest or request.digest,
            typed=request.target_name if typed is None else typed,
        )
        answer = await self.service.submit(yes, actor)
        await self.service.settled(incident)
        return answer

    def events(self, kind):
        return [r for r in self.journal.records() if isinstance(r.event, kind)]

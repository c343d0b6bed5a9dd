"""Answers asks from what the embedded receiver has kept."""

from collections.abc import AsyncIterator, Awaitable, Callable

from connectors.api import Ask, Capability, Connector, Health, Page
from connectors.errors import Unavailable
from connectors.otlp.intake import Intake
from connectors.pages import bounded, query_text, refuse_unless_offered, within_deadline


class OtlpConnector(Connector):
    """The connector over an `Intake`; `start` and `aclose` are those of its receiver.

    `reserve` says where it can listen, and raises where it cannot.
    """

    name = "otlp"
    capabilities = frozenset({Capability.SPANS, Capability.LOGS, Capability.METRICS})

    def __init__(
        self,
        intake: Intake,
        *,
        start: Callable[[], Awaitable[None]],
        reserve: Callable[[], Awaitable[str]],
        close: Callable[[], Awaitable[None]],
    ) -> None:
        self._intake = intake
        self._start = start
        self._reserve = reserve
        self._close = close

    async def start(self) -> None:
        """Open the receiver's port; raises `Rejected` if it is taken."""
        await self._start()

    async def fetch(self, ask: Ask) -> AsyncIterator[Page]:
        """Yield one page; raises `Unavailable` while nobody listens."""
        refuse_unless_offered(ask, self.capabilities, self.name)
        if self._intake.started is None:
            raise Unavailable("The OTLP receiver is not listening; start it first.")
        yield await within_deadline(ask, self.name, lambda: self._answer(ask))

    async def check(self) -> Health:
        """Say how many rows are kept, and since when the receiver has listened.

        Before `start` it says whether it could: what it heard for a moment would be lost. Raises
        `Rejected` where the port cannot be had.
        """
        started = self._intake.started
        if started is None:
            where = await self._reserve()
            return Health(ok=True, message=f"The OTLP receiver can listen on {where}.")
        kept = ", ".join(f"{store.kept} {kind}" for kind, store in self._intake.stores.items())
        since = started.isoformat(timespec="seconds")
        return Health(ok=True, message=f"The OTLP receiver holds {kept} since {since}.")

    async def aclose(self) -> None:
        """Close the receiver's port; may be called twice."""
        await self._close()

    def _answer(self, ask: Ask) -> Page:
        frame, cut = bounded(self._intake.stores[ask.capability].select(ask), ask)
        return Page(
            capability=ask.capability,
            frame=frame,
            complete=not cut,
            gaps=cut + self._intake.gaps(ask),
            query=query_text(f"received {ask.capability}", ask),
        )

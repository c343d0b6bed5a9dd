"""Orders under the keys they came with: each is done once, however often it is sent.

The key is the sender's. Sent again, it gets the first outcome; sent with another order, it is
refused; and whoever lost the answer can ask whether it was done.
"""

import asyncio
from dataclasses import asdict, dataclass

from shop.children import ShopError
from shop.control import ControlPlane
from shop.orders import Order, look


class Refused(ShopError):
    """The order cannot be done, and nothing of it was; its key is free again."""


class KeyTaken(ShopError):
    """The key belongs to another order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What came of an order: a sentence, and the reference of the change."""

    summary: str
    ref: str

    def as_json(self) -> dict[str, str]:
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    order: Order
    work: "asyncio.Task[Done]"


class Ledger:
    """Does orders, one at a time; `close` gives up what is not done yet."""

    def __init__(self, control: ControlPlane) -> None:
        self._control = control
        self._entries: dict[str, _Entry] = {}
        self._turn = asyncio.Lock()

    async def run(self, key: str, order: Order) -> Done:
        """Do the order once; raises `Refused`, `KeyTaken` or another `ShopError`.

        Whoever goes away meanwhile does not stop it.
        """
        entry = self._entries.get(key)
        if entry is None:
            entry = _Entry(order=order, work=asyncio.create_task(self._do(key, order)))
            self._entries[key] = entry
        elif entry.order != order:
            raise KeyTaken("This key was used for another order; give every order its own.")
        return await asyncio.shield(entry.work)

    async def find(self, key: str) -> Done | None:
        """The outcome under a key, once it is there; null where nothing was done under it."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        try:
            return await asyncio.shield(entry.work)
        except Refused:
            return None

    async def close(self) -> None:
        works = [entry.work for entry in self._entries.values()]
        for work in works:
            work.cancel()
        await asyncio.gather(*works, return_exceptions=True)

    async def _do(self, key: str, order: Order) -> Done:
        async with self._turn:
            try:
                intent = look(self._control, order)
            except ShopError as error:
                del self._entries[key]
                raise Refused(str(error)) from error
            return Done(summary=intent.done, ref=await intent.act())

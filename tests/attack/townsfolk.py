"""People around one mention: they steer, ask, approve (the wrong ones too), reject and close.

They know what their screen shows and nothing else, and do again what came to nothing.
"""

import asyncio
from contextlib import suppress

from assistant.slack.local.driver import Person
from assistant.slack.local.interactions import NotThere

STEERING = ("look at back", "look at front", "not back", "since 03:01", "since 03:02", "thanks!")
PLANS = ("through", "through", "through", "rejected", "closed early", "left alone")
RIGHT, WRONG = ("ana", "ben"), ("cleo", "gus")


class Thread:
    """One mention and what is done in its thread; `plan` says how it is to end."""

    def __init__(self, scene, number):
        self.scene, self.rng = scene, scene.weather.rng
        self.channel = self.rng.choice(("incidents", "incidents", "payments"))
        self.text = f"@firstline front is slow, {number + 1}"
        self.asker = self.rng.choice(("ana", "ben", "cleo"))
        self.plan = self.rng.choice(PLANS)
        self.begins = self.rng.uniform(0.0, 120.0)
        self.lines = self.rng.choice((0, 1, 2, 2, 3))
        self.ts, self.rejected, self.said_close = None, False, False

    def person(self, name):
        office = self.scene.office
        return Person(office, office.workspace.user_named(name).id)

    async def live(self):
        await asyncio.sleep(self.begins)
        self.ts = await self.say(self.asker, self.text, thread=False)
        steering = self.scene.loop.create_task(self.steer())
        done = {
            "through": self.closed,
            "rejected": self.closed,
            "closed early": self.closed,
            "left alone": self.answered,
        }[self.plan]
        while not done():
            await asyncio.sleep(self.rng.uniform(3.0, 12.0))
            if self.scene.weather.out(self.scene.now):
                continue
            with suppress(NotThere):  # what was there a moment ago
                await self.act()
        await steering

    async def say(self, name, text, *, thread=True):
        self.scene.tell(f"{name} in {self.channel}: {text}")
        return await self.person(name).say(self.channel, text, thread=self.ts if thread else None)

    async def steer(self):
        for _ in range(self.lines):
            await asyncio.sleep(self.rng.choice((0.0, 0.1, 5.0, 60.0)))
            await self.say(self.rng.choice(RIGHT), self.rng.choice(STEERING))

    async def act(self):
        if self.plan == "left alone" or self.closed():
            return
        if self.plan == "closed early" and self.answered() and self.rng.random() < 0.5:
            await self.say("ana", "@firstline close: a drill")
            await asyncio.sleep(30.0)
        elif await self.press(("ana",), "Close and write"):
            return
        elif self.plan == "rejected" and self.rejected_shown():
            await self.say("ben", "@firstline close: not worth it")
            await asyncio.sleep(30.0)
        elif self.button("ana", "Approve"):
            await self.decide()
        else:
            await self.press((self.rng.choice((*RIGHT, "cleo")),), "Request")

    async def decide(self):
        if self.plan == "rejected":
            await self.reject()
            return
        if self.rng.random() < 0.3:
            await self.press((self.rng.choice(WRONG),), "Approve")
        who = self.rng.choice((("ben",), ("ana",), ("ben", "ana"), ("ben", "ben"), ("ana", "ana")))
        await self.press(who, "Approve")

    async def reject(self):
        ben = self.person("ben")
        await self.press(("ben",), "Reject")
        await asyncio.sleep(2.0)
        view = ben.modal()
        if view is not None:
            self.scene.tell("ben says why not")
            await ben.submit(view.id, {"reason": "not now"})
            if (left := ben.modal()) is not None:
                await ben.close(left.id)

    async def press(self, names, label):
        """Press the newest button with the label, all of them at once; tell whether it is there."""
        found = self.button(names[0], label)
        if found is None:
            return False
        message, element, block = found
        self.scene.tell(f"{' and '.join(names)} press {label!r}")
        clicks = [
            self.person(name).click(self.channel, message.ts, element["action_id"], block_id=block)
            for name in names
        ]
        await asyncio.gather(*clicks)
        return True

    # what the screen shows

    def shown(self, name="ana"):
        if self.ts is None:
            return []
        return [m for m in self.person(name).messages(self.channel, self.ts) if m.ts != self.ts]

    def ours(self):
        return [m for m in self.shown() if m.app and not m.only_for]

    def button(self, name, label):
        for message in reversed(self.shown(name)):
            for block in message.blocks:
                for element in block.get("elements", ()):
                    if element.get("type") != "button":
                        continue
                    if element["text"]["text"].startswith(label):
                        return message, element, block["block_id"]
        return None

    def answered(self):
        return any("Likely" in m.text or "Possible" in m.text for m in self.ours())

    def closed(self):
        return any("(closed by" in m.text for m in self.ours())

    def rejected_shown(self):
        return any(m.text.startswith("Rejected") for m in self.ours())

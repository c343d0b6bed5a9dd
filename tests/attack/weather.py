"""What goes wrong in one simulated story, drawn from its seed; after `END_S` nothing does."""

import random
from dataclasses import dataclass, field

END_S = 2_400.0
OUTAGE_S = 1_800.0
WRITES = ("chat.postMessage", "chat.update")
MOMENTS = (
    "claimed",
    "acknowledged",
    "applied chat.postMessage",
    "applied chat.update",
    "answered chat.postMessage",
    "before the effect",
    "after the effect",
)
WRITTEN = ("Opened", "Steered", "ActionRequested", "Approved", "ActionStarted", "Closed")
STORM = (*MOMENTS, *(f"written {name}" for name in WRITTEN))


@dataclass(frozen=True)
class Death:
    """How a process ends: killed before a step, or the `turn`-th time that it comes to a moment.

    `asked` is when it is asked to end instead, in seconds after its start.
    """

    steps: int | None = None
    asked: float | None = None
    moment: str = ""
    turn: int = 0


@dataclass
class Weather:
    """Draws accidents; `seed` makes them the same again. In a `storm` many are certain."""

    seed: int
    storm: bool = False
    rng: random.Random = field(init=False)
    deaths: list[Death] = field(init=False)

    def __post_init__(self):
        self.rng = random.Random(self.seed)  # noqa: S311 — it has to be repeatable
        self.bad = self.rng.choice((0.0, 0.03, 0.1, 0.25))  # of the calls
        self.wild = self.rng.choice((0.0, 0.05, 0.2))  # of the envelopes
        deaths = self.rng.choice((0, 0, 1, 1, 2, 3, 5))
        if self.storm:
            self.bad, self.wild, deaths = 0.1, 0.2, 8
        self.deaths = [self._death() for _ in range(deaths)]
        self.down = None
        if self.rng.random() < 0.2:
            begins = self.rng.uniform(5, END_S - OUTAGE_S)
            self.down = (begins, begins + OUTAGE_S)

    def _death(self):
        how = self.rng.random()
        if how < 0.1:
            return Death(asked=self.rng.uniform(0.0, 300.0))
        if how < 0.5:
            return Death(steps=int(10 ** self.rng.uniform(1.0, 4.0)))
        moment = self.rng.choice(STORM if self.storm else MOMENTS)
        return Death(moment=moment, turn=1 if "written" in moment else self.rng.randrange(1, 5))

    def death(self, at):
        """Return where the next process dies, null where it lives on."""
        return self.deaths.pop() if self.deaths and at < END_S else None

    def out(self, at):
        """Tell whether Slack is out of order."""
        return self.down is not None and self.down[0] <= at < self.down[1]

    def call(self, method, at):
        """Return how a call fails, and the seconds that belong to it."""
        if at >= END_S:
            return None, 0.0
        if self.out(at):
            return self.rng.choice(("reset", "500", "503", "503")), 0.0
        if self.rng.random() >= self.bad:
            return None, 0.0
        how = self.rng.choice(("429", "429", "500", "503", "lost", "lost", "slow", "reset"))
        seconds = {"429": self.rng.randrange(1, 31), "slow": self.rng.uniform(1.0, 30.0)}
        return how, float(seconds.get(how, 0.0))

    def latency(self):
        return self.rng.uniform(0.02, 0.3)

    def envelope(self, at):
        """Return the delay of an envelope, whether it comes twice, and what becomes of its ack."""
        delay = self.rng.uniform(0.01, 0.2)
        if at >= END_S or self.rng.random() >= self.wild:
            return delay, False, "heard"
        how = self.rng.choice(("late", "twice", "lost", "cut", "cut"))
        if how == "late":
            delay = self.rng.uniform(0.5, 20.0)
        return delay, how == "twice", how if how in ("lost", "cut") else "heard"

"""All that is decided before a single request is simulated."""

from dataclasses import dataclass

from bench.generator.alerts import alerted
from bench.generator.changes import History, write_history
from bench.generator.effects import Effect
from bench.generator.everyday import Everyday, live_on
from bench.generator.faults import KINDS, Fault
from bench.generator.scene import Circumstances, Scene
from bench.generator.second import Second, draw_second
from bench.generator.streams import stream


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """What goes wrong in a scene, what else happens there, and which operation is alerted."""

    fault: Fault
    second: Second | None
    history: History
    everyday: Everyday
    alerted: int
    around: Circumstances

    @property
    def effects(self) -> tuple[Effect, ...]:
        """Everything that acts on the simulation."""
        more = self.second.fault.effects if self.second is not None else ()
        return (*self.fault.effects, *more, *self.everyday.effects)


def draw_plot(seed: int, scene: Scene, kind: str, around: Circumstances) -> Plot:
    """Draw a fault of `kind` and what surrounds it; raises `NoPlace` where there is no room."""
    fault = KINDS[kind](scene)
    second = draw_second(seed, scene, fault, around.second) if around.second is not None else None
    history = write_history(scene, fault, stream(seed, "changes"), second)
    faults = [fault] + ([second.fault] if second is not None else [])
    broken = frozenset(f.service for f in faults if f.service is not None)
    other = around.alert == "other"
    entry = alerted(scene, fault, broken, stream(seed, "alert"), other=other)
    everyday = Everyday()
    if around.everyday:
        everyday = live_on(scene, entry, history, broken, stream(seed, "everyday"))
    return Plot(
        fault=fault,
        second=second,
        history=history,
        everyday=everyday,
        alerted=entry,
        around=around,
    )

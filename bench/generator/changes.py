"""What people and machines did to the system: the change at fault, if there is one, and decoys.

An innocent change on the service at fault lies well before the onset or after it: closer to it
nobody could tell the two apart.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from bench.generator.faults import Fault
from bench.generator.rollouts import Rollout
from bench.generator.scene import Scene
from bench.generator.second import Second
from connectors.api import Change

_INNOCENT = (
    ("docs: describe the {a} settings", "docs/{a}.md", "+Set `{a}` before the first start."),
    ("test: cover {a} without {b}", "services/{s}/{a}_test.py", "+    assert {a}({b}=None) == []"),
    ("refactor: rename {a} to {b}", "services/{s}/{a}.py", "-def {a}(x):\n+def {b}(x):"),
    ("chore: bump {a} to 2.{n}.0", "services/{s}/requirements.txt", "-{a}==2.0.1\n+{a}==2.{n}.0"),
)
_GUILTY = {
    "exception": ("simplify {a} lookup", "-    if {a} is None:\n-        return []\n     use({a})"),
    "early_return": (
        "skip {a} when {b} is set",
        "+    if {a}:\n+        return {b}\n     run({a})",
    ),
    "slow_code": ("order {a} by {b}", "+    for x in {a}:\n+        {b}.sort(key=x)"),
    "memory_leak": ("remember {a} between requests", "+_SEEN.append({a})"),
}


@dataclass(slots=True, kw_only=True)
class History:
    """All changes with their rollouts; `at_fault` is the ref of the one to blame, if any.

    `also_at_fault` is that of the second fault.
    """

    changes: list[Change] = field(default_factory=list)
    rollouts: list[Rollout] = field(default_factory=list)
    at_fault: str | None = None
    also_at_fault: str | None = None
    decoys: list[str] = field(default_factory=list)


class Clerk:
    """Writes changes down; every ref is new and holds no service's name."""

    def __init__(
        self, scene: Scene, rng: np.random.Generator, history: History | None = None
    ) -> None:
        self._scene = scene
        self._rng = rng
        self.history = history or History()

    def draft(self, kind: str, service: int, at: float, summary: str) -> Change:
        """Return a change at `at` seconds, not yet recorded."""
        return Change(
            at=self._scene.time(at),
            until=None,
            kind=kind,
            target=self._scene.topology.services[service].name,
            ref=f"{kind}-{self._rng.bytes(4).hex()}",
            actor=self._scene.namer.person(),
            summary=summary,
        )

    def note(self, change: Change) -> str:
        """Record a change and return its ref."""
        self.history.changes.append(change)
        return change.ref

    def deploy(self, service: int, first: float, *, faulty: bool, canary: bool) -> str:
        """Roll a new version out, instance by instance; a canary stays on one of them."""
        known = self._scene.topology.services[service]
        step = float(self._rng.uniform(4.0, 15.0))
        order = self._rng.permutation(known.instances)
        flips = [first + step * float(place) for place in order]
        if canary:
            flips = [first if place == 0 else float("inf") for place in order]
        version = f"{known.version}-{self._rng.bytes(3).hex()}"
        rollout = Rollout(service=service, version=version, flips=tuple(flips), faulty=faulty)
        self.history.rollouts.append(rollout)
        summary = f"{'canary' if canary else 'rollout'} of {version}"
        begun = self.draft("deploy", service, first - 1.0, summary)
        return self.note(replace(begun, until=self._scene.time(rollout.last)))

    def commit(self, service: int, at: float, *, kind: str | None) -> str:
        """Record a commit that explains a fault of `kind`, or (null) an innocent one."""
        words = {
            "a": self._scene.namer.word(),
            "b": self._scene.namer.word(),
            "s": self._scene.topology.services[service].name,
            "n": int(self._rng.integers(1, 40)),
        }
        if kind is None:
            summary, path, diff = _INNOCENT[int(self._rng.integers(len(_INNOCENT)))]
        else:
            (summary, diff), path = _GUILTY[kind], "services/{s}/{a}.py"
        plain = self.draft("commit", service, at, summary.format(**words))
        return self.note(
            replace(
                plain,
                target=None,
                ref=self._rng.bytes(20).hex(),
                files=(path.format(**words),),
                diff=f"@@ {words['a']} @@\n{diff.format(**words)}",
            )
        )

    def innocent(self, service: int, at: float, *, deploys: bool) -> str:
        """Record a change without consequences; a deploy only where `deploys` allows it."""
        kinds = ["config", "flag", "commit", "scale", "infra"] + ["deploy"] * 2 * deploys
        kind = str(self._rng.choice(kinds))
        word = self._scene.namer.word()
        if kind == "deploy":
            return self.deploy(service, at, faulty=False, canary=bool(self._rng.random() < 0.3))
        if kind == "commit":
            return self.commit(service, at, kind=None)
        summary = {
            "config": f"{word}_timeout_ms changed",
            "flag": f"flag {word} turned on",
            "scale": "limits of the autoscaler changed",
            "infra": f"log shipper updated on the nodes of {word}",
        }[kind]
        return self.note(self.draft(kind, service, at, summary))


def write_history(
    scene: Scene, fault: Fault, rng: np.random.Generator, second: Second | None = None
) -> History:
    """Return the changes of a recording, ordered by time."""
    clerk = Clerk(scene, rng)
    if fault.change is not None and fault.service is not None:
        clerk.history.at_fault = _blame(clerk, scene, fault, rng)
    history = clerk.history
    if second is not None and second.fault.change is not None:
        also = Clerk(second.scene, second.scene.rng, history)
        history.also_at_fault = _blame(also, second.scene, second.fault, second.scene.rng)
    began = {fault.service: scene.onset}
    if second is not None:
        began[second.fault.service] = second.scene.onset
    for service, at in _innocent_places(scene, fault, rng):
        # A later deploy of a service at fault would replace the broken version.
        deploys = at < began.get(service, np.inf)
        history.decoys.append(clerk.innocent(service, at, deploys=deploys))
    history.changes.sort(key=lambda change: (change.at, change.ref))
    return history


def _blame(clerk: Clerk, scene: Scene, fault: Fault, rng: np.random.Generator) -> str:
    """Record the change at fault, and its undoing where the fault ends inside the window."""
    service, word = fault.service, scene.namer.word()
    if service is None:
        raise ValueError("a change at fault needs a service")
    ended = scene.until < scene.shape.seconds
    if fault.change == "deploy":
        if fault.kind in _GUILTY and rng.random() < 0.6:
            clerk.commit(service, scene.onset - float(rng.uniform(120, 900)), kind=fault.kind)
        ref = clerk.deploy(service, scene.onset, faulty=True, canary=fault.canary)
        if ended:
            known = scene.topology.services[service]
            back = Rollout(
                service=service, version=known.version, flips=(scene.until,) * known.instances
            )
            clerk.history.rollouts.append(back)
            summary = f"rollback to {known.version}"
            clerk.note(clerk.draft("deploy", service, scene.until, summary))
        return ref
    at = scene.onset - float(rng.uniform(0.5, 4.0))
    done = {"flag": f"flag {word} turned on for all", "config": "pool.max changed from 40 to 10"}
    undone = {"flag": f"flag {word} turned off", "config": "pool.max changed from 10 to 40"}
    kind = fault.change or "config"
    ref = clerk.note(clerk.draft(kind, service, at, done[kind]))
    if ended:
        clerk.note(clerk.draft(kind, service, scene.until, undone[kind]))
    return ref


def _innocent_places(
    scene: Scene, fault: Fault, rng: np.random.Generator
) -> list[tuple[int, float]]:
    """Draw where and when innocent changes happen: near the onset, before and after it."""
    seconds = scene.shape.seconds
    others = [i for i in range(len(scene.topology.services)) if i != fault.service]
    places = [
        (int(rng.choice(others)), scene.onset + float(rng.uniform(-900, 240)))
        for _ in range(int(rng.integers(2, 6)))
    ]
    if fault.service is not None and rng.random() < 0.5:
        late = rng.random() < 0.3
        offset = rng.uniform(90, 200) if late else -rng.uniform(360, 900)
        places.append((fault.service, scene.onset + float(offset)))
    return [(service, float(np.clip(at, 5.0, seconds - 5.0))) for service, at in places]

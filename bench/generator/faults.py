"""Everything that can be made to go wrong: each kind is a function from a scene to a `Fault`.

To add a kind, write such a function out of effects and add it to `KINDS`; nothing else changes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from bench.generator.effects import Effect
from bench.generator.scene import Scene
from bench.generator.topology import Template, breaks, latencies, waits


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What goes wrong and where. `operations` are where it starts; `symptom` is what users see.

    `change` is the kind of change at fault (deploy, flag, config) or null; with `canary` only the
    first instance gets the deploy. Numbers of services, peers and instances are the topology's.
    `alert_after` (least, most seconds from the onset) stands for the shape's where it is given.
    """

    kind: str
    type: str | None
    service: int | None = None
    peer: int | None = None
    instance: int | None = None
    operations: tuple[int, ...] = ()
    effects: tuple[Effect, ...] = ()
    change: str | None = None
    canary: bool = False
    symptom: str = "latency"
    remediation: str = "none"
    alert_after: tuple[float, float] | None = None


def healthy(_scene: Scene) -> Fault:
    """Nothing is wrong; the traffic may spike."""
    return Fault(kind="healthy", type=None)


def cpu_contention(scene: Scene) -> Fault:
    """Something else eats the processor of one instance, or of all."""
    first = scene.operation(waits, lambda op: True)
    service = scene.topology.operations[first].service
    count = scene.topology.services[service].instances
    instance = int(scene.rng.integers(count)) if count > 1 and scene.rng.random() < 0.5 else None
    operations = scene.topology.of(service)
    pain = scene.pain([first])
    effect = Effect(
        service=service,
        instances=frozenset() if instance is None else frozenset({instance}),
        since=scene.onset,
        until=scene.until,
        self_factor=float(scene.rng.uniform(4, 8)),
        wait_s=0.6 * pain,
        queue_s=0.6 * pain,
        cpu=float(scene.rng.uniform(0.93, 0.99)),
    )
    return Fault(
        kind="cpu_contention",
        type="resource",
        service=service,
        instance=instance,
        operations=tuple(operations),
        effects=(effect,),
        remediation="restart" if instance is not None else "scale_out",
    )


def memory_leak(scene: Scene) -> Fault:
    """Memory fills up and the collector stops the world again and again."""
    return _leak(scene, "memory_leak", ramp_s=60.0)


def slow_leak(scene: Scene) -> Fault:
    """Memory fills up over 10 to 20 minutes, and it is long before anybody is alerted."""
    room = 0.9 * (scene.until - scene.onset)
    ramp_s = min(float(scene.rng.uniform(600, 1200)), room)
    leak = _leak(scene, "slow_leak", ramp_s=ramp_s)
    return replace(leak, alert_after=(0.55 * ramp_s, 0.8 * ramp_s))


def _leak(scene: Scene, kind: str, *, ramp_s: float) -> Fault:
    first = scene.operation(waits, lambda op: True)
    service = scene.topology.operations[first].service
    deployed = bool(scene.rng.random() < 0.4)
    log = Template(severity="WARN", text="heap nearly full, paused for {n} ms to collect", stage=0)
    effect = Effect(
        service=service,
        faulty_version_only=deployed,
        since=scene.onset,
        until=scene.until,
        ramp_s=ramp_s,
        share=0.6,
        wait_s=1.5 * scene.pain([first]),
        memory=0.97,
        gc=float(scene.rng.uniform(0.4, 0.7)),
        log=log,
    )
    return Fault(
        kind=kind,
        type="resource",
        service=service,
        operations=tuple(scene.topology.of(service)),
        effects=(effect,),
        change="deploy" if deployed else None,
        remediation="rollback" if deployed else "restart",
    )


def slow_edge(scene: Scene) -> Fault:
    """The network towards one service is slow; in half of the cases also away from it."""
    first = scene.operation(waits, lambda op: scene.topology.services[op.service].layer > 0)
    service = scene.topology.operations[first].service
    delay = scene.pain([first]) / 2
    effect = Effect(
        service=service,
        since=scene.onset,
        until=scene.until,
        inbound_s=delay,
        outbound_s=delay if scene.rng.random() < 0.5 else 0.0,
    )
    return Fault(
        kind="slow_edge",
        type="network",
        service=service,
        operations=tuple(scene.topology.of(service)),
        effects=(effect,),
        remediation="move_instances",
    )


def packet_loss(scene: Scene) -> Fault:
    """Packets to and from one service get lost: resent ones are late, some calls time out."""
    first = scene.operation(waits, lambda op: scene.topology.services[op.service].layer > 0)
    service = scene.topology.operations[first].service
    effect = Effect(
        service=service,
        since=scene.onset,
        until=scene.until,
        loss=float(scene.rng.uniform(0.25, 0.5)),
    )
    return Fault(
        kind="packet_loss",
        type="network",
        service=service,
        operations=tuple(scene.topology.of(service)),
        effects=(effect,),
        remediation="move_instances",
    )


def unreachable_dependency(scene: Scene) -> Fault:
    """A third party or a database refuses connections, or lets them time out."""
    kind = "third_party" if scene.rng.random() < 0.7 else "database"
    peer = scene.peer(waits, kind)
    calls = [c for op in scene.topology.operations for c in op.calls if c.peer and c.target == peer]
    swallowed = all(call.fallback for call in calls)
    slow = swallowed or scene.rng.random() < 0.5
    effect = Effect(
        peer=peer,
        since=scene.onset,
        until=scene.until,
        peer_fail=float(scene.rng.uniform(0.85, 1.0)),
        peer_wait_s=float(scene.rng.choice([1.0, 2.0, 3.0])) if slow else 0.001,
    )
    return Fault(
        kind="unreachable_dependency",
        type="network",
        peer=peer,
        operations=tuple(scene.owners(peer)),
        effects=(effect,),
        symptom="latency" if swallowed else "errors",
        remediation="fail_over",
    )


def exception(scene: Scene) -> Fault:
    """One operation of a new version raises."""
    first = scene.operation(breaks, lambda op: True)
    op = scene.topology.operations[first]
    effect = Effect(
        service=op.service,
        operations=frozenset({first}),
        faulty_version_only=True,
        since=scene.onset,
        until=scene.until,
        share=float(scene.rng.uniform(0.5, 1.0)),
        fail=1.0,
        stage=int(scene.rng.integers(op.stages + 1)),
        log=Template(
            severity="ERROR",
            text=f"cannot read field {scene.namer.word()} of null, request {{id}}",
            stage=0,
        ),
    )
    return Fault(
        kind="exception",
        type="code",
        service=op.service,
        operations=(first,),
        effects=(effect,),
        change="deploy",
        canary=_canary(scene, op.service),
        symptom="errors",
        remediation="rollback",
    )


def early_return(scene: Scene) -> Fault:
    """One operation leaves early and reports success: calls and log lines go missing."""
    first = scene.operation(waits, lambda op: any(c.probability > 0.5 for c in op.calls))
    op = scene.topology.operations[first]
    deployed = bool(scene.rng.random() < 0.7)
    often = min(call.stage for call in op.calls if call.probability > 0.5)
    effect = Effect(
        service=op.service,
        operations=frozenset({first}),
        faulty_version_only=deployed,
        since=scene.onset,
        until=scene.until,
        share=float(scene.rng.uniform(0.6, 1.0)),
        leave=1.0,
        stage=int(scene.rng.integers(often + 1)),
    )
    return Fault(
        kind="early_return",
        type="code",
        service=op.service,
        operations=(first,),
        effects=(effect,),
        change="deploy" if deployed else None,
        symptom="volume",
        remediation="rollback" if deployed else "fix_forward",
    )


def added_calls(scene: Scene) -> Fault:
    """A flag makes one operation ask for each item by itself, many times a run."""
    first = scene.operation(waits, lambda op: any(waits(c) for c in op.calls))
    op = scene.topology.operations[first]
    usable = [number for number, call in enumerate(op.calls) if waits(call)]
    number = int(scene.rng.choice(usable))
    call = op.calls[number]
    inner = call.latency_s if call.peer else latencies(scene.topology)[call.target]
    times = scene.pain([first]) / (inner + 2 * call.network_s)
    effect = Effect(
        service=op.service,
        operations=frozenset({first}),
        since=scene.onset,
        until=scene.until,
        repeats=(number, int(np.clip(times, 8, 40))),
    )
    return Fault(
        kind="added_calls",
        type="code",
        service=op.service,
        operations=(first,),
        effects=(effect,),
        change="flag",
        remediation="flag_off",
    )


def slow_code(scene: Scene) -> Fault:
    """A new version takes much longer for one operation."""
    first = scene.operation(waits, lambda op: True)
    service = scene.topology.operations[first].service
    effect = Effect(
        service=service,
        operations=frozenset({first}),
        faulty_version_only=True,
        since=scene.onset,
        until=scene.until,
        self_factor=float(scene.rng.uniform(2, 6)),
        wait_s=scene.pain([first]),
    )
    return Fault(
        kind="slow_code",
        type="code",
        service=service,
        operations=(first,),
        effects=(effect,),
        change="deploy",
        canary=_canary(scene, service),
        remediation="rollback",
    )


def pool_exhaustion(scene: Scene) -> Fault:
    """A setting makes the pool of database connections too small."""
    databases = {i for i, peer in enumerate(scene.topology.peers) if peer.kind == "database"}
    first = scene.operation(
        waits, lambda op: any(c.peer and c.target in databases for c in op.calls)
    )
    service = scene.topology.operations[first].service
    pooled = [
        i
        for i in scene.topology.of(service)
        if any(c.peer and c.target in databases for c in scene.topology.operations[i].calls)
    ]
    log = Template(
        severity="WARN", text="no free connection (active 10 of 10, {n} waiting)", stage=0
    )
    effect = Effect(
        service=service,
        operations=frozenset(pooled),
        since=scene.onset,
        until=scene.until,
        share=0.85,
        wait_s=scene.pain([first]),
        fail=float(scene.rng.uniform(0.03, 0.2)),
        pool=1.0,
        log=log,
    )
    return Fault(
        kind="pool_exhaustion",
        type="resource",
        service=service,
        operations=tuple(pooled),
        effects=(effect,),
        change="config",
        remediation="revert_config",
    )


def slow_database(scene: Scene) -> Fault:
    """A database answers slowly."""
    peer = scene.peer(waits, "database")
    owners = scene.owners(peer)
    usual = np.mean(
        [
            call.latency_s
            for i in owners
            for call in scene.topology.operations[i].calls
            if call.peer and call.target == peer
        ]
    )
    effect = Effect(
        peer=peer,
        since=scene.onset,
        until=scene.until,
        peer_factor=float(np.clip(scene.pain(owners) / usual, 8.0, 400.0)),
        cpu=0.97,
    )
    return Fault(
        kind="slow_database",
        type="resource",
        peer=peer,
        operations=tuple(owners),
        effects=(effect,),
        remediation="fail_over",
    )


def _canary(scene: Scene, service: int) -> bool:
    """Two or three instances, so that the canary still sees a fair share of the traffic."""
    return scene.topology.services[service].instances in (2, 3) and scene.rng.random() < 0.5


KINDS: Mapping[str, Callable[[Scene], Fault]] = {
    kind.__name__: kind
    for kind in (
        healthy,
        cpu_contention,
        memory_leak,
        slow_edge,
        packet_loss,
        unreachable_dependency,
        exception,
        early_return,
        added_calls,
        slow_code,
        pool_exhaustion,
        slow_database,
        slow_leak,
    )
}

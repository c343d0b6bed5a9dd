"""What is told and what is true: the alert that somebody gets, and the truth behind it."""

import numpy as np

from bench.generator.changes import History
from bench.generator.faults import Fault
from bench.generator.rollouts import Rollouts
from bench.generator.scene import Scene
from bench.generator.topology import breaks, callers, waits
from bench.generator.unfold import World
from connectors.recording import Case

_NOTICEABLE = 0.05  # of a caller's runs


def case(name: str, scene: Scene, fault: Fault, history: History, world: World) -> Case:
    """Return what a person on call is told, and the truth (no service where nothing is wrong)."""
    delay = float(scene.rng.uniform(*scene.shape.alert_delay))
    alert_at = scene.time(min(scene.onset + delay, scene.shape.seconds - 1.0))
    operations = list(fault.operations) or list(scene.topology.entries)[:1]
    entry = scene.topology.operations[scene.entry(operations)]
    service = scene.topology.services[entry.service].name
    symptom = {
        "latency": f"{service} p95 latency of {entry.name} is far above its usual level",
        "errors": f"{service} error rate of {entry.name} is above 2 %",
        "volume": f"users of {service} report incomplete results from {entry.name}",
    }[fault.symptom]
    arrivals = world.traffic.arrivals
    during = (arrivals >= scene.onset) & (arrivals < scene.until)
    wrong = fault.kind != "healthy"
    return Case(
        id=name,
        onset=scene.time(scene.onset) if wrong else None,
        until=scene.time(scene.until) if wrong else None,
        alert_at=alert_at,
        symptom=symptom,
        alert={
            "status": "firing",
            "labels": {"alertname": f"entry-{fault.symptom}", "service": service},
            "annotations": {"summary": symptom},
            "startsAt": alert_at.isoformat(),
        },
        traces=int(np.count_nonzero(during)),
        truth=_truth(scene, fault, history, world.rollouts),
    )


def _truth(scene: Scene, fault: Fault, history: History, rollouts: Rollouts) -> dict[str, object]:
    name = None
    instance = None
    if fault.peer is not None:
        name = scene.topology.peers[fault.peer].name
    elif fault.service is not None:
        name = scene.topology.services[fault.service].name
        if fault.instance is not None:
            instance = rollouts.instance_at(fault.service, fault.instance, scene.onset)
    return {
        "service": name,
        "instance": instance,
        "type": fault.type,
        "fault": fault.kind,
        "change": history.at_fault,
        "affected": _affected(scene, fault),
        "remediation": fault.remediation,
        "decoys": list(history.decoys),
    }


def _affected(scene: Scene, fault: Fault) -> list[str]:
    """Return the services above the fault, up to the users', that feel it, sorted by name."""
    follow = breaks if fault.symptom == "errors" else waits
    above = callers(scene.topology, fault.operations, follow)
    felt = (i for i, chance in above.items() if chance >= _NOTICEABLE)
    services = {scene.topology.operations[i].service for i in felt} - {fault.service}
    return sorted(scene.topology.services[i].name for i in services)

"""What is told and what is true: the alert that somebody gets, and the truth behind it."""

import numpy as np

from bench.generator.alerts import felt, hit_by
from bench.generator.faults import Fault
from bench.generator.plot import Plot
from bench.generator.rollouts import Rollouts
from bench.generator.scene import Scene
from bench.generator.unfold import Simulated, World
from connectors.recording import Case

_EVALUATED_S = 10.0  # from a request to a rule that has looked at it


def case(name: str, scene: Scene, plot: Plot, world: World, simulated: Simulated) -> Case:
    """Return what a person on call is told, and the truth (no service where nothing is wrong)."""
    fault = plot.fault
    delay = float(scene.rng.uniform(*(fault.alert_after or scene.shape.alert_delay)))
    alert = scene.onset + delay
    if fault.effects and plot.around.felt:
        known = hit_by(fault.effects[0], world, simulated, plot.around.felt) + _EVALUATED_S
        alert = max(alert, min(known, scene.until - 1.0))
    alert_at = scene.time(min(alert, scene.shape.seconds - 1.0))
    entry = scene.topology.operations[plot.alerted]
    service = scene.topology.services[entry.service].name
    symptom = {
        "latency": f"{service} p95 latency of {entry.name} is far above its usual level",
        "errors": f"{service} error rate of {entry.name} is above 2 %",
        "volume": f"users of {service} report incomplete results from {entry.name}",
    }[fault.symptom]
    whose = "service" if plot.around.alert == "other" else "entry"
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
            "labels": {
                "alertname": f"{whose}-{fault.symptom}",
                "service": service,
            },
            "annotations": {"summary": symptom},
            "startsAt": alert_at.isoformat(),
        },
        traces=int(np.count_nonzero(during)),
        truth=_truth(scene, plot, world.rollouts) | _also(scene, plot),
    )


def _truth(scene: Scene, plot: Plot, rollouts: Rollouts) -> dict[str, object]:
    fault, history = plot.fault, plot.history
    instance = None
    if fault.service is not None and fault.instance is not None:
        instance = rollouts.instance_at(fault.service, fault.instance, scene.onset)
    return {
        "service": _name(scene, fault),
        "instance": instance,
        "type": fault.type,
        "fault": fault.kind,
        "change": history.at_fault,
        "affected": _affected(scene, fault),
        "remediation": fault.remediation,
        "decoys": list(history.decoys),
    }


def _also(scene: Scene, plot: Plot) -> dict[str, object]:
    """Return the second fault, where there is one."""
    if plot.second is None:
        return {}
    fault = plot.second.fault
    return {
        "also": {
            "service": _name(scene, fault),
            "type": fault.type,
            "fault": fault.kind,
            "change": plot.history.also_at_fault,
        }
    }


def _name(scene: Scene, fault: Fault) -> str | None:
    """Return the name of the service, database or third party at fault, if anything is."""
    if fault.peer is not None:
        return scene.topology.peers[fault.peer].name
    return None if fault.service is None else scene.topology.services[fault.service].name


def _affected(scene: Scene, fault: Fault) -> list[str]:
    """Return the services above the fault, up to the users', that feel it, sorted by name."""
    services = {scene.topology.operations[i].service for i in felt(scene, fault)} - {fault.service}
    return sorted(scene.topology.services[i].name for i in services)

"""What an operator can order, looked through before it is done.

Looking changes nothing: it gives the exact summary, the lines that will differ, who feels it and
the order that takes it back, or raises `ShopError` with the reason why it cannot be done. Doing is
the same look and then its last part, so that a preview and a run cannot disagree.
"""

import math
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial

from shop.changes import Change
from shop.children import ShopError
from shop.control import ROUTES, ControlPlane

_OPERATOR = "operator"
_BY = re.compile(r"(?P<sign>[+-])(?P<number>[1-9]\d{0,2})(?P<share>%?)")
Args = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One call of an action; all arguments are text."""

    action: str
    args: Args

    def as_json(self) -> dict[str, object]:
        return {"action": self.action, "args": dict(self.args)}


@dataclass(frozen=True, slots=True)
class Blast:
    """Who feels an order, in words, and how many instances of how many."""

    text: str
    touches: int
    among: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What an order would do; `act` does it and gives the change's reference.

    `target` is the kind and name of what is changed, `service` whose state that belongs to; `done`
    is the sentence for afterwards, `undo` the order that takes it back.
    """

    target: str
    service: str
    summary: str
    done: str
    diff: tuple[str, ...]
    blast: Blast
    undo: Order | None
    act: Callable[[], Awaitable[str]]


def look(control: ControlPlane, order: Order) -> Intent:
    """What the order would do now; raises `ShopError` where it cannot be done."""
    action = _ACTIONS.get(order.action)
    if action is None:
        raise ShopError(f"No action is called {order.action}; there are: {', '.join(_ACTIONS)}.")
    try:
        return action(control, order.args)
    except KeyError as error:
        raise ShopError(f"{order.action} needs the argument {error.args[0]}.") from error


def _roll_back(control: ControlPlane, args: Args) -> Intent:
    change = _change(control, args["change"], kind="deploy", service=args["service"])
    now = control.version(change.target)
    if now != change.after:
        raise ShopError(
            f"{change.target} runs {now}, not {change.after}: there is nothing of {change.ref} "
            "to roll back."
        )
    return _release(control, change.target, str(change.before))


def _redeploy(control: ControlPlane, args: Args) -> Intent:
    service, version = control.known(args["service"]), args["version"]
    if version not in control.releases(service):
        raise ShopError(f"{service} has no release {version}.")
    if version == control.version(service):
        raise ShopError(f"{service} runs {version} already.")
    return _release(control, service, version)


def _release(control: ControlPlane, service: str, version: str) -> Intent:
    now = control.version(service)
    return Intent(
        target=f"service/{service}",
        service=service,
        summary=f"Return {service} from release {now} to {version}.",
        done=f"{service} runs release {version}.",
        diff=(f"- version {now}", f"+ version {version}"),
        blast=_told(control, service, "replaced one after the other"),
        undo=Order(action="redeploy", args={"service": service, "version": now}),
        act=partial(control.redeploy, service, version, actor=_OPERATOR),
    )


def _set_flag(control: ControlPlane, args: Args) -> Intent:
    service, flag, value = control.known(args["service"]), args["flag"], args["value"]
    if control.changes.find(flag) or "/" in flag:
        flag = str(_change(control, flag, kind="flag", service=service).what)
    now = control.flag(service, flag)
    if value not in ("on", "off"):
        raise ShopError(f"A flag is on or off, not {value}.")
    if value == now:
        raise ShopError(f"The flag {flag} of {service} is {now} already.")
    return Intent(
        target=f"service/{service}",
        service=service,
        summary=f"Switch the flag {flag} of {service} {value}.",
        done=f"The flag {flag} of {service} is {value}.",
        diff=(f"- flag {flag} {now}", f"+ flag {flag} {value}"),
        blast=_told(control, service, "told at once"),
        undo=Order(action="set_flag", args={"service": service, "flag": flag, "value": now}),
        act=partial(control.switch, service, flag, on=value == "on", actor=_OPERATOR),
    )


def _revert(control: ControlPlane, args: Args) -> Intent:
    change = _change(control, args["change"], kind="config", service=args["service"])
    return _setting(control, change.target, str(change.what), str(change.before))


def _set_config(control: ControlPlane, args: Args) -> Intent:
    return _setting(control, control.known(args["service"]), args["key"], args["value"])


def _scale_pool(control: ControlPlane, args: Args) -> Intent:
    service = control.known(args["service"])
    size, by = int(control.setting(service, "pool_size")), _BY.fullmatch(args["by"])
    if by is None:
        raise ShopError(f"A pool grows by +2 or +50% and shrinks by -2 or -33%, not {args['by']}.")
    number = int(by["number"]) * (size / 100 if by["share"] else 1)
    wanted = size + number if by["sign"] == "+" else size - number
    # growing by a part means growing: what is rounded is rounded away from too small
    return _setting(control, service, "pool_size", str(min(64, max(1, math.ceil(wanted)))))


def _break_circuit(control: ControlPlane, args: Args) -> Intent:
    return _setting(control, control.known(args["service"]), f"breaker.{args['peer']}", "open")


def _reroute(control: ControlPlane, args: Args) -> Intent:
    service, key = control.known(args["service"]), f"route.{args['peer']}"
    now = control.setting(service, key)
    return _setting(control, service, key, next(route for route in ROUTES if route != now))


def _setting(control: ControlPlane, service: str, key: str, value: str) -> Intent:
    now = control.setting(service, key)
    control.allowed(service, key, value)
    if value == now:
        raise ShopError(f"{key} of {service} is {now} already.")
    return Intent(
        target=f"service/{service}",
        service=service,
        summary=f"Set {key} of {service} from {now} to {value}.",
        done=f"{key} of {service} is {value}.",
        diff=(f"- {key} {now}", f"+ {key} {value}"),
        blast=_told(control, service, "told at once"),
        undo=Order(action="set_config", args={"service": service, "key": key, "value": now}),
        act=partial(control.configure, service, key, value, actor=_OPERATOR),
    )


def _restart(control: ControlPlane, args: Args) -> Intent:
    service, instance = control.known(args["service"]), args["instance"]
    siblings = control.instances(service)
    if instance not in siblings:
        raise ShopError(f"{service} has no instance {instance}; it has: {', '.join(siblings)}.")
    version = control.version(service)
    return Intent(
        target=f"instance/{instance}",
        service=service,
        summary=f"Replace the instance {instance} of {service} by a new one.",
        done=f"{instance} is replaced by a new instance of {service}.",
        diff=(f"- instance {instance}", f"+ a new instance, version {version}"),
        blast=Blast(
            f"1 of {len(siblings)} instances of {service} is replaced once the new one is ready.",
            1,
            len(siblings),
        ),
        undo=None,
        act=partial(control.restart, instance, actor=_OPERATOR),
    )


def _change(control: ControlPlane, ref: str, *, kind: str, service: str) -> Change:
    change = control.changes.find(ref)
    if change is None:
        raise ShopError(f"No change is called {ref}.")
    if change.target != control.known(service):
        raise ShopError(f"{ref} is a change of {change.target}, not of {service}.")
    if change.kind != kind or change.what is None:
        raise ShopError(f"{ref} is no change of that kind: it is of the kind {change.kind}.")
    return change


def _told(control: ControlPlane, service: str, what: str) -> Blast:
    number = len(control.instances(service))
    text = f"{number} {'instance is' if number == 1 else 'instances are'} {what}."
    return Blast(text, number, number)


_ACTIONS: Mapping[str, Callable[[ControlPlane, Args], Intent]] = {
    "rollback_deploy": _roll_back,
    "redeploy": _redeploy,
    "set_flag": _set_flag,
    "revert_config": _revert,
    "set_config": _set_config,
    "restart_instance": _restart,
    "scale_pool": _scale_pool,
    "enable_circuit_breaker": _break_circuit,
    "reroute_traffic": _reroute,
}

"""What goes wrong during a soak: the operator dies or freezes, the API server and SageMaker misbehave. Seeded."""

import random
import signal
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from api.v1 import KINDS
from hack.sandbox.aws.lists import FILTERS
from tests.sandbox.soak.manifests import REGIONS, SHARED
from tests.sandbox.soak.scene import Scene, recorded
from tests.sandbox.soak.takeovers import take_over

_OURS: Final = {"user_agent": "^sagemaker-k8s-operator"}
"""Faults of the API server hit the operator only, not who drives the soak."""
_OPERATIONS: Final = (
    *("Create*", "Create*", "Describe*", "List*", "Stop*", "Delete*", "Update*", "ListTags", "*"),
    *("RegisterScalableTarget", "PutScalingPolicy", "De*Scal*"),
)
_FAULTS: Final = (
    *("error", "unavailable", "cut-before", "cut-after", "cut-after", "cut-within", "error-after", "error-after"),
    *("hang-before", "hang-after", "throttle", "slow", "html", "html-after"),
)
_DENIALS: Final = ("deny", "expired", "quota")
_OVERLOADS: Final = ("too-many", "unavailable")
_PAGES: Final = (200, 302, 401, 403, 405, 407, 413, 502, 504)
"""HTTP statuses of what stands between the operator and AWS."""
_MUTATING: Final = sorted(
    {
        *(each.operations.create for each in KINDS if each.operations.create),
        *(each.operations.stop for each in KINDS if each.operations.stop),
        *(each.operations.delete for each in KINDS if each.operations.delete),
        *("UpdateEndpoint", "UpdateEndpointWeightsAndCapacities", "AddTags", "DeleteTags"),
        *("UpdateInferenceComponent", "UpdateInferenceComponentRuntimeConfig", "UpdateModelPackage", "UpdatePipeline"),
        *("RegisterScalableTarget", "DeregisterScalableTarget", "PutScalingPolicy", "DeleteScalingPolicy"),
    }
)
_LOST: Final = (
    *("cut-before", "cut-after", "cut-after", "cut-within", "error", "error-after", "html-after"),
    *("hang-before", "hang-after"),
)
_LIST_FAULTS: Final = ("deny", "error", "throttle", "unavailable", "cut-before", "cut-within", "hang-before", "html")
_PICKED: Final = ("throttle", "too-many", "refused", "hang-before")
_REFUSED: Final = "refused"
_TAKEN: Final = "taken"
DRAWN: Final = frozenset({*_FAULTS, *_DENIALS, *_OVERLOADS, *_LOST, *_LIST_FAULTS, *_PICKED, _REFUSED, _TAKEN})
"""All faults that a soak may draw."""
_LATE_S: Final = 3.0
"""Longer than the operator waits for an answer: what it has given up on takes effect afterwards."""


def disturb(scene: Scene, rng: random.Random) -> None:
    """Do one bad thing."""
    names = list(DISTURBANCES)
    name = rng.choices(names, [DISTURBANCES[each][0] for each in names])[0]
    scene.ledger.drawn[name] += 1
    DISTURBANCES[name][1](scene, rng)


def _kill(scene: Scene, rng: random.Random) -> None:
    victims = scene.running()
    if victims:
        scene.kill(rng.choice(victims))
        scene.ledger.tell("! operator killed")
        time.sleep(rng.choice((0.0, 0.0, 0.3, 1.0)))
    scene.start_operators()


def _roll(scene: Scene, rng: random.Random) -> None:
    victims = scene.running()
    if victims:
        scene.ledger.tell("! operator asked to end")
        scene.terminate(rng.choice(victims))
    scene.start_operators()


def _freeze(scene: Scene, rng: random.Random) -> None:
    victims = scene.running()
    if not victims:
        return
    victim, for_s = rng.choice(victims), rng.choice((0.5, 1.5, 4.0))
    scene.ledger.tell(f"! operator frozen for {for_s} s")
    scene.signal(victim, signal.SIGSTOP)
    time.sleep(for_s)
    scene.signal(victim, signal.SIGCONT)


def _aws(scene: Scene, rng: random.Random) -> None:
    operation, fault, count = rng.choice(_OPERATIONS), rng.choice(_FAULTS), rng.choice((1, 1, 2, 4))
    scene.ledger.tell(f"! SageMaker: {fault} for {operation}, {count} times")
    scene.break_aws(operation, fault, count, delay_s=_LATE_S if fault in {"hang-after", "slow"} else 0.5)


def _denied(scene: Scene, rng: random.Random) -> None:
    operation, fault = rng.choice(_OPERATIONS), rng.choice(_DENIALS)
    scene.ledger.tell(f"! SageMaker: {fault} for {operation}")
    scene.break_aws(operation, fault, rng.choice((1, 2)))


def _overload(scene: Scene, rng: random.Random) -> None:
    operation, fault, after_s = rng.choice(_OPERATIONS), rng.choice(_OVERLOADS), rng.choice((1, 3))
    scene.ledger.tell(f"! SageMaker: {fault} for {operation}, come back in {after_s} s")
    is_date = rng.random() < 0.5
    scene.break_aws(operation, fault, rng.choice((1, 2, 4)), retry_after_s=after_s, retry_after_is_date=is_date)


def _picked(scene: Scene, rng: random.Random) -> None:
    """Refuse, throttle or swallow what one object asks for, until the faults end: it must not hold up the others."""
    objects = scene.objects()
    if not objects:
        return
    name, fault = rng.choice(objects)["metadata"]["name"], rng.choice(_PICKED)
    operation = rng.choice(("Create*", "Update*", "Stop*"))
    scene.ledger.tell(f"! SageMaker: {fault} for {operation} of {name} until the end")
    scene.break_aws(operation, fault, None, contains=name, delay_s=_LATE_S)


def _hung(scene: Scene, rng: random.Random) -> None:
    """Never answer anything that is asked about one object, not even once the other faults end."""
    objects = scene.objects()
    if objects and scene.hung is None:
        operation = rng.choice(("Create*", "Update*", "*"))
        scene.hang(operation, rng.choice(objects)["metadata"]["name"], _LATE_S)


def _lost(scene: Scene, rng: random.Random) -> None:
    """Lose the next answer of one mutating operation, before or after its effect."""
    operation, fault = rng.choice(_MUTATING), rng.choice(_LOST)
    scene.ledger.tell(f"! SageMaker: {fault} for the next {operation}")
    scene.break_aws(operation, fault, rng.choice((1, 1, 2)), delay_s=_LATE_S if fault.startswith("hang") else None)


def _page(scene: Scene, rng: random.Random) -> None:
    """Let a proxy answer in AWS's place."""
    operation, status, count = rng.choice(("*", "mutating", "reading", "List*")), rng.choice(_PAGES), rng.choice((1, 3))
    scene.ledger.tell(f"! a proxy answers {operation} with a page and status {status}, {count} times")
    scene.break_aws(operation, "html", count, status=status)


def _swallowed(scene: Scene, rng: random.Random) -> None:
    """Never answer big requests: a path with a small MTU."""
    larger_than, count = rng.choice((800, 1500)), rng.choice((1, 2))
    scene.ledger.tell(f"! requests of more than {larger_than} bytes are swallowed, {count} times")
    scene.break_aws("mutating", "hang-before", count, larger_than=larger_than, delay_s=_LATE_S)


def _named(scene: Scene, rng: random.Random) -> None:
    """Throttle everything that is asked about one resource at AWS, until the faults end."""
    found = [resource["name"] for obj in scene.objects() if (resource := recorded(obj))]
    if found:
        name = rng.choice(found)
        scene.ledger.tell(f"! SageMaker throttles everything about {name} until the end")
        scene.break_aws("*", "throttle", None, name=name)


def _taken(scene: Scene, _rng: random.Random) -> None:
    """Let others be faster with the next name that a user gives."""
    scene.ledger.tell("! somebody takes the next name that a user gives, just before it is created")
    scene.break_aws("Create*", _TAKEN, 1, contains=SHARED)


def _new_roles(scene: Scene, rng: random.Random) -> None:
    lag_s = rng.choice((0.0, 1.0, 4.0))
    scene.ledger.tell(f"! roles cannot be assumed for {lag_s:g} s")
    scene.aws.roles.set(lag_s=lag_s)


def _late_lists(scene: Scene, rng: random.Random) -> None:
    lag_s = rng.choice((0.0, 2.0, 8.0))
    late = rng.choice(((), ("Endpoint",), ("TrainingJob", "HyperParameterTuningJob")))
    flaws: dict[str, Any] = {
        "jitter_s": rng.choice((0.0, 0.0, 5.0)),
        "longest_page": rng.choice((None, None, 2)),
        "token_life_s": rng.choice((None, None, 0.0)),
        "ignored": rng.choice(((), ("LastModifiedTimeAfter",), tuple(sorted(FILTERS)))),
    }
    told = {name: value for name, value in flaws.items() if value}
    scene.ledger.tell(f"! Lists of {', '.join(late) or 'everything'} are {lag_s:g} s late, {told}")
    scene.aws.lists.set(lag_s=lag_s, late=late, **flaws)


def _failing_lists(scene: Scene, rng: random.Random) -> None:
    fault, count = rng.choice(_LIST_FAULTS), rng.choice((5, 20, 40))
    scene.ledger.tell(f"! Lists are answered with {fault}, {count} times")
    scene.break_aws("List*s", fault, count, delay_s=_LATE_S if fault == "hang-before" else None)


def _refused(scene: Scene, rng: random.Random) -> None:
    operation, count = rng.choice(_MUTATING), rng.choice((1, 2, 4))
    scene.ledger.tell(f"! SageMaker refuses {operation} for a state, {count} times, in other words each time")
    scene.break_aws(operation, _REFUSED, count)


def _region(scene: Scene, rng: random.Random) -> None:
    region, fault = rng.choice(REGIONS), rng.choice(("unavailable", "cut-before", "hang-before"))
    count = rng.choice((5, 15))
    scene.ledger.tell(f"! {region} is down: {fault}, {count} times")
    scene.break_aws("*", fault, count, region=region, delay_s=_LATE_S if fault == "hang-before" else 0.0)


def _kube(scene: Scene, rng: random.Random) -> None:
    status, method = rng.choice((409, 429, 500, 503, 504)), rng.choice(("PATCH", "POST", "GET", "DELETE", ""))
    path = rng.choice(("", "/status$", "sagemaker", "leases"))
    scene.ledger.tell(f"! API server: {status} for {method or 'all'} {path}")
    fail = {"status": status, "method": method, "path": path, "count": rng.choice((1, 3, 6)), **_OURS}
    scene.disturb_kube({"fail": fail})


def _watches(scene: Scene, rng: random.Random) -> None:
    order = rng.choice(
        (
            {"drop_watches": True},
            {"compact": True, "drop_watches": True},
            {"restart": True},
            {"watch": {"delay_s": 0.7, "count": 8}},
            {"watch": {"delay_s": 2.5, "count": 2}},
            {"watch": {"repeat": 1, "count": 20}},
        )
    )
    scene.ledger.tell(f"! API server: {order}")
    scene.disturb_kube(order)


DISTURBANCES: Final[Mapping[str, tuple[int, Callable[[Scene, random.Random], None]]]] = {
    "kill": (4, _kill),
    "roll": (1, _roll),
    "freeze": (2, _freeze),
    "aws": (8, _aws),
    "denied": (1, _denied),
    "overload": (2, _overload),
    "picked": (1, _picked),
    "hung": (1, _hung),
    "lost": (6, _lost),
    "late lists": (2, _late_lists),
    "failing lists": (1, _failing_lists),
    "refused": (3, _refused),
    "page": (2, _page),
    "swallowed": (1, _swallowed),
    "named": (1, _named),
    "taken": (2, _taken),
    "new roles": (1, _new_roles),
    "take over": (5, take_over),
    "region": (2, _region),
    "kube": (4, _kube),
    "watches": (4, _watches),
}

"""What goes wrong during a soak: the operator dies or freezes, the API server and SageMaker misbehave. Seeded."""

import random
import signal
import time
from collections.abc import Callable, Mapping
from typing import Final

from tests.sandbox.soak.manifests import REGIONS
from tests.sandbox.soak.scene import Scene

_OURS: Final = {"user_agent": "^sagemaker-k8s-operator"}
"""Faults of the API server hit the operator only, not who drives the soak."""
_OPERATIONS: Final = (
    *("Create*", "Create*", "Describe*", "List*", "Stop*", "Delete*", "Update*", "ListTags", "*"),
    *("RegisterScalableTarget", "PutScalingPolicy", "De*Scal*"),
)
_FAULTS: Final = (
    *("error", "unavailable", "cut-before", "cut-after", "cut-after", "error-after", "error-after"),
    *("hang-before", "hang-after", "throttle", "slow"),
)
_LATE_S: Final = 3.0
"""Longer than the operator waits for an answer: what it has given up on takes effect afterwards."""


def disturb(scene: Scene, rng: random.Random) -> None:
    """Do one bad thing."""
    names = list(_KINDS)
    name = rng.choices(names, [_KINDS[each][0] for each in names])[0]
    _KINDS[name][1](scene, rng)


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
    scene.aws.faults.add(operation, fault, count, delay_s=_LATE_S if fault in {"hang-after", "slow"} else 0.5)


def _denied(scene: Scene, rng: random.Random) -> None:
    operation, fault = rng.choice(_OPERATIONS), rng.choice(("deny", "expired", "quota"))
    scene.ledger.tell(f"! SageMaker: {fault} for {operation}")
    scene.aws.faults.add(operation, fault, rng.choice((1, 2)))


def _region(scene: Scene, rng: random.Random) -> None:
    region, fault = rng.choice(REGIONS), rng.choice(("unavailable", "cut-before", "hang-before"))
    count = rng.choice((5, 15))
    scene.ledger.tell(f"! {region} is down: {fault}, {count} times")
    scene.aws.faults.add("*", fault, count, region=region, delay_s=_LATE_S if fault == "hang-before" else 0.0)


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


_KINDS: Final[Mapping[str, tuple[int, Callable[[Scene, random.Random], None]]]] = {
    "kill": (4, _kill),
    "roll": (1, _roll),
    "freeze": (2, _freeze),
    "aws": (8, _aws),
    "denied": (1, _denied),
    "region": (2, _region),
    "kube": (4, _kube),
    "watches": (4, _watches),
}

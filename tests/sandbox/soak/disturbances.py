"""What goes wrong during a soak: the operator dies or freezes, the API server and SageMaker misbehave. Seeded."""

import random
import signal
import time
from collections.abc import Callable, Mapping
from typing import Final

from api.v1 import KINDS
from tests.sandbox.soak.manifests import REGIONS
from tests.sandbox.soak.scene import Scene
from tests.sandbox.soak.takeovers import take_over

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
_MUTATING: Final = sorted(
    {
        *(each.operations.create for each in KINDS if each.operations.create),
        *(each.operations.stop for each in KINDS if each.operations.stop),
        *(each.operations.delete for each in KINDS if each.operations.delete),
        *("UpdateEndpoint", "UpdateEndpointWeightsAndCapacities", "AddTags", "DeleteTags"),
        *("RegisterScalableTarget", "DeregisterScalableTarget", "PutScalingPolicy", "DeleteScalingPolicy"),
    }
)
_LOST: Final = ("cut-before", "cut-after", "cut-after", "error", "error-after", "hang-before", "hang-after")
_LIST_FAULTS: Final = ("deny", "error", "throttle", "unavailable", "cut-before", "hang-before")
REFUSALS: Final = (
    ("UpdateEndpoint*", 'Cannot update in-progress endpoint "arn:aws:sagemaker:us-east-2:123456789012:endpoint/x".'),
    ("DeleteEndpoint", 'Cannot delete in-progress endpoint "arn:aws:sagemaker:us-east-2:123456789012:endpoint/x".'),
    ("UpdateEndpoint", 'The variant(s) "v1" must be deregistered as scalable targets before they can be removed.'),
    ("CreateModel", "Could not find model data at s3://my-bucket/soak/model.tar.gz."),
    ("CreateEndpointConfig", 'Could not find model "arn:aws:sagemaker:us-east-2:123456789012:model/x".'),
    ("CreateEndpoint", 'Could not find endpoint configuration "arn:aws:sagemaker:us-east-2:123456789012:x".'),
    ("Create*Job", "No S3 objects found under S3 URL s3://my-bucket/soak/ given in input data source."),
    ("Stop*", "The request was rejected because the job is in status Stopping."),
    ("RegisterScalableTarget", "ECS service doesn't exist: endpoint/x/variant/v0"),
)
"""Operations and what they are refused with as ValidationException: words about states, of which none is a spec's."""
_LATE_S: Final = 3.0
"""Longer than the operator waits for an answer: what it has given up on takes effect afterwards."""


def disturb(scene: Scene, rng: random.Random) -> None:
    """Do one bad thing."""
    names = list(_KINDS)
    name = rng.choices(names, [_KINDS[each][0] for each in names])[0]
    scene.ledger.drawn[name] += 1
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
    scene.break_aws(operation, fault, count, delay_s=_LATE_S if fault in {"hang-after", "slow"} else 0.5)


def _denied(scene: Scene, rng: random.Random) -> None:
    operation, fault = rng.choice(_OPERATIONS), rng.choice(("deny", "expired", "quota"))
    scene.ledger.tell(f"! SageMaker: {fault} for {operation}")
    scene.break_aws(operation, fault, rng.choice((1, 2)))


def _overload(scene: Scene, rng: random.Random) -> None:
    operation, fault, after_s = rng.choice(_OPERATIONS), rng.choice(("too-many", "unavailable")), rng.choice((1, 3))
    scene.ledger.tell(f"! SageMaker: {fault} for {operation}, come back in {after_s} s")
    scene.break_aws(operation, fault, rng.choice((1, 2, 4)), retry_after_s=after_s)


def _picked(scene: Scene, rng: random.Random) -> None:
    """Refuse, throttle or swallow what one object asks for, until the faults end: it must not hold up the others."""
    objects = scene.objects()
    if not objects:
        return
    name, fault = (
        rng.choice(objects)["metadata"]["name"],
        rng.choice(("throttle", "too-many", "refused", "hang-before")),
    )
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


def _late_lists(scene: Scene, rng: random.Random) -> None:
    lag_s = rng.choice((0.0, 2.0, 8.0))
    late = rng.choice(((), ("Endpoint",), ("TrainingJob", "HyperParameterTuningJob")))
    scene.ledger.tell(f"! Lists of {', '.join(late) or 'everything'} are {lag_s:g} s late")
    scene.aws.lists.set(lag_s=lag_s, late=late)


def _failing_lists(scene: Scene, rng: random.Random) -> None:
    fault, count = rng.choice(_LIST_FAULTS), rng.choice((5, 20, 40))
    scene.ledger.tell(f"! Lists are answered with {fault}, {count} times")
    scene.break_aws("List*s", fault, count, delay_s=_LATE_S if fault == "hang-before" else None)


def _refused(scene: Scene, rng: random.Random) -> None:
    operation, message = rng.choice(REFUSALS)
    scene.ledger.tell(f"! SageMaker refuses {operation}: {message}")
    scene.break_aws(operation, "refused", rng.choice((1, 2, 4)), message=message)


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


_KINDS: Final[Mapping[str, tuple[int, Callable[[Scene, random.Random], None]]]] = {
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
    "take over": (5, take_over),
    "region": (2, _region),
    "kube": (4, _kube),
    "watches": (4, _watches),
}

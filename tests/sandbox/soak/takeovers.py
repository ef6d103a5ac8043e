"""Names that change hands: others delete at AWS what an object has made, and create theirs under the name. Seeded."""

import contextlib
import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from api.meta import JsonObject
from hack.sandbox.aws.wire import ApiError
from tests.sandbox.soak.manifests import ADOPTABLE, FOREIGN, SHARED, THEIR_JOB, THEIR_MODEL, THEIR_VARIANT
from tests.sandbox.soak.scene import Scene, recorded

_DIMENSION: Final = "sagemaker:variant:DesiredInstanceCount"
_AT_ONCE: Final = 0.4
"""Share of the names that are taken without a moment in between."""
_RESOURCES: Final = {
    "HostingDeployment": "Endpoint",
    "EndpointConfig": "EndpointConfig",
    "Model": "Model",
    "TrainingJob": "TrainingJob",
}
_WAIT_S: Final = 3.0
"""For what is being deleted or stopped; whoever is not done by then leaves a name that is free."""


def take_over(scene: Scene, rng: random.Random) -> None:
    """Take one name; nothing where no object has made anything under one that may be taken."""
    found = [each for each in scene.objects() if _may_be_taken(each)]
    if found:
        obj = rng.choice(_preferred(found))
        with contextlib.suppress(OSError):
            hand = _at_once if rng.random() < _AT_ONCE and obj["kind"] in _RESOURCES else _HANDS[obj["kind"]]
            if hand(scene, rng, obj):
                scene.ledger.struck[f"{obj['kind']} taken over"] += 1


def _at_once(scene: Scene, _rng: random.Random, obj: JsonObject) -> bool:
    """Whether others have the name now; in between, there was no moment at which it was free."""
    resource, name, region = (
        _RESOURCES[obj["kind"]],
        obj["status"]["awsResource"]["name"],
        obj["status"]["awsResource"]["region"],
    )
    try:
        scene.aws.take_over(resource, name, region)
    except ApiError:
        return False
    scene.ledger.tell(f"! {resource} {name} is theirs at once")
    return True


def _may_be_taken(obj: JsonObject) -> bool:
    """Not what others had anyway, what may be adopted, and children, whose names nobody else gives."""
    metadata, resource = obj["metadata"], recorded(obj)
    is_ours = obj["kind"] in _HANDS and resource is not None and resource["name"] not in {FOREIGN, ADOPTABLE}
    return is_ours and not metadata.get("ownerReferences") and "adoption-policy" not in str(metadata)


def _preferred(found: Sequence[JsonObject]) -> Sequence[JsonObject]:
    """Those whose name a user gave, where there are any."""
    return [each for each in found if SHARED in str(each["status"]["awsResource"]["name"])] or found


def _endpoint(scene: Scene, _rng: random.Random, obj: JsonObject) -> bool:
    return _replaced(scene, obj["status"], "Endpoint", {"EndpointConfigName": FOREIGN})


def _configuration(scene: Scene, _rng: random.Random, obj: JsonObject) -> bool:
    return _replaced(scene, obj["status"], "EndpointConfig", {"ProductionVariants": [THEIR_VARIANT]})


def _model(scene: Scene, _rng: random.Random, obj: JsonObject) -> bool:
    return _replaced(scene, obj["status"], "Model", THEIR_MODEL)


def _training(scene: Scene, _rng: random.Random, obj: JsonObject) -> bool:
    status = obj["status"]
    name, region = status["awsResource"]["name"], status["awsResource"]["region"]
    scene.ask("StopTrainingJob", region, TrainingJobName=name)

    def has_ended() -> bool:
        answer = scene.ask("DescribeTrainingJob", region, TrainingJobName=name) or {}
        return answer.get("TrainingJobStatus") not in {"InProgress", "Stopping"}

    return _waited(has_ended) and _replaced(scene, status, "TrainingJob", THEIR_JOB)


def _replaced(scene: Scene, status: JsonObject, resource: str, theirs: Mapping[str, object]) -> bool:
    """Whether others have the name now."""
    name, region = status["awsResource"]["name"], status["awsResource"]["region"]
    selector = {f"{resource}Name": name}
    if scene.ask(f"Delete{resource}", region, **selector) is None:
        return False  # in progress
    scene.ledger.tell(f"! somebody deletes {resource} {name}, and wants the name")
    is_free = _waited(lambda: scene.ask(f"Describe{resource}", region, **selector) is None)
    taken = is_free and scene.ask(f"Create{resource}", region, **selector, **theirs) is not None
    scene.ledger.tell(f"! {resource} {name} is {'theirs' if taken else 'free'} now")
    return taken


def _target(scene: Scene, rng: random.Random, obj: JsonObject) -> bool:
    status = obj["status"]
    region = status["awsResource"]["region"]
    ids = [each for each in status.get("resourceIDList") or () if f"/{FOREIGN}/" not in each]
    if not ids:
        return False
    identity, policy = rng.choice(ids), status.get("policyName") or "-"
    selector = {"ServiceNamespace": "sagemaker", "ResourceId": identity, "ScalableDimension": _DIMENSION}
    if scene.ask("DeregisterScalableTarget", region, **selector) is None:
        return False
    scene.ledger.meddled.add(identity)
    scene.ledger.their_policies.add((identity, policy))
    if scene.ask("RegisterScalableTarget", region, **selector, MinCapacity=1, MaxCapacity=7) is None:
        return False
    metric = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
    tracking = {"TargetValue": 55.0, "PredefinedMetricSpecification": metric}
    given = {"PolicyType": "TargetTrackingScaling", "TargetTrackingScalingPolicyConfiguration": tracking}
    scene.ask("PutScalingPolicy", region, **selector, PolicyName=policy, **given)
    scene.ledger.tell(f"! target {identity} and policy {policy} are theirs now")
    return True


def _waited(look: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + _WAIT_S
    while not (seen := look()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return seen


_HANDS: Final[Mapping[str, Callable[[Scene, random.Random, JsonObject], bool]]] = {
    "HostingDeployment": _endpoint,
    "EndpointConfig": _configuration,
    "Model": _model,
    "TrainingJob": _training,
    "HostingAutoscalingPolicy": _target,
}

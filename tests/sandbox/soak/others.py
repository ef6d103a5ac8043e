"""Somebody else's hand at AWS: endpoints and scalable targets that objects have made are changed there. Seeded."""

import contextlib
import random
from collections.abc import Sequence
from typing import Final

from api.meta import JsonObject
from tests.sandbox.soak.manifests import FOREIGN
from tests.sandbox.soak.scene import Scene, recorded

_DIMENSION: Final = "sagemaker:variant:DesiredInstanceCount"


def meddle(scene: Scene, rng: random.Random, objects: Sequence[JsonObject]) -> None:
    """Change one thing at AWS that an object has made; nothing where there is none."""
    found = [each for each in objects if each["kind"] in _HANDS and recorded(each)]
    if found:
        obj = rng.choice(found)
        with contextlib.suppress(OSError):  # faults hit everybody
            _HANDS[obj["kind"]](scene, rng, obj["status"])


def _endpoint(scene: Scene, rng: random.Random, status: JsonObject) -> None:
    resource = status["awsResource"]
    name, region = resource["name"], resource["region"]
    if name == FOREIGN:
        return
    if rng.random() < 0.5:
        weights = [{"VariantName": "v0", "DesiredWeight": rng.choice((0.25, 0.5))}]
        scene.ledger.tell(f"! somebody changes weights of {name}: {weights}")
        scene.ask("UpdateEndpointWeightsAndCapacities", region, EndpointName=name, DesiredWeightsAndCapacities=weights)
    else:
        scene.ledger.tell(f"! somebody switches {name} to another configuration")
        scene.ask("UpdateEndpoint", region, EndpointName=name, EndpointConfigName=FOREIGN)


def _scaling(scene: Scene, rng: random.Random, status: JsonObject) -> None:
    region, ids = status["awsResource"]["region"], status.get("resourceIDList") or ()
    targets = [each for each in ids if f"/{FOREIGN}/" not in each]
    if not targets:
        return
    selector = {"ServiceNamespace": "sagemaker", "ResourceId": rng.choice(targets), "ScalableDimension": _DIMENSION}
    if rng.random() < 0.5:
        scene.ledger.tell(f"! somebody changes bounds of {selector['ResourceId']}")
        scene.ledger.meddled.add(selector["ResourceId"])
        scene.ask("RegisterScalableTarget", region, **selector, MinCapacity=1, MaxCapacity=9)
    else:
        scene.ledger.tell(f"! somebody removes policy {status.get('policyName')} of {selector['ResourceId']}")
        scene.ask("DeleteScalingPolicy", region, **selector, PolicyName=status.get("policyName") or "-")


_HANDS: Final = {"HostingDeployment": _endpoint, "HostingAutoscalingPolicy": _scaling}

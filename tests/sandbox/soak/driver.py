"""Users and accidents in turn, drawn from one seed; then the faults end, and all that was made is judged."""

import json
import random
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from api.meta import GROUP, JsonObject
from tests.deadline import PATIENCE_S, eventually
from tests.sandbox.harness import aws_call
from tests.sandbox.soak import executions, registry
from tests.sandbox.soak.disturbances import disturb
from tests.sandbox.soak.invariants import (
    complaints,
    effects_complaints,
    left_behind,
    log_complaints,
    quiet_complaints,
    still_there,
)
from tests.sandbox.soak.manifests import (
    ADOPTABLE,
    FOR_NAMESPACES,
    FOREIGN,
    HOST,
    HOST_CONFIGURATION,
    MODEL,
    NAMESPACES,
    REGIONS,
    THEIR_JOB,
    THEIR_MODEL,
    THEIR_VARIANT,
    drawn,
    edited,
    for_namespace,
    retagged,
)
from tests.sandbox.soak.others import meddle
from tests.sandbox.soak.scene import Scene

_LOG_LINES: Final = 20
"""Of the log about an object that does not become what it should."""
_HELD: Final = frozenset(
    {"AccessDenied", "CredentialsError", "QuotaExceeded", "RequestRefused", "DependencyMissing", "NameUnavailable"}
)
"""Troubles that are looked at again after minutes only, unless the object changes."""


class Soak:
    """One run: `prepare`, `act`, `judge`.

    `pace_s` is the mean pause between two acts, `chaos` the share of accidents among them.
    """

    def __init__(self, scene: Scene, seed: int, *, pace_s: float = 0.08, chaos: float = 0.25) -> None:
        self._scene = scene
        self._rng = random.Random(seed)
        self._pace_s = pace_s
        self._chaos = chaos
        self._before: dict[str, JsonObject] = {}

    def prepare(self) -> None:
        """What is there before the operator comes."""
        for region in REGIONS:
            self._seed(region)
            eventually(partial(self._serves, region), what="the endpoint of others serves")
            self._scale(region)
            self._before[region] = still_there(self._scene, region)
        self._scene.start_operators()
        for each in self._scene.operators:
            each.until_ready()

    def act(self, seconds: float) -> None:
        """Users and accidents for so long."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self._rng.random() < self._chaos:
                disturb(self._scene, self._rng)
            else:
                self._user()
            self._scene.running()
            self._scene.start_operators()
            time.sleep(self._rng.random() * 2 * self._pace_s)

    def judge(self, *, within_s: float = PATIENCE_S, quiet_s: float = 4.0) -> list[str]:
        """Calm everything, wait, delete everything, wait; returns what is wrong, with stories."""
        scene = self._scene
        scene.calm()
        scene.ledger.tell("! calm")
        forgets = self._rng.random() < 0.5
        for each in scene.running() if forgets else ():
            scene.kill(each)
        scene.start_operators()
        self._release_holds(are_corrections_due=forgets)
        wrong = [f"{each}\n{self._log_of(each)}" for each in self._until_none(lambda: complaints(scene), within_s)]
        if not wrong:
            wrong += quiet_complaints(scene, quiet_s, within_s=within_s)
        scene.release()
        scene.ledger.tell("! everything is deleted")
        self._delete_all()
        deleting = self._until_none(self._not_gone, within_s)
        scene.ledger.tell("! the end")
        wrong += deleting
        wrong += [] if deleting else [*left_behind(scene), *executions.complaints(scene), *registry.complaints(scene)]
        wrong += effects_complaints(scene.ledger, scene.aws.effects.all())
        for region in REGIONS:
            if still_there(scene, region) != self._before[region]:
                wrong.append(f"{region}: what belongs to others has changed: {still_there(scene, region)}")
        return wrong + log_complaints(scene.log_lines()) + scene.exits

    # --- users

    def _user(self) -> None:
        roll = self._rng.random()
        if roll < 0.5:
            self._create()
            return
        objects = self._scene.objects()
        if not objects:
            return
        obj = self._rng.choice(objects)
        if roll < 0.66:
            self._edit(obj, edited(self._rng, obj))
        elif roll < 0.69:
            self._edit(obj, retagged(self._rng))
        elif roll < 0.73:
            self._scene.annotate_namespace(self._rng.choice(NAMESPACES), for_namespace(self._rng))
        elif roll < 0.77:
            meddle(self._scene, self._rng, objects)
        elif roll < 0.79:
            self._scene.ledger.tell(f"{_name(obj)}: status emptied by hand")
            self._scene.patch(obj, {"status": None}, "/status")
        else:
            self._scene.ledger.tell(f"{_name(obj)} deleted, uid {obj['metadata']['uid']}")
            self._scene.delete(obj)

    def _create(self) -> None:
        made = self._scene.create(obj := drawn(self._rng))
        if made is not None:
            uid = made["metadata"]["uid"]
            if "recreate-on-failure" in str(made["metadata"].get("annotations")):
                self._scene.ledger.recreating.add(uid)
            asked = {key: value for key, value in obj["spec"].items() if key.endswith("Name") or key == "region"}
            told = obj["metadata"]["annotations"]
            self._scene.ledger.tell(f"{_name(obj)} created, uid {uid}, {asked} {told}")

    def _edit(self, obj: JsonObject, patch: JsonObject) -> None:
        if (obj["metadata"].get("ownerReferences")) or obj["metadata"].get("deletionTimestamp"):
            return
        told = patch.get("metadata") or sorted(patch["spec"])
        self._scene.ledger.tell(f"{_name(obj)} edited: {told}")
        self._scene.patch(obj, patch)

    # --- the end

    def _release_holds(self, *, are_corrections_due: bool) -> None:
        """Errors that people must cure are retried after minutes: the cure is told by a change of the object.

        What waits for a word waits no more. Corrections of drift come at once from operators that have made none yet;
        from others they may take an hour, and are not waited for.
        """
        nothing = dict.fromkeys(f"{GROUP}/{name}" for name, _ in FOR_NAMESPACES)
        for namespace in NAMESPACES:
            self._scene.annotate_namespace(namespace, {"metadata": {"annotations": nothing}})
        for obj in self._scene.objects():
            conditions = (obj.get("status") or {}).get("conditions") or ()
            names = ("update-policy",) if are_corrections_due else ("update-policy", "drift-policy")
            asked: dict[str, str | None] = dict.fromkeys(f"{GROUP}/{name}" for name in names)
            is_held = any(each.get("reason") in _HELD for each in conditions)
            if is_held or obj["metadata"].get("deletionTimestamp") or obj["kind"] == "HostingAutoscalingPolicy":
                asked[f"{GROUP}/reconcile-at"] = "end"
            if asked.keys() & {*(obj["metadata"].get("annotations") or {}), f"{GROUP}/reconcile-at"}:
                self._scene.patch(obj, {"metadata": {"annotations": asked}})

    def _delete_all(self) -> None:
        for obj in self._scene.objects():
            annotations = obj["metadata"].get("annotations") or {}
            if f"{GROUP}/paused" in annotations:
                self._scene.patch(obj, {"metadata": {"annotations": {f"{GROUP}/paused": None}}})
        for obj in self._scene.objects():
            self._scene.delete(obj)

    def _not_gone(self) -> list[str]:
        return [
            f"{_name(obj)} is not gone; its status: {obj.get('status')}\n"
            + self._scene.ledger.story(_name(obj), obj["metadata"]["uid"])
            for obj in self._scene.objects()
        ]

    def _until_none(self, look: Callable[[], list[str]], within_s: float) -> list[str]:
        deadline = time.monotonic() + within_s
        while True:
            found = look()
            if not found or time.monotonic() > deadline:
                return found
            self._scene.running()
            self._scene.start_operators()
            time.sleep(0.5)

    def _log_of(self, complaint: str) -> str:
        """The last lines that operators have logged about the object of a complaint, `Kind namespace/name: ...`."""
        namespace, _, name = complaint.partition(":")[0].rpartition(" ")[2].partition("/")
        of_it = [
            each for each in self._scene.log_lines() if (each.get("namespace"), each.get("name")) == (namespace, name)
        ]
        return "\n".join(f"      log  {json.dumps(each)}" for each in of_it[-_LOG_LINES:])

    # --- what belongs to others

    def _scale(self, region: str) -> None:
        name = f"endpoint/{FOREIGN}/variant/v0"
        dimension = "sagemaker:variant:DesiredInstanceCount"
        selector = {"ServiceNamespace": "sagemaker", "ResourceId": name, "ScalableDimension": dimension}
        aws_call(self._scene.aws.url, "RegisterScalableTarget", region=region, **selector, MinCapacity=1, MaxCapacity=2)

    def _serves(self, region: str) -> bool:
        answer = self._scene.ask("DescribeEndpoint", region, EndpointName=FOREIGN) or {}
        return answer.get("EndpointStatus") == "InService"

    def _seed(self, region: str) -> None:
        def call(operation: str, **members: Any) -> None:
            aws_call(self._scene.aws.url, operation, region=region, **members)

        executions.seed(self._scene.aws, region)
        registry.seed(self._scene, region)
        for name in (MODEL, FOREIGN):
            call("CreateModel", ModelName=name, **THEIR_MODEL)
        call("CreateEndpointConfig", EndpointConfigName=FOREIGN, ProductionVariants=[THEIR_VARIANT])
        call("CreateEndpoint", EndpointName=FOREIGN, EndpointConfigName=FOREIGN)
        call("CreateEndpointConfig", EndpointConfigName=HOST, **HOST_CONFIGURATION)
        call("CreateEndpoint", EndpointName=HOST, EndpointConfigName=HOST)
        for name in (FOREIGN, ADOPTABLE):
            call("CreateTrainingJob", TrainingJobName=name, **THEIR_JOB)


def _name(obj: JsonObject) -> str:
    return f"{obj['kind']} {obj['metadata']['namespace']}/{obj['metadata']['name']}"

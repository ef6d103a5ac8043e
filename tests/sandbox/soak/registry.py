"""Groups, packages and pipelines in a soak: what is there before, and what must hold of them."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from api.meta import GROUP, JsonObject
from tests.sandbox.harness import aws_call
from tests.sandbox.soak.manifests import REGIONS, REGISTRY
from tests.sandbox.soak.scene import Scene


def seed(scene: Scene, region: str) -> None:
    """Create the group that packages name: versions outlive their objects, and would keep a group of an object."""
    aws_call(scene.aws.url, "CreateModelPackageGroup", region=region, ModelPackageGroupName=REGISTRY)


def problem(obj: JsonObject, there: JsonObject, reasons: set[Any]) -> str:
    """What is there is what the spec asks for, unless the object says that others have changed it."""
    if "Drifted" in reasons or f"{GROUP}/read-only" in (obj["metadata"].get("annotations") or {}):
        return ""
    different = [name for name, wanted, found in _compared(obj, there) if wanted != found]
    return f"differs from its spec in {different}: {there}" if different else ""


def _compared(obj: JsonObject, there: JsonObject) -> Iterator[tuple[str, object, object]]:
    """What the soak edits, as the spec has it and as SageMaker has it."""
    spec = obj["spec"]
    if obj["kind"] == "ModelPackage":
        (wanted,), (found,) = (
            spec["inferenceSpecification"]["containers"],
            there["InferenceSpecification"]["Containers"],
        )
        environment = {each["name"]: each["value"] for each in wanted.get("environment") or ()}
        yield "environment", environment, found.get("Environment") or {}
        yield "approval", spec["modelApprovalStatus"], there["ModelApprovalStatus"]
    if obj["kind"] == "Pipeline":
        yield "description", spec["pipelineDescription"], there.get("PipelineDescription")
        parallelism = there.get("ParallelismConfiguration") or {}
        wanted_steps = spec["parallelismConfiguration"]["maxParallelExecutionSteps"]
        yield "parallelism", wanted_steps, parallelism.get("MaxParallelExecutionSteps")


def complaints(scene: Scene) -> list[str]:
    """No object has registered two versions: each has a description of its own, which cannot be edited."""
    made = Counter((region, each["ModelPackageDescription"]) for region in REGIONS for each in _versions(scene, region))
    return [f"{number} versions in {region} are {what}" for (region, what), number in made.items() if number > 1]


def _versions(scene: Scene, region: str) -> Iterator[JsonObject]:
    token: dict[str, str] = {}
    while True:
        answer = scene.ask("ListModelPackages", region, ModelPackageGroupName=REGISTRY, MaxResults=100, **token)
        assert answer is not None, f"{REGISTRY} cannot be listed"
        yield from answer["ModelPackageSummaryList"]
        if not answer.get("NextToken"):
            return
        token = {"NextToken": answer["NextToken"]}

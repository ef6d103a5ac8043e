"""What is at AWS by the requests that it received: creations, changes and removals, replayed."""

import copy
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Final

from api.meta import JsonObject
from tests.every_property.amazon import Sent
from tests.every_property.oracle import NAME_MEMBERS, NAMED, Request

OURS: Final = "sagemaker.aws.amazon.com/"
"""Keys of tags that the operator sets."""
_JOBS: Final = {
    "StopTrainingJob": "CreateTrainingJob",
    "StopHyperParameterTuningJob": "CreateHyperParameterTuningJob",
    "StopTransformJob": "CreateTransformJob",
    "StopProcessingJob": "CreateProcessingJob",
}
_DELETES: Final = {
    "DeleteModel": "CreateModel",
    "DeleteEndpointConfig": "CreateEndpointConfig",
    "DeleteEndpoint": "CreateEndpoint",
    "DeleteInferenceComponent": "CreateInferenceComponent",
    "DeleteModelPackageGroup": "CreateModelPackageGroup",
    "DeletePipeline": "CreatePipeline",
}

_DESCRIPTIONS: Final = ("PipelineExecutionDescription", "ModelPackageDescription")
"""Ends with the operator's mark."""
_METADATA: Final = "CustomerMetadataProperties"
_INITIAL: Final = {"DesiredWeight": "InitialVariantWeight", "DesiredInstanceCount": "InitialInstanceCount"}


class Ledger:
    """The resources that there are, each with the request that makes it as it is."""

    def __init__(self) -> None:
        self._there: dict[tuple[str, str], JsonObject] = {}
        self._stopped: set[tuple[str, str]] = set()
        self.unknown: list[Sent] = []
        """Changes that it does not understand: nothing but what is listed here may be sent."""

    @classmethod
    def of(cls, sent: Iterable[Sent]) -> "Ledger":
        """The ledger after these requests."""
        ledger = cls()
        for each in sent:
            if not each.is_read and not each.error:
                ledger._take(each.operation, copy.deepcopy(each.params), each)
        return ledger

    def _take(self, operation: str, params: JsonObject, sent: Sent) -> None:
        if operation == "CreatePipeline":
            del params["ClientRequestToken"]
        if operation in NAME_MEMBERS:
            self._there[operation, params[NAME_MEMBERS[operation]]] = params
        elif operation in _DELETES:
            create = _DELETES[operation]
            self._there.pop((create, params[NAME_MEMBERS[create]]), None)
        elif operation in _JOBS:
            create = _JOBS[operation]
            self._stopped.add((create, params[NAME_MEMBERS[create]]))
        elif operation == "StartPipelineExecution":
            self._there[operation, params.pop("ClientRequestToken")] = params
        elif operation == "StopPipelineExecution":
            self._stopped |= {each for each in self._there if each[0] == "StartPipelineExecution"}  # there is one
        elif operation == "CreateModelPackage":
            token = params.pop("ClientToken")
            self._there[operation, params.get("ModelPackageName", token)] = params
        elif operation == "UpdateModelPackage":
            self._update_package(params)
        elif operation == "UpdatePipeline":
            self._there["CreatePipeline", params.pop("PipelineName")] |= params
        elif operation in {"RegisterScalableTarget", "PutScalingPolicy"}:
            self._there[operation, _scaling_key(params)] = params
        elif operation in {"DeregisterScalableTarget", "DeleteScalingPolicy"}:
            create = "RegisterScalableTarget" if operation.startswith("Dereg") else "PutScalingPolicy"
            self._there.pop((create, _scaling_key(params)), None)
        elif operation == "UpdateTrainingJob":
            self._update(self._there["CreateTrainingJob", params.pop("TrainingJobName")], params)
        elif operation == "UpdateEndpoint":
            there = self._there["CreateEndpoint", params["EndpointName"]]
            there["EndpointConfigName"] = params["EndpointConfigName"]
            if "DeploymentConfig" in params:
                there["DeploymentConfig"] = params["DeploymentConfig"]
        elif operation.startswith("UpdateInferenceComponent"):
            there = self._there["CreateInferenceComponent", params.pop("InferenceComponentName")]
            params.pop("DeploymentConfig", None)
            there |= {member.removeprefix("Desired"): value for member, value in params.items()}
        elif operation == "UpdateEndpointWeightsAndCapacities":
            self._weigh(params)
        elif operation in {"AddTags", "DeleteTags"}:
            self._tag(params)
        else:
            self.unknown.append(sent)

    @staticmethod
    def _update(there: JsonObject, params: Mapping[str, Any]) -> None:
        for member, value in params.items():
            there[member] = {**there.get(member, {}), **value} if member == "ResourceConfig" else value

    def _update_package(self, params: JsonObject) -> None:
        """Change the package that is played; its map of metadata is added to and removed from."""
        del params["ModelPackageArn"]
        (there,) = (each for (create, _), each in self._there.items() if create == "CreateModelPackage")
        added, removed = params.pop(_METADATA, {}), params.pop(f"{_METADATA}ToRemove", ())
        kept = {key: value for key, value in there.get(_METADATA, {}).items() if key not in removed}
        there |= {**params, _METADATA: {**kept, **added}} if kept or added else params

    def _weigh(self, params: Mapping[str, Any]) -> None:
        """Note what an endpoint has in place of what its configuration says, as if that were in the configuration."""
        config = self._there["CreateEndpoint", params["EndpointName"]]["EndpointConfigName"]
        variants = {
            each["VariantName"]: each for each in self._there["CreateEndpointConfig", config]["ProductionVariants"]
        }
        for each in params["DesiredWeightsAndCapacities"]:
            for desired, initial in _INITIAL.items():
                if desired in each:
                    variants[each["VariantName"]][initial] = each[desired]

    def _tag(self, params: Mapping[str, Any]) -> None:
        name = params["ResourceArn"].rpartition("/")[2]
        for (_, known), there in self._there.items():
            if known.lower() == name.lower():
                tags = {each["Key"]: each["Value"] for each in there.get("Tags", ())}
                tags |= {each["Key"]: each["Value"] for each in params.get("Tags", ())}
                removed = set(params.get("TagKeys", ()))
                there["Tags"] = [{"Key": key, "Value": tags[key]} for key in tags if key not in removed]

    def requests(self, given: AbstractSet[str] = frozenset()) -> list[Request]:
        """What is there, without the operator's own tags, and NAMED for all names but those that a manifest gives."""
        made = self.names() - given
        return [Request(operation, _plain(params, made)) for (operation, _), params in self._there.items()]

    def names(self) -> set[str]:
        """Names of what is there."""
        return {name for operation, name in self._there if operation in NAME_MEMBERS}

    def running(self) -> list[tuple[str, str]]:
        """What is left and not stopped: the operation that made it, and its name."""
        return [each for each in self._there if each not in self._stopped]


def _scaling_key(params: Mapping[str, Any]) -> str:
    return f"{params['ResourceId']} {params.get('PolicyName', '')}"


def _plain(params: JsonObject, made: AbstractSet[str]) -> JsonObject:
    changed: JsonObject = _renamed(params, made)
    for member in _DESCRIPTIONS:
        before, mark, _ = str(changed.get(member, "")).rpartition("[Kubernetes ")
        if mark:
            given = before.removesuffix(" ")
            changed = {**changed, member: given} if given else {k: v for k, v in changed.items() if k != member}
    if isinstance(changed.get("Tags"), list):
        changed["Tags"] = [each for each in changed["Tags"] if not each["Key"].startswith(OURS)]
        if not changed["Tags"]:
            del changed["Tags"]
    return changed


def _renamed(value: Any, made: AbstractSet[str], member: str = "") -> Any:
    if isinstance(value, Mapping):
        return {name: _renamed(each, made, name) for name, each in value.items()}
    if isinstance(value, list):
        return [_renamed(each, made) for each in value]
    is_name = member.endswith("Name") and isinstance(value, str) and value in made
    return NAMED if is_name else value

"""Every sample is a manifest that the API server takes, and becomes requests that AWS's client takes, whole."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from botocore.validate import ParamValidator

from api import autoscaling, hosting
from api.convert import to_request
from api.meta import API_VERSION, JsonObject
from api.v1 import ENDPOINT_CONFIG, HOSTING_DEPLOYMENT, KINDS, MODEL
from hack import crds
from hack.sandbox.kube.crd.object_validation import validate
from hack.sandbox.kube.schema.defaulting import prune
from tests.documents import document, documents
from tests.tables import each_row
from tests.unit.api.conftest import ROOT
from tests.unit.api.expected import expected, leaves, request_shape, without

_BY_KIND = {kind.kind: kind for kind in KINDS}
_DOCUMENTS = [
    pytest.param(document, id=f"{path.name}:{document['metadata']['name']}")
    for path in sorted((ROOT / "samples").glob("*.yaml"))
    for document in documents(path)
]

_OPERATORS_OWN = {"region", "sageMakerEndpoint"}


@dataclass(frozen=True)
class Sent:
    """One request made from a sample, the part of the manifest that it is made from, and what is added on the way."""

    service: str
    operation: str
    request: JsonObject
    source: JsonObject
    added: JsonObject


@each_row("document", _DOCUMENTS)
def test_a_sample_is_valid(document: JsonObject) -> None:
    """`kubectl apply --validate=strict`: by the checked-in CRD."""
    assert document["apiVersion"] == API_VERSION
    assert prune(_schema(document["kind"]), document) == []
    assert [str(cause) for cause in validate(_schema(document["kind"]), document)] == []


@each_row("document", _DOCUMENTS)
def test_each_request_of_a_sample_is_what_its_manifest_says_member_by_member(document: JsonObject) -> None:
    """Compared with what botocore's shapes make of the manifest, then given to botocore's own validator."""
    for sent in _requests(document):
        shape = request_shape(sent.service, sent.operation)

        assert sent.request == expected(shape, sent.source) | sent.added
        assert ParamValidator().validate(sent.request, shape).generate_report() == ""


@each_row("document", _DOCUMENTS)
def test_nothing_of_a_sample_is_dropped(document: JsonObject) -> None:
    """Every leaf of the manifest is in some request: under its name, with its value."""
    spec = without(document["spec"], *_OPERATORS_OWN)
    if document["kind"] != "HostingAutoscalingPolicy":
        spec.pop(_BY_KIND[document["kind"]].name.spec_field, None)  # for the caller to send: it may be generated
    if document["kind"] == "HostingDeployment":
        # Names that only tie the manifest together.
        spec["models"] = [
            {key: value for key, value in model.items() if key not in ("name", "primaryContainer")}
            for model in spec.get("models", ())
        ]
        for model in spec["models"]:
            model["containers"] = [item for item in model["containers"] if not isinstance(item, str)]
    if document["kind"] == "HostingAutoscalingPolicy":
        entries = spec.pop("resourceId")
        spec["resourceId"] = [
            f"inference-component/{each['inferenceComponentName']}"
            if "inferenceComponentName" in each
            else f"endpoint/{each['endpointName']}/variant/{each['variantName']}"
            for each in entries
        ]

    arrived = {leaf for sent in _requests(document) for leaf in leaves(sent.request)}

    assert set(leaves(spec)) - arrived == set()


def test_there_is_a_sample_for_every_kind_and_every_use() -> None:
    """The guides name the first of each kind; the others show what their text describes, and what AWS has added."""
    assert {path.name for path in (ROOT / "samples").glob("*.yaml")} >= {
        "hap-custom-metric.yaml",
        "hap-inference-component.yaml",
        "hap-predefined-metric.yaml",
        "inference-component.yaml",
        "kmeans-mnist-processingjob.yaml",
        "shared-hostingdeployment.yaml",
        "xgboost-hostingdeployment-retain-properties.yaml",
        "xgboost-mnist-batchtransform.yaml",
        "xgboost-mnist-endpointconfig.yaml",
        "xgboost-mnist-hostingdeployment-inline.yaml",
        "xgboost-mnist-hostingdeployment.yaml",
        "xgboost-mnist-hpo-warm-start.yaml",
        "xgboost-mnist-hpo.yaml",
        "xgboost-mnist-model.yaml",
        "xgboost-mnist-trainingjob-debugger.yaml",
        "xgboost-mnist-trainingjob-efs.yaml",
        "xgboost-mnist-trainingjob-endpoint.yaml",
        "xgboost-mnist-trainingjob-fsx.yaml",
        "xgboost-mnist-trainingjob-spot.yaml",
        "xgboost-mnist-trainingjob.yaml",
        "xgboost-multi-container-hostingdeployment.yaml",
        "xgboost-multi-model-hostingdeployment.yaml",
    }
    assert {document.values[0]["kind"] for document in _DOCUMENTS} == set(_BY_KIND)  # type: ignore[index]


def test_sample_names_are_unique() -> None:
    """So that all of them can be applied at once."""
    names = [(p.values[0]["kind"], p.values[0]["metadata"]["name"]) for p in _DOCUMENTS]  # type: ignore[index]

    assert len(names) == len(set(names)) >= 24


def _requests(document: JsonObject) -> list[Sent]:
    kind, spec = _BY_KIND[document["kind"]], document["spec"]
    if document["kind"] == "HostingDeployment":
        return _of_deployment(spec)
    if document["kind"] == "HostingAutoscalingPolicy":
        return _of_policy(spec)
    name = {} if kind.name.by_aws else {kind.name.member: "a-name".ljust(kind.name.max_length, "0")}
    if kind.name.token:
        name[kind.name.token] = "0" * 36
    if document["kind"] == "InferenceComponent":
        operations = kind.operations.sending
        return [Sent(kind.service, each, to_request(kind, spec, each) | name, spec, name) for each in operations]
    return [Sent(kind.service, kind.operations.create, to_request(kind, spec) | name, spec, name)]


def _of_deployment(spec: JsonObject) -> list[Sent]:
    wanted = hosting.resolve(spec)
    assert wanted.ignored == ()
    shared = {container["containerHostname"]: container for container in spec.get("containers", ())}
    sent = []
    for model, entry in zip(wanted.models, spec.get("models", ()), strict=True):
        containers = [shared[item] if isinstance(item, str) else item for item in entry["containers"]]
        source = without(entry, "name", "primaryContainer", "containers") | (
            {"primaryContainer": containers[0]} if len(containers) == 1 else {"containers": containers}
        )
        source |= {"tags": spec["tags"]} if "tags" in spec else {}
        name = {"ModelName": "a-name"}
        sent.append(Sent("sagemaker", "CreateModel", to_request(MODEL, model.spec) | name, source, name))
    names = {model.name: model.name for model in wanted.models}
    configuration = to_request(ENDPOINT_CONFIG, wanted.configuration_with(names))
    name = {"EndpointConfigName": "a-name"}
    sent.append(Sent("sagemaker", "CreateEndpointConfig", configuration | name, spec, name))
    for operation in ("CreateEndpoint", "UpdateEndpoint"):
        both = {"EndpointName": "a-name", "EndpointConfigName": "a-name"}
        request = to_request(HOSTING_DEPLOYMENT, spec, operation)
        sent.append(Sent("sagemaker", operation, request | both, spec, both))
    return sent


def _of_policy(spec: JsonObject) -> list[Sent]:
    sent = []
    for made in autoscaling.requests(spec):
        named = autoscaling.selector_of(made.resource_id, spec)
        source = without(spec, "resourceId")
        given = spec.get("suspendedState", {})
        suspended = {
            member: given.get(member[:1].lower() + member[1:], False)
            for member in ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")
        }
        added = named | {"SuspendedState": suspended}
        sent.append(Sent("application-autoscaling", "RegisterScalableTarget", made.target, source, added))
        added = named | {"PolicyType": "TargetTrackingScaling"}
        sent.append(Sent("application-autoscaling", "PutScalingPolicy", made.policy, source, added))
    return sent


@cache
def _schema(kind: str) -> JsonObject:
    (path,) = [path for path in _crds() if f"_{_BY_KIND[kind].plural}." in path.name]
    schema: JsonObject = document(path)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return schema


def _crds() -> list[Path]:
    return sorted(crds.CRDS.glob("*.yaml"))

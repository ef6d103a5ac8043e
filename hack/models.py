"""Keeps parts of AWS's service models in the repository: what CRDs are generated from, and what clients use.

CRDs must not depend on the installed botocore. They are generated from a snapshot, which changes only on request; the
difference between two snapshots is then part of a review. A snapshot holds shapes of botocore (Apache-2.0) unchanged:
those that the Create operations take, and those of the responses that status shows.

A client model (`api/service_models`) holds the operations that the operator calls, as botocore has them, without prose
and without what Search shows beyond List. The IAM policy says which operations these are. The list of endpoints there
holds the services that are called: botocore's has 300, which would be read at every start.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from botocore.loaders import Loader

from api.descriptor import KindDescriptor
from api.meta import JsonObject
from api.models import SERVICE_MODELS
from api.operator_fields import OperatorField
from api.v1 import KINDS
from hack.manifests import iam

FOLDER: Final = Path(__file__).parent / "snapshots"
ENDPOINTS: Final = SERVICE_MODELS / "endpoints.json"
"""Where botocore's loader looks for the partitions, their regions, and the hosts of services."""
_ENDPOINT_PREFIXES: Final = frozenset(
    {"api.sagemaker", "application-autoscaling", "logs", "sqs", "sts", "oidc", "portal.sso", "signin"}
)
"""Services that are called, and those that botocore calls for credentials, as the list of endpoints names them."""
_HALVES: Final = ("input", "output")
_PROSE: Final = frozenset({"documentation", "documentationUrl", "examples"})
_NAMED: Final = frozenset({"operations", "shapes", "members"})
"""Objects with names of the API as keys."""


def read(service: str) -> JsonObject:
    """Return the stored snapshot of a service. Raises FileNotFoundError if there is none."""
    snapshot: JsonObject = json.loads(path_of(service).read_text("utf-8"))
    return snapshot


def path_of(service: str) -> Path:
    """Return the path of a service's snapshot."""
    return FOLDER / f"{service}.json"


def text_of(snapshot: JsonObject) -> str:
    """Return a snapshot as stored: sorted, one value per line, so that a change of the API is a readable diff."""
    return json.dumps(snapshot, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def installed(service: str) -> JsonObject:
    """Return the whole description of a service that botocore ships."""
    description: JsonObject = Loader().load_service_model(service, "service-2")
    return description


def installed_endpoints() -> JsonObject:
    """Return the partitions and endpoints that botocore ships."""
    whole: JsonObject = Loader().load_data("endpoints")
    return whole


def endpoints(whole: JsonObject) -> JsonObject:
    """Return the list of endpoints with all partitions and regions, and only the services that are called."""
    partitions = [
        {**each, "services": {name: each["services"][name] for name in _ENDPOINT_PREFIXES & each["services"].keys()}}
        for each in whole["partitions"]
    ]
    return {**whole, "partitions": partitions}


def client_models() -> dict[str, frozenset[str]]:
    """Return the services with a client model, and the operations that each has: those of the IAM policies.

    That of logs is for the plugin: parsing the whole one takes a tenth of its start.
    """
    services: dict[str, set[str]] = {kind.service: set() for kind in KINDS} | {"logs": set()}
    policies = iam.generate()
    for policy in ("operator.json", "smlogs.json"):
        for statement in json.loads(policies[policy])["Statement"]:
            for action in statement["Action"]:
                service, _, operation = action.partition(":")
                if service in services:
                    services[service].add(operation)
    return {service: frozenset(operations) for service, operations in services.items()}


def client_model_path(service: str, description: JsonObject) -> Path:
    """Return the path of a client model, where botocore's loader looks for it."""
    return SERVICE_MODELS / service / description["metadata"]["apiVersion"] / "service-2.json"


def client_model(description: JsonObject, operations: Iterable[str]) -> JsonObject:
    """Return the description with these operations only. Raises KeyError if one is missing."""
    every = description["shapes"] | (_found_shapes(description) if "Search" in operations else {})
    shapes: JsonObject = {}
    kept = {name: description["operations"][name] for name in sorted(operations)}
    for operation in kept.values():
        for reference in (*(operation[half] for half in _HALVES if half in operation), *operation.get("errors", ())):
            _collect(every, reference["shape"], shapes)
    whole = {key: value for key, value in description.items() if key not in ("operations", "shapes")}
    model: JsonObject = _without_prose({**whole, "operations": kept, "shapes": shapes})
    return model


def _found_shapes(description: JsonObject) -> JsonObject:
    """Return the shapes of what Search finds, with as much of a record as List shows of it: a hint is no more.

    A page has a hundred whole records, of which parsing takes most of the time.
    """
    shapes = description["shapes"]
    records: JsonObject = {}
    found: JsonObject = {}
    for kind in KINDS:
        if resource := kind.operations.search:
            records[resource] = shapes["SearchRecord"]["members"][resource]
            listed = shapes[description["operations"][kind.operations.list]["output"]["shape"]]["members"]
            summary = shapes[shapes[listed[kind.operations.list_items]["shape"]]["member"]["shape"]]["members"]
            record = shapes[records[resource]["shape"]]
            members = {name: member for name, member in record["members"].items() if name in summary}
            found[records[resource]["shape"]] = {**record, "members": members}
    return found | {"SearchRecord": {**shapes["SearchRecord"], "members": records}}


def label(kind: KindDescriptor, snapshot: JsonObject) -> str:
    """Return service, API version and digest of the kind's source, for its CRD's annotation."""
    digest = hashlib.sha256(text_of(take(snapshot, [kind])).encode()).hexdigest()
    return f"{kind.service} {snapshot['metadata']['apiVersion']} sha256:{digest[:16]}"


def take(description: JsonObject, kinds: Iterable[KindDescriptor]) -> JsonObject:
    """Return the parts of a service description that the kinds need. Raises KeyError if one is missing."""
    operations: JsonObject = {}
    shapes: JsonObject = {}
    for kind in kinds:
        for name in sorted({*kind.operations.sending, *_likened(kind.compat.own)}):
            operations[name] = _half(description, name, "input")
            _collect(description["shapes"], operations[name]["input"]["shape"], shapes)
        describe = operations[kind.operations.describe] = _half(description, kind.operations.describe, "output")
        _collect_answer(description["shapes"], describe["output"]["shape"], kind, shapes)
    return {"metadata": description["metadata"], "operations": operations, "shapes": shapes}


def _half(description: JsonObject, operation: str, half: str) -> JsonObject:
    """Return an operation with the needed half of it: its request or its response."""
    whole = description["operations"][operation]
    return {key: whole[key] for key in ("name", "http", half) if key in whole}


def _likened(fields: Iterable[OperatorField]) -> Iterator[str]:
    """Yield the operations of which operator fields hold a part."""
    for field in fields:
        if field.like:
            yield field.like.partition(".")[0]
        yield from _likened(field.fields)
        if field.item:
            yield from _likened([field.item])


def _shown(kind: KindDescriptor) -> set[str]:
    return {field.source.split(".")[0] for field in kind.compat.status if field.source}


def _collect(every: JsonObject, name: str, into: JsonObject) -> None:
    """Copy a shape and all shapes that it references."""
    if name in into:
        return
    into[name] = every[name]
    for reference in _references(every[name]):
        _collect(every, reference["shape"], into)


def _collect_answer(every: JsonObject, name: str, kind: KindDescriptor, into: JsonObject) -> None:
    """Copy a response with only the members that status shows; others would change snapshots without effect."""
    members = _shown(kind)
    if items := kind.operations.describe_items:
        reference = every[name]["members"][items]
        into[name] = {"type": "structure", "members": {items: reference}}
        into[reference["shape"]] = every[reference["shape"]]
        name = every[reference["shape"]]["member"]["shape"]
    kept = {key: value for key, value in every[name]["members"].items() if key in members}
    into[name] = {"type": "structure", "members": kept}
    for reference in kept.values():
        _collect(every, reference["shape"], into)


def _without_prose(value: Any) -> Any:
    """Return a copy without documentation. Members of structures may have any name: those are kept."""
    if isinstance(value, list):
        return [_without_prose(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key: {name: _without_prose(each) for name, each in below.items()} if key in _NAMED else _without_prose(below)
        for key, below in value.items()
        if key not in _PROSE
    }


def _references(shape: JsonObject) -> list[dict[str, Any]]:
    return [*shape.get("members", {}).values(), *(shape[k] for k in ("member", "key", "value") if k in shape)]

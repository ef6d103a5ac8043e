"""Keeps snapshots of AWS's service models in the repository: the parts from which CRDs are generated.

CRDs must not depend on the installed botocore. They are generated from a snapshot, which changes only on request; the
difference between two snapshots is then part of a review. A snapshot holds shapes of botocore (Apache-2.0) unchanged:
those that the Create operations take, and those of the responses that status shows.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from api.descriptor import KindDescriptor
from api.meta import JsonObject
from api.operator_fields import OperatorField

FOLDER: Final = Path(__file__).parent / "snapshots"


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


def _references(shape: JsonObject) -> list[dict[str, Any]]:
    return [*shape.get("members", {}).values(), *(shape[k] for k in ("member", "key", "value") if k in shape)]

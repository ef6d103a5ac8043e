"""Snapshots of AWS's service models: the parts that CRDs are made from, kept in the repository.

CRDs must not change because somebody has another botocore installed. They are made from a snapshot, which changes
only when asked to; the difference between two snapshots is then part of a review. A snapshot holds shapes of botocore
(Apache-2.0) unchanged: those that the Create operations take, and those of the answers that status shows.
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
    """The kept snapshot of a service. Raises FileNotFoundError if there is none."""
    snapshot: JsonObject = json.loads(path_of(service).read_text("utf-8"))
    return snapshot


def path_of(service: str) -> Path:
    """Where the snapshot of a service is kept."""
    return FOLDER / f"{service}.json"


def text_of(snapshot: JsonObject) -> str:
    """A snapshot as it is stored: sorted, one value a line, so that a change of the API is a readable difference."""
    return json.dumps(snapshot, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def label(kind: KindDescriptor, snapshot: JsonObject) -> str:
    """Service, API version and digest of what the kind is made from, for its CRD's annotation."""
    digest = hashlib.sha256(text_of(take(snapshot, [kind])).encode()).hexdigest()
    return f"{kind.service} {snapshot['metadata']['apiVersion']} sha256:{digest[:16]}"


def take(description: JsonObject, kinds: Iterable[KindDescriptor]) -> JsonObject:
    """What the kinds need of a service description, whole or a snapshot. Raises KeyError if one is missing."""
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
    """An operation with what is needed of it: its request or its answer."""
    whole = description["operations"][operation]
    return {key: whole[key] for key in ("name", "http", half) if key in whole}


def _likened(fields: Iterable[OperatorField]) -> Iterator[str]:
    """Operations of which fields of our own hold a part."""
    for field in fields:
        if field.like:
            yield field.like.partition(".")[0]
        yield from _likened(field.fields)
        if field.item:
            yield from _likened([field.item])


def _shown(kind: KindDescriptor) -> set[str]:
    return {field.source.split(".")[0] for field in kind.compat.status if field.source}


def _collect(every: JsonObject, name: str, into: JsonObject) -> None:
    """Copy a shape and all that it refers to."""
    if name in into:
        return
    into[name] = every[name]
    for reference in _references(every[name]):
        _collect(every, reference["shape"], into)


def _collect_answer(every: JsonObject, name: str, kind: KindDescriptor, into: JsonObject) -> None:
    """Copy an answer with those members only that are shown; the others would make a snapshot change for nothing."""
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

"""Every property of a kind's spec: where it is, its schema in the CRD, and its shape at AWS."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from api.meta import JsonObject
from api.v1 import KINDS
from tests.documents import document
from tests.every_property.oracle import CONTAINER, REQUESTS, SHARED_CONTAINER, Path_, input_shape, member_of
from tests.sandbox.harness import REPOSITORY

PLURALS = {each.kind: each.plural for each in KINDS if each.kind in REQUESTS}
"""Of the kinds that the oracle knows."""


@dataclass(frozen=True, slots=True)
class Place:
    """One property: `shape` is None for the operator's own."""

    kind: str
    path: Path_
    schema: Mapping[str, Any] = field(hash=False, compare=False)
    shape: Shape | None = field(hash=False, compare=False)

    @property
    def text(self) -> str:
        """`spec.tags[].key`."""
        return ".".join(self.path).replace(".[]", "[]")


@cache
def spec_schema(kind: str) -> JsonObject:
    """The schema of `spec` in the CRD that is shipped."""
    path = REPOSITORY / "config" / "crd" / "bases" / f"sagemaker.aws.amazon.com_{PLURALS[kind]}.yaml"
    schema: JsonObject = document(path)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    return schema


@cache
def places(kind: str) -> tuple[Place, ...]:
    """All properties below `spec`, in the order of the CRD."""
    return tuple(_below(kind, ("spec",), spec_schema(kind)))


def _below(kind: str, path: Path_, schema: Mapping[str, Any]) -> Iterator[Place]:
    for name, inner in (schema.get("properties") or {}).items():
        yield from _each(kind, (*path, name), inner)


def _each(kind: str, path: Path_, schema: Mapping[str, Any]) -> Iterator[Place]:
    yield Place(kind, path, schema, shape_of(kind, path))
    if "items" in schema:
        yield from _each(kind, (*path, "[]"), schema["items"])
    yield from _below(kind, path, schema)


@cache
def shape_of(kind: str, path: Path_) -> Shape | None:
    """The shape at AWS of a property; None if it goes nowhere."""
    for service, operation, start in REQUESTS[kind]:
        root: Shape = input_shape(service, operation)
        for prefix, member in (
            (("spec", *start), ""),
            (CONTAINER, "PrimaryContainer"),
            (SHARED_CONTAINER, "PrimaryContainer"),
        ):
            if member and (kind != "HostingDeployment" or operation != "CreateModel"):
                continue
            if path[: len(prefix)] == prefix and len(path) > len(prefix) - bool(member):
                start_shape = root.members[member] if member else root
                found = _follow(kind, operation, start_shape, path, len(prefix))
                if found is not None:
                    return found
    return None


def _follow(kind: str, operation: str, shape: Shape, path: Path_, at: int) -> Shape | None:
    for n in range(at, len(path)):
        name = path[n]
        if name == "[]":
            if isinstance(shape, MapShape):
                continue  # an entry, whose name and value come next
            if not isinstance(shape, ListShape):
                return None
            shape = shape.member
        elif isinstance(shape, MapShape):
            shape = shape.key if name == "name" else shape.value
        elif isinstance(shape, StructureShape):
            member = member_of(kind, path[: n + 1], shape, operation)
            if not member:
                return None
            shape = shape.members[member]
        else:
            return None
    return shape

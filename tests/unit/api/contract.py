"""The fields of v1 as data: what manifests written for the first implementation rely on."""

import csv
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from api.fields import build
from api.meta import JsonObject
from api.models import as_model
from api.schema.crd import custom_resource_definition
from api.v1 import KINDS
from hack import models

_TABLE = Path(__file__).parents[2] / "data" / "v1-fields.tsv"


@dataclass(frozen=True, slots=True)
class Row:
    """One field of v1; the columns of the table."""

    kind: str
    path: str
    type: str
    required: str
    enum: str
    pattern: str
    limits: str
    aws_member: str
    aws_type: str
    quirks: str

    @property
    def is_required(self) -> bool:
        """Whether its parent had to have it."""
        return self.required == "yes"

    @property
    def segments(self) -> list[str]:
        """Its path, taken apart; without the remark that an item of a list may be text."""
        return segments_of(self.path.partition(" ")[0])

    @property
    def limit(self) -> dict[str, int]:
        """Keyword → bound, e.g. minLength → 1."""
        return {name: int(bound) for name, bound in (pair.split("=") for pair in self.limits.split())}

    def __str__(self) -> str:
        return f"{self.kind}:{self.path}"


def segments_of(path: str) -> list[str]:
    """`spec.tags[].key` → spec, tags, [], key."""
    return re.findall(r"[^.\[\]]+|\[\]", path)


@cache
def rows(kind: str) -> tuple[Row, ...]:
    """All fields of a kind."""
    with _TABLE.open(encoding="utf-8", newline="") as table:
        read = csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE)
        return tuple(row for line in read if (row := Row(**line)).kind == kind)


def spec_rows(kind: str) -> tuple[Row, ...]:
    """The fields below `spec`."""
    return tuple(row for row in rows(kind) if row.path.startswith("spec."))


@cache
def crd_of(kind: str) -> JsonObject:
    """The CRD that the generator makes for a kind: test_crd.py says that it is the checked-in one."""
    (descriptor,) = [known for known in KINDS if known.kind == kind]
    fields = build(descriptor, as_model(descriptor.service, _snapshot(descriptor.service)))
    return custom_resource_definition(descriptor, fields, "")


def schema_of(kind: str) -> JsonObject:
    """Its schema."""
    schema: JsonObject = crd_of(kind)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return schema


@cache
def _snapshot(service: str) -> JsonObject:
    return models.read(service)


def find(schema: JsonObject, segments: list[str]) -> JsonObject | None:
    """The sub-schema at a path, or None."""
    for segment in segments:
        below = schema.get("items") if segment == "[]" else schema.get("properties", {}).get(segment)
        if below is None:
            return None
        schema = below
    return schema


def nested(segments: list[str], leaf: Any) -> Any:
    """A value that has nothing but `leaf`, at the path."""
    for segment in reversed(segments):
        leaf = [leaf] if segment == "[]" else {segment: leaf}
    return leaf


def at(value: Any, segments: list[str]) -> Any:
    """The value at a path, of the first item of each list. Raises KeyError, IndexError or TypeError if absent."""
    for segment in segments:
        value = value[0] if segment == "[]" else value[segment]
    return value


def sample(row: Row) -> Any:
    """A value of the row's type."""
    match row.type:
        case "array<object>" | "array<string>":
            return []
        case "object":
            return {}
        case "boolean":
            return True
        case "integer(int64)":
            return 7
        case "string(date-time)":
            return "2019-11-20T23:42:35Z"
        case _:
            return "text"

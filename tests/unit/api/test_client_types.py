"""The typed dictionaries of the client are the manifests: they know what the samples and the CRDs have, and no more."""

import copy
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin, get_type_hints, is_typeddict

import pytest

from api.client import models
from api.descriptor import KindDescriptor
from api.meta import GROUP, JsonObject
from api.v1 import KINDS
from hack.client_models import module
from hack.crds import ROOT
from tests.documents import SAMPLES, document
from tests.tables import each_row

SCALARS = {"string": str, "integer": int, "number": float, "boolean": bool}


def crd_of(kind: KindDescriptor) -> JsonObject:
    """The CRD as it is checked in."""
    found: JsonObject = document(ROOT / f"config/crd/bases/{GROUP}_{kind.plural}.yaml")
    return found


def differences(found: Any, schema: JsonObject, path: str) -> Iterator[str]:
    """Where a type and a schema differ."""
    kind = schema.get("type")
    if schema.get("properties"):
        if not is_typeddict(found) or get_type_hints(found).keys() != schema["properties"].keys():
            yield f"{path}: {found} has other fields"
            return
        if found.__required_keys__ != frozenset(schema.get("required", ())):
            yield f"{path}: other fields are required"
        for name, below in get_type_hints(found).items():
            yield from differences(below, schema["properties"][name], f"{path}.{name}")
    elif kind == "array":
        if get_origin(found) is not list:
            yield f"{path}: {found} is no list"
            return
        yield from differences(get_args(found)[0], schema["items"], f"{path}[]")
    elif kind == "object":
        if get_origin(found) is not dict:
            yield f"{path}: {found} is no map"
    elif get_origin(found) is Literal:
        if [*get_args(found)] != schema.get("enum"):
            yield f"{path}: other values"
    elif found is not SCALARS.get(str(kind), Any) or (kind == "string" and schema.get("enum")):
        yield f"{path}: {found}"


@each_row("kind", KINDS, ids=lambda kind: kind.kind)
def test_a_type_has_the_fields_of_the_crd(kind: KindDescriptor) -> None:
    """All of them, with their types, what is required, and the values that are listed."""
    manifest = getattr(models, kind.kind)
    hints = get_type_hints(manifest)
    assert (get_args(hints["kind"]), get_args(hints["apiVersion"])) == ((kind.kind,), (f"{GROUP}/v1",))
    assert manifest.__required_keys__ == {"apiVersion", "kind", "metadata", "spec"}
    properties = crd_of(kind)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
    for part in ("spec", "status"):
        assert [*differences(hints[part], properties[part], part)] == []
    sample = document(ROOT / "samples" / f"{SAMPLES[kind.kind]}.yaml")
    assert sample["spec"].keys() <= get_type_hints(hints["spec"]).keys()


def test_classes_of_one_name_have_the_same_fields() -> None:
    """Else the name gets longer; one class stands for all that are alike; a keyword cannot be a field."""
    kind = KINDS[0]
    crd = copy.deepcopy(crd_of(kind))
    (version,) = crd["spec"]["versions"]
    text = {"type": "object", "properties": {"a": {"type": "string"}}}
    number = {"type": "object", "properties": {"a": {"type": "integer"}}}
    spec = {"one": {"part": text}, "two": {"part": text}, "three": {"part": number}}
    version["schema"]["openAPIV3Schema"]["properties"]["spec"] = {
        "type": "object",
        "properties": {name: {"type": "object", "properties": below} for name, below in spec.items()},
    }
    written = module(kind, crd)
    assert written.count("class Part(") == 1
    assert "class ThreePart(" in written
    assert "    one: One\n" in written
    version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"] = {"from": {"type": "string"}}
    with pytest.raises(ValueError, match="from needs the functional form"):
        module(kind, crd)

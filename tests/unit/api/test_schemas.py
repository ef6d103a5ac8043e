"""JSON schemas for editors and kubeconform: they accept what the API server accepts, and find typos that it drops."""

import copy
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from api.annotations import KNOWN
from api.descriptor import KindDescriptor
from api.meta import GROUP, JsonObject
from api.v1 import KINDS
from hack import schemas
from tests.documents import SAMPLES, document
from tests.late import Late
from tests.tables import each_row

jsonschema = Late("jsonschema")
referencing = Late("referencing")

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "docs" / "schemas"
FILES = sorted((ROOT / "samples").glob("*.yaml"))
MODELINE = re.compile(r"# yaml-language-server: \$schema=(\S+)")


@cache
def validator(path: Path) -> Any:
    """For a schema's file, with the files that it refers to."""
    uris = {each: referencing.Resource.from_contents(json.loads(each.read_text("utf-8"))) for each in files()}
    registry: Any = referencing.Registry().with_resources(
        (str(each.relative_to(FOLDER)), resource) for each, resource in uris.items()
    )
    return jsonschema.Draft7Validator(json.loads(path.read_text("utf-8")), registry=registry)


def files() -> list[Path]:
    """All schemas."""
    return sorted(FOLDER.rglob("*.json"))


def problems(path: Path, manifest: JsonObject) -> list[str]:
    """What a schema says of a manifest."""
    return [error.message for error in validator(path).iter_errors(manifest)]


def schema_of(kind: KindDescriptor) -> Path:
    """The file of a kind's schema."""
    return FOLDER / schemas.file_name(kind)


def test_every_file_is_a_schema() -> None:
    """One per kind, under the names by which kubeconform finds them, and one for all."""
    any_pattern = jsonschema.FormatChecker(formats=())  # \p{L} is known to Go and to editors, and not to Python
    for path in files():
        jsonschema.Draft7Validator.check_schema(json.loads(path.read_text("utf-8")), format_checker=any_pattern)
    assert {*files()} == {FOLDER / schemas.ALL, *map(schema_of, KINDS)}


@each_row("path", FILES, ids=lambda path: path.stem)
def test_a_sample_names_the_schema_that_it_meets(path: Path) -> None:
    """Its first line, so that an editor checks and completes what is changed in it."""
    line = path.read_text("utf-8").partition("\n")[0]
    named = MODELINE.fullmatch(line)
    assert named
    schema = (path.parent / named[1]).resolve()
    manifest = document(path)
    assert schema == FOLDER / GROUP / f"{manifest['kind'].lower()}_v1.json"
    assert problems(schema, manifest) == []
    assert problems(FOLDER / schemas.ALL, manifest) == []


def misspelt(value: Any) -> Iterator[Any]:
    """Copies of a value, each with one key misspelt, at any depth."""
    if isinstance(value, dict):
        for key in value:
            yield {(f"{name}x" if name == key else name): each for name, each in value.items()}
            yield from ({**value, key: each} for each in misspelt(value[key]))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from ([*value[:index], each, *value[index + 1 :]] for each in misspelt(item))


@each_row("kind", KINDS, ids=lambda kind: kind.kind)
def test_a_typo_in_any_field_is_found(kind: KindDescriptor) -> None:
    """The API server drops an unknown field with a warning at most; strict files find it before."""
    manifest = document(ROOT / "samples" / f"{SAMPLES[kind.kind]}.yaml")
    typos = [manifest | {"spec": spec} for spec in misspelt(manifest["spec"])]
    typos += [{(f"{name}x" if name == key else name): each for name, each in manifest.items()} for key in manifest]
    assert len(typos) > 8
    assert [each for each in typos if not problems(schema_of(kind), each)] == []
    assert [each for each in typos if "kind" in each and not problems(FOLDER / schemas.ALL, each)] == []


@each_row(
    ("metadata", "is_valid"),
    [
        ({"name": "a", "annotations": {f"{GROUP}/deletion-policy": "retain"}}, True),
        ({"name": "a", "annotations": {f"{GROUP}/deletion-polcy": "retain"}}, False),
        ({"name": "a", "annotations": {f"{GROUP}/paused": True}}, False),
        ({"name": "a", "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}"}}, True),
        *(({"name": "a", "annotations": {each.key: "1"}}, True) for each in KNOWN.values()),
        ({"name": "a", "labels": {"team": "ml"}, "finalizers": ["x"], "uid": "1"}, True),
        ({"name": "a", "labels": {"cost": 1}}, False),
        ({"generateName": "a-"}, True),
        ({"namespace": "a"}, False),
        ({"name": "Not A Name"}, False),
    ],
    ids=str,
)
def test_metadata_are_checked_as_far_as_they_are_known(metadata: JsonObject, is_valid: bool) -> None:
    """What kubectl prints of an object is accepted again; annotations with our prefix are ours."""
    manifest = document(ROOT / "samples" / f"{SAMPLES['TrainingJob']}.yaml") | {"metadata": metadata}
    (kind,) = [each for each in KINDS if each.kind == "TrainingJob"]
    assert (problems(schema_of(kind), manifest) == []) is is_valid


@each_row("kind", KINDS, ids=lambda kind: kind.kind)
def test_a_schema_asks_for_what_the_crd_asks_for(kind: KindDescriptor) -> None:
    """Types, limits and required fields are the CRD's; but for Kubernetes' extensions and what closes objects."""
    crd = document(ROOT / f"config/crd/bases/{GROUP}_{kind.plural}.yaml")
    properties = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
    schema = json.loads(schema_of(kind).read_text("utf-8"))["properties"]
    for part in ("spec", "status"):
        assert stripped(schema[part]) == stripped(copy.deepcopy(properties[part]))


def stripped(value: Any) -> Any:
    """A schema without what the two forms say differently."""
    if isinstance(value, list):
        return [stripped(each) for each in value]
    if not isinstance(value, dict):
        return value
    left = {key: stripped(each) for key, each in value.items() if not key.startswith("x-kubernetes-")}
    if isinstance(left.get("additionalProperties"), bool):
        del left["additionalProperties"]
    return left


def test_the_example_of_the_readme_of_the_schemas_is_yaml() -> None:
    """The configuration of an editor for a folder of manifests."""
    page = (FOLDER / "README.md").read_text("utf-8")
    (settings,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    (names,) = yaml.safe_load(settings)["yaml.schemas"]
    assert names.endswith(schemas.ALL)

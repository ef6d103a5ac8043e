"""Which edits the API server refuses: all kinds, in every state of their resource at AWS.

Two specs are the same if they make the same request; nothing is fixed before there is something at AWS.
"""

import copy
import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from api.content import content
from api.descriptor import KindDescriptor, LifeCycle
from api.fields import installed
from api.meta import JsonObject
from api.v1 import KINDS
from hack.sandbox.kube.crd.object_validation import validate
from hack.sandbox.kube.schema.defaulting import prune
from tests.documents import documents
from tests.empties import with_empties, without_empties
from tests.tables import each_row
from tests.unit.api.conftest import ROOT
from tests.unit.api.contract import schema_of
from tests.unit.api.least import LEAST, manifest

JOBS = [kind for kind in KINDS if kind.life_cycle is LifeCycle.JOB]
SAMPLES = [each for path in sorted((ROOT / "samples").glob("*.yaml")) for each in documents(path)]
JOB_SAMPLES = [each for each in SAMPLES if each["kind"] in {kind.kind for kind in JOBS}]
BY_KIND = {kind.kind: kind for kind in KINDS}
ids = each_row("kind", KINDS, ids=lambda kind: kind.kind)


def _condition(type_: str, status: str, reason: str) -> JsonObject:
    return {"type": type_, "status": status, "reason": reason}


def _states(kind: KindDescriptor) -> dict[str, tuple[JsonObject | None, bool]]:
    """Statuses by what they say, and whether something is, or may be, at AWS then."""
    return {
        "new": (None, False),
        "waiting": ({"conditions": [_condition("Reconciling", "True", "Creating")]}, False),
        "no region": ({"conditions": [_condition("Stalled", "True", "InvalidSpec")]}, False),
        "refused": ({"conditions": [_condition("Reconciling", "True", "RequestRefused")]}, False),
        "unreachable": ({"conditions": [_condition("Reconciling", "True", "AWSUnavailable")]}, False),
        "unanswered": ({"conditions": [_condition("Reconciling", "True", "CreationUnconfirmed")]}, True),
        "recorded": ({"awsResource": {"name": "x", "region": "us-east-2"}}, True),
        "the predecessor's": ({kind.name.status_field: "x"}, True),
        "the predecessor's, nothing created": ({kind.name.status_field: ""}, False),
    }


@ids
def test_what_identifies_a_resource_is_fixed_once_there_may_be_one(
    kind: KindDescriptor, subtests: pytest.Subtests
) -> None:
    """What AWS has refused is corrected by an apply; a Create without an answer counts as one that had its effect."""
    moved = manifest(kind.kind, LEAST[kind.kind] | {"region": "eu-west-1"})
    for name, (status, is_fixed) in _states(kind).items():
        with subtests.test(name):
            refusals = _refusals(kind.kind, moved, _stored(kind, LEAST[kind.kind], status))

            assert [f"spec.region of a {kind.kind} cannot be changed" in text for text in refusals] == [True] * is_fixed


@ids
def test_a_finalizer_can_be_removed_in_every_state(kind: KindDescriptor, subtests: pytest.Subtests) -> None:
    """A rule that is violated by an object as it is would keep it for ever."""
    for name, (status, _) in _states(kind).items():
        with subtests.test(name):
            stored = _stored(kind, LEAST[kind.kind], status)
            stored["metadata"]["finalizers"] = ["sagemaker-operator-finalizer"]
            released = copy.deepcopy(stored)
            del released["metadata"]["finalizers"]

            assert _refusals(kind.kind, released, stored) == []


@each_row("sample", JOB_SAMPLES, ids=lambda each: f"{each['kind']}-{each['metadata']['name']}")
def test_what_is_written_and_empty_is_the_same_as_what_is_absent(sample: JsonObject) -> None:
    """A predecessor stored its objects without empty values: their manifests, unchanged, are no edits."""
    kind = BY_KIND[sample["kind"]]
    root = installed(kind).spec
    bare = without_empties(sample["spec"])
    written = with_empties(root, bare)

    assert written != bare
    assert _refusals(kind.kind, manifest(kind.kind, written)) == []
    assert _refusals(kind.kind, manifest(kind.kind, written), _stored(kind, bare, RECORDED)) == []
    assert content(kind, written) == content(kind, bare)


@pytest.mark.parametrize("sample", JOB_SAMPLES, ids=lambda each: f"{each['kind']}-{each['metadata']['name']}")
def test_every_value_of_a_job_is_fixed(sample: JsonObject, subtests: pytest.Subtests) -> None:
    """D-11: SageMaker cannot update a job. The answer names the field, and says what to do."""
    kind = BY_KIND[sample["kind"]]
    bare = without_empties(sample["spec"])
    edits = {
        path: changed
        for path in _leaves(bare)
        if not _is_mutable(kind, path)
        and not _refusals(kind.kind, manifest(kind.kind, changed := _changed(bare, path)))
    }
    assert len(edits) > 5
    for path, changed in edits.items():
        with subtests.test(".".join(map(str, path))):
            refusals = _refusals(kind.kind, manifest(kind.kind, changed), _stored(kind, bare, RECORDED))

            assert content(kind, changed) != content(kind, bare) or path[0] in APART
            if LEFT & {path[:1], path[:2]}:
                continue
            assert len(refusals) == 1
            assert "cannot be changed once it is created" in refusals[0]
            assert f"spec.{path[0]}" in refusals[0]
            assert "delete it and create it again, or create another one under a new metadata.name" in refusals[0]


def test_an_edit_without_effect_can_be_undone() -> None:
    """The rules let an empty value into a list, and could not tell the way back from another edit."""
    kind = BY_KIND["TrainingJob"]
    source = {"s3DataSource": {"s3DataType": "S3Prefix", "s3Uri": "s3://bucket/x", "attributeNames": ["a"]}}
    given = LEAST[kind.kind] | {"inputDataConfig": [{"channelName": "train", "dataSource": source}]}
    emptied = copy.deepcopy(given)
    emptied["inputDataConfig"][0]["dataSource"]["s3DataSource"]["attributeNames"] = []

    assert _refusals(kind.kind, manifest(kind.kind, emptied), _stored(kind, given, RECORDED)) == []
    assert len(_refusals(kind.kind, manifest(kind.kind, given), _stored(kind, emptied, RECORDED))) == 1
    assert _refusals(kind.kind, manifest(kind.kind, given), _stored(kind, emptied, SHOWN)) == []


@each_row("kind", JOBS, ids=lambda kind: kind.kind)
def test_what_the_operator_does_not_compare_stays_fixed_while_an_edit_is_shown(kind: KindDescriptor) -> None:
    """Region, endpoint, name and tags: another edit of these would go unnoticed once the first is undone."""
    least = LEAST[kind.kind]
    others = {
        "region": "eu-west-1",
        "sageMakerEndpoint": "https://x",
        "tags": [{"key": "a", "value": "b"}],
        kind.name.spec_field: "other",
    }
    fields = {field.name for field in installed(kind).spec.fields}
    for name, value in others.items():
        if name not in fields:
            continue
        stored = _stored(kind, least | {kind.name.spec_field: "x"}, SHOWN)
        assert len(_refusals(kind.kind, manifest(kind.kind, least | {name: value}), stored)) == 1, name


@each_row("kind", JOBS, ids=lambda kind: kind.kind)
def test_what_comes_or_goes_is_an_edit(kind: KindDescriptor) -> None:
    """As what changes."""
    least = LEAST[kind.kind]
    fields = {field.name for field in installed(kind).spec.fields}
    for name, value in {"tags": [{"key": "a", "value": "b"}], "sageMakerEndpoint": "https://x"}.items():
        if name not in fields:
            continue
        assert (
            len(_refusals(kind.kind, manifest(kind.kind, least | {name: value}), _stored(kind, least, RECORDED))) == 1
        )
        assert (
            len(_refusals(kind.kind, manifest(kind.kind, least), _stored(kind, least | {name: value}, RECORDED))) == 1
        )


@pytest.mark.parametrize("kind", [kind for kind in JOBS if kind.name.late_initialized], ids=lambda kind: kind.kind)
def test_a_filled_in_name_may_be_absent_but_not_another(kind: KindDescriptor, subtests: pytest.Subtests) -> None:
    """`kubectl replace -f` of the manifest without it: the operator fills it in again."""
    field, least = kind.name.spec_field, LEAST[kind.kind]
    names = {"absent": least, "empty": least | {field: ""}, "the same": least | {field: "x"}}
    specs = names | {"another": least | {field: "other"}}
    for before, after in itertools.product(names, specs):
        with subtests.test(f"{before} to {after}"):
            stored = _stored(kind, specs[before], RECORDED)

            assert len(_refusals(kind.kind, manifest(kind.kind, specs[after]), stored)) == (after == "another")


@ids
def test_the_region_that_is_recorded_may_be_written_or_left_out(kind: KindDescriptor) -> None:
    """It is the same request, whatever the operator's default is."""
    least = LEAST[kind.kind]
    bare = {name: value for name, value in least.items() if name != "region"}

    assert _refusals(kind.kind, manifest(kind.kind, least), _stored(kind, bare, RECORDED)) == []
    assert _refusals(kind.kind, manifest(kind.kind, bare), _stored(kind, least, RECORDED)) == []
    moved = manifest(kind.kind, least | {"region": "eu-west-1"})
    assert len(_refusals(kind.kind, moved, _stored(kind, bare, RECORDED))) == 1


RECORDED: JsonObject = {"awsResource": {"name": "x", "region": "us-east-2"}}
SHOWN: JsonObject = RECORDED | {"conditions": [_condition("Synced", "False", "SpecImmutable")]}
"""The operator shows an edit that had no effect."""
APART = {"region", "sageMakerEndpoint", "tags", *(kind.name.spec_field for kind in JOBS)}
"""Fields that are compared on their own, or are no content of the job."""


LEFT = {("debugHookConfig", "collectionConfigurations"), ("debugRuleConfigurations",)}
"""Lists of v1 with lists in them, which the rules leave to the operator: it sees that the content differs."""


def _stored(kind: KindDescriptor, spec: JsonObject, status: JsonObject | None) -> JsonObject:
    obj = manifest(kind.kind, spec)
    return obj if status is None else obj | {"status": status}


def _refusals(kind: str, obj: JsonObject, old: JsonObject | None = None) -> list[str]:
    obj = copy.deepcopy(obj)
    unknown = [f"{path}: unknown field" for path in prune(schema_of(kind), obj)]
    return unknown + [str(cause) for cause in validate(schema_of(kind), obj, copy.deepcopy(old))]


def _is_mutable(kind: KindDescriptor, path: tuple[str | int, ...]) -> bool:
    """Return whether AWS can change what is there: UpdateTrainingJob."""
    at = ".".join(("spec", *map(str, path)))
    return kind.update is not None and any(at == each or at.startswith(f"{each}.") for each in kind.update.paths())


def _leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield from _leaves(each, (*path, name))
    elif isinstance(value, list):
        for at, each in enumerate(value):
            yield from _leaves(each, (*path, at))
    else:
        yield path


def _changed(spec: JsonObject, path: tuple[str | int, ...]) -> JsonObject:
    changed = copy.deepcopy(spec)
    holder: Any = changed
    for step in path[:-1]:
        holder = holder[step]
    before = holder[path[-1]]
    holder[path[-1]] = (not before) if isinstance(before, bool) else before + ("1" if isinstance(before, str) else 1)
    return changed


@ids
def test_a_rule_walks_what_the_budget_of_the_api_server_allows(kind: KindDescriptor, subtests: pytest.Subtests) -> None:
    """By its estimate, a walk of a list without a limit costs up to two thirds of what an expression may.

    The estimate itself is apiextensions-apiserver's (`ValidateCustomResourceDefinition`), which took these CRDs in
    version 0.25.16. A list in a list would be walked once for each item: those are not, but for short ones.
    """
    limits = {field.path: field.maximum for field in installed(kind).spec.walk() if field.item or field.fields}
    for rule in schema_of(kind.kind)["x-kubernetes-validations"]:
        with subtests.test(rule["message"]):
            walked = re.findall(r"(?:self|oldSelf)\.(spec[\w.]*)\.exists\(x,", rule["rule"])
            assert len([path for path in walked if limits[path] is None]) <= 1
            assert len(rule["rule"]) < 4096

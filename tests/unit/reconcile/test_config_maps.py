"""What a ConfigMap has for a spec: which one is read, what is a document, what is said if it is none."""

import json
from typing import Any, Final

import pytest

from api.meta import JsonObject, ObjectKey, Resource
from api.v1 import KINDS, MODEL_PACKAGE, PIPELINE
from controller.kube.errors import Conflict, ConnectionFailed, Forbidden, Invalid, NotFound, ServerError, Unauthorized
from controller.kube.well_known import CONFIG_MAPS
from controller.reconcile import reasons
from controller.reconcile.in_place import config_maps, desired
from controller.reconcile.managed.local_state import LocalState
from controller.reconcile.observation import Document, Problem
from controller.runtime.errors import ClassifiedError
from tests.tables import each_row

SPEC: Final[JsonObject] = {"pipelineDefinitionFrom": {"configMapKeyRef": {"name": "churn", "key": "p.json"}}}
SECRET: Final = "do-not-print-me"


class Getter:
    """One ConfigMap, or an error."""

    def __init__(self, found: JsonObject | ClassifiedError) -> None:
        self.found = found
        self.asked: list[tuple[Resource, ObjectKey]] = []

    def get(self, resource: Resource, key: ObjectKey) -> JsonObject:
        """See `ObjectGetter.get`."""
        self.asked.append((resource, key))
        if isinstance(self.found, ClassifiedError):
            raise self.found
        return self.found


def read(found: JsonObject | ClassifiedError, spec: JsonObject = SPEC) -> Document:
    """What is read in the namespace `ml`."""
    return config_maps.read(Getter(found), PIPELINE, "ml", spec)


def data(text: str) -> JsonObject:
    """A ConfigMap with this text."""
    return {"metadata": {"name": "churn"}, "data": {"p.json": text}}


def test_the_one_that_the_object_names_is_read_in_its_namespace() -> None:
    """By one GET."""
    getter = Getter(data('{"a": 1}'))
    assert config_maps.read(getter, PIPELINE, "ml", SPEC) == Document('{"a": 1}')
    assert getter.asked == [(CONFIG_MAPS, ObjectKey("ml", "churn"))]


DOCUMENTS: Final = ("{}", '{"Steps": []}', ' \n{"a": "ü"}\n', json.dumps({"x": "x" * (1_048_576 - 9)}))


@each_row("text", DOCUMENTS, ids=lambda text: str(len(text)))
def test_a_json_object_is_a_document(text: str) -> None:
    """As it is, up to the length that SageMaker takes."""
    assert read(data(text)) == Document(text)


NO_DOCUMENTS: Final[dict[str, tuple[JsonObject | ClassifiedError, str, str]]] = {
    "gone": (
        NotFound("NotFound", 'configmaps "churn" not found', status=404),
        reasons.DEPENDENCY_MISSING,
        (
            "Waits for ConfigMap ml/churn, which does not exist: create it (kubectl create configmap churn -n ml"
            " --from-file=p.json=FILE), or correct spec.pipelineDefinitionFrom. It is read again within a minute."
        ),
    ),
    "no data": (
        {"metadata": {}, "data": None},
        reasons.DEPENDENCY_MISSING,
        (
            "Waits for the key p.json of ConfigMap ml/churn, which has no key: add it, or correct"
            " spec.pipelineDefinitionFrom. It is read again within a minute."
        ),
    ),
    "many keys": (
        {"data": {f"k{n:02}": SECRET for n in range(99)}},
        reasons.DEPENDENCY_MISSING,
        "which has k00, k01, k02, k03, k04, k05, k06, k07, k08, k09: add it",
    ),
    "long keys": (
        {"data": {f"{n}{'k' * 250}": SECRET for n in range(99)}},
        reasons.DEPENDENCY_MISSING,
        "which has 0kkk",
    ),
    "digits": (
        data('{"a": ' + "1" * 5_000 + "}"),
        reasons.INVALID_DOCUMENT,
        "is JSON with a number of too many digits",
    ),
    "binary": ({"binaryData": {"p.json": "AA=="}}, reasons.INVALID_DOCUMENT, "as binary data: make it of a text"),
    "half": (
        data(f'{{"a": "{SECRET}"'),
        reasons.INVALID_DOCUMENT,
        "p.json of ConfigMap ml/churn is no JSON (Expecting ',' delimiter: line 1 column 24 (char 23)): correct it.",
    ),
    "YAML": (data(f"a: {SECRET}"), reasons.INVALID_DOCUMENT, "is no JSON"),
    "byte order mark": (data("\ufeff{}"), reasons.INVALID_DOCUMENT, "is no JSON"),
    "a list": (data("[]"), reasons.INVALID_DOCUMENT, "is JSON, but no object"),
    "a text": (data(f'"{SECRET}"'), reasons.INVALID_DOCUMENT, "is JSON, but no object"),
    "deep": (data('{"a":' * 100_000), reasons.INVALID_DOCUMENT, "is nested too deep"),
    "long": (
        data(json.dumps({"x": "x" * (1_048_576 - 8)})),
        reasons.INVALID_DOCUMENT,
        "has 1048577 characters, and SageMaker takes 1048576: shorten it, or put it in S3",
    ),
    "forbidden": (
        Forbidden("Forbidden", 'configmaps "churn" is forbidden: User "o" cannot get it.', status=403),
        reasons.KUBERNETES_REFUSED,
        (
            'ConfigMap ml/churn: configmaps "churn" is forbidden: User "o" cannot get it. Allow its service account to'
            " `get` configmaps in namespace ml, as the role of the release does. It is read again within a minute."
        ),
    ),
    "unauthorized": (Unauthorized("Unauthorized", "no", status=401), reasons.KUBERNETES_REFUSED, "Allow its service"),
    "refused": (Invalid("BadRequest", "no", status=400), reasons.KUBERNETES_REFUSED, "does not let the operator read"),
}


@each_row("case", NO_DOCUMENTS)
def test_what_is_no_document_says_what_to_do(case: str) -> None:
    """And quotes nothing of it: it may have been meant for a Secret."""
    found, reason, words = NO_DOCUMENTS[case]
    problem = read(found).problem
    assert problem is not None
    assert (problem.reason, words in problem.message) == (reason, True), problem.message
    assert SECRET not in problem.message
    assert len(problem.message) < 1000


@pytest.mark.parametrize("error", [ServerError, ConnectionFailed, Conflict])
def test_what_proves_nothing_is_raised(error: type[Any]) -> None:
    """The work queue tries again."""
    with pytest.raises(error):
        read(error("X", "x"))


def test_only_what_names_a_config_map_and_has_no_document_itself_is_read(subtests: pytest.Subtests) -> None:
    """Of kinds that may have one elsewhere."""
    field = PIPELINE.document
    table: list[tuple[str, tuple[Any, ...]]] = [
        ("a ConfigMap", (PIPELINE, SPEC, field)),
        ("inline", (PIPELINE, {"pipelineDefinition": "{}"}, None)),
        ("both, where the CRD has no rule", (PIPELINE, {**SPEC, "pipelineDefinition": "{}"}, None)),
        ("S3", (PIPELINE, {"pipelineDefinitionS3Location": {}}, None)),
        ("null", (PIPELINE, {"pipelineDefinitionFrom": None}, None)),
        ("another kind", (MODEL_PACKAGE, SPEC, None)),
    ]
    for name, (kind, spec, expected) in table:
        with subtests.test(name):
            assert config_maps.field_to_read(kind, spec) == expected
    assert [kind for kind in KINDS if kind.document] == [PIPELINE]


def test_it_is_read_once_a_minute_and_sooner_at_first_while_there_is_none() -> None:
    """Twice as long after each failure; another generation of the object is read at once, and a success ends it."""
    state, now, pauses = LocalState("uid"), 1000.0, []
    assert config_maps.due_in_s(state, 1, now) == 0.0
    for _ in range(6):
        config_maps.note(state, Document(problem=Problem(reasons.INVALID_DOCUMENT, "no")), 1, now)
        pauses.append(config_maps.due_in_s(state, 1, now))
        now += 1.0
        assert config_maps.due_in_s(state, 1, now) == pauses[-1] - 1.0
        assert config_maps.due_in_s(state, 2, now) == 0.0
    assert pauses == [5.0, 10.0, 20.0, 40.0, 60.0, 60.0]
    config_maps.note(state, Document("{}"), 1, now)
    assert config_maps.due_in_s(state, 1, now) == 60.0
    assert config_maps.due_in_s(state, 1, now + 3600.0) == 0.0
    config_maps.note(state, Document(problem=Problem(reasons.INVALID_DOCUMENT, "no")), 1, now)
    assert config_maps.due_in_s(state, 1, now) == 5.0


def test_nothing_of_a_document_is_kept_but_digests() -> None:
    """A definition may have a megabyte, and there may be thousands."""
    state = LocalState("uid")
    config_maps.note(state, Document(json.dumps({"x": SECRET * 1000})), 1, 0.0)
    config_maps.keep(state, "digest")
    assert len(repr(state.document)) < 200
    assert SECRET not in repr(state.document)
    assert config_maps.kept(state, 1) == "digest"
    assert config_maps.kept(state, 2) is None
    assert not state.is_blank()


def test_a_document_in_the_spec_that_is_nested_too_deep_is_a_text_like_any_other() -> None:
    """AWS says what it thinks of it; the comparison must not raise."""
    deep, other = '{"a":' * 100_000, '{"b":' * 100_000
    (found,) = desired.missing(PIPELINE, {"PipelineDefinition": deep}, {"PipelineDefinition": other})
    assert found.path == "spec.pipelineDefinition"
    assert desired.missing(PIPELINE, {"PipelineDefinition": deep}, {"PipelineDefinition": deep}) == ()

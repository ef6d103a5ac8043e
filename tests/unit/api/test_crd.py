"""The checked-in CRD as a whole: v1-kinds.md 2 and 3, modern-expectations.md 8."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.descriptor import KindDescriptor
from api.fields import Field, build, installed
from api.meta import JsonObject
from api.models import as_model
from api.naming import key_of
from api.schema.pattern import to_re2
from api.v1 import BATCH_TRANSFORM_JOB, KINDS
from controller.reconcile.status.notes import NOTED
from hack import crds, models
from hack.sandbox.kube.schema.defaulting import apply_defaults
from tests.fakes.kstatus import kstatus
from tests.tables import each_row
from tests.unit.api.contract import crd_of, schema_of


def test_the_checked_in_files_are_what_the_generator_makes() -> None:
    """`make crds-check`: for every kind a CRD, a page, a JSON schema and a model, and what lists them."""
    files = crds.generate()

    assert {path.name for path, text in files.items() if path.read_text("utf-8") != text} == set()
    assert {path.name for path in files} == {
        *(f"sagemaker.aws.amazon.com_{kind.plural}.yaml" for kind in KINDS),
        *(f"{kind.singular}.md" for kind in KINDS),
        *(f"{kind.singular}_v1.json" for kind in KINDS),
        "all.json",
        *(f"{kind.singular}.py" for kind in KINDS),
        "__init__.py",
        "README.md",
        "kustomization.yaml",
    }
    assert {"TrainingJob", "Model", "HostingDeployment"} < {kind.kind for kind in KINDS}


def test_check_fails_when_a_file_is_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """CI must see a forgotten `make crds`; writing makes it good."""
    monkeypatch.setattr(crds, "KINDS", (BATCH_TRANSFORM_JOB,))
    monkeypatch.setattr(crds, "ROOT", tmp_path)
    monkeypatch.setattr(crds, "CRDS", tmp_path / "crds")
    monkeypatch.setattr(crds, "DOCS", tmp_path / "docs")
    monkeypatch.setattr(crds, "SCHEMAS", tmp_path / "schemas")
    monkeypatch.setattr(crds, "CLIENT", tmp_path / "client")

    assert crds.main(["--check"]) == 1
    assert "+kind: CustomResourceDefinition" in capsys.readouterr().out
    assert crds.main([]) == 0
    assert crds.main(["--check"]) == 0


def test_generating_twice_gives_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing depends on hashing order, time or machine."""
    monkeypatch.setattr(crds, "KINDS", (BATCH_TRANSFORM_JOB,))

    assert crds.generate() == crds.generate()


def test_the_snapshot_is_stored_as_the_tool_writes_it() -> None:
    """Its digest is part of every CRD."""
    for service in {kind.service for kind in KINDS}:
        assert models.path_of(service).read_text("utf-8") == models.text_of(models.read(service))


@each_row("kind", KINDS, ids=lambda kind: kind.kind)
def test_the_installed_botocore_knows_every_field_of_the_crd(kind: KindDescriptor) -> None:
    """The converter works by the installed model: a field that only the snapshot has would be lost silently."""
    snapshot = build(kind, as_model(kind.service, models.read(kind.service)))

    assert _forms(snapshot.spec) <= _forms(installed(kind).spec)
    assert _forms(snapshot.status) <= _forms(installed(kind).status)


def _forms(root: Field) -> set[tuple[str, str, str]]:
    return {(field.path, field.member, field.form.name) for field in root.walk()}


@each_row("kind", KINDS, ids=lambda kind: kind.kind)
def test_everything_that_a_request_takes_has_a_field(kind: KindDescriptor) -> None:
    """Not only what v1 had (v1-kinds.md 15), but for what the operator fills in."""
    service = as_model(kind.service, models.read(kind.service))
    for operation in kind.operations.sending:
        members = set(service.operation_model(operation).input_shape.members)
        filled_in = {member for member in members if f"spec.{key_of(member)}" in kind.compat.omitted}

        sent = {field.member for field in installed(kind).spec.fields if operation in field.sent_by}
        assert members - filled_in == sent


_DATE = ("Creation-Time", "string", "date", ".metadata.creationTimestamp")
_COLUMNS = {
    "TrainingJob": [
        ("Status", "string", None, ".status.trainingJobStatus"),
        ("Secondary-Status", "string", None, ".status.secondaryStatus"),
        _DATE,
        ("Sagemaker-Job-Name", "string", None, ".status.sageMakerTrainingJobName"),
    ],
    "HyperparameterTuningJob": [
        ("Status", "string", None, ".status.hyperParameterTuningJobStatus"),
        _DATE,
        ("Completed", "number", "int64", ".status.trainingJobStatusCounters.completed"),
        ("InProgress", "number", "int64", ".status.trainingJobStatusCounters.inProgress"),
        ("Errors", "number", "int64", ".status.trainingJobStatusCounters.totalError"),
        ("Stopped", "number", "int64", ".status.trainingJobStatusCounters.stopped"),
        ("Best-Training-Job", "string", None, ".status.bestTrainingJob.trainingJobName"),
        ("Sagemaker-Job-Name", "string", None, ".status.sageMakerHyperParameterTuningJobName"),
    ],
    "BatchTransformJob": [
        ("Status", "string", None, ".status.transformJobStatus"),
        _DATE,
        ("Sagemaker-Job-Name", "string", None, ".status.sageMakerTransformJobName"),
    ],
    "ProcessingJob": [
        ("Status", "string", None, ".status.processingJobStatus"),
        _DATE,
        ("Sagemaker-Job-Name", "string", None, ".status.sageMakerProcessingJobName"),
    ],
    "PipelineExecution": [
        ("Status", "string", None, ".status.pipelineExecutionStatus"),
        _DATE,
        ("Pipeline", "string", None, ".spec.pipelineName"),
        ("Steps", "number", "int64", ".status.stepCount"),
    ],
    "Model": [
        ("Status", "string", None, ".status.status"),
        ("Sage-Maker-Model-Name", "string", None, ".status.sageMakerModelName"),
    ],
    "EndpointConfig": [
        ("Status", "string", None, ".status.status"),
        ("Sage-Maker-EndpointConfig-Name", "string", None, ".status.sageMakerEndpointConfigName"),
    ],
    "HostingDeployment": [
        ("Status", "string", None, ".status.endpointStatus"),
        ("Sagemaker-endpoint-name", "string", None, ".status.endpointName"),
    ],
    "InferenceComponent": [
        ("Status", "string", None, ".status.inferenceComponentStatus"),
        ("Copies", "integer", None, ".status.runtimeConfig.currentCopyCount"),
        ("Desired", "integer", None, ".status.runtimeConfig.desiredCopyCount"),
        ("Endpoint", "string", None, ".status.endpointName"),
        _DATE,
    ],
    "HostingAutoscalingPolicy": [
        ("Status", "string", None, ".status.hostingAutoscalingPolicyStatus"),
        _DATE,
    ],
    "ModelPackageGroup": [
        ("Status", "string", None, ".status.modelPackageGroupStatus"),
        _DATE,
        ("Sagemaker-Name", "string", None, ".status.sageMakerModelPackageGroupName"),
    ],
    "ModelPackage": [
        ("Status", "string", None, ".status.modelPackageStatus"),
        ("Version", "integer", None, ".status.modelPackageVersion"),
        ("Approval", "string", None, ".status.modelApprovalStatus"),
        _DATE,
    ],
    "Pipeline": [
        ("Status", "string", None, ".status.pipelineStatus"),
        _DATE,
        ("Last-Run", "string", "date", ".status.lastRunTime"),
        ("Sagemaker-Name", "string", None, ".status.sageMakerPipelineName"),
    ],
}


@each_row("kind", KINDS, ids=lambda kind: kind.kind)
def test_normal_output_has_the_columns_of_the_guides(kind: KindDescriptor) -> None:
    """v1-kinds.md 3: scripts count columns, so ours come last, all but one with `-o wide` only."""
    columns = crd_of(kind.kind)["spec"]["versions"][0]["additionalPrinterColumns"]

    shown = [(c["name"], c["type"], c.get("format"), c["jsonPath"]) for c in columns if not c.get("priority")]
    ready = ("Ready", "string", None, '.status.conditions[?(@.type=="Ready")].status')
    assert shown == [*_COLUMNS[kind.kind], ready]
    assert [c["name"] for c in columns if c.get("priority") == 1] == ["Reason", "Age"]


@each_row("kind", KINDS, ids=lambda kind: kind.kind)
def test_names_scope_and_subresource(kind: KindDescriptor) -> None:
    """v1-kinds.md 1 and 2. Only autoscaling policies have a short name, as ever.

    `preserveUnknownFields: false` is left out: the API server does not store it, and GitOps tools that compare what
    they applied with what is there would show a difference for ever.
    """
    crd = crd_of(kind.kind)
    spec, version = crd["spec"], crd["spec"]["versions"][0]
    plural = kind.kind.lower().removesuffix("y") + ("ies" if kind.kind.endswith("y") else "s")

    assert crd["metadata"]["name"] == f"{plural}.sagemaker.aws.amazon.com"
    assert spec["group"] == "sagemaker.aws.amazon.com"
    assert spec["scope"] == "Namespaced"
    assert "preserveUnknownFields" not in spec
    assert spec["names"] == {
        "kind": kind.kind,
        "listKind": f"{kind.kind}List",
        "plural": plural,
        "singular": kind.kind.lower(),
        "categories": ["sagemaker"],
    } | ({"shortNames": ["hap"]} if kind.kind == "HostingAutoscalingPolicy" else {})
    assert (version["name"], version["served"], version["storage"]) == ("v1", True, True)
    assert version["subresources"] == {"status": {}}


@each_row("kind", KINDS, ids=lambda kind: kind.kind)
def test_the_crd_fits_the_annotation_of_client_side_apply(kind: KindDescriptor) -> None:
    """262,144 bytes for all annotations together; kubectl stores the whole object in one. Three fifths leave room."""
    assert len(json.dumps(crd_of(kind.kind))) < 157_286


@pytest.fixture(params=[kind.kind for kind in KINDS])
def schema(request: pytest.FixtureRequest) -> JsonObject:
    """The schema of each kind. Not to be changed."""
    return schema_of(request.param)


def test_patterns_compile_and_use_nothing_that_re2_lacks(schema: JsonObject) -> None:
    """The API server refuses a CRD otherwise."""
    patterns = {each["pattern"] for each in _schemas(schema) if "pattern" in each}

    assert len(patterns) >= 1
    for pattern in patterns:
        re.compile(pattern)
        assert "(?!" not in pattern
        assert "(?<" not in pattern
        assert to_re2(pattern) != ""


def test_whole_numbers_are_int64(schema: JsonObject) -> None:
    """As in v1; kubectl and clients read the format."""
    assert {s.get("format") for s in _schemas(schema) if s.get("type") == "integer"} == {"int64"}


def test_bounds_that_bound_nothing_are_left_out(schema: JsonObject) -> None:
    """Every length is at least 0."""
    for each in _schemas(schema):
        assert each.get("minLength") != 0
        assert each.get("minItems") != 0


def test_only_the_status_has_a_default(schema: JsonObject) -> None:
    """Others would change what is sent to AWS and what `get -o yaml` shows."""
    with_default = [each for each in _schemas(schema) if "default" in each]

    assert with_default == [schema["properties"]["status"]]


def test_a_new_object_is_in_progress_for_tools_that_use_kstatus(schema: JsonObject) -> None:
    """Without a status it would be current, and `helm install --wait` end, before any operator has seen it."""
    stored: JsonObject = {"metadata": {"generation": 1}, "spec": {}}

    apply_defaults(schema, stored)

    assert kstatus({}, generation=1) == "Current"
    assert kstatus(stored["status"], generation=1) == "InProgress"


def test_a_status_that_an_operator_wrote_gets_no_default(schema: JsonObject) -> None:
    """Objects of the first operator have statuses without a generation: they stay what they were."""
    stored: JsonObject = {"metadata": {"generation": 7}, "spec": {}, "status": {"additional": "x"}}

    apply_defaults(schema, stored)

    assert stored["status"] == {"additional": "x"}


def test_enums_that_aws_adds_to_are_open() -> None:
    """A new instance type must not need a new CRD. Closed: those of v1, and those that name a yes or no."""
    closed = {
        tuple(each["enum"])
        for kind in KINDS
        for each in _schemas(schema_of(kind.kind)["properties"]["spec"])
        if "enum" in each
    }

    assert closed == {
        ("File", "Pipe", "FastFile"),
        ("Pipe", "File", "FastFile"),
        ("File", "Pipe"),
        ("None", "Gzip"),
        ("FullyReplicated", "ShardedByS3Key"),
        ("S3Prefix", "ManifestFile", "AugmentedManifestFile", "Converse"),
        ("S3Prefix", "ManifestFile"),
        ("Continuous", "EndOfJob"),
        ("SingleModel", "MultiModel"),
        ("DesiredInstanceCount", "DesiredWeight", "DataCaptureConfig"),
        # Not of v1.
        ("GZIP", "NONE"),
        ("Platform", "Vpc"),
    }


def test_every_field_says_what_it_is(schema: JsonObject) -> None:
    """`kubectl explain`, on every level: a description of one line or a few, without markup."""
    for each in _schemas(schema):
        for name, field in each.get("properties", {}).items():
            text = field.get("description", "")
            assert text or name == "metadata", name
            assert len(text) <= 500, name
            assert not re.search(r"</?[a-z]+>", text)


def test_conditions_are_merged_by_type(schema: JsonObject) -> None:
    """Several writers, as the API conventions have it."""
    conditions = schema["properties"]["status"]["properties"]["conditions"]

    assert conditions["x-kubernetes-list-type"] == "map"
    assert conditions["x-kubernetes-list-map-keys"] == ["type"]
    assert set(conditions["items"]["properties"]) == {
        "type", "status", "observedGeneration", "lastTransitionTime", "reason", "message",
    }  # fmt: skip


def test_the_record_of_creation_is_in_the_status(schema: JsonObject) -> None:
    """A field that the schema lacks would be pruned, and the job created again (D-08)."""
    record = schema["properties"]["status"]["properties"]["awsResource"]["properties"]

    assert set(record) == {
        "arn", "name", "accountId", "region", "partition", "createdAt", "creationTime", "ownerUid", "ownerUnverified",
        "contentDigest", "replacedNames", "tagKeys", "tagsDigest", "changesDigest", "triedName", "released",
    }  # fmt: skip


@each_row("kind", KINDS, ids=lambda kind: kind.kind)
def test_what_annotations_note_is_in_the_status_too(kind: KindDescriptor) -> None:
    """A replace removes annotations, and keeps the status."""
    status = schema_of(kind.kind)["properties"]["status"]["properties"]

    assert ("notes" in status) == (kind.life_cycle in NOTED)
    if kind.life_cycle in NOTED:
        assert set(status["notes"]["properties"]) == {"claimedVariants", "foundTargets", "lastUpdateAttempt"}


def _schemas(schema: JsonObject) -> Iterator[JsonObject]:
    yield schema
    for child in schema.get("properties", {}).values():
        yield from _schemas(child)
    if "items" in schema:
        yield from _schemas(schema["items"])

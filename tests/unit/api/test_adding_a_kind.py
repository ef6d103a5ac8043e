"""docs/adding-a-kind.md is true: its code, executed, gives a ninth kind with nothing else to write."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from botocore.validate import ParamValidator

import api.models
from api.convert import to_request, to_spec, to_status
from api.descriptor import KindDescriptor
from api.meta import JsonObject
from api.v1 import KINDS
from hack import crds, models
from hack.manifests import iam
from hack.sandbox.kube.crd.object_validation import validate
from hack.sandbox.kube.schema.defaulting import prune
from tests.unit.api.conftest import ROOT
from tests.unit.api.expected import expected, request_shape, without

_PAGE = (ROOT / "docs" / "adding-a-kind.md").read_text("utf-8")


@pytest.fixture
def kind() -> KindDescriptor:
    """The page's descriptor."""
    names: dict[str, Any] = {}
    exec(compile(_block("python"), "docs/adding-a-kind.md", "exec"), names)
    (descriptor,) = [value for value in names.values() if isinstance(value, KindDescriptor)]
    return descriptor


@pytest.fixture
def sample() -> JsonObject:
    """The page's sample."""
    document: JsonObject = yaml.safe_load(_block("yaml"))
    return document


@pytest.fixture
def generated(kind: KindDescriptor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with what `make crds ARGS=--refresh` writes for it."""
    for module in (crds, models, iam):
        monkeypatch.setattr(module, "KINDS", (kind,))
    monkeypatch.setattr(crds, "ROOT", tmp_path)
    monkeypatch.setattr(crds, "CRDS", tmp_path / "crd" / "bases")
    monkeypatch.setattr(crds, "DOCS", tmp_path / "docs")
    monkeypatch.setattr(crds, "SCHEMAS", tmp_path / "schemas")
    monkeypatch.setattr(crds, "CLIENT", tmp_path / "client")
    monkeypatch.setattr(models, "FOLDER", tmp_path / "snapshots")
    for module in (models, api.models):
        monkeypatch.setattr(module, "SERVICE_MODELS", tmp_path / "service_models")
    api.models.shared_loader.cache_clear()
    assert crds.main(["--refresh"]) == 0
    yield tmp_path
    api.models.shared_loader.cache_clear()


def test_the_generator_writes_everything_there_is_to_a_kind(generated: Path) -> None:
    """CRD and list of CRDs, page and index, JSON schemas, models of the client, and parts of the service model."""
    assert {str(path.relative_to(generated)) for path in generated.rglob("*.*") if path.is_file()} == {
        "client/__init__.py",
        "client/compilationjob.py",
        "crd/bases/sagemaker.aws.amazon.com_compilationjobs.yaml",
        "crd/kustomization.yaml",
        "docs/README.md",
        "docs/compilationjob.md",
        "schemas/all.json",
        "schemas/sagemaker.aws.amazon.com/compilationjob_v1.json",
        "service_models/logs/2014-03-28/service-2.json",
        "service_models/sagemaker/2017-07-24/service-2.json",
        "snapshots/sagemaker.json",
    }
    page = (generated / "docs" / "compilationjob.md").read_text("utf-8")
    assert "| `spec.inputConfig.framework` | string | yes |" in page
    assert "`InputConfig.Framework`" in page


def test_the_api_server_takes_the_sample_and_refuses_a_broken_one(generated: Path, sample: JsonObject) -> None:
    """What AWS demands is demanded, but for the name; the spec cannot be changed, as that of no job can."""
    schema = _schema(generated)
    broken = {**sample, "spec": without(sample["spec"], "roleArn")}
    created = {**sample, "status": {"awsResource": {"name": "resnet-for-jetson"}}}
    edited = {**created, "spec": {**sample["spec"], "region": "eu-west-1"}}

    assert prune(schema, sample) == []
    assert [str(cause) for cause in validate(schema, sample)] == []
    assert "spec.roleArn: Required value" in [str(cause) for cause in validate(schema, broken)]
    assert any("cannot be changed" in str(cause) for cause in validate(schema, edited, created))


@pytest.mark.usefixtures("generated")
def test_the_sample_becomes_a_request_and_answers_become_status(kind: KindDescriptor, sample: JsonObject) -> None:
    """Both ways, without a line of code for the kind."""
    shape = request_shape("sagemaker", "CreateCompilationJob")

    request = to_request(kind, sample["spec"])

    assert request == expected(shape, sample["spec"])
    named = request | {"CompilationJobName": "a-name"}
    assert ParamValidator().validate(named, shape).generate_report() == ""
    assert to_spec(kind, request) == without(sample["spec"], "region")
    answer = {
        "CompilationJobName": "a-name",
        "CompilationJobStatus": "FAILED",
        "FailureReason": "no such framework",
        "ModelArtifacts": {"S3ModelArtifacts": "s3://b/m"},
    }
    assert to_status(kind, answer) == {
        "additional": "no such framework",
        "compilationJobStatus": "FAILED",
        "modelPath": "s3://b/m",
        "sageMakerCompilationJobName": "a-name",
    }


def test_the_example_is_not_one_of_our_kinds(kind: KindDescriptor) -> None:
    """Else it would show nothing."""
    assert kind.kind not in {known.kind for known in KINDS}


def _block(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", _PAGE, re.DOTALL)
    return str(found)


def _schema(generated: Path) -> JsonObject:
    path = generated / "crd" / "bases" / "sagemaker.aws.amazon.com_compilationjobs.yaml"
    crd = yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader)
    schema: JsonObject = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return schema

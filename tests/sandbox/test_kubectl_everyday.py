"""What people do with kubectl and helm every day works on all of our kinds, with the real binaries.

One server for the module: each test is a story in a namespace of its own. No operator runs, so nothing but the
commands here writes.
"""

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from api.meta import FINALIZER, JsonObject
from api.v1 import KINDS
from hack import tools
from hack.sandbox.kube.server import start
from tests.deadline import PATIENCE_S
from tests.sandbox.crds import write_state
from tests.sandbox.harness import REPOSITORY
from tests.sandbox.kubectl import TIMEOUT

pytestmark = pytest.mark.sandbox

GROUP = "sagemaker.aws.amazon.com"
SAMPLES = {
    "BatchTransformJob": "xgboost-mnist-batchtransform.yaml",
    "EndpointConfig": "xgboost-mnist-endpointconfig.yaml",
    "HostingAutoscalingPolicy": "hap-predefined-metric.yaml",
    "HostingDeployment": "xgboost-mnist-hostingdeployment.yaml",
    "HyperparameterTuningJob": "xgboost-mnist-hpo.yaml",
    "InferenceComponent": "inference-component.yaml",
    "Model": "xgboost-mnist-model.yaml",
    "PipelineExecution": "churn-pipelineexecution.yaml",
    "ModelPackageGroup": "modelpackagegroup.yaml",
    "ModelPackage": "modelpackage.yaml",
    "Pipeline": "pipeline.yaml",
    "ProcessingJob": "kmeans-mnist-processingjob.yaml",
    "TrainingJob": "xgboost-mnist-trainingjob.yaml",
}
JOB = "xgboost-mnist-from-for-s3"

Command = Callable[..., str]


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A server that has our CRDs."""
    directory = tmp_path_factory.mktemp("everyday")
    with start(state=write_state(directory)) as server:
        yield server.write_kubeconfig(directory / "kubeconfig")


@pytest.fixture
def run(kubeconfig: Path, tmp_path: Path) -> Command:
    """Runs kubectl or helm in a directory of its own; fails the test where the exit code is another than `code`."""

    def command(tool: str, *arguments: str, code: int = 0, stdin: str | None = None, editor: str = "false") -> str:
        environment = os.environ | {"KUBECONFIG": str(kubeconfig), "KUBE_EDITOR": editor, "HOME": str(tmp_path)}
        environment["TMPDIR"] = str(tmp_path)  # kubectl keeps a refused edit there
        done = subprocess.run(
            [str(tools.find(tool)), *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
            env=environment,
            cwd=tmp_path,
        )
        assert done.returncode == code, f"{' '.join(arguments)}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout if code == 0 else done.stdout + done.stderr

    return command


@pytest.fixture
def kubectl(run: Command, request: pytest.FixtureRequest) -> Command:
    """kubectl in a namespace that only this test uses."""
    namespace = request.node.name.replace("_", "-")[:50].strip("-")
    run("kubectl", "create", "namespace", namespace)

    def command(*arguments: str, code: int = 0, stdin: str | None = None, editor: str = "false") -> str:
        return run("kubectl", "--namespace", namespace, *arguments, code=code, stdin=stdin, editor=editor)

    return command


def sample(kind: str) -> JsonObject:
    """The manifest of a kind, without a namespace."""
    documents = yaml.safe_load_all((REPOSITORY / "samples" / SAMPLES[kind]).read_text())
    found: JsonObject = next(document for document in documents if document["kind"] == kind)
    found["metadata"].pop("namespace", None)
    return found


def as_recorded(manifest: JsonObject) -> JsonObject:
    """What the operator writes into an object: its finalizer, a name where the user gave none, and the status."""
    (kind,) = [kind for kind in KINDS if kind.kind == manifest["kind"]]
    spec, region = manifest["spec"], manifest["spec"]["region"]
    name = spec.get(kind.name.spec_field) or "made"
    return {
        **{field: manifest[field] for field in ("apiVersion", "kind")},
        "metadata": {"name": manifest["metadata"]["name"], "finalizers": [FINALIZER]},
        "spec": {kind.name.spec_field: name} if kind.name.late_initialized else {},
        "status": {
            kind.status.field: "x",
            kind.name.status_field: name,
            "awsResource": {"name": name, "region": region},
        },
    }


def rows(table: str) -> list[list[str]]:
    """Cells of a kubectl table; columns are two spaces or more apart."""
    return [re.split(r"(?: {2,}|\t)+", line.strip()) for line in table.splitlines()]


def test_every_kind_is_found_applied_listed_explained_and_deleted(kubectl: Command) -> None:
    """All kinds are in api-resources, in `get sagemaker` and in `delete --all`."""
    listed = kubectl("api-resources", f"--api-group={GROUP}", "--no-headers", "-o", "wide")
    assert {re.split(r" true +", line)[1].split()[0] for line in listed.splitlines()} == set(SAMPLES)
    assert all(line.split()[-1] == "sagemaker" for line in listed.splitlines()), "the category"
    manifests = {kind: sample(kind) for kind in SAMPLES}
    everything = yaml.safe_dump_all(list(manifests.values()))

    created = kubectl("apply", "-f", "-", stdin=everything)

    names = {f"{kind.lower()}.{GROUP}/{obj['metadata']['name']}" for kind, obj in manifests.items()}
    assert set(created.splitlines()) == {f"{name} created" for name in names}
    again = kubectl("apply", "-f", "-", stdin=everything)
    assert set(again.splitlines()) == {f"{name} unchanged" for name in names}
    assert kubectl("diff", "-f", "-", stdin=everything) == ""
    assert set(kubectl("get", "sagemaker", "-o", "name").split()) == names
    for kind, obj in manifests.items():
        description = kubectl("describe", kind, obj["metadata"]["name"])
        assert re.search(rf"^Kind: +{kind}$", description, re.MULTILINE)
    explained = kubectl("explain", "hostingdeployment.spec.productionVariants")
    assert re.search(r"FIELD: productionVariants <\[\]Object>", explained)
    deleted = kubectl("delete", "sagemaker", "--all")
    assert {line.split('"')[1] for line in deleted.splitlines()} == {o["metadata"]["name"] for o in manifests.values()}
    assert kubectl("get", "sagemaker", "-o", "name") == ""


def test_all_output_formats_show_an_object(kubectl: Command) -> None:
    """Wide, yaml, json, jsonpath and custom-columns are made of the same object."""
    kubectl("apply", "-f", "-", stdin=yaml.safe_dump(sample("TrainingJob")))
    header, row = rows(kubectl("get", "trainingjob", "-o", "wide"))
    assert header[:2] == ["NAME", "STATUS"]
    assert row[0] == JOB
    as_yaml = yaml.safe_load(kubectl("get", "trainingjob", JOB, "-o", "yaml"))
    as_json = json.loads(kubectl("get", "trainingjob", JOB, "-o", "json", "--show-managed-fields"))
    assert as_yaml["spec"] == as_json["spec"] == sample("TrainingJob")["spec"]
    assert as_json["metadata"]["managedFields"][0]["manager"] == "kubectl-client-side-apply"
    assert kubectl("get", "trainingjob", JOB, "-o", "jsonpath={.spec.region}") == as_json["spec"]["region"]
    columns = "custom-columns=N:.metadata.name,T:.spec.resourceConfig.instanceType"
    instance = as_json["spec"]["resourceConfig"]["instanceType"]
    assert rows(kubectl("get", "trainingjobs", "-o", columns)) == [["N", "T"], [JOB, instance]]
    assert kubectl("get", "trainingjobs", "--field-selector", f"metadata.name!={JOB}", "-o", "name") == ""
    assert f'trainingjobs.{GROUP} "nope" not found' in kubectl("get", "trainingjob", "nope", code=1)


def test_an_object_is_labelled_annotated_patched_edited_and_compared(kubectl: Command) -> None:
    """Metadata can be written in every way kubectl has; a strategic patch is refused for custom resources."""
    manifest = sample("Model")
    name = f"model/{manifest['metadata']['name']}"
    kubectl("apply", "-f", "-", stdin=yaml.safe_dump(manifest))
    assert kubectl("label", name, "team=vision").endswith(" labeled\n")
    refused = kubectl("label", name, "team=sound", code=1)
    assert "already has a value" in refused
    kubectl("annotate", name, "note=first")
    kubectl("annotate", name, "note=second", "--overwrite")
    kubectl("patch", name, "--type=merge", "-p", '{"metadata":{"labels":{"by":"merge"}}}')
    kubectl("patch", name, "--type=json", "-p", '[{"op":"add","path":"/metadata/labels/also","value":"json"}]')
    refused = kubectl("patch", name, "-p", '{"metadata":{"labels":{"x":"y"}}}', code=1)
    assert "application/strategic-merge-patch+json is not supported" in refused
    dry = kubectl("patch", name, "--type=merge", "--dry-run=server", "-p", '{"metadata":{"labels":{"dry":"run"}}}')
    assert dry.endswith(" patched\n") or "dry run" in dry
    kubectl("edit", name, editor="sed -i s/vision/audio/")
    labels = json.loads(kubectl("get", name, "-o", "jsonpath={.metadata.labels}"))
    assert labels == {"team": "audio", "by": "merge", "also": "json"}
    assert kubectl("get", name, "-o", "jsonpath={.metadata.annotations.note}") == "second"
    assert kubectl("get", "models", "-l", "team in (audio),by", "-o", "name") == f"model.{GROUP}/{name[6:]}\n"
    manifest["metadata"]["labels"] = {"team": "video"}
    difference = kubectl("diff", "-f", "-", stdin=yaml.safe_dump(manifest), code=1)
    assert "-    team: audio\n" in difference
    assert "+    team: video\n" in difference
    conflict = kubectl("apply", "--server-side", "-f", "-", stdin=yaml.safe_dump(manifest), code=1)
    assert "conflict" in conflict
    kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=yaml.safe_dump(manifest))
    assert kubectl("get", name, "-o", "jsonpath={.metadata.labels.team}") == "video"
    assert "NotFound" in kubectl("scale", name, "--replicas=2", code=1)


def test_manifests_of_what_exists_are_written_again_in_every_way(kubectl: Command, tmp_path: Path) -> None:
    """All kinds unchanged by apply, server-side apply, replace and edit, of what the operator has recorded as created.

    The names that it fills in belong to it: they are no conflict, and may be absent. What is fixed stays so.
    """
    manifests = [sample(kind) for kind in SAMPLES]
    everything = yaml.safe_dump_all(manifests)
    kubectl("apply", "-f", "-", stdin=everything)
    for recorded in map(as_recorded, manifests):
        plural = next(kind.plural for kind in KINDS if kind.kind == recorded["kind"])
        patch = ("patch", f"{plural}.{GROUP}", recorded["metadata"]["name"], "--type=merge", "--field-manager=operator")
        kubectl(*patch, "-p", json.dumps(recorded))
        kubectl(*patch, "-p", json.dumps(recorded), "--subresource=status")

    kubectl("apply", "-f", "-", stdin=everything)
    kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=everything)
    job = ("trainingjob", JOB)
    assert kubectl("get", *job, "-o", "jsonpath={.spec.trainingJobName}") == "made"
    kubectl("replace", "-f", "-", stdin=everything)
    assert kubectl("get", *job, "-o", "jsonpath={.spec.trainingJobName}{.metadata.finalizers}") == ""
    assert kubectl("get", *job, "-o", "jsonpath={.status.awsResource.name}") == "made"
    # one file with all kinds, each of which gets a label
    kubectl("edit", "sagemaker", editor=r"sed -i 's/^\( *\)metadata:$/&\n\1  labels: {by: edit}/'")
    assert len(kubectl("get", "sagemaker", "-l", "by=edit", "-o", "name").split()) == len(SAMPLES)
    # the editor is given what was refused once more, with the reason in comments, and changes nothing then
    editor = f"sed -i -e '/^#/w {tmp_path / 'seen'}' -e 's/instanceCount: .*/instanceCount: 7/'"
    assert "no valid changes were saved" in kubectl("edit", *job, editor=editor, code=1)
    reason = (tmp_path / "seen").read_text()
    assert "spec.resourceConfig" in reason
    assert "cannot be changed once it is created, as SageMaker cannot update a job" in reason


def test_mistakes_are_explained_and_rights_and_events_are_told(kubectl: Command) -> None:
    """Typing errors are found before anything is stored; auth can-i and events answer for our kinds."""
    manifest = sample("TrainingJob")
    manifest["spec"]["rolArn"] = manifest["spec"].pop("roleArn")
    refused = kubectl("apply", "-f", "-", stdin=yaml.safe_dump(manifest), code=1)
    assert 'unknown field "spec.rolArn"' in refused
    assert "spec.roleArn: Required value" in kubectl(
        "apply", "--validate=ignore", "-f", "-", stdin=yaml.safe_dump(manifest), code=1
    )
    assert kubectl("get", "trainingjobs", "-o", "name") == ""
    assert kubectl("auth", "can-i", "create", f"trainingjobs.{GROUP}") == "yes\n"
    kubectl("create", "-f", "-", stdin=yaml.safe_dump(sample("TrainingJob")))
    assert "AlreadyExists" in kubectl("create", "-f", "-", stdin=yaml.safe_dump(sample("TrainingJob")), code=1)
    uid = kubectl("get", "trainingjob", JOB, "-o", "jsonpath={.metadata.uid}")
    namespace = kubectl("get", "trainingjob", JOB, "-o", "jsonpath={.metadata.namespace}")
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "told"},
        "involvedObject": {
            "apiVersion": f"{GROUP}/v1",
            "kind": "TrainingJob",
            "name": JOB,
            "namespace": namespace,
            "uid": uid,
        },
        "type": "Normal",
        "reason": "Told",
        "message": "what happened",
        "lastTimestamp": "2026-01-01T00:00:00Z",
    }
    kubectl("create", "-f", "-", stdin=json.dumps(event))
    assert "what happened" in kubectl("events", "--for", f"trainingjob/{JOB}")
    assert re.search(r"Normal +Told .*what happened", kubectl("describe", "trainingjob", JOB))


def test_waiting_ends_with_a_status_and_with_the_last_finalizer(kubectl: Command) -> None:
    """`wait` reads the status by condition and by path, and sees an object go whose finalizer is taken off."""
    job = f"trainingjob/{JOB}"
    kubectl("apply", "-f", "-", stdin=yaml.safe_dump(sample("TrainingJob")))
    status = {
        "observedGeneration": 1,
        "trainingJobStatus": "Completed",
        "conditions": [
            {
                "type": "Ready",
                "status": "True",
                "reason": "Done",
                "message": "",
                "lastTransitionTime": "2026-01-01T00:00:00Z",
            }
        ],
    }
    patch = json.dumps({"status": status})
    assert "condition not met" in kubectl("wait", "--for=condition=Ready", "--timeout=0s", job, code=1)
    kubectl("patch", job, "--subresource=status", "--type=merge", "-p", patch)
    kubectl("wait", "--for=condition=Ready", TIMEOUT, job)
    kubectl("wait", "--for=jsonpath={.status.trainingJobStatus}=Completed", TIMEOUT, job)
    kubectl("patch", job, "--type=merge", "-p", '{"metadata":{"finalizers":["example.com/hold"]}}')
    kubectl("delete", job, "--wait=false")
    assert kubectl("get", job, "-o", "jsonpath={.metadata.deletionTimestamp}") != ""
    kubectl("patch", job, "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
    kubectl("wait", "--for=delete", TIMEOUT, job)
    assert "NotFound" in kubectl("get", job, code=1)


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    """A chart that holds a Model and an EndpointConfig; its one value is a label."""
    directory = tmp_path / "hosting"
    (directory / "templates").mkdir(parents=True)
    (directory / "Chart.yaml").write_text("apiVersion: v2\nname: hosting\nversion: 0.1.0\n")
    (directory / "values.yaml").write_text("team: vision\n")
    objects = [sample("Model"), sample("EndpointConfig")]
    for manifest in objects:
        manifest["metadata"]["labels"] = {"team": "TEAM"}
    text = yaml.safe_dump_all(objects).replace("team: TEAM", "team: {{ .Values.team }}")
    (directory / "templates" / "objects.yaml").write_text(text)
    return directory


def test_helm_installs_upgrades_rolls_back_and_uninstalls_our_kinds(
    run: Command, kubectl: Command, chart: Path
) -> None:
    """The life of a release whose objects are custom resources."""
    there = ("--namespace", "helm-everyday")
    team = ("get", "models", "--all-namespaces", "-l", "app.kubernetes.io/managed-by=Helm")
    by_team = ("-o", "jsonpath={.items[*].metadata.labels.team}")

    installed = run("helm", "install", "rel", str(chart), *there, "--create-namespace")
    assert "STATUS: deployed" in installed
    assert kubectl(*team, *by_team) == "vision"
    upgraded = run("helm", "upgrade", "rel", str(chart), *there, "--set", "team=audio")
    assert "REVISION: 2" in upgraded
    assert kubectl(*team, *by_team) == "audio"
    assert "Rollback was a success" in run("helm", "rollback", "rel", "1", *there)
    assert kubectl(*team, *by_team) == "vision"
    (release,) = json.loads(run("helm", "list", *there, "-o", "json"))
    assert (release["name"], release["revision"], release["status"]) == ("rel", "3", "deployed")
    assert "STATUS: deployed" in run("helm", "status", "rel", *there)
    assert len(json.loads(run("helm", "history", "rel", *there, "-o", "json"))) == 3
    run("helm", "uninstall", "rel", *there, "--wait")
    assert run("kubectl", *there, "get", "sagemaker", "-o", "name") == ""
    assert json.loads(run("helm", "list", *there, "-o", "json")) == []

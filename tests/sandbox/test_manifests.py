"""Manifests as users apply them: kubectl against an API server with our CRDs, and no operator.

With `KUBEBUILDER_ASSETS` set, against a real kube-apiserver.
"""

import copy
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from api.fields import installed
from api.meta import API_VERSION, JsonObject
from api.v1 import KINDS
from hack.tools import find
from tests.deadline import PATIENCE_S
from tests.sandbox.apiserver import api_server, write_kubeconfig
from tests.sandbox.harness import REPOSITORY
from tests.sandbox.kubectl import TIMEOUT

pytestmark = pytest.mark.sandbox

SAMPLES = REPOSITORY / "samples"
CRDS = REPOSITORY / "config" / "crd" / "bases"
UNTAGGED = "ModelPackage"
"""A version of a group has the tags of its group, so the sample cannot have any."""

GUIDE = """\
apiVersion: sagemaker.aws.amazon.com/v1
kind: HostingDeployment
metadata:
  name: host-xgboost
spec:
    region: us-east-2
    productionVariants:
        - variantName: all-traffic
          modelName: xgboost-model
          initialInstanceCount: 2
          instanceType: ml.c5.large
    models:
        - name: xgboost-model
          executionRoleArn: arn:aws:iam::123456789012:role/service-role/AmazonSageMaker-ExecutionRole
          primaryContainer: xgboost
          containers:
            - xgboost
    containers:
        - containerHostname: xgboost
          modelDataUrl: s3://my-bucket/inference/xgboost-mnist/model.tar.gz
          image: 123456789012.dkr.ecr.us-east-2.amazonaws.com/xgboost:latest
"""
"""The manifest of the hosting guide, letter by letter."""


class Kubectl:
    """kubectl with a kubeconfig; answers are its exit code, output and errors."""

    def __init__(self, kubeconfig: Path) -> None:
        cache = kubeconfig.parent / "kube-cache"  # not the user's: a server of another test may have had this port
        self._command = [str(find("kubectl")), f"--kubeconfig={kubeconfig}", f"--cache-dir={cache}"]

    def __call__(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run it, whatever comes of it."""
        command = [*self._command, *arguments]
        return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=PATIENCE_S, check=False)

    def output(self, *arguments: str, stdin: str = "") -> str:
        """Run it; what it prints. It must succeed, without a warning."""
        done = self(*arguments, stdin=stdin)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout


@pytest.fixture(scope="module")
def kubectl(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubectl]:
    """For a server on which the CRDs are installed as the guides do it, and again over that, as upgrades do."""
    directory = tmp_path_factory.mktemp("manifests")
    with api_server(directory) as server:
        write_kubeconfig(directory / "kubeconfig", server.url, server.token, namespace=server.namespace)
        run = Kubectl(directory / "kubeconfig")
        run.output("apply", "--filename", str(CRDS))
        run.output("wait", "--for=condition=Established", TIMEOUT, "--filename", str(CRDS))
        run.output("apply", "--server-side", "--force-conflicts", "--filename", str(CRDS))
        # What kubectl has cached is from before the CRDs, and it looks up short names there only.
        assert "hostingautoscalingpolicies" in run.output("api-resources", "--api-group=sagemaker.aws.amazon.com")
        yield run


@pytest.mark.parametrize("mode", ["--server-side", "--server-side=false"], ids=["server-side", "client-side"])
def test_all_samples_pass_a_strict_dry_run(kubectl: Kubectl, mode: str) -> None:
    """Both ways to apply, no unknown field, no warning."""
    done = kubectl.output("apply", mode, "--dry-run=server", "--validate=strict", "--filename", str(SAMPLES))

    assert len(done.splitlines()) == sum(1 for _ in _samples())


def test_an_unknown_field_is_an_error_if_strict_and_a_warning_otherwise(kubectl: Kubectl) -> None:
    """For every kind, at the top and deep below, with the field's path."""
    wrong = []
    for kind, sample in _first_samples().items():
        sample["spec"]["unheardOf"] = 1
        if kind != UNTAGGED:
            sample["spec"].setdefault("tags", [{"key": "k", "value": "v"}])[0]["unheardOf"] = 1
        wrong.append((kind, sample))
    manifest = yaml.safe_dump_all([sample for _, sample in wrong])

    strict = kubectl("apply", "--dry-run=server", "--validate=strict", "--filename=-", stdin=manifest)
    lenient = kubectl("apply", "--dry-run=server", "--validate=warn", "--filename=-", stdin=manifest)

    assert strict.returncode == 1
    assert strict.stdout == ""
    assert strict.stderr.count('unknown field "spec.unheardOf"') == len(KINDS)
    tagged = [
        kind
        for kind in KINDS
        if kind.kind != UNTAGGED and any(field.name == "tags" for field in installed(kind).spec.fields)
    ]
    assert strict.stderr.count('unknown field "spec.tags[0].unheardOf"') == len(tagged)
    assert lenient.returncode == 0
    assert len(lenient.stdout.splitlines()) == len(KINDS)
    assert lenient.stderr.count('Warning: unknown field "spec.unheardOf"') >= 1


@pytest.mark.parametrize(
    "path",
    [
        "trainingjob.spec.algorithmSpecification.metricDefinitions.regex",
        "hyperparametertuningjob.spec.trainingJobDefinition.resourceConfig.instanceType",
        "batchtransformjob.spec.transformInput.dataSource.s3DataSource",
        "processingjob.spec.processingResources.clusterConfig.instanceCount",
        "models.sagemaker.aws.amazon.com.spec.primaryContainer.imageConfig.repositoryAccessMode",
        "endpointconfig.spec.productionVariants.serverlessConfig.memorySizeInMB",
        "hostingdeployment.spec.models.containers.environment",
        "hap.spec.targetTrackingScalingPolicyConfiguration.predefinedMetricSpecification.predefinedMetricType",
    ],
)
def test_explain_tells_type_and_meaning_on_every_level(kubectl: Kubectl, path: str) -> None:
    """From the spec down, three levels below it."""
    kind, _, below = path.partition(".spec.")
    fields = below.split(".")
    for depth in range(len(fields)):
        said = kubectl.output("explain", f"{kind}.spec.{'.'.join(fields[: depth + 1])}")

        assert f"FIELD: {fields[depth]} <" in said
        described = said.partition("DESCRIPTION:\n")[2].splitlines()[0].strip()
        assert len(described) > 10
        assert "<empty>" not in said.partition("FIELDS:")[0]


def test_listings_have_the_columns_of_the_guides(kubectl: Kubectl) -> None:
    """v1-kinds.md 3: scripts count them. Kinds in every spelling of the guides, our short name and category."""
    kubectl.output("apply", "--filename", str(SAMPLES))

    headers = {
        name: kubectl.output("get", name).splitlines()[0].split()
        for name in (
            "TrainingJob",
            "hyperparametertuningjob",
            "batchTransformJob",
            "processingjobs",
            "models.sagemaker.aws.amazon.com",
            "endpointconfigs",
            "hostingdeployments",
            "hap",
        )
    }
    everything = kubectl.output("get", "sagemaker", "--output=name").split()
    kubectl.output("delete", "--wait=false", "--filename", str(SAMPLES))

    assert headers == {
        "TrainingJob": ["NAME", "STATUS", "SECONDARY-STATUS", "CREATION-TIME", "SAGEMAKER-JOB-NAME", "READY"],
        "hyperparametertuningjob": [
            "NAME", "STATUS", "CREATION-TIME", "COMPLETED", "INPROGRESS", "ERRORS", "STOPPED", "BEST-TRAINING-JOB",
            "SAGEMAKER-JOB-NAME", "READY",
        ],
        "batchTransformJob": ["NAME", "STATUS", "CREATION-TIME", "SAGEMAKER-JOB-NAME", "READY"],
        "processingjobs": ["NAME", "STATUS", "CREATION-TIME", "SAGEMAKER-JOB-NAME", "READY"],
        "models.sagemaker.aws.amazon.com": ["NAME", "STATUS", "SAGE-MAKER-MODEL-NAME", "READY"],
        "endpointconfigs": ["NAME", "STATUS", "SAGE-MAKER-ENDPOINTCONFIG-NAME", "READY"],
        "hostingdeployments": ["NAME", "STATUS", "SAGEMAKER-ENDPOINT-NAME", "READY"],
        "hap": ["NAME", "STATUS", "CREATION-TIME", "READY"],
    }  # fmt: skip
    assert len(everything) == sum(1 for _ in _samples())


@pytest.mark.guide("F-8d")
@pytest.mark.parametrize("mode", ["--server-side", "--server-side=false"], ids=["server-side", "client-side"])
def test_a_deployment_of_the_guide_is_stored_whole_and_may_change_its_form(kubectl: Kubectl, mode: str) -> None:
    """Names of containers and their definitions pass the same schema; nothing is dropped from either."""
    name = f"host-{'server' if mode == '--server-side' else 'client'}"
    by_name = yaml.safe_load(GUIDE.replace("host-xgboost", name))
    inline = copy.deepcopy(by_name)
    inline["spec"]["models"][0]["containers"] = inline["spec"].pop("containers")

    for manifest in (by_name, inline, by_name):
        kubectl.output("apply", mode, "--validate=strict", "--filename=-", stdin=json.dumps(manifest))
        stored = json.loads(kubectl.output("get", "hostingdeployment", name, "--output=json"))

        assert stored["spec"] == manifest["spec"]
    kubectl.output("delete", "hostingdeployment", name)


def test_two_managers_share_the_variants_of_a_deployment(kubectl: Kubectl) -> None:
    """Server-side apply merges variants and models by name: who owns one leaves the other alone."""
    ours = yaml.safe_load(GUIDE.replace("host-xgboost", "host-shared"))
    theirs = copy.deepcopy(ours)
    theirs["spec"]["productionVariants"][0]["variantName"] = "challenger"

    for manager, manifest in (("ours", ours), ("theirs", theirs), ("ours", ours)):
        arguments = ("apply", "--server-side", f"--field-manager={manager}", "--filename=-")
        kubectl.output(*arguments, stdin=json.dumps(manifest))

    stored = json.loads(kubectl.output("get", "hostingdeployment", "host-shared", "--output=json"))["spec"]
    kubectl.output("delete", "hostingdeployment", "host-shared")
    assert [variant["variantName"] for variant in stored["productionVariants"]] == ["all-traffic", "challenger"]
    assert [model["name"] for model in stored["models"]] == ["xgboost-model"]


def test_edits_of_what_is_fixed_are_refused_and_others_pass(kubectl: Kubectl) -> None:
    """Jobs whole; of the other kinds what tells where and under which name. Said with what to do instead."""
    outcomes = {}
    manifest = yaml.safe_dump_all(_first_samples().values())
    kubectl.output("create", "--filename=-", stdin=manifest)
    for kind, sample in _first_samples().items():
        recorded = json.dumps({"status": {"awsResource": {"name": "made"}}})
        created = f"{kind.lower()}.sagemaker.aws.amazon.com/{sample['metadata']['name']}"
        kubectl.output("patch", created, "--subresource=status", "--type=merge", "--patch", recorded)
        for field, value in (("region", "eu-west-1"), ("tags", [{"key": "a", "value": "b"}])):
            if (kind, field) == (UNTAGGED, "tags"):
                continue
            patch = json.dumps({"spec": {field: value}})
            done = kubectl("patch", created, "--type=merge", "--patch", patch)
            outcomes[kind, field] = done.returncode
            if done.returncode:
                assert "cannot be changed" in done.stderr
                assert "delete it and create it again" in done.stderr
    kubectl.output("delete", "--filename=-", stdin=manifest)

    jobs = {"TrainingJob", "HyperparameterTuningJob", "BatchTransformJob", "ProcessingJob"}
    assert {kind for (kind, field), code in outcomes.items() if field == "region" and code} == set(_first_samples())
    assert {kind for (kind, field), code in outcomes.items() if field == "tags" and code} == jobs


def _samples() -> Iterator[JsonObject]:
    for path in sorted(SAMPLES.glob("*.yaml")):
        yield from yaml.safe_load_all(path.read_text("utf-8"))


def _first_samples() -> dict[str, JsonObject]:
    """A sample of each kind, under a name of its own."""
    first: dict[str, JsonObject] = {}
    for sample in _samples():
        assert sample["apiVersion"] == API_VERSION
        first.setdefault(sample["kind"], sample)
    return {kind: sample | {"metadata": {"name": f"tried-{kind.lower()}"}} for kind, sample in first.items()}

"""The values and fields of status that the user guides name: scripts wait for these words."""

from pathlib import Path

import botocore.session
import pytest

from api.descriptor import KindDescriptor
from api.v1 import BATCH_TRANSFORM_JOB, HOSTING_DEPLOYMENT, HYPERPARAMETER_TUNING_JOB, TRAINING_JOB
from tests.documents import document

CRDS = Path(__file__).resolve().parents[3] / "config" / "crd" / "bases"
JOB = {"Completed", "InProgress", "Failed", "Stopped", "Stopping", "SynchronizingK8sJobWithSageMaker"}
ENDPOINT = {
    "SynchronizingK8sJobWithSageMaker",
    "ReconcilingEndpoint",
    "OutOfService",
    "Creating",
    "Updating",
    "SystemUpdating",
    "RollingBack",
    "InService",
    "Deleting",
    "Failed",
}


@pytest.mark.guide("F-5a", "F-8a")
@pytest.mark.parametrize(
    ("kind", "describe", "values"),
    [
        (TRAINING_JOB, "DescribeTrainingJob", JOB),
        (HYPERPARAMETER_TUNING_JOB, "DescribeHyperParameterTuningJob", JOB),
        (BATCH_TRANSFORM_JOB, "DescribeTransformJob", JOB),
        (HOSTING_DEPLOYMENT, "DescribeEndpoint", ENDPOINT),
    ],
    ids=["training", "tuning", "transform", "hosting"],
)
def test_the_statuses_of_the_guides_are_those_of_aws_and_a_few_of_ours(
    kind: KindDescriptor, describe: str, values: set[str]
) -> None:
    """What AWS says is shown word by word; before that, and in between, stand the operator's own words."""
    output = botocore.session.get_session().get_service_model("sagemaker").operation_model(describe).output_shape
    of_aws = set(output.members[kind.status.member].enum)
    assert values - of_aws <= {kind.status.synchronizing, kind.status.reconciling}
    assert "enum" not in status_schema(kind)[kind.status.field], "AWS may add words"


@pytest.mark.guide("F-8b")
def test_a_deployments_status_has_the_documented_fields() -> None:
    """By the names in manifests; `kubectl describe` spaces them."""
    documented = (
        "additional creationTime endpointArn endpointConfigName endpointName endpointStatus endpointUrl failureReason"
        " lastCheckTime lastModifiedTime modelNames"
    )
    assert set(documented.split()) <= set(status_schema(HOSTING_DEPLOYMENT))


def status_schema(kind: KindDescriptor) -> dict[str, dict[str, object]]:
    """Properties of the status in the CRD that we ship."""
    crd = document(CRDS / f"sagemaker.aws.amazon.com_{kind.plural}.yaml")
    schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    found: dict[str, dict[str, object]] = schema["properties"]["status"]["properties"]
    return found

"""Manifests and schemas for the tests of `api`."""

from pathlib import Path

import pytest

from api.meta import JsonObject
from tests.documents import document

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def training_job_crd() -> JsonObject:
    """The checked-in CRD, as users apply it."""
    path = ROOT / "config" / "crd" / "bases" / "sagemaker.aws.amazon.com_trainingjobs.yaml"
    crd: JsonObject = document(path)
    return crd


@pytest.fixture(scope="session")
def training_job_schema(training_job_crd: JsonObject) -> JsonObject:
    """The schema in it."""
    schema: JsonObject = training_job_crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return schema


@pytest.fixture
def training_job() -> JsonObject:
    """The least that v1 accepted as a TrainingJob; the caller owns it."""
    return {
        "apiVersion": "sagemaker.aws.amazon.com/v1",
        "kind": "TrainingJob",
        "metadata": {"name": "least", "namespace": "default"},
        "spec": {
            "region": "us-east-2",
            # Eleven digits, as in the guide's listing: only one of v1's three installers checked the account.
            "roleArn": "arn:aws:iam::12345678910:role/service-role/AmazonSageMaker-ExecutionRole",
            "algorithmSpecification": {"trainingInputMode": "File"},
            "outputDataConfig": {"s3OutputPath": "s3://my-bucket/models"},
            "resourceConfig": {"instanceCount": 1, "instanceType": "ml.m4.xlarge", "volumeSizeInGB": 5},
            "stoppingCondition": {},
        },
    }

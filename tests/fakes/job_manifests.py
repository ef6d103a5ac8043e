"""The least manifests of jobs."""

import copy

from api.descriptor import KindDescriptor
from api.meta import JsonObject, ObjectKey
from api.v1 import BATCH_TRANSFORM_JOB, PROCESSING_JOB, TRAINING_JOB

KEY = ObjectKey("default", "xgboost")

MANIFEST: JsonObject = {
    "apiVersion": "sagemaker.aws.amazon.com/v1",
    "kind": "TrainingJob",
    "metadata": {"namespace": "default", "name": "xgboost"},
    "spec": {
        "roleArn": "arn:aws:iam::123456789012:role/training",
        "region": "us-east-2",
        "algorithmSpecification": {"trainingImage": "image", "trainingInputMode": "File"},
        "outputDataConfig": {"s3OutputPath": "s3://bucket/xgboost"},
        "resourceConfig": {"instanceCount": 1, "instanceType": "ml.m4.xlarge", "volumeSizeInGB": 5},
        "stoppingCondition": {"maxRuntimeInSeconds": 3600},
    },
}


SPECS: dict[str, JsonObject] = {
    TRAINING_JOB.kind: MANIFEST["spec"],
    BATCH_TRANSFORM_JOB.kind: {
        "region": "us-east-2",
        "modelName": "model",
        "environment": [{"name": "LEVEL", "value": "info"}],
        "transformInput": {"dataSource": {"s3DataSource": {"s3DataType": "S3Prefix", "s3Uri": "s3://bucket/in"}}},
        "transformOutput": {"s3OutputPath": "s3://bucket/out"},
        "transformResources": {"instanceCount": 1, "instanceType": "ml.m4.xlarge"},
    },
    PROCESSING_JOB.kind: {
        "region": "us-east-2",
        "roleArn": "arn:aws:iam::123456789012:role/processing",
        "appSpecification": {"imageUri": "image"},
        "environment": [{"name": "LEVEL", "value": "info"}],
        "processingResources": {
            "clusterConfig": {"instanceCount": 1, "instanceType": "ml.m5.xlarge", "volumeSizeInGB": 5}
        },
    },
}
"""The least of each kind of job."""


def manifest(**spec: object) -> JsonObject:
    """The sample with fields of the spec replaced; None removes one."""
    obj = copy.deepcopy(MANIFEST)
    obj["spec"] = {name: value for name, value in {**obj["spec"], **spec}.items() if value is not None}
    return obj


def manifest_of(descriptor: KindDescriptor, name: str = "") -> JsonObject:
    """The least manifest of a kind; with `name` as the user's choice of the name at AWS, if given."""
    obj = {**copy.deepcopy(MANIFEST), "kind": descriptor.kind}
    obj["spec"] = copy.deepcopy(SPECS[descriptor.kind])
    return {**obj, "spec": {**obj["spec"], descriptor.name.spec_field: name}} if name else obj

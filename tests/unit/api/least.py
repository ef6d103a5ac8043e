"""The least that v1 accepted as an object of each kind."""

import copy

from api.meta import JsonObject

_ROLE = "arn:aws:iam::123456789012:role/service-role/AmazonSageMaker-ExecutionRole"

LEAST: dict[str, JsonObject] = {
    "TrainingJob": {
        "region": "us-east-2",
        "roleArn": _ROLE,
        "algorithmSpecification": {"trainingInputMode": "File"},
        "outputDataConfig": {"s3OutputPath": "s3://b/models"},
        "resourceConfig": {"instanceCount": 1, "instanceType": "ml.m4.xlarge", "volumeSizeInGB": 5},
        "stoppingCondition": {},
    },
    "HyperparameterTuningJob": {
        "region": "us-east-2",
        "hyperParameterTuningJobConfig": {
            "strategy": "Bayesian",
            "resourceLimits": {"maxNumberOfTrainingJobs": 10, "maxParallelTrainingJobs": 2},
        },
    },
    "BatchTransformJob": {
        "region": "us-east-2",
        "modelName": "m",
        "transformInput": {"dataSource": {"s3DataSource": {"s3DataType": "S3Prefix", "s3Uri": "s3://b/in"}}},
        "transformOutput": {"s3OutputPath": "s3://b/out"},
        "transformResources": {"instanceCount": 1, "instanceType": "ml.m4.xlarge"},
    },
    "PipelineExecution": {"region": "us-east-2", "pipelineName": "p"},
    "ProcessingJob": {
        "region": "us-east-2",
        "roleArn": _ROLE,
        "appSpecification": {},
        "processingResources": {
            "clusterConfig": {"instanceCount": 1, "instanceType": "ml.m5.xlarge", "volumeSizeInGB": 5}
        },
        "processingInputs": [
            {
                "inputName": "in",
                "s3Input": {
                    "localPath": "/opt/ml/processing/input",
                    "s3DataType": "S3Prefix",
                    "s3InputMode": "File",
                    "s3Uri": "s3://b/in",
                },
            }
        ],
    },
    "Model": {"region": "us-east-2", "executionRoleArn": _ROLE},
    "EndpointConfig": {
        "region": "us-east-2",
        "productionVariants": [
            {"variantName": "v", "modelName": "m", "instanceType": "ml.m5.xlarge", "initialInstanceCount": 1}
        ],
    },
    "HostingDeployment": {
        "region": "us-east-2",
        "productionVariants": [
            {"variantName": "v", "modelName": "m", "instanceType": "ml.m5.xlarge", "initialInstanceCount": 1}
        ],
        "models": [{"name": "m", "executionRoleArn": _ROLE}],
    },
    "InferenceComponent": {
        "region": "us-east-2",
        "endpointName": "e",
        "specification": {"container": {"image": "i"}, "computeResourceRequirements": {"minMemoryRequiredInMb": 128}},
    },
    "HostingAutoscalingPolicy": {"region": "us-east-2"},
    "ModelPackageGroup": {"region": "us-east-2"},
    "ModelPackage": {"region": "us-east-2", "modelPackageName": "p"},
    "Pipeline": {"region": "us-east-2", "roleArn": _ROLE, "pipelineDefinition": "{}"},
}
"""Specs by kind. Not to be changed: `manifest` copies."""


def manifest(kind: str, spec: JsonObject | None = None) -> JsonObject:
    """An object of the kind, with the least spec if none is given. The caller owns it."""
    return {
        "apiVersion": "sagemaker.aws.amazon.com/v1",
        "kind": kind,
        "metadata": {"name": "x", "namespace": "default"},
        "spec": copy.deepcopy(LEAST[kind] if spec is None else spec),
    }

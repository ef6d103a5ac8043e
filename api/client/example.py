"""The example of docs/client.md: trains a model, shows why it failed if it did, and cleans up."""

from api.client import Client, ObjectFailedError, TrainingJob


def train(client: Client, role_arn: str, bucket: str) -> str:
    """Train XGBoost on MNIST and return where the model is."""
    job: TrainingJob = {
        "apiVersion": "sagemaker.aws.amazon.com/v1",
        "kind": "TrainingJob",
        "metadata": {"generateName": "xgboost-mnist-"},
        "spec": {
            "region": "us-east-2",
            "roleArn": role_arn,
            "algorithmSpecification": {
                "trainingImage": "825641698319.dkr.ecr.us-east-2.amazonaws.com/xgboost:1",
                "trainingInputMode": "File",
            },
            "hyperParameters": [{"name": "num_round", "value": "10"}, {"name": "objective", "value": "multi:softmax"}],
            "inputDataConfig": [
                {
                    "channelName": "train",
                    "dataSource": {"s3DataSource": {"s3DataType": "S3Prefix", "s3Uri": f"s3://{bucket}/train/"}},
                }
            ],
            "outputDataConfig": {"s3OutputPath": f"s3://{bucket}/models/"},
            "resourceConfig": {"instanceCount": 1, "instanceType": "ml.m5.large", "volumeSizeInGB": 5},
            "stoppingCondition": {"maxRuntimeInSeconds": 3600},
        },
    }
    created = client.create(job)
    try:
        done = client.wait(created, timeout_s=2 * 3600)
    except ObjectFailedError as failure:
        print(f"failed for {failure.reason}; the end of its log:")
        for line in client.logs(created, tail=20):
            print(line)
        raise
    client.delete(done)
    return done["status"]["modelPath"]

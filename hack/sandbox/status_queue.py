"""Makes a queue that receives SageMaker's state changes, as config/aws/status-queue.yaml does in an account."""

import json

import boto3

from hack.sandbox.aws.state_changes import SPELLINGS, STEPS
from hack.sandbox.operator_process import REGION

NAME = "sagemaker-operator-status"


def create(url: str, region: str = REGION, role: str = "") -> str:
    """Create the queue and its rule in the embedded AWS at `url`, in the account of a role; returns the queue's URL."""
    session = session_of(url, region, role)
    sqs, events = session.client("sqs", endpoint_url=url), session.client("events", endpoint_url=url)
    queue: str = sqs.create_queue(QueueName=NAME)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    announced = [spelling.detail_type for spelling in (*SPELLINGS, STEPS)]
    pattern = {"source": ["aws.sagemaker"], "detail-type": announced}
    events.put_rule(Name=NAME, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=NAME, Targets=[{"Id": "queue", "Arn": arn}])
    return queue


def session_of(url: str, region: str, role: str) -> boto3.session.Session:
    """Return a session in the embedded AWS at `url`: under a role, or in the account that it has by default."""
    session = boto3.session.Session("sandbox", "sandbox", region_name=region)
    if not role:
        return session
    keys = session.client("sts", endpoint_url=url).assume_role(RoleArn=role, RoleSessionName="sandbox")["Credentials"]
    return boto3.session.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], region_name=region)

"""The same work in the style of kopf's guide: a handler that creates, a timer that polls, a handler that stops.

`peers` runs it with `kopf run`; it is as small and idiomatic as a fair comparison needs. In its favour: no
Kubernetes Event for each successful handler, as many threads as the operator has connections, TCP_NODELAY and
connection pool as in boto3, no write without a change.
"""

import logging
import os
from typing import Any, Final

import boto3
import kopf
from botocore.config import Config
from botocore.exceptions import ClientError

from api.convert import to_request
from api.v1 import TRAINING_JOB

RESOURCE: Final = ("sagemaker.aws.amazon.com", "v1", "trainingjobs")
POLL_S: Final = float(os.environ.get("POLL_S", "5"))
ENDED: Final = frozenset({"Completed", "Failed", "Stopped"})
_THREADS: Final = 32

sagemaker: Any = boto3.session.Session().client(
    "sagemaker", config=Config(max_pool_connections=_THREADS, retries={"mode": os.environ.get("RETRIES", "standard")})
)


@kopf.on.startup()
def configure(settings: kopf.OperatorSettings, **_: Any) -> None:
    """Send the API server less than by default, and use more threads."""
    settings.posting.level = logging.WARNING
    settings.execution.max_workers = _THREADS


def job_name(uid: str, name: str) -> str:
    """Return a unique name that is the same after a restart."""
    return f"{name[:30]}-{uid.replace('-', '')}"


@kopf.on.create(*RESOURCE)
def create(spec: kopf.Spec, uid: str, name: str, patch: kopf.Patch, **_: Any) -> None:
    """Create the job; an existing one is ours, since its name contains the uid."""
    request = to_request(TRAINING_JOB, dict(spec)) | {"TrainingJobName": job_name(uid, name)}
    try:
        sagemaker.create_training_job(**request)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceInUse":
            raise
    patch.status["sageMakerTrainingJobName"] = request["TrainingJobName"]
    patch.status["trainingJobStatus"] = "InProgress"
    patch.status["secondaryStatus"] = "Starting"


def is_live(status: kopf.Status, **_: Any) -> bool:
    """Return whether the timer runs for the job: created and not finished."""
    return bool(status.get("sageMakerTrainingJobName")) and status.get("trainingJobStatus") not in ENDED


@kopf.timer(*RESOURCE, interval=POLL_S, initial_delay=POLL_S, when=is_live)
def poll(status: kopf.Status, patch: kopf.Patch, **_: Any) -> None:
    """Describe the job and write changes to the status."""
    job = sagemaker.describe_training_job(TrainingJobName=status["sageMakerTrainingJobName"])
    for field, member in (("trainingJobStatus", "TrainingJobStatus"), ("secondaryStatus", "SecondaryStatus")):
        if status.get(field) != job.get(member):
            patch.status[field] = job.get(member)


@kopf.on.delete(*RESOURCE)
def stop(status: kopf.Status, **_: Any) -> None:
    """Stop a running job."""
    if is_live(status):
        sagemaker.stop_training_job(TrainingJobName=status["sageMakerTrainingJobName"])

"""Makes the records of jobs that ended in the past: small, valid, completed."""

from collections.abc import Mapping
from typing import Any, Final

from hack.sandbox.aws.jobs.job import Job, JobKind
from hack.sandbox.aws.jobs.kinds import KINDS
from hack.sandbox.aws.records.past import Finished
from hack.sandbox.aws.records.resource import partition
from hack.sandbox.aws.records.timeline import Durations
from hack.sandbox.aws.records.triggers import Markers

_ROLE = "arn:aws:iam::123456789012:role/past"
_INSTANCES = {"InstanceType": "ml.m5.large", "InstanceCount": 1}
_REQUESTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "TrainingJob": {
        "AlgorithmSpecification": {"TrainingImage": "registry/algorithm:1", "TrainingInputMode": "File"},
        "RoleArn": _ROLE,
        "OutputDataConfig": {"S3OutputPath": "s3://past/models"},
        "ResourceConfig": {**_INSTANCES, "VolumeSizeInGB": 5},
        "StoppingCondition": {"MaxRuntimeInSeconds": 86_400},
    },
    "TransformJob": {
        "ModelName": "past",
        "TransformInput": {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://past/in"}}},
        "TransformOutput": {"S3OutputPath": "s3://past/out"},
        "TransformResources": _INSTANCES,
    },
    "ProcessingJob": {
        "AppSpecification": {"ImageUri": "registry/processor:1"},
        "RoleArn": _ROLE,
        "ProcessingResources": {"ClusterConfig": {**_INSTANCES, "VolumeSizeInGB": 5}},
    },
}
_DURATIONS: Final = Durations()


def _of(job_kind: JobKind) -> Finished:
    request = _REQUESTS[job_kind.resource]

    def made(_kind: object, account: str, region: str, name: str, created_at: float) -> Job:
        return Job(
            name=name,
            arn=f"arn:{partition(region)}:sagemaker:{region}:{account}:{job_kind.arn_segment}/{name}",
            region=region,
            account=account,
            request={**request, job_kind.name_member: name},
            created_at=created_at,
            course=job_kind.plan(request, Markers(), created_at, _DURATIONS),
            markers=Markers(),
            durations=_DURATIONS,
        )

    return made


FINISHED: Final[Mapping[str, Finished]] = {kind.resource: _of(kind) for kind in KINDS}

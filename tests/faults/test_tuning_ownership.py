"""What a spawned TrainingJob may stop: owner references and annotations can be made up, tags at AWS cannot."""

import json

import pytest

from api.meta import GROUP, JsonObject
from controller.aws.ownership_tags import OwnerTags
from tests.fakes.job_manifests import KEY, manifest
from tests.fakes.world import World

PARENT_UID = "11111111-2222-3333-4444-555555555555"


def announced(job: str, arn: str) -> JsonObject:
    """An object as the operator makes it for a launched training job: or as anybody may write it."""
    obj = manifest(trainingJobName=job)
    resource = {"name": job, "region": "us-east-2", "partition": "aws", "arn": arn}
    obj["metadata"]["annotations"] = {f"{GROUP}/aws-resource": json.dumps(resource)}
    obj["metadata"]["ownerReferences"] = [
        {
            "apiVersion": f"{GROUP}/v1",
            "kind": "HyperparameterTuningJob",
            "name": "tuning",
            "uid": PARENT_UID,
            "controller": True,
        }
    ]
    return obj


def tags_of(uid: str, namespace: str) -> list[JsonObject]:
    """Tags as the operator puts them on a tuning job, which AWS copies to what it launches."""
    world = World()
    owner = OwnerTags(
        cluster=world.settings.cluster_id,
        kind="HyperparameterTuningJob",
        key=type(KEY)(namespace, "tuning"),
        uid=uid,
        manager="test",
    )
    return [{"Key": key, "Value": value} for key, value in owner.tags().items()]


@pytest.mark.parametrize(
    ("tags", "stops"),
    [
        pytest.param([], 0, id="somebody else's job: no tags of ours"),
        pytest.param(tags_of(PARENT_UID, KEY.namespace), 1, id="launched by the parent that the object names"),
        pytest.param(tags_of("99999999-0000", KEY.namespace), 0, id="launched by another tuning job"),
        pytest.param(tags_of(PARENT_UID, "elsewhere"), 0, id="launched by one of another namespace"),
    ],
)
def test_deleting_an_object_that_names_a_launched_job_stops_only_what_its_parent_launched(
    tags: list[JsonObject], stops: int
) -> None:
    """DESIGN 4.4, D-03: what is not ours is never stopped, whatever an object says of itself."""
    world = World()
    job = world.aws.existing("foreign-prod-job", Tags=tags)
    world.cluster.apply(announced(job.name, job.arn))
    world.run(30)
    assert world.aws.count("create") == 0
    world.cluster.delete(KEY)
    world.run(30)
    assert world.aws.count("stop") == stops
    if not stops:
        assert world.cluster.get(KEY) is None, "the object is let go, the job is left alone"

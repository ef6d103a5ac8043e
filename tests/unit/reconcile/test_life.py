"""A training job's ordinary life, from manifest to Completed, and what it costs."""

from tests.faults.world import KEY, World, manifest


def test_a_job_is_created_followed_and_completed() -> None:
    """v1-kinds.md 12.1 rows 1, 5 and 10: one Create, status by List deltas, one Describe at the end."""
    world = World()
    world.cluster.apply(manifest())
    world.run(10)
    assert world.status["trainingJobStatus"] == "InProgress"
    world.aws.move(world.job_name, "InProgress", "Training")
    world.run(10)
    assert world.status["secondaryStatus"] == "Training"
    world.aws.move(
        world.job_name, "Completed", ModelArtifacts={"S3ModelArtifacts": "s3://bucket/xgboost/output/model.tar.gz"}
    )
    world.run(10)
    assert world.status["trainingJobStatus"] == "Completed"
    assert world.status["modelPath"] == "s3://bucket/xgboost/output/model.tar.gz"
    assert world.condition("Complete") == ("True", "Completed")
    assert world.condition("Ready") == ("True", "Completed")
    assert world.recorder.events == [("Normal", "Created"), ("Normal", "Completed")]
    assert (world.aws.count("create"), world.aws.count("describe"), world.aws.count("tags")) == (1, 1, 0)
    assert len(world.cluster.writes) <= 4 + 3
    assert world.errors == []


def test_deleting_a_running_job_stops_it_waits_and_lets_go() -> None:
    """Rows 7, 8 and 11."""
    world = World()
    world.cluster.apply(manifest())
    world.run(10)
    name = world.job_name
    world.cluster.delete(KEY)
    world.run(10)
    assert world.status["trainingJobStatus"] == "Stopping"
    assert world.aws.count("stop") == 1
    world.aws.move(name, "Stopped")
    world.run(10)
    assert world.cluster.get(KEY) is None
    assert world.aws.count("stop") == 1
    assert world.errors == []

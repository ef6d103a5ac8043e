"""The client of notebooks and pipelines, end to end: the example of its page, a failure with its log, a deletion."""

import re
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import cast

import boto3
import pytest

from api.client import (
    AlreadyExistsError,
    Client,
    NotFoundError,
    ObjectFailedError,
    RequestError,
    TrainingJob,
    example,
)
from api.meta import JsonObject
from controller.runtime.clock import SystemClock
from tests.sandbox.conftest import World
from tests.sandbox.harness import REPOSITORY

pytestmark = pytest.mark.sandbox

ROLE = "arn:aws:iam::123456789012:role/service-role/AmazonSageMaker-ExecutionRole"


def test_the_page_shows_the_example_that_runs_here() -> None:
    """`make type` checks its types."""
    page = (REPOSITORY / "docs" / "client.md").read_text("utf-8")
    (shown,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    code = Path(example.__file__).read_text("utf-8").partition('"""\n\n')[2]
    assert shown == code


@pytest.fixture
def lines() -> list[str]:
    """What a wait shows."""
    return []


@pytest.fixture
def client(world: World, lines: list[str], monkeypatch: pytest.MonkeyPatch) -> Client:
    """With the kubeconfig, and AWS credentials for the logs; an operator runs."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    world.operator().until_ready()
    boto = partial(boto3.client, endpoint_url=world.aws.url)
    return Client(kubeconfig=str(world.direct_kubeconfig), boto=boto, progress=lines.append)


def test_what_the_page_of_the_client_promises(
    world: World, client: Client, lines: list[str], manifest: JsonObject
) -> None:
    """One life of the example, one of a job that is followed and fails, with one operator."""
    the_example_trains_a_model_and_cleans_up(world, client, lines)
    a_log_is_followed_from_before_its_job_is_created_to_its_end(world, client, lines, manifest)
    a_failure_has_sagemakers_words_and_a_log(client, manifest)


def the_example_trains_a_model_and_cleans_up(world: World, client: Client, lines: list[str]) -> None:
    """The name is made by the API server; the namespace is the context's."""
    path = example.train(client, ROLE, "my-bucket")
    assert re.fullmatch(r"s3://my-bucket/models/.*/output/model.tar.gz", path)
    assert client.namespace == world.api.namespace
    assert re.fullmatch(r"TrainingJob xgboost-mnist-\w+ is ready: Completed.*", lines[-1])


class Faster:
    """Ten times as fast as the machine's clocks: jobs of tests are, too."""

    def monotonic(self) -> float:
        """See `Clock.monotonic`."""
        return time.monotonic() * 10

    def utcnow(self) -> datetime:
        """See `Clock.utcnow`."""
        return datetime.now(UTC)


def a_log_is_followed_from_before_its_job_is_created_to_its_end(
    world: World, client: Client, lines: list[str], manifest: JsonObject
) -> None:
    """Throttled in between, with each line once; then it is the log that is there."""
    manifest["spec"]["hyperParameters"].append({"name": "SANDBOX_FAIL", "value": "no data"})
    client._clock, client._pause = Faster(), lambda seconds: time.sleep(seconds / 10)
    world.aws.faults.add("FilterLogEvents", "throttle", count=3)
    created = client.create(cast("TrainingJob", manifest))
    followed = [*client.logs(created, follow=True)]
    client._clock, client._pause = SystemClock(), time.sleep
    assert any("trying again" in line for line in lines)
    assert len(followed) > 1
    assert followed == [*client.logs(created)]
    assert followed[-1:] == [*client.logs(created, tail=1)]


def a_failure_has_sagemakers_words_and_a_log(client: Client, manifest: JsonObject) -> None:
    """And what is there already, or is no field, is refused; a deletion is waited for."""
    job: TrainingJob = manifest  # type: ignore[assignment]
    created = client.get(TrainingJob, job["metadata"]["name"])
    with pytest.raises(ObjectFailedError, match="no data") as failure:
        client.wait(created)
    assert failure.value.reason == "Failed"
    with pytest.raises(AlreadyExistsError):
        client.create(job)
    typo: TrainingJob = {**job, "metadata": {"name": "typo"}, "spec": {**job["spec"], "regoin": "us-east-2"}}
    with pytest.raises(RequestError, match="regoin"):
        client.create(typo)
    client.delete(created, timeout_s=60)
    with pytest.raises(NotFoundError):
        client.get(TrainingJob, created["metadata"]["name"])

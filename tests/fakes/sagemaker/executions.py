"""Executions of pipelines in memory: client tokens count for a while, Lists lag, steps are what a test says."""

from collections.abc import Hashable, Mapping
from datetime import datetime, timedelta
from typing import Any

from api.descriptor import KindDescriptor
from controller.aws.errors import AwsError
from controller.aws.sagemaker import Page
from controller.aws.targets import Target
from controller.runtime.errors import ABSENT, Absent, ErrorClass
from tests.fakes.sagemaker.arns import ACCOUNT
from tests.fakes.sagemaker.jobs import FakeJobs, Job


class FakeExecutions(FakeJobs):
    """`Jobs` and `Parts`; records are kept by ARN."""

    token_life_s = 900.0
    """Seconds for which a token stands for what was started with it."""
    list_lag_s = 5.0
    """Seconds after which Lists show an execution."""

    def _of(self, region: str, pipeline: str) -> list[Job]:
        return [
            job for (where, _), job in self.jobs.items() if (where, job.request["PipelineName"]) == (region, pipeline)
        ]

    def existing(self, name: str, value: str = "Executing", *, region: str = "us-east-2", **request: Any) -> Job:
        """Add an execution that the operator has not started; `name` is its ARN."""
        now = self._clock.utcnow()
        job = self.jobs[region, name] = Job(name, name, request, now, now, value)
        return job

    def create(
        self, descriptor: KindDescriptor, target: Target, request: Mapping[str, Any], *, caller: Hashable
    ) -> str:
        """See `Jobs.create`."""
        token, pipeline = request["ClientRequestToken"], request["PipelineName"]
        with self._call("create", token):
            now = self._clock.utcnow()
            since = now - timedelta(seconds=self.token_life_s)
            for job in self._of(target.region, pipeline):
                if job.request["ClientRequestToken"] == token and job.created >= since:
                    return job.arn
            arn = f"arn:aws:sagemaker:{target.region}:{ACCOUNT}:pipeline/{pipeline}/execution/e{len(self.jobs)}"
            self.jobs[target.region, arn] = Job(arn, arn, dict(request), now, now, "Executing")
        return arn

    def describe(
        self, descriptor: KindDescriptor, target: Target, name: str, *, caller: Hashable, background: bool
    ) -> dict[str, Any] | Absent:
        """See `Jobs.describe`."""
        with self._call("describe", name):
            job = self._visible(target, name)
            if job is None:
                return ABSENT
            shown = {key: value for key, value in job.request.items() if key.startswith("PipelineExecution")}
            return {**shown, **self._summary(descriptor, job), **job.extra}

    def stop(self, descriptor: KindDescriptor, target: Target, name: str, *, caller: Hashable) -> Absent | None:
        """See `Jobs.stop`."""
        with self._call("stop", name):
            job = self._visible(target, name)
            if job is None:
                return ABSENT
            if job.value != "Executing":
                raise AwsError(ErrorClass.CONFLICT, "ConflictException", f"the execution is {job.value}")
            self.stopped.append(name)
            self.move(name, "Stopping", region=target.region)
        return None

    def list_page(self, descriptor: KindDescriptor, target: Target, *, next_token: str) -> Page:
        """See `Jobs.list_page`: there is no List of all executions."""
        raise AssertionError("executions are listed by pipeline")

    def created_page(
        self,
        descriptor: KindDescriptor,
        target: Target,
        pipeline: str,
        since: datetime,
        *,
        next_token: str,
        caller: Hashable,
    ) -> Page:
        """See `Parts.created_page`."""
        with self._call("list", pipeline):
            until = self._clock.utcnow() - timedelta(seconds=self.list_lag_s)
            found = [job for job in self._of(target.region, pipeline) if since < job.created <= until]
            start = int(next_token or 0)
            end = start + self.page_size
            items = [
                {
                    "PipelineExecutionArn": job.arn,
                    "PipelineExecutionDescription": job.request.get("PipelineExecutionDescription", ""),
                }
                for job in found[start:end]
            ]
        return Page(tuple(items), str(end) if end < len(found) else "")

    def steps_page(self, target: Target, arn: str, *, next_token: str, caller: Hashable) -> Page:
        """See `Parts.steps_page`."""
        with self._call("steps", arn):
            job = self.jobs.get((target.region, arn))
            steps = () if job is None else job.extra.get("steps", ())
            start = int(next_token or 0)
            end = start + self.page_size
        return Page(tuple(steps[start:end]), str(end) if end < len(steps) else "")

"""The model of the life-cycle of jobs: one job, beside one of others, and all that can happen to it."""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

from api.meta import GROUP, JsonObject
from tests.fakes.job_manifests import manifest
from tests.fakes.sagemaker.jobs import Job
from tests.faults.explorer.explorable import Explorable, Fact, Times
from tests.faults.explorer.life import Bounds, LifeModel
from tests.faults.explorer.search import InvariantError, Move

NAMES: Final = {"generated": "", "given": "my-job", "taken": "foreign"}
"""Names of the job by where they come from; others have a job of the last one."""
_ENDS: Final = {"InProgress": "Completed", "Stopping": "Stopped"}


def _specs(name: str) -> Mapping[str, JsonObject]:
    given = {"trainingJobName": name} if name else {}
    return {
        "A": manifest(tags=[{"key": "team", "value": "a"}], **given),
        "B": manifest(tags=[{"key": "stage", "value": "test"}], **given),
    }


class JobModel(LifeModel):
    """See `search.Model`."""

    def __init__(self, bounds: Bounds, name: str = "generated") -> None:
        world = Explorable()
        world.aws.existing("foreign")
        self._name = name
        self.listed: Mapping[str, JsonObject] = {}
        """What a List answers now, by name."""
        self.before: Mapping[str, JsonObject] = {}
        """What it answered before the last change."""
        super().__init__(world, _specs(NAMES[name]), bounds)
        self._uid = world.obj["metadata"]["uid"]

    # --- the state

    def aws(self) -> Any:
        """See `LifeModel.aws`."""
        return {key: _copied(each) for key, each in self.world.aws.jobs.items()}

    def put_back(self, aws: Any) -> None:
        """See `LifeModel.put_back`."""
        self.world.aws.jobs = {key: _copied(each) for key, each in aws.items()}

    def own(self) -> Any:
        """See `LifeModel.own`."""
        return self.listed, self.before

    def put_back_own(self, own: Any) -> None:
        """See `LifeModel.put_back_own`."""
        self.listed, self.before = own

    def own_facts(self) -> Iterator[Fact]:
        """See `LifeModel.own_facts`."""
        for (_, name), job in sorted(self.world.aws.jobs.items()):
            tags = sorted(job.tags.items())
            yield [name, job.value, tags], Times([self.world.seconds(job.modified)])
        if self.bounds.late:
            for name, each in sorted(self.before.items()):
                yield [name, each["TrainingJobStatus"]], Times([self.world.seconds(each["LastModifiedTime"])])

    # --- what can happen

    def calm_moves(self) -> Iterator[Move]:
        """See `LifeModel.calm_moves`."""
        yield self.move("a List comes", self._list, is_calm=True)
        yield self.move("SageMaker ends the job", self._work, is_calm=True)

    def other_moves(self) -> Iterator[Move]:
        """See `LifeModel.other_moves`."""
        if self.bounds.late and self.before:
            yield self.move("a List comes from before the last change", self._list_late)
        if self.bounds.takes and (ours := self._ours()):
            yield self.move("others delete the job, and create theirs", partial(self._take, ours[0].name))

    def after_move(self) -> None:
        """See `LifeModel.after_move`."""
        aws = self.world.aws
        now = {job.name: aws._summary(self.world.descriptor, job) for job in aws.jobs.values()}
        if now != self.listed:
            self.listed, self.before = now, self.listed

    def _list(self) -> None:
        self.world.shown_tracker.list(self.listed.values())

    def _list_late(self) -> None:
        self.bounds = replace(self.bounds, late=self.bounds.late - 1)
        self.world.shown_tracker.list(self.before.values())

    def _take(self, name: str) -> None:
        self.bounds = replace(self.bounds, takes=self.bounds.takes - 1)
        self.world.aws.existing(name)

    def _work(self) -> None:
        for job in self._ours():
            if job.value in _ENDS:
                self.world.aws.move(job.name, _ENDS[job.value])

    def _ours(self) -> list[Job]:
        return [job for job in self.world.aws.jobs.values() if job.tags.get(f"{GROUP}/uid") == self._uid]

    def _theirs(self) -> list[Job]:
        return [job for job in self.world.aws.jobs.values() if job.tags.get(f"{GROUP}/uid") != self._uid]

    # --- what must hold

    def check(self) -> None:
        """See `Model.check`."""
        super().check()
        if len(self._ours()) > 1:
            raise InvariantError("the job was made twice")
        if any((job.value, job.tags) != ("InProgress", {}) for job in self._theirs()):
            raise InvariantError("the job of others was touched")
        if not self.is_deleted and any(job.value in {"Stopping", "Stopped"} for job in self._ours()):
            raise InvariantError("a job that is wanted was stopped")
        if self.world.cluster.peek(self.world.key) is None and any(job.value in _ENDS for job in self._ours()):
            raise InvariantError("the object is gone, and its job runs")

    def check_end(self) -> None:
        """See `Model.check_end`."""
        world = self.world
        if self.is_deleted:
            if world.obj is not None:
                raise InvariantError("the deletion does not come to its end")
            return
        if self._name == "taken":
            if world.condition("Synced") != ("False", "AlreadyExists"):
                raise InvariantError("it is not shown that the name is taken")
        elif len(self._theirs()) > 1:
            if self.world.value != "Completed":
                self.check_told_of_others()
        else:
            (job,) = self._ours()
            if (job.value, world.value) != ("Completed", "Completed"):
                raise InvariantError(f"the job is {job.value}, and the status shows {world.value}")
        self.check_idle()

    def repeats(self) -> bool:
        """See `Model.repeats`: a name that is taken is looked at, by one call, and left alone."""
        is_told = self.world.condition("Stalled") == ("True", "AlreadyExists")
        calls = self.world.sagemaker.operations
        return is_told and not self.is_deleted and len(calls) <= 1 and {*calls} <= {"describe"}

    def note_aws(self) -> str:
        """See `LifeModel.note_aws`."""
        return f"jobs {[(job.name[:20], job.value) for job in self.world.aws.jobs.values()]}"


def _copied(job: Job) -> Job:
    return replace(job, request=dict(job.request), extra=copy.copy(job.extra), past=[])

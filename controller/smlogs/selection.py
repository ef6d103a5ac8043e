"""Selects the log streams with the lines of exactly one job or endpoint. Pure except for `members`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from controller.smlogs.subject import Subject


class Members(Protocol):
    """The training jobs of a tuning job."""

    def __contains__(self, job_name: object, /) -> bool:
        """Return whether the tuning job launched this one; may call AWS."""
        ...


@dataclass(frozen=True, slots=True)
class Selection:
    """A log group, and the streams in it."""

    group: str
    prefix: str
    """Prefix of the names of all selected streams, and perhaps of others; may be empty."""
    accepts: Callable[[str], bool]
    """Returns whether the stream of this name is selected."""


def of(subject: Subject, search_prefix: str, members: Members | None = None) -> Selection:
    """Return the streams of `subject` with names that continue with `search_prefix`; `members` for a tuning job.

    A job's streams are `<job>/…`, with the slash: the job `foo` is not `foo-bar` (D-48). An endpoint's group is its
    own. A tuning job's name is a prefix of its training jobs' names (API reference, CreateHyperParameterTuningJob),
    and of other names, too: one request finds all of them, and `members` distinguishes them.
    """
    kind = subject.kind
    if kind.has_own_group:
        return Selection(f"{kind.log_group}/{subject.aws_name}", search_prefix, _starts_with(search_prefix))
    if members is None:
        prefix = f"{subject.aws_name}/{search_prefix}"
        return Selection(kind.log_group, prefix, _starts_with(prefix))

    def is_of_member(stream: str) -> bool:
        job, _, rest = stream.partition("/")
        return rest.startswith(search_prefix) and job in members

    return Selection(kind.log_group, f"{subject.aws_name}-", is_of_member)


def of_steps(subject: Subject, search_prefix: str) -> tuple[Selection, ...]:
    """Return the streams of the jobs that the steps of an execution become, by log group.

    AWS names these jobs `pipelines-<execution>-<step>-<random>`; the execution is the last part of its ARN, and unique.
    """
    prefix = f"pipelines-{subject.aws_name.rpartition('/')[2]}-"

    def is_of_step(stream: str) -> bool:
        return stream.startswith(prefix) and stream.partition("/")[2].startswith(search_prefix)

    return tuple(Selection(group, prefix, is_of_step) for group in subject.kind.step_groups)


def _starts_with(prefix: str) -> Callable[[str], bool]:
    return lambda stream: stream.startswith(prefix)

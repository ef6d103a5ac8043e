"""The kinds with logs: the fields of their SageMaker names and states, and their log groups, from the descriptors."""

from dataclasses import dataclass
from typing import Final

from api.descriptor import KindDescriptor
from api.meta import GROUP, Resource
from api.v1 import (
    BATCH_TRANSFORM_JOB,
    HOSTING_DEPLOYMENT,
    HYPERPARAMETER_TUNING_JOB,
    INFERENCE_COMPONENT,
    PIPELINE_EXECUTION,
    PROCESSING_JOB,
    TRAINING_JOB,
)


@dataclass(frozen=True, slots=True)
class LogKind:
    """The properties of a kind that its logs need."""

    resource: Resource
    name_member: str
    """AWS's member for its name, e.g. `TrainingJobName`: shown to users."""
    spec_name_field: str
    """Empty if the spec has no field for the name."""
    status_name_field: str
    status_field: str
    secondary_field: str
    """Empty if there is none."""
    terminal: frozenset[str]
    """States after which no line is written; empty if the resource runs until it is deleted."""
    pending: frozenset[str]
    """States of the operator, not of AWS: they do not mean that the resource exists at AWS."""
    log_group: str
    has_own_group: bool = False
    """Whether the SageMaker name is the last part of the log group, rather than the first part of the streams."""
    is_tuning: bool = False
    """Whether its lines are those of the training jobs that it launched."""
    step_groups: tuple[str, ...] = ()
    """Log groups of the jobs that its steps become: its lines are theirs. Empty if it has no steps."""
    aliases: tuple[str, ...] = ()
    """Further names of the command, in lower case, in addition to kind, plural and singular."""

    @property
    def kind(self) -> str:
        """Return the kind's name, which is also the command's."""
        return self.resource.kind

    @property
    def names(self) -> tuple[str, ...]:
        """Return all names of the command in lower case; case does not matter."""
        return tuple(dict.fromkeys((self.kind.lower(), self.resource.plural, *self.aliases)))


def _of(
    descriptor: KindDescriptor,
    *aliases: str,
    has_own_group: bool = False,
    is_tuning: bool = False,
    steps: tuple[KindDescriptor, ...] = (),
) -> LogKind:
    return LogKind(
        resource=descriptor.resource,
        name_member=descriptor.name.member,
        spec_name_field=descriptor.name.spec_field,
        status_name_field=descriptor.name.status_field,
        status_field=descriptor.status.field,
        secondary_field=descriptor.status.secondary_field or "",
        terminal=descriptor.status.terminal,
        pending=frozenset({"", descriptor.status.synchronizing, descriptor.status.reconciling}),
        log_group=descriptor.log_group or "",
        has_own_group=has_own_group,
        is_tuning=is_tuning,
        step_groups=tuple(each.log_group for each in steps if each.log_group),
        aliases=(descriptor.singular, *descriptor.short_names, *aliases),
    )


LOG_KINDS: Final = (
    _of(BATCH_TRANSFORM_JOB),
    _of(HOSTING_DEPLOYMENT, "endpoint", "endpoints", has_own_group=True),
    _of(HYPERPARAMETER_TUNING_JOB, is_tuning=True),
    _of(INFERENCE_COMPONENT, "component", "components", has_own_group=True),
    _of(PIPELINE_EXECUTION, steps=(BATCH_TRANSFORM_JOB, PROCESSING_JOB, TRAINING_JOB)),
    _of(PROCESSING_JOB),
    _of(TRAINING_JOB),
)
"""In alphabetical order, as the help text shows them."""


def find(command: str) -> LogKind | None:
    """Return the kind for `command`: kind, plural or alias in any case, with or without the API group."""
    wanted = command.lower().removesuffix(f".{GROUP}")
    return next((kind for kind in LOG_KINDS if wanted in kind.names), None)


def nearest(command: str) -> str:
    """Return the kind's name in lower case that is most like `command`, or nothing if none is."""
    from difflib import get_close_matches  # noqa: PLC0415 - needed for a typo only

    names = {name: kind.names[0] for kind in LOG_KINDS for name in kind.names}
    return next((names[each] for each in get_close_matches(command.lower(), names, n=1)), "")

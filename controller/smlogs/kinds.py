"""The kinds whose logs can be read: where their SageMaker names, states and log groups are. From their descriptors."""

from dataclasses import dataclass
from typing import Final

from api.descriptor import KindDescriptor
from api.meta import GROUP, Resource
from api.v1 import BATCH_TRANSFORM_JOB, HOSTING_DEPLOYMENT, HYPERPARAMETER_TUNING_JOB, PROCESSING_JOB, TRAINING_JOB

_LOG_GROUPS: Final = {
    BATCH_TRANSFORM_JOB.kind: "/aws/sagemaker/TransformJobs",
    HYPERPARAMETER_TUNING_JOB.kind: "/aws/sagemaker/TrainingJobs",
}
"""Of kinds whose descriptor has none, because their status links to no log."""


@dataclass(frozen=True, slots=True)
class LogKind:
    """A kind, as far as its logs are concerned."""

    resource: Resource
    name_member: str
    """What AWS calls its name, e.g. `TrainingJobName`: shown to people."""
    spec_name_field: str
    """Empty where the spec cannot name it."""
    status_name_field: str
    status_field: str
    secondary_field: str
    """Empty where there is none."""
    terminal: frozenset[str]
    """States after which no line is written; empty where it runs until it is deleted."""
    pending: frozenset[str]
    """States that are the operator's, not AWS's: they do not say that anything exists at AWS."""
    log_group: str
    has_own_group: bool = False
    """Whether the SageMaker name is the last part of the log group, rather than the first one of the streams."""
    is_tuning: bool = False
    """Whether the lines are those of the training jobs that it launched."""
    aliases: tuple[str, ...] = ()
    """Names of the command, in lower case, beside kind, plural and singular."""

    @property
    def kind(self) -> str:
        """The kind's name, which is also the command's."""
        return self.resource.kind

    @property
    def names(self) -> tuple[str, ...]:
        """All names of the command in lower case; case does not matter."""
        return tuple(dict.fromkeys((self.kind.lower(), self.resource.plural, *self.aliases)))


def _of(descriptor: KindDescriptor, *aliases: str, has_own_group: bool = False, is_tuning: bool = False) -> LogKind:
    return LogKind(
        resource=descriptor.resource,
        name_member=descriptor.name.member,
        spec_name_field=descriptor.name.spec_field,
        status_name_field=descriptor.name.status_field,
        status_field=descriptor.status.field,
        secondary_field=descriptor.status.secondary_field or "",
        terminal=descriptor.status.terminal,
        pending=frozenset({"", descriptor.status.synchronizing, descriptor.status.reconciling}),
        log_group=descriptor.log_group or _LOG_GROUPS[descriptor.kind],
        has_own_group=has_own_group,
        is_tuning=is_tuning,
        aliases=(descriptor.singular, *descriptor.short_names, *aliases),
    )


LOG_KINDS: Final = (
    _of(BATCH_TRANSFORM_JOB),
    _of(HOSTING_DEPLOYMENT, "endpoint", "endpoints", has_own_group=True),
    _of(HYPERPARAMETER_TUNING_JOB, is_tuning=True),
    _of(PROCESSING_JOB),
    _of(TRAINING_JOB),
)
"""In alphabetical order, as the help text shows them."""


def find(command: str) -> LogKind | None:
    """The kind that `command` means: kind, plural or alias in any case, with or without the API group."""
    wanted = command.lower().removesuffix(f".{GROUP}")
    return next((kind for kind in LOG_KINDS if wanted in kind.names), None)

"""What distinguishes one kind from another, as data.

A kind is its descriptor: schema, conversion, CRD, informer, tracker and reconciler are driven by it (DESIGN 4.1).
"""

from dataclasses import dataclass, field
from enum import Enum

from api.compat import Compat
from api.meta import GROUP, VERSION, Resource


class LifeCycle(Enum):
    """Which reconciler decides for a kind."""

    JOB = "job"
    """Runs once, is stopped, keeps its record at AWS: training, tuning, transform and processing jobs."""
    RESOURCE = "resource"
    """Is there until deleted, cannot be changed at AWS: models and endpoint configurations."""
    ENDPOINT = "endpoint"
    """Serves what child models and a child configuration describe, and is switched to new ones: hosting deployments."""
    SCALING = "scaling"
    """Puts targets and policies on the variants of endpoints that others own: autoscaling policies."""


@dataclass(frozen=True, slots=True)
class PrinterColumn:
    """A column of `kubectl get`; `priority` 1 shows it with `-o wide` only."""

    name: str
    json_path: str
    type: str = "string"
    format: str = ""
    priority: int = 0
    description: str = ""


@dataclass(frozen=True, slots=True)
class Operations:
    """Names of the AWS API operations of a kind, as the botocore service model spells them."""

    create: str
    describe: str
    list: str
    stop: str
    """Empty where nothing runs that could be stopped."""
    list_items: str
    """Member of the List answer that holds the summaries, e.g. `TrainingJobSummaries`."""
    delete: str = ""
    """Empty where AWS keeps the record for ever."""
    further: tuple[str, ...] = ()
    """Operations besides `create` whose request members are fields of the spec, too, e.g. `UpdateEndpoint`."""
    describe_items: str = ""
    """Member of the Describe answer that lists the resources, where the operation describes several."""

    @property
    def sending(self) -> tuple[str, ...]:
        """Every operation whose request is made from the spec, `create` first."""
        return (self.create, *self.further)


@dataclass(frozen=True, slots=True)
class NameRule:
    """How the SageMaker name of an object is found and kept (v1-kinds.md 4)."""

    member: str
    """Request member, e.g. `TrainingJobName`; also the name's member in Describe answers and List summaries."""
    spec_field: str
    """Field of `spec` in which users may give the name, e.g. `trainingJobName`."""
    status_field: str
    """Field of `status` that shows it, e.g. `sageMakerTrainingJobName`."""
    max_length: int
    late_initialized: bool
    """Whether a generated name is written into `spec_field`."""
    constant: str = ""
    """The name of every object that gives none, where v1 does not make one from metadata.name and metadata.uid."""


@dataclass(frozen=True, slots=True)
class StatusRule:
    """Where the AWS status of a kind is found, how it is shown, and which values end its life."""

    member: str
    """Describe and summary member, e.g. `TrainingJobStatus`; empty where AWS has no states."""
    field: str
    """Field of `status`, e.g. `trainingJobStatus`."""
    reconciling: str
    """Value to show while the operator cannot do its work, e.g. `ReconcilingTrainingJob`."""
    refused: str = ""
    """Value to show where v1 tells what time may cure (`reconciling`) from what it does not; empty: it does not."""
    synchronizing: str = "SynchronizingK8sJobWithSageMaker"
    """Value to show before anything was asked of AWS."""
    secondary_member: str | None = None
    secondary_field: str | None = None
    arn_member: str = ""
    """Describe and Create-answer member that holds the ARN, e.g. `TrainingJobArn`."""
    progress_member: str = ""
    """Describe and summary member that changes while the status does not, e.g. `TrainingJobStatusCounters`."""
    terminal: frozenset[str] = frozenset({"Completed", "Failed", "Stopped"})
    stopping: str = "Stopping"
    completed: str = "Completed"
    failed: str = "Failed"
    stopped: str = "Stopped"


@dataclass(frozen=True, slots=True)
class KindDescriptor:
    """Everything that the shared machinery needs to know of one kind."""

    kind: str
    plural: str
    singular: str
    life_cycle: LifeCycle
    operations: Operations
    name: NameRule
    status: StatusRule
    service: str = "sagemaker"
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ("sagemaker",)
    printer_columns: tuple[PrinterColumn, ...] = ()
    log_group: str | None = None
    """CloudWatch log group, shown as a console link in `status.cloudWatchLogUrl`."""
    compat: Compat = field(default_factory=Compat)
    """Where the kind's fields depart from AWS's model."""

    resource: Resource = field(init=False)
    """The kind as the Kubernetes API serves it."""

    def __post_init__(self) -> None:
        resource = Resource(group=GROUP, version=VERSION, plural=self.plural, kind=self.kind)
        object.__setattr__(self, "resource", resource)

    @property
    def controller_name(self) -> str:
        """Label value of metrics and name of queue and threads: the lower-case kind."""
        return self.kind.lower()

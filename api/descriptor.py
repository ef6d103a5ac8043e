"""The properties of a kind, as data.

The descriptor drives a kind's schema, conversion, CRD, informer, tracker and reconciler (DESIGN 4.1).
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from api.compat import Compat
from api.meta import GROUP, VERSION, Resource
from api.naming import key_of
from api.references import DocumentField, Reference


class LifeCycle(Enum):
    """The life-cycle of a kind, which selects its reconciler."""

    JOB = "job"
    """Runs once, is stopped, keeps its record at AWS: training, tuning, transform and processing jobs."""
    RESOURCE = "resource"
    """Exists until deleted, cannot be changed at AWS: models and endpoint configurations."""
    ENDPOINT = "endpoint"
    """Serves child models with a child configuration, and is updated to new ones: hosting deployments."""
    COMPONENT = "component"
    """Runs on an endpoint that another object owns, and is updated in place: inference components."""
    IN_PLACE = "in place"
    """Exists until deleted, and is updated in place as far as AWS can: the model registry, pipelines."""
    SCALING = "scaling"
    """Sets targets and policies on the variants of endpoints that other objects own: autoscaling policies."""


_AT_REST: Final = {LifeCycle.RESOURCE, LifeCycle.IN_PLACE, LifeCycle.SCALING}
"""Life-cycles of what stays as the operator has made it."""


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
    """Empty if there is no operation to stop."""
    list_items: str
    """Member of the List response with the summaries, e.g. `TrainingJobSummaries`."""
    delete: str = ""
    """Empty if AWS keeps the record forever."""
    further: tuple[str, ...] = ()
    """Operations besides `create` with request members that are also fields of the spec, e.g. `UpdateEndpoint`."""
    search: str = ""
    """`Resource` of SageMaker's Search with the records of this kind, e.g. `TrainingJob`; empty if there is none."""
    describe_items: str = ""
    """Member of the Describe response with the resources, if the operation describes several."""
    list_of: str = ""
    """Member without which List shows nothing, e.g. `PipelineName`: it lists the resources of one parent, so the kind
    is polled by Describe. Empty if one List shows all."""
    reads: tuple[str, ...] = ()
    """Operations that read further parts of a resource, e.g. `ListPipelineExecutionSteps`."""

    @property
    def sending(self) -> tuple[str, ...]:
        """Return every operation with a request built from the spec, `create` first."""
        return (self.create, *self.further)


@dataclass(frozen=True, slots=True)
class NameRule:
    """How the SageMaker name of an object is chosen and stored (v1-kinds.md 4)."""

    member: str
    """Request member, e.g. `TrainingJobName`; also the name's member in Describe responses and List summaries."""
    spec_field: str
    """Field of `spec` in which users may set the name, e.g. `trainingJobName`."""
    status_field: str
    """Field of `status` that shows it, e.g. `sageMakerTrainingJobName`."""
    max_length: int
    late_initialized: bool
    """Whether a generated name is written into `spec_field`."""
    constant: str = ""
    """The name of every object without one, if v1 does not generate it from metadata.name and metadata.uid."""
    token: str = ""
    """Request member of the client token, e.g. `ClientRequestToken`, by which AWS answers the repetition of a Create
    with what it has created, for some hours."""
    by_aws: bool = False
    """AWS chooses it: it is the ARN, known from the Create on. `spec_field` has that of one which exists already."""
    chosen_by: str = ""
    """Another field of the spec with a name that users may choose, if `by_aws`; AWS takes it in place of the ARN."""
    among: str = ""
    """Request member with the parent of what AWS names, e.g. `PipelineName`. It is found again in the List of the
    parent, and takes no tags."""
    mark: str = ""
    """Request and summary member with a text that ends in the mark of the object, where there is a parent."""


@dataclass(frozen=True, slots=True)
class StatusRule:
    """The AWS status of a kind: its members, how it is shown, and its terminal values."""

    member: str
    """Describe and summary member, e.g. `TrainingJobStatus`; empty if AWS has no states."""
    field: str
    """Field of `status`, e.g. `trainingJobStatus`."""
    reconciling: str
    """Value to show while the operator cannot reconcile, e.g. `ReconcilingTrainingJob`."""
    refused: str = ""
    """Value to show for permanent errors, if v1 distinguishes them from temporary ones (`reconciling`); else empty."""
    synchronizing: str = "SynchronizingK8sJobWithSageMaker"
    """Value to show before the first AWS call."""
    secondary_member: str | None = None
    secondary_field: str | None = None
    arn_member: str = ""
    """Member of Describe and Create responses with the ARN, e.g. `TrainingJobArn`."""
    progress_member: str = ""
    """Describe and summary member that changes while the status does not, e.g. `TrainingJobStatusCounters`."""
    event: str = ""
    """`detail-type` of EventBridge's events about its changes, see `controller.aws.events`; empty if there are none."""
    part_event: str = ""
    """The same about changes of a part, such as a step."""
    terminal: frozenset[str] = frozenset({"Completed", "Failed", "Stopped"})
    initial: Mapping[str, Any] = dataclasses.field(default_factory=dict, hash=False)
    """Members that the first Describe answer is expected to have besides the status: shown right after a Create."""
    running: str = "InProgress"
    stopping: str = "Stopping"
    completed: str = "Completed"
    failed: str = "Failed"
    stopped: str = "Stopped"


@dataclass(frozen=True, slots=True, eq=False)
class JobUpdate:
    """The operation that changes a job which exists, and all that it can change. Compared and hashed by identity."""

    operation: str
    absent: Mapping[str, Any]
    """Dotted member of the Create request, e.g. `ResourceConfig.KeepAlivePeriodInSeconds` → what its absence means."""
    after_end: frozenset[str] = frozenset()
    """Those of them that count after the end of the job, while its warm pool exists."""

    def paths(self) -> frozenset[str]:
        """Return their paths in a manifest: the only mutable fields of a job."""
        return frozenset(self.path_of(member) for member in self.absent)

    @staticmethod
    def path_of(member: str) -> str:
        """Return the path of a member in a manifest, e.g. `spec.resourceConfig.keepAlivePeriodInSeconds`."""
        return ".".join(("spec", *map(key_of, member.split("."))))


@dataclass(frozen=True, slots=True, eq=False)
class ResourceUpdate:
    """The operation that updates a resource in place. What it does not send cannot be changed.

    It is one of `operations.further`. Compared and hashed by identity.
    """

    operation: str
    name_member: str
    """Request member that names the resource."""
    absent: Mapping[str, Any] = field(default_factory=dict)
    """Request member → what removes it at AWS. What is absent from the spec and not listed stays as it is there."""
    spelled: Mapping[str, str] = field(default_factory=dict)
    """Request member → its name in Create and Describe, where that differs."""
    dropped: Mapping[str, str] = field(default_factory=dict)
    """Request member with a map → the member that lists the keys to remove from it."""
    is_shared: bool = False
    """Others change it as a matter of course, as who approves versions: it is described every few minutes."""


@dataclass(frozen=True, slots=True)
class KindDescriptor:
    """All properties of one kind that the shared code needs."""

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
    """The differences between the kind's fields and AWS's model."""
    update: JobUpdate | None = None
    """None: the kind is no job, or AWS cannot change it."""
    resource_update: ResourceUpdate | None = None
    """None: of another life-cycle than `IN_PLACE`, or nothing can be changed but tags."""
    is_retained: bool = False
    """Deleting an object leaves its resource, unless an annotation says otherwise."""
    references: tuple[Reference, ...] = ()
    """Fields of the spec that may name other objects."""
    document: DocumentField | None = None
    """A field of the spec that may be in a ConfigMap instead; its life-cycle is `IN_PLACE`, which reads those."""
    children: tuple[str, ...] = ()
    """Kinds of the objects that its reconciler creates and deletes: who serves it has to serve them, too."""

    resource: Resource = field(init=False)
    """The kind's resource in the Kubernetes API."""

    def __post_init__(self) -> None:
        resource = Resource(group=GROUP, version=VERSION, plural=self.plural, kind=self.kind)
        object.__setattr__(self, "resource", resource)

    def __hash__(self) -> int:
        # Caches have descriptors as keys. The kind is enough to tell them apart; the tables take long to hash.
        return hash(self.kind)

    @property
    def untagged_with(self) -> str:
        """Return the field of the spec with which AWS takes no tags: what it has named is known by its ARN alone."""
        return key_of(self.name.among)

    @property
    def is_tagged(self) -> bool:
        """Return whether AWS takes tags for some of them."""
        return not self.name.by_aws or bool(self.name.chosen_by)

    @property
    def is_listed(self) -> bool:
        """Return whether List is called: to poll what changes by itself, or to find what AWS has named."""
        return self.life_cycle not in _AT_REST or bool(self.name.among)

    @property
    def controller_name(self) -> str:
        """Return the label value of metrics and the name of queue and threads: the lower-case kind."""
        return self.kind.lower()

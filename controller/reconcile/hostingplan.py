"""What a decision about a HostingDeployment sees and may want: frozen data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from api.v1 import ENDPOINT_CONFIG, MODEL
from controller.reconcile.family import Child, Desired, Want
from controller.reconcile.plan import (
    CheckOwner,
    Create,
    Delete,
    Describe,
    DropTags,
    Found,
    Observed,
    Prepare,
    PutTags,
    Release,
    Settle,
)


@dataclass(frozen=True, slots=True)
class MakeChild:
    """Create the child object."""

    want: Want


@dataclass(frozen=True, slots=True)
class RestoreChild:
    """Give the child that bears the wanted name its spec back."""

    want: Want


@dataclass(frozen=True, slots=True)
class DropChild:
    """Delete a child object."""

    child: Child


@dataclass(frozen=True, slots=True)
class RetainChild:
    """Have a child let go of what it created at AWS, too."""

    child: Child


@dataclass(frozen=True, slots=True)
class TagChild:
    """Give the child of this wish the tags of the wish: its own reconciler takes them to AWS."""

    want: Want


@dataclass(frozen=True, slots=True)
class Update:
    """UpdateEndpoint, or UpdateEndpointWeightsAndCapacities with the numbers that changed."""

    numbers: Mapping[str, tuple[int | None, float | None]] | None = None
    """By variant, None for what stays; None altogether: the whole configuration."""


HostingPlan: TypeAlias = (
    Prepare
    | Describe
    | CheckOwner
    | MakeChild
    | RestoreChild
    | DropChild
    | RetainChild
    | TagChild
    | Create
    | Update
    | Delete
    | PutTags
    | DropTags
    | Release
    | Settle
)


@dataclass(frozen=True, slots=True)
class Attempt:
    """The last update (or the creation) that SageMaker accepted, from the annotation."""

    id: str = ""
    shape: str = ""
    numbers: Mapping[str, tuple[int | None, float]] = field(default_factory=dict)
    is_of_numbers: bool = False
    """Only weights or counts were to change."""
    since: str = ""
    """`lastModifiedTime` of the endpoint before it: an answer that shows this time is older than the update."""


@dataclass(frozen=True, slots=True)
class HostingSeen:
    """All that a decision about a deployment depends on."""

    base: Observed
    url: str = ""
    desired: Desired | None = None
    """None while the object is being deleted, or where its spec cannot be taken apart (then there is a failure)."""
    children: tuple[Child, ...] = ()
    """All that there are."""
    attempt: Attempt = Attempt()
    is_observed: bool = False
    """The status was decided on this very generation of the spec."""
    was_visible: bool = False
    """SageMaker has described the endpoint before: "not found" now means gone."""
    recreates: bool = False
    """Annotation `recreate-on-failure`."""
    done: frozenset[str] = frozenset()
    """Names of children that this pass has made, restored or dropped."""
    was_refused_as_busy: bool = False
    """The endpoint turned out to be changing already."""

    @property
    def fields(self) -> Mapping[str, Any]:
        """What SageMaker told last."""
        return self.base.remote.fields if isinstance(self.base.remote, Found) else {}

    @property
    def running(self) -> Child | None:
        """The configuration that the endpoint runs with, if it is a child."""
        name = self.fields.get("endpointConfigName")
        return next((c for c in self.configurations if name and c.sagemaker_name == name), None)

    @property
    def configurations(self) -> list[Child]:
        """Child configurations."""
        return [child for child in self.children if child.descriptor.kind == ENDPOINT_CONFIG.kind]

    @property
    def models(self) -> list[Child]:
        """Child models."""
        return [child for child in self.children if child.descriptor.kind == MODEL.kind]

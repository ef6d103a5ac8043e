"""Endpoints: the record, and the timelines of creation, update, scaling and deletion.

An endpoint runs a fleet, which is a snapshot of its configuration: later changes of the configuration or its models do
not affect it, as at AWS.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hack.sandbox.aws.records.resource import Resource
from hack.sandbox.aws.records.timeline import Durations, Step, Timeline
from hack.sandbox.aws.records.triggers import Markers

IN_PROGRESS = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"})
SERVING = frozenset({"InService", "Updating", "SystemUpdating", "RollingBack", "UpdateRollbackFailed"})
UPDATABLE = frozenset({"InService", "UpdateRollbackFailed"})
_GONE = "Deleted"  # no response shows it
_UNHEALTHY = (
    "The primary container for production variant {variant} did not pass the ping health check. Please check"
    " CloudWatch logs for this endpoint."
)


@dataclass(frozen=True, slots=True)
class Variant:
    """One production or shadow variant as it runs. Counts are None for serverless variants."""

    name: str
    weight: float
    desired_weight: float
    count: int | None
    desired_count: int | None
    given: Mapping[str, Any]  # as in the configuration
    images: tuple[str, ...] = ()
    is_shadow: bool = False

    def settled(self) -> "Variant":
        """Return the variant with its desired values reached."""
        return replace(self, weight=self.desired_weight, count=self.desired_count)


@dataclass(frozen=True, slots=True)
class Fleet:
    """The variants that an endpoint runs, or will run."""

    config_name: str
    config: Mapping[str, Any]
    variants: tuple[Variant, ...]
    deployment: Mapping[str, Any] | None = None  # the last DeploymentConfig

    def changed(self, change: Callable[[Variant], Variant]) -> "Fleet":
        """Return the fleet with every variant replaced."""
        return replace(self, variants=tuple(map(change, self.variants)))


@dataclass(frozen=True, slots=True)
class EndpointStep(Step):
    """A step of an endpoint's life: its fleet from then on, and the fleet it is being changed to."""

    fleet: Fleet = field(kw_only=True)
    is_deployed: bool = field(kw_only=True, default=True)  # False until the first fleet runs
    pending: Fleet | None = field(kw_only=True, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint(Resource):
    """One endpoint. `invocations` are its latest log lines: (epoch seconds, log stream, text)."""

    course: Timeline[EndpointStep]
    invocations: tuple[tuple[float, str, str], ...] = ()
    invoked: int = 0  # total number of invocations

    def status_at(self, now: float) -> str:
        """Return EndpointStatus."""
        return self.course.at(now).status

    def modified_at(self, now: float) -> float:
        """Return the time of the last transition."""
        return self.course.at(now).at

    def is_gone(self, now: float) -> bool:
        """Return whether the deletion is complete."""
        return self.status_at(now) == _GONE


def fleet_of(name: str, config: Mapping[str, Any], images: Callable[[str], tuple[str, ...]]) -> Fleet:
    """Return the fleet of a configuration; `images` returns those of a model."""

    def made(given: Mapping[str, Any], *, is_shadow: bool) -> Variant:
        weight, count = given.get("InitialVariantWeight", 1.0), given.get("InitialInstanceCount")
        own = images(given["ModelName"]) if "ModelName" in given else ()
        return Variant(given["VariantName"], weight, weight, count, count, given, own, is_shadow)

    shown = [made(given, is_shadow=False) for given in config["ProductionVariants"]]
    shadows = [made(given, is_shadow=True) for given in config.get("ShadowProductionVariants") or ()]
    return Fleet(name, config, (*shown, *shadows))


def retained(new: Fleet, old: Fleet, excluded: Iterable[str]) -> Fleet:
    """Return the new fleet with the current weights and counts of variants with the same name, except `excluded`.

    Source: RetainAllVariantProperties and ExcludeRetainedVariantProperties of UpdateEndpoint.
    """
    known = {variant.name: variant for variant in old.variants}

    def kept(variant: Variant) -> Variant:
        before = known.get(variant.name)
        if before is not None and "DesiredInstanceCount" not in excluded and before.desired_count is not None:
            variant = replace(variant, count=before.desired_count, desired_count=before.desired_count)
        if before is not None and "DesiredWeight" not in excluded:
            variant = replace(variant, weight=before.desired_weight, desired_weight=before.desired_weight)
        return variant

    return new.changed(kept)


def created(fleet: Fleet, markers: Markers, now: float, durations: Durations) -> Timeline[EndpointStep]:
    """Return the timeline of an endpoint created at `now`."""
    end = now + (durations.creating_s if markers.work_s is None else markers.work_s)
    creating = EndpointStep(now, "Creating", "", "", fleet=fleet, is_deployed=False, pending=fleet)
    if markers.fail is not None:
        reason = markers.fail or _UNHEALTHY.format(variant=fleet.variants[0].name)
        return Timeline((creating, EndpointStep(end, "Failed", "", "", reason, fleet=fleet, is_deployed=False)))
    return Timeline((creating, EndpointStep(end, _final(markers), "", "", fleet=fleet)))


def updated(
    before: Timeline[EndpointStep], fleet: Fleet, markers: Markers, now: float, durations: Durations
) -> Timeline[EndpointStep]:
    """Return the timeline after an UpdateEndpoint at `now`: to the new fleet or, if that fails, back to the old one."""
    old = before.at(now).fleet
    end = now + (durations.updating_s if markers.work_s is None else markers.work_s)
    updating = EndpointStep(now, "Updating", "", "", fleet=old, pending=fleet)
    if markers.fail is None and markers.rollback_fail is None:
        return before.cut(now, updating, EndpointStep(end, _final(markers), "", "", fleet=fleet))
    reason = markers.rollback_fail or markers.fail or _UNHEALTHY.format(variant=fleet.variants[0].name)
    status = "InService" if markers.rollback_fail is None else "UpdateRollbackFailed"
    return before.cut(
        now,
        updating,
        EndpointStep(end, "RollingBack", "", "", fleet=old),
        EndpointStep(end + durations.rolling_back_s, status, "", "", reason, fleet=old),
    )


def scaled(
    before: Timeline[EndpointStep], change: Callable[[Variant], Variant], now: float, durations: Durations
) -> Timeline[EndpointStep]:
    """Return the timeline after an UpdateEndpointWeightsAndCapacities at `now`; `change` sets the desired values."""
    wanted = before.at(now).fleet.changed(change)
    updating = EndpointStep(now, "Updating", "", "", fleet=wanted)
    done = EndpointStep(now + durations.updating_s, "InService", "", "", fleet=wanted.changed(Variant.settled))
    return before.cut(now, updating, done)


def bereft(before: Timeline[EndpointStep], config_name: str, reason: str, now: float) -> Timeline[EndpointStep]:
    """Return the timeline after a configuration is deleted at `now`: what is being done with it fails.

    Without the new one, an update goes back to the old one; without the old one, nothing is left to go back to.
    """
    step = before.at(now)
    if step.pending is None or config_name not in {step.fleet.config_name, step.pending.config_name}:
        return before
    is_kept = step.is_deployed and config_name != step.fleet.config_name
    status = "InService" if is_kept else "Failed"
    end = EndpointStep(before.end.at, status, "", "", reason, fleet=step.fleet, is_deployed=step.is_deployed)
    return before.cut(now, end)


def deleted(before: Timeline[EndpointStep], now: float, durations: Durations) -> Timeline[EndpointStep]:
    """Return the timeline after a DeleteEndpoint at `now`."""
    last = before.at(now)
    deleting = replace(last, at=now, status="Deleting", failure="", pending=None)
    return before.cut(now, deleting, replace(deleting, at=now + durations.deleting_s, status=_GONE))


def instance_id(endpoint: Endpoint, fleet: Fleet, variant: str, number: int) -> str:
    """Return the id of an instance: new ones with each configuration."""
    seed = f"{endpoint.arn}{endpoint.created_at}{fleet.config_name}{variant}{number}"
    return f"i-{hashlib.sha256(seed.encode()).hexdigest()[:17]}"


def _final(markers: Markers) -> str:
    return "OutOfService" if markers.is_out_of_service else "InService"

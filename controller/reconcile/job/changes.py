"""Decides about changes of a job that exists: of its warm pool, its profiler and its remote debugging. Pure.

AWS changes nothing else of a job (`KindDescriptor.update`). The status records a digest for each of these members as it
was sent last. So an edit sends the members that it changes and no others, and what others change at AWS stays as they
have left it: jobs have no drift. The record is written after the answer, and before the call says that it is not known
what AWS has. If the answer is lost, the change is still pending, even if the spec is edited back, and the Describe
before the next attempt shows whether it took effect.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any, Final

from api.content import plain
from api.convert import ConversionError, to_request
from api.descriptor import JobUpdate, KindDescriptor
from api.meta import JsonObject
from controller.reconcile import reasons
from controller.reconcile.drift.digest import differences, digest
from controller.reconcile.identity import is_replaced
from controller.reconcile.observation import ExternalResource, JobChange, Observed, Ownership
from controller.reconcile.steps import Describe, RecordChange, UpdateJob, VerifyOwner
from controller.runtime.errors import ABSENT

AGAIN_S: Final = 600.0
"""Delay after a refusal: it may be about the state of the job, which changes, or about a right that is missing."""
_ALIVE: Final = frozenset({"Available", "InUse"})
_SEPARATOR: Final = "."
_UNKNOWN: Final = "?"
"""In place of a digest."""
_NOTHING: Final[tuple[Any, ...]] = (None, {}, [])


def digest_of(descriptor: KindDescriptor, request: Mapping[str, Any]) -> str:
    """Return the digest of the mutable members of a Create request; empty if it has none."""
    update = descriptor.update
    if update is None:
        return ""
    found = dict(_members(update, request))
    # Empty values in a manifest are no edit, as for what is immutable.
    said = {each: digest(plain(value) or value) for each, value in found.items()}
    return _SEPARATOR.join(said.get(each, "") for each in update.absent) if said else ""


def change_of(descriptor: KindDescriptor, spec: Mapping[str, Any], recorded: str) -> JobChange | None:
    """Return the members of a spec that differ from the `recorded` digest; None if none does.

    A spec that cannot be converted has no change: the CRD refuses it, and a Create would report it.
    """
    update = descriptor.update
    if update is None or not (recorded or _has_any(update, spec)):
        return None
    try:
        request = to_request(descriptor, spec)
    except ConversionError:
        return None
    wanted = digest_of(descriptor, request)
    if wanted == recorded:
        return None
    values = {**update.absent, **dict(_emptied(update, request)), **dict(_members(update, request))}
    before, now = _parts(update, recorded), _parts(update, wanted)
    return JobChange({each: values[each] for each in update.absent if before[each] != now[each]}, wanted)


def in_doubt(descriptor: KindDescriptor, change: JobChange, recorded: str) -> str:
    """Return what to record before a change is sent, as its answer may be lost: what it changes equals no spec."""
    assert descriptor.update is not None  # noqa: S101 (else there is no change)
    before = _parts(descriptor.update, recorded)
    return _SEPARATOR.join(_UNKNOWN if each in change.members else before[each] for each in before)


def taken_back(obj: JsonObject, recorded: str) -> JobChange | None:
    """Return the empty change of a spec that was edited back after a refusal that the status still shows."""
    conditions = (obj.get("status") or {}).get("conditions") or ()
    shown: JsonObject = next((each for each in conditions if each.get("type") == reasons.UPDATED), {})
    is_of_now = shown.get("observedGeneration") == obj["metadata"].get("generation")
    return None if is_of_now else JobChange({}, recorded)


def with_mutable(descriptor: KindDescriptor, external: ExternalResource, answer: Mapping[str, Any]) -> ExternalResource:
    """Return a described job with its mutable members."""
    update = descriptor.update
    if update is None:
        return external
    shown = dict(_members(update, answer))
    pool = (answer.get("WarmPoolStatus") or {}).get("Status", "")
    # Right after the end of the job the answer may not show the pool yet.
    has_pool = pool in _ALIVE or (not pool and any(shown.get(each) for each in update.after_end))
    return replace(external, mutable=shown, has_warm_pool=has_pool)


def step(observed: Observed) -> Describe | VerifyOwner | UpdateJob | RecordChange | None:
    """Return the next step for a pending change; None if there is none, or nothing can be done about it now."""
    change, external = observed.change, observed.external
    if change is None or observed.is_change_held or observed.hold_s is not None or not observed.is_recorded_in_status:
        return None
    if observed.policy.paused or observed.policy.read_only or observed.deleting_for_s is not None:
        return None
    if external is ABSENT:
        return RecordChange(f"{observed.name} does not exist at SageMaker any more") if observed.is_ended else None
    if not (isinstance(external, ExternalResource) and external.is_fresh):
        return Describe()
    if is_replaced(observed):
        return RecordChange(f"{observed.name} belongs to others by now") if observed.is_ended else None
    if observed.is_spawned and observed.owner is not Ownership.OURS:
        # Users can write the owner reference and the annotation of a launched job, and name any job there.
        is_known = observed.owner is Ownership.FOREIGN
        return RecordChange(f"{observed.name} belongs to others") if is_known else VerifyOwner(external.arn)
    return _send(observed, change, external)


def _send(observed: Observed, change: JobChange, external: ExternalResource) -> UpdateJob | RecordChange:
    update = observed.descriptor.update
    assert update is not None  # noqa: S101 (else there is no change)
    missing = [each for each, value in change.members.items() if not _is_shown(update, each, value, external)]
    has_ended = external.value in observed.descriptor.status.terminal
    late = [each for each in missing if has_ended and not (external.has_warm_pool and each in update.after_end)]
    if due := tuple(each for each in missing if each not in late):
        return UpdateJob(due)
    if not late:
        return RecordChange()
    fields = ", ".join(update.path_of(each) for each in late)
    return RecordChange(f"the change of {fields} has no effect: the job has ended, and none of its instances is kept")


def nested(members: Mapping[str, Any]) -> dict[str, Any]:
    """Return dotted members as the structures of a request."""
    request: dict[str, Any] = {}
    for path, value in members.items():
        *outer, name = path.split(".")
        into = request
        for each in outer:
            into = into.setdefault(each, {})
        into[name] = value
    return request


def _is_shown(update: JobUpdate, member: str, value: Any, external: ExternalResource) -> bool:
    """Return whether a described job has this value; what AWS adds to it counts unless it is a default of zero."""
    shown = external.mutable.get(member, update.absent[member])
    return not any(differences(value, shown)) and all(not each.found for each in _swapped(value, shown))


def _swapped(value: Any, shown: Any) -> Iterator[Any]:
    return (replace(each, applied=each.found, found=each.applied) for each in differences(shown, value))


def _members(update: JobUpdate, request: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for member in update.absent:
        value: Any = request
        for name in member.split("."):
            value = value.get(name) if isinstance(value, Mapping) else None
        if value not in _NOTHING and value != update.absent[member]:
            yield member, value


def _emptied(update: JobUpdate, request: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the members that a request gives as empty structures, with the value that does to them what a Create does.

    An empty structure is no edit of a spec without it. In place of another value it asks for what its members default
    to, where their absence means the opposite.
    """
    for member, absent in update.absent.items():
        if request.get(member) == {} and absent:
            yield member, dict.fromkeys(absent, False)


def _parts(update: JobUpdate, text: str) -> dict[str, str]:
    parts = text.split(_SEPARATOR) if text else []
    return dict(zip(update.absent, [*parts, *[""] * len(update.absent)], strict=False))


def _has_any(update: JobUpdate, spec: Mapping[str, Any]) -> bool:
    """Return whether a spec gives a mutable field. Most do not, and this runs in every pass."""
    for names in _key_paths(update):
        value: Any = spec
        for name in names:
            value = value.get(name) if isinstance(value, Mapping) else None
        if value is not None:
            return True
    return False


@cache
def _key_paths(update: JobUpdate) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(path.split(".")[1:]) for path in update.paths())

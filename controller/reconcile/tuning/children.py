"""Keeps TrainingJob objects for the training jobs that SageMaker launches for a tuning job.

`tuning.decide` decides; this module makes the calls, and keeps local state that saves some.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

import structlog

from api.annotations import DELETION_POLICY
from api.convert import ConversionError
from api.descriptor import KindDescriptor
from api.meta import JsonObject, ObjectKey
from controller.aws.errors import AwsError, CallError
from controller.aws.sagemaker import Jobs
from controller.aws.tuning_jobs import TuningJobChildren
from controller.reconcile import reasons
from controller.reconcile.effects import Effect, EffectGate
from controller.reconcile.managed.local_state import Hold
from controller.reconcile.managed.managed_object import ManagedObject
from controller.reconcile.managed.observe_object import hold_token
from controller.reconcile.observation import ExternalResource, Observed
from controller.reconcile.ports import ObjectReader, ObjectWriter
from controller.reconcile.steps import Event
from controller.reconcile.tuning.decide import (
    COUNTERS,
    LIST_EVERY_S,
    MAX_LISTINGS,
    REFUSED_CAP_S,
    REFUSED_S,
    REMOVED,
    SPAWN_FINALIZER,
    ListAction,
    Progress,
    Refusal,
    best_of,
    child_key,
    is_orphan,
    list_action,
    owner_uid,
    owns_resource,
)
from controller.reconcile.tuning.manifests import spawned
from controller.reconcile.tuning.watches import LEAVING, OWNED
from controller.runtime.clock import Clock
from controller.runtime.errors import ABSENT, ClassifiedError, ErrorClass

T = TypeVar("T")

_log: Final = structlog.get_logger(__name__)

_NAMES_LISTED: Final = 5
"""Names in one event; more are counted."""
_ORPHAN: Final = "orphan"
"""Finalizer of the API server (`metav1.FinalizerOrphanDependents`)."""


@dataclass(frozen=True, slots=True)
class KeptChildren:
    """The result of keeping the children."""

    observed: Observed
    """The observation, with what the children add to it or withhold."""
    again_s: float | None = None
    """Seconds after which to reconcile again at the latest."""


@dataclass(slots=True)
class _Listing:
    """The local state of a tuning job's list; losing it on restart is harmless. Used by one worker at a time."""

    uid: str
    items: list[JsonObject] = field(default_factory=list)
    next_token: str = ""
    is_whole: bool = False
    """All pages are in `items`; else the next one is `next_token`'s: long lists survive throttling."""
    began_at: float | None = None
    began_for: Progress | None = None
    made: set[str] = field(default_factory=set)
    """Names of jobs that got objects, which the store may not show yet."""
    incomplete_in_a_row: int = 0
    """Listings in a row that lacked jobs which are counted."""
    done: Progress | None = None
    """What the last whole listing was made for, with all objects made."""
    best: JsonObject = field(default_factory=dict)
    refusals: int = 0
    """How often in a row AWS has denied it."""
    hold: Hold | None = None
    """Until when it is not listed again after that, unless the object changes."""
    refusal: str = ""
    """The error of AWS."""

    @property
    def is_open(self) -> bool:
        """Return whether a list was started, and not all of its jobs have objects."""
        return self.is_whole or bool(self.next_token)

    def restart(self, progress: Progress, now: float) -> None:
        """Begin a new list."""
        self.items, self.next_token, self.is_whole = [], "", False
        self.began_at, self.began_for = now, progress

    def finish(self, progress: Progress | None, best: JsonObject) -> None:
        """Keep the result of a list, and drop its items."""
        self.done, self.best, self.items, self.is_whole = progress, best, [], False
        self.refusals, self.hold, self.refusal = 0, None, ""


class TuningChildren:
    """Keeps the TrainingJob objects of tuning jobs. Thread-safe; blocks for the calls that it makes.

    May raise `CallError`, which becomes part of what is observed, and other `ClassifiedError`s, which end the pass.
    """

    def __init__(
        self,
        training: KindDescriptor,
        children: ObjectReader,
        writer: ObjectWriter,
        launched: TuningJobChildren,
        jobs: Jobs,
        effects: EffectGate,
        clock: Clock,
    ) -> None:
        self._training = training
        self._children = children
        self._writer = writer
        self._launched = launched
        self._jobs = jobs
        self._effects = effects
        self._clock = clock
        self._lock = threading.Lock()
        self._listings: dict[ObjectKey, _Listing] = {}  # guarded by _lock; a _Listing itself belongs to its worker

    # --- called by the life-cycle

    def keep(self, managed: ManagedObject, observed: Observed) -> KeptChildren:
        """Bring the children in line with `observed`. Idempotent: called before every decision of a pass.

        Launched jobs get their objects before the counters that count them are shown.
        """
        self._record_removed(managed, observed)
        listing = self._listing(managed)
        ago_s = None
        if listing.began_at is not None and not listing.is_open:
            ago_s = self._clock.monotonic() - listing.began_at
        status = managed.obj.get("status") or {}
        shown = Progress.of(status.get(observed.descriptor.status.field) or "", status)
        refusal = self._refusal(managed, listing)
        match list_action(observed, shown, listing.done, ago_s, refusal):
            case ListAction.NONE:
                if observed.is_ended:
                    self._forget_listing(managed.key)
                return KeptChildren(observed)
            case ListAction.HELD:
                return KeptChildren(
                    replace(observed, external=None)
                )  # the status still shows why the jobs are not listed
            case ListAction.LATER:
                return KeptChildren(_held_back(observed), max(LIST_EVERY_S - (ago_s or 0.0), 1.0))
            case ListAction.REFUSED:
                return KeptChildren(_with_spawn_error(observed, listing), refusal.left_s if refusal else None)
            case ListAction.PATIENT:
                return KeptChildren(replace(observed, external=None), refusal.left_s if refusal else None)
            case ListAction.NOW:
                try:
                    is_done = self._list_and_spawn(managed, observed, listing)
                except ClassifiedError as error:
                    if error.error_class is not ErrorClass.DENIED:
                        raise
                    self._record_refusal(managed, listing, error)
                    return self.keep(managed, observed)
                if not is_done:
                    return KeptChildren(_held_back(observed), LIST_EVERY_S)
            case ListAction.DONE:
                pass
        return KeptChildren(_with_fields(observed, listing.best))

    def delete_all(self, managed: ManagedObject, observed: Observed) -> bool:
        """Delete the children, and return whether they are gone, so that the tuning job can be released.

        With `retain`, the objects are deleted, and their jobs stay, as does the tuning job.
        """
        if _ORPHAN in (managed.obj["metadata"].get("finalizers") or ()):
            return False  # `--cascade=orphan`: garbage collection is about to orphan the objects
        children = self._of(managed, observed, OWNED)
        for child in children:
            self._delete_child(child, observed)
        self._forget_listing(managed.key)
        return all(is_orphan(child) for child in children)

    def forget(self, key: ObjectKey) -> None:
        """Release the children of an object that is gone: they must not block garbage collection (D-18)."""
        for child in self._children.by_index(LEAVING, str(key)):
            self._remove_spawn_finalizer(child)
        self._forget_listing(key)

    # --- objects that are deleted

    def _record_removed(self, managed: ManagedObject, observed: Observed) -> None:
        """Release objects that the user deletes, after recording that they are not to be spawned again (D-19)."""
        children = self._of(managed, observed, LEAVING)
        if not children:
            return
        status = managed.obj.get("status") or {}
        known = set(status.get(REMOVED) or ())
        names = known | {_job_name(self._training, child) for child in children}
        if names > known and not observed.is_ended and observed.deleting_for_s is None:
            managed.patch_status({REMOVED: sorted(names)})
        for child in children:
            self._remove_spawn_finalizer(child)

    def _delete_child(self, child: JsonObject, observed: Observed) -> None:
        metadata = child["metadata"]
        annotations = metadata.get("annotations") or {}
        keep = observed.policy.retain and annotations.get(DELETION_POLICY.key) != "retain"
        child = self._remove_spawn_finalizer(child, {DELETION_POLICY.key: "retain"} if keep else None) or child
        if "deletionTimestamp" in metadata or is_orphan(child):
            return
        key, uid = ObjectKey.of(child), metadata.get("uid") or ""
        self._change(Effect.DELETE_CHILD, lambda: self._writer.delete(self._training.resource, key, uid=uid))

    def _remove_spawn_finalizer(
        self, child: JsonObject, annotations: Mapping[str, str] | None = None
    ) -> JsonObject | None:
        """Remove our finalizer and add annotations; None if there is nothing to do, or no object."""
        metadata = child["metadata"]
        finalizers = metadata.get("finalizers") or []
        if SPAWN_FINALIZER not in finalizers and not annotations:
            return None
        changes: JsonObject = {
            "resourceVersion": metadata["resourceVersion"],
            "finalizers": [each for each in finalizers if each != SPAWN_FINALIZER],
        }
        if annotations:
            changes["annotations"] = dict(annotations)
        key = ObjectKey.of(child)
        return self._change(
            Effect.RELEASE_CHILD, lambda: self._writer.patch(self._training.resource, key, {"metadata": changes})
        )

    def _change(self, effect: Effect, act: Callable[[], T]) -> T | None:
        """Change a child; one that is gone already needs no change."""
        try:
            return self._effects.perform(effect, act)
        except ClassifiedError as error:
            if error.error_class is ErrorClass.NOT_FOUND:
                return None
            raise

    def _of(self, managed: ManagedObject, observed: Observed, index: str) -> list[JsonObject]:
        """Return the objects spawned for this very tuning job, not for one of the same name (D-20)."""
        owned = self._children.by_index(index, str(managed.key))
        children = [child for child in owned if owner_uid(child) == managed.obj["metadata"]["uid"]]
        if owns_resource(observed):  # the predecessor's objects show their owner only in their names
            named = self._children.by_index(index, str(ObjectKey(managed.key.namespace, observed.name)))
            children += [child for child in named if not owner_uid(child)]
        return children

    # --- objects that are created

    def _list_and_spawn(self, managed: ManagedObject, observed: Observed, listing: _Listing) -> bool:
        """List the launched jobs and create missing objects; returns whether all counted jobs were found.

        Raises `CallError`; THROTTLED if the budget is used up, after which the next pass continues from there.
        """
        assert isinstance(observed.external, ExternalResource)  # noqa: S101 (`list_action` ensures it)
        progress = Progress.of(observed.external.value, observed.external.fields)
        if not listing.is_whole:
            self._list(managed, observed, listing, progress)
        config = managed.spec.get("hyperParameterTuningJobConfig") or {}
        goal = (config.get("hyperParameterTuningJobObjective") or {}).get("type") or ""
        best = best_of(observed.descriptor, listing.items, goal)
        found = self._spawn(managed, observed, listing)
        if listing.began_for != progress:  # more may have been launched meanwhile
            listing.finish(None, best)
            return self._list_and_spawn(managed, observed, listing)
        listing.incomplete_in_a_row = 0 if found >= progress.launched else listing.incomplete_in_a_row + 1
        ends = progress.value in observed.descriptor.status.terminal
        is_done = ends or listing.incomplete_in_a_row in {0, MAX_LISTINGS}
        listing.finish(progress if is_done else None, best)
        return is_done

    def _refusal(self, managed: ManagedObject, listing: _Listing) -> Refusal | None:
        hold = listing.hold
        if hold is None or hold.token != hold_token(managed.obj, managed.effective_settings):
            return None
        return Refusal(listing.refusals, hold.until - self._clock.monotonic())

    def _record_refusal(self, managed: ManagedObject, listing: _Listing, error: ClassifiedError) -> None:
        """Record that AWS has denied the list, or Kubernetes the objects."""
        delay_s = min(REFUSED_S * 2**listing.refusals, REFUSED_CAP_S)
        listing.refusals += 1
        what = "cannot be listed, and" if isinstance(error, CallError) else "are refused by Kubernetes, and"
        listing.refusal = f"{what} have no objects: {error}"
        listing.hold = managed.hold_for(delay_s)
        _log.warning("launched jobs have no objects, trying again slowly", code=error.code, delay_s=round(delay_s))

    def _list(self, managed: ManagedObject, observed: Observed, listing: _Listing, progress: Progress) -> None:
        if not listing.next_token:
            listing.restart(progress, self._clock.monotonic())
        while not listing.is_whole:
            page = self._launched.page(
                managed.identity.target(),
                observed.name,
                next_token=listing.next_token,
                caller=(managed.key, "launched"),
            )
            listing.items += page.items
            listing.next_token, listing.is_whole = page.next_token, not page.next_token

    def _spawn(self, managed: ManagedObject, observed: Observed, listing: _Listing) -> int:
        """Create missing objects; returns how many jobs were found."""
        removed = set((managed.obj.get("status") or {}).get(REMOVED) or ())
        names = [str(item["TrainingJobName"]) for item in listing.items]
        made: list[str] = []
        found = 0
        try:
            for name in names:
                if name in removed or name in listing.made or child_key(managed.key.namespace, name) in self._children:
                    found += 1
                    continue
                made_one = self._spawn_one(managed, observed, name)
                if made_one is not None:
                    found += 1
                    listing.made.add(name)
                    made += [name] if made_one else []
        finally:
            self._emit_spawned(managed, made)
        return found

    def _spawn_one(self, managed: ManagedObject, observed: Observed, name: str) -> bool | None:
        """Create the object of a job; returns whether it did, None if SageMaker does not show the job yet."""
        target = managed.identity.target()
        description = self._jobs.describe(self._training, target, name, caller=(managed.key, name), background=True)
        if description is ABSENT:
            return None
        try:
            body = spawned(self._training, managed.obj, description, target, observed.name)
        except ConversionError as exc:
            raise AwsError(ErrorClass.RETRYABLE, "UnreadableAnswer", str(exc), known=False) from exc
        managed.require_current()  # a tuning job that is being deleted gets no more objects
        resource, namespace = self._training.resource, managed.key.namespace
        try:
            self._effects.perform(Effect.CREATE_CHILD, lambda: self._writer.create(resource, namespace, body))
        except ClassifiedError as error:
            if error.error_class is ErrorClass.EXISTS:
                return False
            if error.error_class is not ErrorClass.INVALID:
                raise
            # One job that does not fit the schema must not keep the others from being shown.
            _log.warning("training job cannot be shown", training_job=name, code=error.code)
            message = f"{name} cannot be shown as a TrainingJob: {error.message}"
            managed.emit_events((Event("Warning", reasons.SPAWN_FAILED, message),))
            return False
        return True

    def _emit_spawned(self, managed: ManagedObject, names: list[str]) -> None:
        if not names:
            return
        more = len(names) - _NAMES_LISTED
        text = ", ".join(names[:_NAMES_LISTED]) + (f" and {more} more" if more > 0 else "")
        managed.emit_events((Event("Normal", reasons.TRAINING_JOB_SPAWNED, text),))

    # --- local state

    def _listing(self, managed: ManagedObject) -> _Listing:
        uid = managed.obj["metadata"]["uid"]
        with self._lock:
            listing = self._listings.get(managed.key)
            if listing is None or listing.uid != uid:
                listing = self._listings[managed.key] = _Listing(uid)
            return listing

    def _forget_listing(self, key: ObjectKey) -> None:
        with self._lock:
            self._listings.pop(key, None)


def _job_name(training: KindDescriptor, child: JsonObject) -> str:
    return str((child.get("spec") or {}).get(training.name.spec_field) or child["metadata"]["name"])


def _with_fields(observed: Observed, fields: Mapping[str, Any]) -> Observed:
    assert isinstance(observed.external, ExternalResource)  # noqa: S101 (a list is needed)
    return replace(observed, external=replace(observed.external, fields={**fields, **observed.external.fields}))


def _with_spawn_error(observed: Observed, listing: _Listing) -> Observed:
    """Return what can be shown without the list, and why it is missing."""
    message = f"the training jobs of {observed.name} {listing.refusal}"
    return replace(_with_fields(observed, listing.best), spawn_error=message)


def _held_back(observed: Observed) -> Observed:
    """Return the observation without counters: the status keeps those of jobs with objects."""
    assert isinstance(observed.external, ExternalResource)  # noqa: S101 (a list is needed)
    fields = {name: value for name, value in observed.external.fields.items() if name != COUNTERS}
    return replace(observed, external=replace(observed.external, fields=fields))

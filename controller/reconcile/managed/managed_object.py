"""The object being reconciled: its newest version, its AWS identity, and the writes made to it."""

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, Final, Protocol, TypeVar, cast

import structlog

from api.annotations import TTL
from api.meta import FINALIZER, Condition, JsonObject, ObjectKey
from controller.aws.console import partition_of
from controller.aws.errors import CallError, LocalRefusal
from controller.aws.targets import Target
from controller.reconcile import reasons
from controller.reconcile.context import Context
from controller.reconcile.dependencies import Dependency, Resolution
from controller.reconcile.identity import confirmed, is_same_creation
from controller.reconcile.managed.aws_identity import AwsIdentity, resolve
from controller.reconcile.managed.local_state import Hold, LocalState
from controller.reconcile.managed.observe_object import hold_token, observe_object
from controller.reconcile.namespaces.settings import EffectiveSettings, effective_settings_of
from controller.reconcile.observation import Document, During, Failure, Mutation, Observed, Recorded
from controller.reconcile.status.copies import own_status
from controller.reconcile.status.messages import resumed, waiting
from controller.reconcile.status.notes import NOTED, NOTES, notes_of
from controller.reconcile.status.patch import (
    Facts,
    merge_patch,
    next_status,
    parse_time,
    recorded_in,
    resource_fields,
    status_patch,
    with_notice,
)
from controller.reconcile.steps import Event, Finish, Phase, StatusUpdate
from controller.runtime.errors import ErrorClass
from controller.runtime.frozen import replace

_log: Final = structlog.get_logger(__name__)

T = TypeVar("T")

JITTER: Final = 0.2
"""Random share of a delay, so that objects that failed together do not retry together."""
MESSAGE_LIMIT: Final = 1000
"""Characters of one message: an Event's note has 1,024."""


_ENDS: Final = frozenset({Phase.DONE, Phase.ENDED})
ANSWERS_LAST_S: Final = 20.0
"""How long a pass relies on what AWS has said in an earlier one that was throttled: longer than most turns are away,
and short, as a name may change hands meanwhile."""
_PASSING: Final = frozenset({ErrorClass.THROTTLED, ErrorClass.RETRYABLE})
"""Errors of reads that say nothing: the next pass asks again."""
_SHOWN_LATER: Final = frozenset(
    {"awsResource", "lastCheckTime", "lastUpdateTime", "processingStartTime", "trainingStartTime", "transformStartTime"}
)
"""What does not deserve a write of its own while a job runs."""
WAIT_SHOWN_S: Final = 30.0
"""An object that waits for its turn at AWS shows that after this long; until then the default of the CRD is enough,
`observedGeneration: -1`, for which tools wait. In a burst, a write for each object would lengthen everybody's wait."""


class Budget(Protocol):
    """Reserves calls to AWS; `controller.aws.sagemaker.SageMaker` is one."""

    def reserve(self, target: Target, operation: str, *, caller: object) -> None:
        """Raise THROTTLED if a call of `operation` would have to wait."""
        ...


class ManagedObject:
    """One object during one pass. Used by one worker.

    Raises `ClassifiedError` CONFLICT if the object's namespace is not known yet. So do writes, if the object is
    outdated.
    """

    def __init__(self, context: Context, key: ObjectKey, obj: JsonObject, state: LocalState) -> None:
        self.context = context
        self.descriptor = context.descriptor
        self.key = key
        self.obj = obj
        """As it is after our last write."""
        self.had_finalizer = FINALIZER in (obj["metadata"].get("finalizers") or ())
        """An earlier pass may have created something: the finalizer is written before."""
        self.state = state
        self.namespace = context.settings.namespaces.of(key.namespace)
        """The same throughout the pass, so that all of its decisions are consistent."""
        self.identity: AwsIdentity
        """The identity and target of AWS calls; set by `observe`, with which every pass begins."""
        self.written: dict[tuple[str, ObjectKey], JsonObject | None] = {}
        """Other objects as this pass has left them, by kind and key, None: deleted. Stores show that a little later."""
        self.document: Document | None = None
        """What this pass has read of the document that the spec has in a ConfigMap; None: nothing."""
        self._dependencies: tuple[Dependency, ...] | None = None
        self._resolution: Resolution | None = None
        self._is_current = False
        """The object was the current one when this pass last wrote it: AWS mutations need that."""
        self._is_namespace_current = False
        self._seen_at = state.memo.seen_at(obj["metadata"]["resourceVersion"], context.clock.monotonic())

    @property
    def spec(self) -> Mapping[str, Any]:
        """Return the spec; empty if the object has none."""
        return self.obj.get("spec") or {}

    @property
    def resolved_spec(self) -> Mapping[str, Any]:
        """Return the spec with SageMaker's names in place of those of objects, and the document that was read."""
        spec, names = self.spec, self.resolution.names
        if self.document is not None and self.descriptor.document is not None and self.document.problem is None:
            spec = {**spec, self.descriptor.document.field: self.document.text}
        for reference in self.descriptor.references:
            if found := names.get(reference.kind):
                spec = reference.replaced(spec, found)
        return spec

    @property
    def resolution(self) -> Resolution:
        """Return what the names in the spec stand for: the same throughout the pass."""
        if self._resolution is None:
            self._resolution = self.context.dependencies.resolve(self.obj)
        return self._resolution

    @property
    def status(self) -> Mapping[str, Any]:
        """Return the status; empty if there is none, or if it was recorded for another object (`copies.own_status`)."""
        return own_status(self.descriptor, self.obj)

    @property
    def effective_settings(self) -> EffectiveSettings:
        """Return the effective settings of the object as it is now."""
        return effective_settings_of(self.obj, self.namespace)

    # --- what is known

    def observe(self) -> Observed:
        """Return what is known without asking AWS about the object, or why AWS must not be asked at all."""
        clock, effective_settings = self.context.clock, self.effective_settings
        if self.state.deleting_since is None and self.obj["metadata"].get("deletionTimestamp"):
            self.state.deleting_since = clock.monotonic()
        observed = observe_object(
            self.descriptor,
            self.obj,
            effective_settings,
            self.state,
            now=clock.utcnow(),
            monotonic=clock.monotonic(),
            depends_on=self._depends_on() if self.state.hold is not None else (),
        )
        self.identity = self._resolved(effective_settings, observed)
        observed = replace(
            observed,
            tags=self.identity.tagging,
            has_owner_tags=self.identity.has_ownership_tags,
            are_tags_held=self.state.tags_hold is not None and self.tags_held_s() is not None,
            waits_for=self.resolution.waits_for if self.descriptor.references else "",
        )
        return observed if observed.is_ended or observed.policy.paused else self.check_identity(observed)

    def _resolved(self, effective_settings: EffectiveSettings, observed: Observed) -> AwsIdentity:
        """Return the identity: that of an earlier pass while nothing has changed that it is made of."""
        metadata, memo = self.obj["metadata"], self.state.memo
        region = observed.recorded.region if observed.recorded else ""
        owners, generation = metadata.get("ownerReferences"), metadata.get("generation")
        made_of = (generation, owners, effective_settings, observed.name, region)
        if memo.identity is not None and memo.made_of is not None:
            if memo.made_of == made_of:
                return memo.identity
            followed = memo.identity.followed
            if followed is not None and region == followed.region and memo.made_of == (*made_of[:-1], ""):
                memo.made_of = made_of  # it was created where the spec said
                return memo.identity
        settings = self.context.settings
        identity = resolve(self.descriptor, self.key, self.obj, effective_settings, settings, observed.name, region)
        is_sound = identity.fault is None and identity.followed is not None  # an error is raised once
        memo.made_of, memo.identity, memo.account = made_of, identity if is_sound else None, ""
        return identity

    def check_identity(self, observed: Observed) -> Observed:
        """Return what is observed, with a failure if AWS must not be called for this object."""
        try:
            self._check_identity(observed)
        except CallError as error:
            return self.refused(observed, During.IDENTITY, error)
        return observed

    def _check_identity(self, observed: Observed) -> None:
        """Raise `CallError`: DENIED if the namespace names no valid role, INVALID if the identity is of another account
        than the resource, where it would be missed.
        """
        if self.identity.fault is not None:
            raise self.identity.fault
        recorded = observed.recorded.account_id if observed.recorded else ""
        if not recorded or self.state.memo.account == recorded:
            return
        account = self.account()
        if account and account != recorded:
            message = (
                f"{observed.name} is in account {recorded}, and objects of namespace {self.key.namespace} are looked"
                f" after in account {account}: nothing is asked of AWS. Let the namespace, or the operator's own"
                " credentials, name a role of the old account, or create another object."
            )
            raise LocalRefusal(ErrorClass.INVALID, reasons.OTHER_ACCOUNT, message)
        self.state.memo.account = account

    def region(self, observed: Observed) -> str:
        """Return the object's region. Raises `CallError` as `AwsIdentity.target` does."""
        recorded = observed.recorded.region if observed.recorded else ""
        return self.identity.effective_settings.region(self.spec, recorded, self.context.settings.defaults)

    def account(self) -> str:
        """Return the account that is asked; empty if unknown. Raises `CallError` as `AwsIdentity.target` does, or
        THROTTLED.
        """
        return self.context.settings.accounts.of(self.identity.target())

    def refused(self, observed: Observed, during: During, error: CallError) -> Observed:
        """Return what is observed once AWS has refused something. Raises the error if it is THROTTLED.

        Only an object that shows nothing yet shows that it waits, and only for long: its turn may come minutes later
        where many are created at once (`SynchronizingK8sJobWithSageMaker` in the guides: not processed yet).
        """
        is_new = not observed.shown and observed.deleting_for_s is None
        if error.error_class is ErrorClass.THROTTLED and is_new and self._waits_long(error.retry_after_s or 0.0):
            self.update_status(observed, waiting(observed), (), None)
            self.state.waiting_since = None
        failure = Failure.of(during, error)  # first: most errors are the wait for a turn, which it raises
        hints = tuple(each.hint for each in self.dependencies if each.hint)
        return replace(observed, failure=failure, hints=hints)

    def _waits_long(self, wait_s: float) -> bool:
        """Return whether the object will have waited long for its turn after this wait, which may be estimated low."""
        now = self.context.clock.monotonic()
        if self.state.waiting_since is None:
            self.state.waiting_since = now
        return now + wait_s - self.state.waiting_since >= WAIT_SHOWN_S

    # --- creation

    def reserve_creation(self, observed: Observed, budget: Budget) -> None:
        """Reserve the turn of the creation that follows the next write. Raises `CallError` THROTTLED.

        Nothing else is reported: what keeps AWS from being called at all is found by the creation.
        """
        target = self.identity.resolved
        if isinstance(target, CallError):
            return
        try:
            budget.reserve(target, self.descriptor.operations.create, caller=self.key)
        except CallError as error:
            self.refused(observed, During.CREATE, error)

    def create(self, observed: Observed, name: str, send: Callable[[], str]) -> Observed:
        """Create the resource `name` by `send`, which returns its ARN; returns what is observed then.

        A name that is taken is part of that: its ownership has to be verified. Raises `CallError` for other errors.
        After one that leaves open whether the resource exists, "not found" is not trusted for a while.
        """
        self.require_current()
        try:
            arn = send()
        except CallError as error:
            if error.error_class is ErrorClass.EXISTS:
                return replace(observed, name_is_taken=True)
            if error.ambiguous:
                self.state.doubtful_since = self.context.clock.monotonic()
            raise
        if observed.recorded is None and (since := parse_time(self.obj["metadata"].get("creationTimestamp"))):
            self.context.metrics.created(self.descriptor, (self.context.clock.utcnow() - since).total_seconds())
        self.state.recorded = recorded = self._recorded(name, arn)
        self.state.creation = self.state.waiting_since = None
        return replace(observed, mutation=Mutation.CREATED, recorded=recorded)

    def _recorded(self, name: str, arn: str) -> Recorded:
        """Return the record of the resource that was just created; AWS may have chosen the name."""
        target, tagging = self.identity.target(), self.identity.tagging
        account = arn.split(":")[4] if arn.count(":") >= 5 else ""
        self.context.settings.accounts.learn(target, account)
        return Recorded(
            name=arn if self.descriptor.name.by_aws else name,
            region=target.region,
            partition=partition_of(target.region),
            arn=arn,
            account_id=account,
            created_at=self.context.clock.utcnow(),
            owner_uid=self.obj["metadata"]["uid"],
            tags=tagging.digest,
            tag_keys=tagging.keys,
        )

    # --- writes

    def ensure_finalizer(self, name: str | None, annotations: Mapping[str, str] | None = None) -> None:
        """Write the finalizer, annotations and, unless None, the name into the spec."""
        before = self.obj
        self._replaced(self.context.effects.ensure_finalizer(self.descriptor, self.key, before, name, annotations))
        spec = before.get("spec") or {}  # not every CRD requires one
        if name is not None and self.spec == {**spec, self.descriptor.name.spec_field: name}:
            self.state.memo.renew(before["metadata"].get("generation"), self.obj["metadata"].get("generation"))

    def annotate(self, annotations: Mapping[str, str | None]) -> None:
        """Write annotations, None removes one."""
        self._replaced(self.context.effects.annotate(self.descriptor, self.key, self.obj, annotations))

    def require_current(self) -> None:
        """Check that object and namespace are current; needed before each AWS mutation, done once per pass.

        The watch of namespaces may be behind that of the objects, and the namespace determines the credentials and
        whether AWS may be changed at all.
        """
        if not self._is_current:
            self._replaced(self.context.effects.require_current(self.descriptor, self.key, self.obj))
        if not self._is_namespace_current:
            self.context.settings.namespaces.confirm(self.namespace, self._seen_at)
            self._is_namespace_current = True

    def read(self, what: Hashable, look: Callable[[], T]) -> T:
        """Return what AWS says by `look`; the same as in an earlier pass, if that was throttled after it.

        Each pass has a turn at AWS for one call of an operation. One that needs two would begin again with the first,
        for ever. `what` names the read. Raises `CallError`: a refusal is what AWS says, too, and is kept.
        """
        known = self.state.answers.get(what)
        now = self.context.clock.monotonic()
        if known is not None and now - known[1] < ANSWERS_LAST_S:
            if isinstance(known[0], CallError):
                raise known[0].again()
            return cast("T", known[0])
        try:
            answer = look()
        except CallError as error:
            if error.error_class not in _PASSING:
                self.state.answers[what] = error.again(), now  # without the frames of this pass
            raise
        self.state.answers[what] = answer, now
        return answer

    def update_status(
        self, observed: Observed, status_update: StatusUpdate, events: tuple[Event, ...], recorded: Recorded | None
    ) -> None:
        """Write the status if it changed, and record the events; without a change there are none."""
        patch = self._status_patch(observed, status_update, recorded)
        if patch is not None and not self._may_wait(observed, status_update, patch):
            self.patch_status(patch)
            if status_update.phase in _ENDS and not observed.is_ended:
                self.context.metrics.finished(self.descriptor, status_update.value or "")
            if "creationTime" in (patch.get("awsResource") or {}):
                self._note_creation(recorded)
            if recorded is not None and recorded.replaced_names:  # otherwise every pass would write them
                stored = recorded_in(self.status)
                self.state.prunes_names = stored is not None and not stored.replaced_names
            self.state.prunes_notes |= NOTES in patch and NOTES not in self.status
            self.emit_events((*resumed(observed, status_update), *events))

    def would_change_status(self, observed: Observed, end: Finish) -> bool:
        """Return whether the end of a pass changes the status."""
        recorded = confirmed(observed, end.recorded or observed.recorded)
        if end.status_update is None:
            return self._lacks(recorded) or self._lacks_owner(recorded)
        patch = self._status_patch(observed, end.status_update, recorded)
        return patch is not None and not self._may_wait(observed, end.status_update, patch)

    def record_creation(self, recorded: Recorded | None) -> None:
        """Record AWS's creation time and the owner of the recorded resource, and that its tags were read, if new."""
        if recorded is not None and (self._lacks(recorded) or self._lacks_owner(recorded)):
            resource = (self.obj.get("status") or {})["awsResource"]
            self.patch_status({"awsResource": merge_patch(resource, {**resource, **resource_fields(recorded)})})
            self._note_creation(recorded)

    def record_content(self, content: str) -> None:
        """Record what is known of what was sent last, if it is not what the status has."""
        stored = recorded_in(self.status)
        if stored is not None and stored.content != content:
            self.patch_status({"awsResource": {"contentDigest": content}})

    def _lacks(self, recorded: Recorded | None) -> bool:
        """Return whether the status records this resource without its creation time, or with another."""
        stored = recorded_in(self.obj.get("status") or {})
        if recorded is None or stored is None or stored.name != recorded.name or self.state.creation is not None:
            return False
        known, creation_time = stored.creation_time, recorded.creation_time
        if creation_time is None:
            return False
        is_known = known is not None and is_same_creation(known, creation_time)
        return not is_known or (stored.is_unverified and not recorded.is_unverified)

    def _lacks_owner(self, recorded: Recorded | None) -> bool:
        """Return whether the status records this resource for another object than the record."""
        stored = recorded_in(self.status)
        if recorded is None or stored is None or stored.name != recorded.name:
            return False
        return recorded.owner_uid not in {"", stored.owner_uid}

    def patch_notes(self) -> None:
        """Repeat in the status what the annotations note, before something is changed that only they know."""
        notes = notes_of(self.descriptor.life_cycle, self.obj)
        if not self.state.prunes_notes and notes != self.status.get(NOTES):
            self.patch_status({NOTES: notes})
            self.state.prunes_notes = NOTES not in self.status

    def _note_creation(self, recorded: Recorded | None) -> None:
        """Keep the creation time in memory if the API server has dropped it."""
        if self._lacks(recorded) and recorded is not None:
            self.state.creation = recorded.creation_time
            _log.warning("the API server has no field for creation times: its CRDs are older than this operator")

    def _status_patch(
        self, observed: Observed, status_update: StatusUpdate, recorded: Recorded | None
    ) -> JsonObject | None:
        status = self.obj.get("status") or {}
        shown = {field.name for field in self.descriptor.compat.status}
        has_logs = recorded.region if recorded is not None else status_update.tried
        link = self.identity.log_url if has_logs and "cloudWatchLogUrl" in shown else None
        if recorded is not None and self.state.creation is not None:
            recorded = replace(recorded, creation_time=None)  # there is no field for it
        if recorded is not None and self.state.prunes_names:
            recorded = replace(recorded, replaced_names=())
        facts = Facts(observed.generation, observed.now, recorded, link)
        stamp = "lastUpdateTime" if "lastUpdateTime" in shown else "lastCheckTime"  # spelt by v1, kind by kind
        new = next_status(self.descriptor, self.status, status_update, facts)
        life_cycle = self.descriptor.life_cycle
        if life_cycle in NOTED and not self.state.prunes_notes and (notes := notes_of(life_cycle, self.obj)):
            new[NOTES] = notes
        patch = status_patch(status, new, observed.now, stamp=stamp)
        if patch is not None and observed.is_legacy and recorded is None:
            del patch[stamp]  # when the predecessor wrote it last bounds the age of what it created
        return patch

    def _may_wait(self, observed: Observed, status_update: StatusUpdate, patch: JsonObject) -> bool:
        """Return whether all that a patch writes may come with the next change, which is to come.

        That is AWS's creation time, which every answer shows again: until it is written, the operator's clock and the
        owner tags prove what is whose, as before the first answer (`identity`); without the tags, it is written at
        once. It is the start, which Describe alone shows, of a job that was described on suspicion. And it is the
        secondary status before it has settled.
        """
        if status_update.phase is not Phase.WORKING or observed.is_reconcile_requested:
            return False
        resource = patch.get("awsResource")
        if resource is not None and not (observed.has_owner_tags and _is_creation_time(resource)):
            return False
        later = _SHOWN_LATER
        if observed.is_settling and _differ_in_message(patch.get("conditions"), self.status.get("conditions")):
            later |= {"conditions", self.descriptor.status.secondary_field or ""}
        return patch.keys() <= later

    def notice(self, observed: Observed, notice: Condition, reason: str) -> None:
        """Show a condition while its message is not empty, with one Warning about it."""
        conditions = (self.obj.get("status") or {}).get("conditions") or ()
        changed = with_notice(conditions, notice, observed.generation, observed.now)
        if changed is None:
            return
        self.patch_status({"conditions": changed})
        if notice.message:
            self.emit_events((Event("Warning", reason, notice.message),))

    def patch_status(self, changes: JsonObject) -> None:
        """Merge `changes` into the status."""
        self._replaced(self.context.effects.patch_status(self.descriptor, self.key, self.obj, changes))

    def emit_events(self, events: Iterable[Event]) -> None:
        """Record events about the object."""
        self.context.effects.emit_events(self.descriptor, self.key, self.obj, events)

    def remove_finalizer(self, events: tuple[Event, ...]) -> None:
        """Remove our finalizer: no resource of the object is left at AWS."""
        before = self.obj["metadata"]["resourceVersion"]
        self.context.effects.remove_finalizer(self.descriptor, self.key, self.obj)
        self.state.superseded_versions.add(before)
        self.state.recorded = self.state.hold = self.state.doubtful_since = None
        self.emit_events(events)

    def delete_expired(self) -> None:
        """Delete the object itself. Another pass removes its finalizer."""
        metadata = self.obj["metadata"]
        self.context.effects.delete_expired(self.descriptor, self.key, self.obj)
        self.state.superseded_versions.add(metadata["resourceVersion"])
        message = f"deleted, as {TTL.name} asks; the job's record at SageMaker stays"
        self.emit_events((Event("Normal", reasons.EXPIRED, message),))

    def _replaced(self, after: JsonObject) -> None:
        """Continue with the object as returned by a write; its former version is superseded."""
        before = self.obj["metadata"]["resourceVersion"]
        if after["metadata"]["resourceVersion"] != before:
            self.state.superseded_versions.add(before)
        self.obj = after
        self._is_current = True

    # --- holds

    @property
    def dependencies(self) -> tuple[Dependency, ...]:
        """Return what the object depends on in the cluster: the same throughout the pass, found at the first use."""
        if self._dependencies is None:
            self._dependencies = self.context.dependencies.of(self.obj)
        return self._dependencies

    def _depends_on(self) -> tuple[str, ...]:
        states = tuple(each.state for each in self.dependencies)
        return states if self.state.document is None else (*states, self.state.document.digest)

    def hold_for(self, delay_s: float) -> Hold:
        """Return a hold from now on, unless the object changes, or what it depends on."""
        token = hold_token(self.obj, self.effective_settings, self._depends_on())
        return Hold(token, self.context.clock.monotonic() + delay_s)

    def tags_held_s(self) -> float | None:
        """Return the seconds until refused tags are tried again; None: none were, or something has changed since."""
        return self._left_s(self.state.tags_hold)

    def change_held_s(self) -> float | None:
        """Return the same for a refused change of a job."""
        return self._left_s(self.state.change_hold)

    def _left_s(self, hold: Hold | None) -> float | None:
        if hold is None or hold.token != hold_token(self.obj, self.effective_settings, self._depends_on()):
            return None
        left_s = hold.until - self.context.clock.monotonic()
        return left_s if left_s > 0 else None


def _is_creation_time(resource: Mapping[str, Any]) -> bool:
    """Return whether a change of the record is AWS's creation time, of a resource that the owner tags still prove."""
    return resource.keys() == {"creationTime", "ownerUnverified"} and resource["ownerUnverified"] is True


def _differ_in_message(new: object, old: object) -> bool:
    """Return whether conditions are the same but for messages."""
    if not isinstance(new, list) or not isinstance(old, list) or len(new) != len(old):
        return False
    return all({**one, "message": ""} == {**other, "message": ""} for one, other in zip(new, old, strict=True))

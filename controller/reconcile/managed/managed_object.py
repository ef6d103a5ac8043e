"""The object being reconciled: its newest version, its AWS identity, and the writes made to it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

import structlog

from api.annotations import TTL
from api.meta import Condition, JsonObject, ObjectKey
from controller.aws.console import log_url, partition_of
from controller.aws.errors import AwsError
from controller.reconcile import reasons
from controller.reconcile.context import Context
from controller.reconcile.managed.aws_identity import AwsIdentity, resolve
from controller.reconcile.managed.local_state import Hold, LocalState
from controller.reconcile.managed.observe_object import hold_token, observe_object
from controller.reconcile.managed.pruning import well_formed
from controller.reconcile.namespaces.settings import EffectiveSettings, effective_settings_of
from controller.reconcile.observation import During, Failure, Mutation, Observed, Recorded
from controller.reconcile.status.messages import resumed, waiting
from controller.reconcile.status.patch import Facts, next_status, status_patch, with_notice
from controller.reconcile.steps import Event, Finish, StatusUpdate
from controller.runtime.errors import ErrorClass

_log: Final = structlog.get_logger(__name__)

JITTER: Final = 0.2
"""Random share of a delay, so that objects that failed together do not retry together."""
MESSAGE_LIMIT: Final = 1000
"""Characters of one message: an Event's note has 1,024."""


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
        self.state = state
        self.namespace = context.settings.namespaces.of(key.namespace)
        """The same throughout the pass, so that all of its decisions are consistent."""
        self.identity: AwsIdentity
        """The identity and target of AWS calls; set by `observe`, with which every pass begins."""
        self._is_current = False
        """The object was the current one when this pass last wrote it: AWS mutations need that."""
        self._is_namespace_current = False

    @property
    def spec(self) -> Mapping[str, Any]:
        """Return the spec; empty if the object has none."""
        return self.obj.get("spec") or {}

    @property
    def effective_settings(self) -> EffectiveSettings:
        """Return the effective settings of the object as it is now."""
        return effective_settings_of(self.obj, self.namespace)

    # --- what is known

    def observe(self) -> Observed:
        """Return what is known without asking AWS about the object, or why AWS must not be asked at all."""
        clock, settings, effective_settings = self.context.clock, self.context.settings, self.effective_settings
        if self.state.deleting_since is None and self.obj["metadata"].get("deletionTimestamp"):
            self.state.deleting_since = clock.monotonic()
        observed = observe_object(
            self.descriptor, self.obj, effective_settings, self.state, now=clock.utcnow(), monotonic=clock.monotonic()
        )
        region = observed.recorded.region if observed.recorded else ""
        self.identity = resolve(self.descriptor, self.key, self.obj, effective_settings, settings, region)
        observed = replace(observed, tags=self.identity.tagging, are_tags_held=self.tags_held_s() is not None)
        if observed.is_ended or observed.policy.paused:
            return observed
        try:
            self._check_identity(observed)
        except AwsError as error:
            return self.refused(observed, During.IDENTITY, error)
        return observed

    def _check_identity(self, observed: Observed) -> None:
        """Raise `AwsError`: DENIED if the namespace names no valid role, INVALID if the identity is of another account
        than the resource, where it would be missed.
        """
        self.identity.effective_settings.check()
        recorded = observed.recorded.account_id if observed.recorded else ""
        account = self.account() if recorded else ""
        if account and account != recorded:
            message = (
                f"{observed.name} is in account {recorded}, and objects of namespace {self.key.namespace} are looked"
                f" after in account {account}: nothing is asked of AWS. Let the namespace, or the operator's own"
                " credentials, name a role of the old account, or create another object."
            )
            raise AwsError(ErrorClass.INVALID, reasons.OTHER_ACCOUNT, message, sent=False)

    def region(self, observed: Observed) -> str:
        """Return the object's region. Raises `AwsError` as `AwsIdentity.target` does."""
        recorded = observed.recorded.region if observed.recorded else ""
        return self.identity.effective_settings.region(self.spec, recorded, self.context.settings.defaults)

    def account(self) -> str:
        """Return the account that is asked; empty if unknown. Raises `AwsError` as `AwsIdentity.target` does, or
        THROTTLED.
        """
        return self.context.settings.accounts.of(self.identity.target())

    def refused(self, observed: Observed, during: During, error: AwsError) -> Observed:
        """Return what is observed once AWS has refused something. Raises the error if it is THROTTLED.

        Only an object that shows nothing yet shows that it waits: its turn may come minutes later where many are
        created at once (`SynchronizingK8sJobWithSageMaker` in the guides: not processed yet).
        """
        if error.error_class is ErrorClass.THROTTLED and not observed.shown and observed.deleting_for_s is None:
            self.update_status(observed, waiting(observed), (), None)
        return replace(observed, failure=Failure.of(during, error))

    # --- creation

    def create(self, observed: Observed, name: str, send: Callable[[], str]) -> Observed:
        """Create the resource `name` by `send`, which returns its ARN; returns what is observed then.

        A name that is taken is part of that: its ownership has to be verified. Raises `AwsError` for other errors.
        After one that leaves open whether the resource exists, "not found" is not trusted for a while.
        """
        self.require_current()
        try:
            arn = send()
        except AwsError as error:
            if error.error_class is ErrorClass.EXISTS:
                return replace(observed, name_is_taken=True)
            if error.ambiguous:
                self.state.doubtful_since = self.context.clock.monotonic()
            raise
        self.state.recorded = recorded = self._recorded(name, arn)
        return replace(observed, mutation=Mutation.CREATED, recorded=recorded)

    def _recorded(self, name: str, arn: str) -> Recorded:
        """Return the record of the resource that was just created."""
        target, tagging = self.identity.target(), self.identity.tagging
        account = arn.split(":")[4] if arn.count(":") >= 5 else ""
        self.context.settings.accounts.learn(target, account)
        return Recorded(
            name=name,
            region=target.region,
            partition=partition_of(target.region),
            arn=arn,
            account_id=account,
            created_at=self.context.clock.utcnow(),
            tags=tagging.digest,
            tag_keys=tagging.keys,
        )

    # --- writes

    def ensure_finalizer(self, name: str | None, annotations: Mapping[str, str] | None = None) -> None:
        """Write the finalizer, annotations and, unless None, the name into the spec."""
        self._replaced(self.context.effects.ensure_finalizer(self.descriptor, self.obj, name, annotations))

    def annotate(self, annotations: Mapping[str, str | None]) -> None:
        """Write annotations, None removes one."""
        self._replaced(self.context.effects.annotate(self.descriptor, self.obj, annotations))

    def require_current(self) -> None:
        """Check that object and namespace are current; needed before each AWS mutation, done once per pass.

        The watch of namespaces may be behind that of the objects, and the namespace determines the credentials and
        whether AWS may be changed at all.
        """
        if not self._is_current:
            self._replaced(self.context.effects.require_current(self.descriptor, self.obj))
        if not self._is_namespace_current:
            self.context.settings.namespaces.confirm(self.namespace)
            self._is_namespace_current = True

    def update_status(
        self, observed: Observed, status_update: StatusUpdate, events: tuple[Event, ...], recorded: Recorded | None
    ) -> None:
        """Write the status if it changed, and record the events; without a change there are none."""
        patch = self._status_patch(observed, status_update, recorded)
        if patch is not None:
            self.patch_status(patch)
            self.emit_events((*resumed(observed, status_update), *events))

    def would_change_status(self, observed: Observed, end: Finish) -> bool:
        """Return whether the end of a pass changes the status."""
        recorded = end.recorded or observed.recorded
        return end.status_update is not None and self._status_patch(observed, end.status_update, recorded) is not None

    def _status_patch(
        self, observed: Observed, status_update: StatusUpdate, recorded: Recorded | None
    ) -> JsonObject | None:
        status = self.obj.get("status") or {}
        shown = {field.name for field in self.descriptor.compat.status}
        link = None
        if recorded is not None and recorded.region and self.descriptor.log_group and "cloudWatchLogUrl" in shown:
            link = log_url(recorded.region, self.descriptor.log_group, recorded.name)
        facts = Facts(observed.generation, observed.now, recorded, link)
        stamp = "lastUpdateTime" if "lastUpdateTime" in shown else "lastCheckTime"  # spelt by v1, kind by kind
        return status_patch(
            status, next_status(self.descriptor, status, status_update, facts), observed.now, stamp=stamp
        )

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
        self._replaced(self.context.effects.patch_status(self.descriptor, self.obj, changes))

    def emit_events(self, events: Iterable[Event]) -> None:
        """Record events about the object."""
        self.context.effects.emit_events(self.descriptor, self.obj, events)

    def remove_finalizer(self, events: tuple[Event, ...]) -> None:
        """Remove our finalizer: no resource of the object is left at AWS."""
        before = self.obj["metadata"]["resourceVersion"]
        self.context.effects.remove_finalizer(self.descriptor, self.obj)
        self.state.superseded_versions.add(before)
        self.state.recorded = self.state.hold = self.state.doubtful_since = None
        self.emit_events(events)

    def delete_expired(self) -> None:
        """Delete the object itself. Another pass removes its finalizer."""
        metadata = self.obj["metadata"]
        self.context.effects.delete_expired(self.descriptor, self.obj)
        self.state.superseded_versions.add(metadata["resourceVersion"])
        message = f"deleted, as {TTL.name} asks; the job's record at SageMaker stays"
        self.emit_events((Event("Normal", reasons.EXPIRED, message),))

    def _replaced(self, after: JsonObject) -> None:
        """Continue with the object as returned by a write; its former version is superseded."""
        before = self.obj["metadata"]["resourceVersion"]
        if after["metadata"]["resourceVersion"] != before:
            self.state.superseded_versions.add(before)
        well_formed(self.descriptor)(after)
        self.obj = after
        self._is_current = True

    # --- holds

    def hold_for(self, delay_s: float) -> Hold:
        """Return a hold from now on, unless the object changes."""
        return Hold(hold_token(self.obj, self.effective_settings), self.context.clock.monotonic() + delay_s)

    def tags_held_s(self) -> float | None:
        """Return the seconds until refused tags are tried again; None: none were, or something has changed since."""
        hold = self.state.tags_hold
        if hold is None or hold.token != hold_token(self.obj, self.effective_settings):
            return None
        left_s = hold.until - self.context.clock.monotonic()
        return left_s if left_s > 0 else None

"""Implements `LifeCycle` for models and endpoint configurations."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Final

import structlog

from api.annotations import CREATED_NAMES, DELETION_POLICY, READ_ONLY
from api.descriptor import KindDescriptor
from api.meta import ObjectKey
from api.naming import join_name, sagemaker_name
from controller.aws.errors import CallError
from controller.aws.sagemaker import Resources
from controller.reconcile.checks import Checks
from controller.reconcile.context import Context
from controller.reconcile.dependencies import NOTED
from controller.reconcile.drift.digest import content, differences, digest
from controller.reconcile.effects import Effect
from controller.reconcile.identity import is_assumed, is_replaced, unproven
from controller.reconcile.managed.managed_object import ManagedObject
from controller.reconcile.managed.observe_object import RESYNC_SHARE, external_resource, with_external
from controller.reconcile.managed.ownership import is_proved_by_tags, read_tags, verify_owner
from controller.reconcile.managed.requests import create_request
from controller.reconcile.observation import During, Failure, Mutation, Observed, Ownership, Recorded, Source
from controller.reconcile.resource.decide import decide
from controller.reconcile.resource.observation import (
    DELETING_LEGACY,
    FOREIGN,
    LEGACY_CONTENT,
    ConfirmOwner,
    ForgetName,
    RecordName,
    ResourceObservation,
    ResourceStep,
    TakeOver,
)
from controller.reconcile.resource.users import Users, models_of
from controller.reconcile.shared_decisions import is_missing
from controller.reconcile.status.copies import claims_text, has_uid, own_claims
from controller.reconcile.steps import Create, Delete, Describe, VerifyOwner
from controller.runtime.controller import DONE, Result
from controller.runtime.errors import ABSENT, Absent, ErrorClass
from controller.runtime.frozen import replace

_log: Final = structlog.get_logger(__name__)

CLAIMS: Final = CREATED_NAMES.key
"""Annotation: JSON object of the names that may exist at AWS for this object, with the digest of their content."""


class ResourceLifeCycle:
    """`LifeCycle` of models and endpoint configurations: there until deleted, replaced by another one when changed."""

    def __init__(
        self,
        context: Context,
        resources: Resources,
        users: Users,
        checks: Checks,
        check_models: Callable[[Iterable[str]], None],
    ) -> None:
        """`check_models` makes Models look for resources of these names."""
        self._context = context
        self._descriptor = context.descriptor
        self._resources = resources
        self._users = users
        self._checks = checks
        self._check_models = check_models

    def decide(self, observed: ResourceObservation) -> ResourceStep:
        """See `LifeCycle.decide`."""
        return decide(observed)

    def perform(
        self, step: ResourceStep, observed: ResourceObservation, managed: ManagedObject
    ) -> ResourceObservation | Result:
        """See `LifeCycle.perform`."""
        match step:
            case RecordName(name, wanted, before):
                if before is not None:
                    managed.reserve_creation(observed.base, self._resources)
                self._record_name(observed, managed, name, wanted)
                return self.observe(managed)
            case ForgetName(name):
                left = {each: value for each, value in observed.claimed.items() if each != name}
                managed.annotate({CLAIMS: claims_text(managed.obj["metadata"], left)})
                return DONE  # this write enqueues the object for the rest
            case Create():
                return self._create(observed, managed)
            case Describe(background):
                return self._describe(observed, managed, background=background)
            case VerifyOwner(arn):
                return replace(observed, base=verify_owner(managed, observed.base, self._resources, arn))
            case TakeOver(recorded):
                return self._take_over(observed, managed, recorded)
            case ConfirmOwner(name):
                return self._confirm_owner(observed, managed, name)
            case Delete(name):
                return self._delete(observed, managed, name)
            case _:
                raise AssertionError(f"{step} is the loop's")

    def forget(self, key: ObjectKey) -> None:
        """See `LifeCycle.forget`."""
        self._checks.done(self._descriptor.kind, key)

    # --- observing

    def observe(self, managed: ManagedObject) -> ResourceObservation:
        """See `LifeCycle.observe`."""
        clock, obj, state = self._context.clock, managed.obj, managed.state
        base = managed.observe()
        if base.is_recorded_in_status and base.recorded is not None:
            if state.recorded is not None and state.recorded.name != base.recorded.name:
                base = replace(base, recorded=state.recorded, is_recorded_in_status=False)
            else:
                state.recorded = state.doubtful_since = None
        if state.described_at is None:
            state.described_at = clock.monotonic()  # the periodic Describe counts from the first pass
        if base.deleting_for_s is not None and base.policy.retain and self._is_superseded(managed):
            base = replace(base, policy=replace(base.policy, retain=False))
        metadata = obj["metadata"]
        claimed = own_claims(metadata)
        inherited = _inherited(base, claimed, state.recorded)
        successors = self._users.successors_of(self._descriptor.kind, obj) if base.deleting_for_s is not None else {}
        failure, wanted = base.failure, ""
        try:
            wanted = digest(content(self._descriptor, managed.resolved_spec))
        except CallError as error:
            if base.deleting_for_s is None:
                failure = failure or Failure.of(During.CREATE, error)
        due_s = self._context.settings.resync_s * RESYNC_SHARE
        return ResourceObservation(
            base=replace(
                base,
                failure=failure,
                is_describe_due=base.is_reconcile_requested
                or self._checks.is_requested(self._descriptor.kind, managed.key)
                or clock.monotonic() - state.described_at >= due_s,
            ),
            content=wanted,
            claimed=claimed,
            inherited=inherited,
            is_observed=managed.status.get("observedGeneration") == base.generation,
            next_name=_next_name(self._descriptor, metadata, wanted, claimed),
            users={name: self._users.of(self._descriptor.kind, name) for name in claimed},
            is_child_in_use=any(
                self._users.is_child_in_use(self._descriptor.kind, obj, name)
                for name in {*claimed, *inherited, base.name} - set(successors)
            ),
            handed_over=self._users.handed_over_to(obj) if not claimed and base.recorded is None else None,
            successors=successors,
            model_names=managed.resolution.names.get(NOTED[self._descriptor.kind][0], {}),
            shown_model_names=_shown_model_names(self._descriptor, managed.status),
        )

    def _is_superseded(self, managed: ManagedObject) -> bool:
        """Return whether a deployment has dropped this child, which itself does not ask to be retained.

        What the namespace retains is what users delete; the operator clears up after its own updates everywhere.
        """
        own = managed.effective_settings.own
        is_kept = DELETION_POLICY.of(own) == "retain" or READ_ONLY.of(own) is True
        return not is_kept and self._users.is_superseded(managed.obj)

    def _describe(
        self, observed: ResourceObservation, managed: ManagedObject, *, background: bool
    ) -> ResourceObservation:
        base = observed.base
        name = base.name if base.policy.read_only else observed.current or base.name
        answer = self._resources.describe(
            self._descriptor, managed.identity.target(), name, caller=managed.key, background=background
        )
        managed.state.described_at = self._context.clock.monotonic()
        base = replace(base, is_describe_due=False)
        if answer is ABSENT:
            return replace(observed, base=replace(base, external=ABSENT))
        self._checks.done(self._descriptor.kind, managed.key)
        differs = tuple(differences(content(self._descriptor, managed.resolved_spec), answer))
        external = external_resource(self._descriptor, answer, Source.DESCRIPTION)
        return replace(
            observed,
            base=with_external(managed.state, base, external),
            legacy_matches=not differs,
            differences=differs,
        )

    def _take_over(
        self, observed: ResourceObservation, managed: ManagedObject, recorded: Recorded
    ) -> ResourceObservation:
        """Record the name of what the preceding child has, if that is proved; else the child has one of its own.

        The child itself proves it, as long as it is there; then the tags, which are of one of those before this one.
        """
        kind = self._descriptor
        own = replace(observed, handed_over=None)
        preceding = self._users.preceding(kind.kind, managed.obj)
        wanted = own_claims(preceding["metadata"]).get(recorded.name) if preceding is not None else None
        owner = replace(managed.identity.owner, uid=recorded.owner_uid)
        if preceding is None:
            is_named = recorded.arn.rpartition("/")[2] == recorded.name.lower()  # else a user has written it
            tags = read_tags(managed, self._resources, recorded.arn) if is_named else ABSENT
            is_proved = tags is not ABSENT and (owner.is_proved_by(tags) or owner.are_of_sibling(tags))
            wanted = observed.content if is_proved else None
        if wanted is None:
            return own
        is_replaced_content = wanted in {LEGACY_CONTENT, DELETING_LEGACY}
        self._record_name(own, managed, recorded.name, LEGACY_CONTENT if is_replaced_content else observed.content)
        return self.observe(managed)

    def _confirm_owner(self, observed: ResourceObservation, managed: ManagedObject, name: str) -> ResourceObservation:
        """Find out who owns the resource `name`, by one call where AWS's creation time is recorded or tags prove it."""
        base, target = observed.base, managed.identity.target()
        self._resources.reserve(target, self._descriptor.operations.delete, caller=managed.key)
        confirmed = replace(observed, confirmed=observed.confirmed | {name})
        recorded = base.recorded
        known = recorded if recorded is not None and recorded.name == name else None
        arn = f"{recorded.arn.rpartition('/')[0]}/{name.lower()}" if recorded is not None and recorded.arn else ""
        is_dated = known is not None and known.creation_time is not None and not known.is_unverified
        tags = self._tags(managed, arn) if arn and not is_dated and base.has_owner_tags else None
        if tags is ABSENT or (
            isinstance(tags, Mapping) and is_proved_by_tags(managed, managed.identity.owner, name, tags)
        ):
            return confirmed
        is_legacy = name in observed.inherited or observed.claimed.get(name) in {LEGACY_CONTENT, DELETING_LEGACY}
        if is_legacy and has_uid(name, managed.obj["metadata"]):
            return confirmed  # it never had tags; its name has the uid of the object in it
        describe = partial(self._resources.describe, self._descriptor, target, name)
        answer = managed.read(("describe", name), lambda: describe(caller=managed.key, background=False))
        if answer is ABSENT:
            return confirmed
        if known is None and not base.is_legacy:
            known = Recorded(name, region="", partition="")  # listed by its name only: known by its tags
        external = external_resource(self._descriptor, answer, Source.DESCRIPTION)
        base = replace(base, name=name, recorded=known, owner=Ownership.UNKNOWN, external=external)
        if unproven(base) is not None or is_assumed(base):
            base = verify_owner(managed, base, self._resources, external.arn, found=tags)
        return replace(observed, foreign=observed.foreign | {name}) if is_replaced(base) else confirmed

    def _tags(self, managed: ManagedObject, arn: str) -> Mapping[str, str] | Absent | None:
        """Return the tags of a resource; None where AWS does not say."""
        try:
            return read_tags(managed, self._resources, arn)
        except CallError as error:
            if error.error_class in {ErrorClass.THROTTLED, ErrorClass.RETRYABLE}:
                raise
            _log.info("tags cannot be read", resource=arn, code=error.code)
            return None

    # --- acting

    def _record_name(self, observed: ResourceObservation, managed: ManagedObject, name: str, wanted: str) -> None:
        if wanted == FOREIGN:
            managed.state.corrections = managed.state.corrections.after(self._context.clock.monotonic())
        inherited = dict.fromkeys(observed.inherited, LEGACY_CONTENT)
        claims = {**inherited, **observed.claimed, name: wanted}
        managed.ensure_finalizer(None, {CLAIMS: claims_text(managed.obj["metadata"], claims)})

    def _create(self, observed: ResourceObservation, managed: ManagedObject) -> ResourceObservation:
        base = observed.base
        target = managed.identity.target()
        request = create_request(self._descriptor, managed.resolved_spec, observed.current, managed.identity)
        self._resources.reserve(target, self._descriptor.operations.create, caller=managed.key)
        send = partial(
            self._context.effects.perform,
            Effect.CREATE,
            lambda: self._resources.create(self._descriptor, target, request, caller=managed.key),
        )
        try:
            created = replace(managed.create(base, observed.current, send), external=None)
        except CallError as error:
            if is_missing(error.error_class, error.code):
                self._check_models(models_of({"spec": managed.resolved_spec}))
            raise
        self._checks.done(self._descriptor.kind, managed.key)
        if created.mutation is not None:
            created = replace(created, is_recorded_in_status=False, shown="")
        is_known = base.recorded is not None and base.recorded.name == observed.current
        return replace(observed, base=created, was_gone=is_known and base.external is ABSENT)

    def _delete(self, observed: ResourceObservation, managed: ManagedObject, name: str) -> ResourceObservation:
        base = observed.base
        target = managed.identity.target()
        self._resources.reserve(target, self._descriptor.operations.delete, caller=managed.key)
        managed.require_current()
        answer = self._context.effects.perform(
            Effect.DELETE,
            lambda: self._resources.delete(self._descriptor, target, name, caller=managed.key),
        )
        if answer is not ABSENT:
            observed = replace(observed, is_confirmed_gone=True)
        return replace(observed, gone=observed.gone | {name}, base=replace(base, mutation=Mutation.DELETED))


def _shown_model_names(descriptor: KindDescriptor, status: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    if not descriptor.references:
        return ()
    noted = status.get(NOTED[descriptor.kind][1]) or ()
    return tuple((str(each.get("name")), str(each.get("value"))) for each in noted)


def _inherited(base: Observed, claimed: Mapping[str, str], created: Recorded | None) -> frozenset[str]:
    """Return the names that the annotation does not list because it was lost, as to `kubectl replace`.

    `created` is what this process has created, which the status may not record yet.
    """
    if claimed and created is None:
        return frozenset()
    noted = base.recorded.replaced_names if base.recorded is not None and not claimed else ()
    return frozenset({*noted, *([created.name] if created is not None else [])} - set(claimed))


def _next_name(descriptor: KindDescriptor, metadata: Mapping[str, Any], wanted: str, claimed: Mapping[str, str]) -> str:
    """Return the name for new content: v1's name for the first (v1-kinds.md 4), another one for each edit.

    An earlier name with the same content may have been deleted, or be about to be (`observation.DELETING`).
    """
    limit, name, uid = descriptor.name.max_length, metadata["name"], metadata["uid"]
    first = sagemaker_name(name, uid, limit)
    if not claimed:
        return first
    foreign = sorted(each for each, content in claimed.items() if content == FOREIGN)
    edit = digest([wanted, metadata.get("generation", 0), *foreign])
    return join_name(f"{uid.replace('-', '')}-{edit}", name, limit).replace(".", "-")

"""Decides about a resource in service by comparing the spec with it: applied, reported, corrected, or at rest. Pure."""

from dataclasses import dataclass
from typing import ClassVar, Final, TypeVar

from controller.reconcile import reasons
from controller.reconcile.drift.report import Difference
from controller.reconcile.mutable.compared.desired import Desired, changed_content, changed_count
from controller.reconcile.mutable.compared.observation import ComparedObservation, Update
from controller.reconcile.mutable.in_service import at_rest, drifted, update_failed
from controller.reconcile.mutable.kind import BUSY_POLL_S, MutableKind
from controller.reconcile.mutable.notes import open_for_s
from controller.reconcile.mutable.observation import MutableStep, RecordServed
from controller.reconcile.observation import ExternalResource, Recorded
from controller.reconcile.shared_decisions import drift_shown
from controller.reconcile.steps import Drift, Finish, Phase, StatusUpdate

ObsT = TypeVar("ObsT", bound=ComparedObservation)
StepT = TypeVar("StepT")

_MOST_ATTEMPTS: Final = 2
"""Of the same update, where nothing came of it and AWS gives no reason: others may have changed the resource first."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Where AWS does not have what the spec asks for, and the update that changes that."""

    differences: tuple[Difference, ...]
    update: Update


class ComparedKind(MutableKind[ObsT, StepT]):
    """What a kind supplies if its spec is compared with what Describe shows."""

    count_path: ClassVar[str] = "count"
    """The path of the count in the spec."""

    def compare(self, observed: ObsT) -> Comparison | StepT:
        """Compare the spec with what AWS has described; a step instead finds out first what that depends on."""
        return self.comparison(observed)

    def remark(self, observed: ObsT) -> str:
        """Return what users have to know about a resource that is as the spec wants it; empty: nothing."""
        return ""

    def comparison(self, observed: ObsT, *, is_scaled: bool = False) -> Comparison:
        """Compare; the count only if it is not `is_scaled` by others."""
        wanted, found = both(observed)
        content = changed_content(wanted, found)
        count = () if is_scaled else changed_count(wanted, found, self.count_path)
        return Comparison((*content, *count), Update(only_count=observed.attempt.id == wanted.id and not content))

    def may_exist(self, observed: ObsT) -> bool:
        """See `MutableKind.may_exist`: nothing is requested without a record."""
        return bool(observed.attempt.id)

    def is_settled(self, observed: ObsT) -> bool:
        """See `MutableKind.is_settled`."""
        base, states = observed.base, self.states
        if base.shown != states.in_service:
            return base.shown in states.changing | {states.creating, states.failed}  # lists show no end of a deletion
        return observed.attempt.is_served and not observed.is_pending and drift_shown(base) is not Drift.FOUND

    def described(self, observed: ObsT, recorded: Recorded, external: ExternalResource) -> StepT | MutableStep | None:
        """See `MutableKind.described`."""
        if external.value != self.states.in_service:
            return None
        found, attempt = self.compare(observed), observed.attempt
        if not isinstance(found, Comparison):
            return found
        differences = found.differences
        if observed.is_pending:
            if attempt.id in {"", both(observed)[0].id} and not differences:
                # Adopted as it is; or only `reconcile-at`, or the count of what is scaled, changed.
                return RecordServed()
            return self._update(observed, recorded, found.update)
        if not attempt.is_served:
            return self._outcome(observed, recorded, external, differences)
        if differences:
            return drifted(observed, self, recorded, differences, found.update)
        return at_rest(observed, self, recorded, self.remark(observed))

    def _update(self, observed: ObsT, recorded: Recorded, update: Update) -> MutableStep:
        """Send an update, once what the spec names is there and AWS is not busy."""
        message = observed.refusal or (f"Waits for {observed.base.waits_for}" if observed.base.waits_for else "")
        if not message:
            return update
        status_update = StatusUpdate(
            Phase.READY_WORKING,
            reasons.UPDATE_PENDING,
            message,
            value=self.states.in_service,
            additional=message,
            fields=self.fields(observed),
            synced=reasons.UPDATE_PENDING,
        )
        return Finish(status_update, recorded, follow=True, again_s=BUSY_POLL_S if observed.refusal else None)

    def _outcome(
        self, observed: ObsT, recorded: Recorded, external: ExternalResource, differences: tuple[Difference, ...]
    ) -> MutableStep:
        """Find out what became of the last request, whether it was answered or not."""
        attempt = observed.attempt
        if attempt.since and str(external.fields.get("lastModifiedTime", "")) <= attempt.since:
            left_s = open_for_s(attempt.at, observed.base.now)
            if left_s > 0:
                return Finish(follow=True, again_s=left_s)  # it may still take effect, or this answer is older
            return self._update(observed, recorded, Update())
        if not differences:
            return RecordServed()
        if external.failure_reason or attempt.number >= _MOST_ATTEMPTS:
            return update_failed(observed, self, recorded, external)
        return self._update(observed, recorded, Update())


def both(observed: ComparedObservation) -> tuple[Desired, Desired]:
    """Return what the spec asks for and what AWS has shown; only deletions have neither."""
    assert observed.desired is not None and observed.shown is not None  # noqa: S101, PT018 (it was described)
    return observed.desired, observed.shown

"""What is observed of a job besides what is observed of every object. Pure."""

from dataclasses import dataclass

from controller.reconcile.observation import ExtendedObservation, ExternalResource


@dataclass(frozen=True, slots=True)
class JobObservation(ExtendedObservation):
    """Everything that a decision about one job may depend on."""

    summary: ExternalResource | None = None
    """The tracker's last summary, from before this pass called AWS."""
    is_end_expected: bool = False
    """The Describe that is due will probably show the end: it is as urgent as one of a job that List shows as ended."""
    rules_running: bool = False
    """Debugger rules that the status shows are still being evaluated."""
    are_rules_open: bool = False
    """The spec has debugger rules, and not all of them are known to have ended."""
    issues: frozenset[str] = frozenset()
    """Debugger rules with issues in the status."""
    described_ago_s: float | None = None
    """Seconds since the last Describe, while more are to come."""
    is_token_old: bool = False
    """AWS may have forgotten the client token with which the object has started something."""
    stop_was_refused: bool = False
    """In this pass, Stop failed because the state does not allow it."""

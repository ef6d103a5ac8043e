"""Makes the calls of `probes` for one identity, and reads the rights off the answers."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Protocol

from controller.aws.errors import UNAUTHENTICATED, CallError, bare
from controller.aws.targets import Target
from controller.rights.probes import Probe
from controller.runtime.errors import ErrorClass

_ATTEMPTS: Final = 3
_LONGEST_PAUSE_S: Final = 10.0
_CALLER: Final = "check"


class Api(Protocol):
    """The part of `aws.clients.AwsApi` that is needed."""

    def call(
        self, target: Target, service: str, operation: str, request: Mapping[str, Any], *, caller: Hashable
    ) -> dict[str, Any]:
        """See `AwsApi.call`."""
        ...


class Pause(Protocol):
    """Waits between attempts; `runtime.threads.Stop.wait` is one."""

    def __call__(self, timeout_s: float) -> object:
        """Block for so long."""
        ...


class Verdict(Enum):
    """What the answer to a probe means."""

    ALLOWED = "allowed"
    DENIED = "denied"
    UNKNOWN = "unknown"
    """No answer, or one that is not about the right."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One right of one identity."""

    probe: Probe
    verdict: Verdict
    message: str = ""
    """AWS's words, unless it is allowed."""

    @property
    def is_problem(self) -> bool:
        """Return whether the operator would miss it, or may."""
        return self.verdict is not Verdict.ALLOWED and not self.probe.is_optional


def whoami(api: Api, target: Target) -> tuple[str, str]:
    """Return account and ARN of an identity. Raises `CallError`: this needs credentials, and no right."""
    answer = api.call(Target(target.region, identity=target.identity), "sts", "GetCallerIdentity", {}, caller=_CALLER)
    return str(answer.get("Account", "")), str(answer.get("Arn", ""))


def check(api: Api, target: Target, probes: Iterable[Probe], pause: Pause) -> list[Finding]:
    """Return a finding for each probe, in order. Raises nothing; blocks for one call after the other."""
    return [_finding(api, target, probe, pause) for probe in probes]


def _finding(api: Api, target: Target, probe: Probe, pause: Pause) -> Finding:
    error: CallError | None = None
    for _ in range(_ATTEMPTS):
        try:
            api.call(target, probe.service, probe.operation, probe.request, caller=_CALLER)
        except CallError as exc:
            error = exc
        else:
            return _accepted(api, target, probe)
        if error.error_class not in {ErrorClass.THROTTLED, ErrorClass.RETRYABLE}:
            break
        pause(min(error.retry_after_s or 1.0, _LONGEST_PAUSE_S))
    assert error is not None  # noqa: S101 (there is an attempt)
    return Finding(probe, *_meaning(probe, error))


def _meaning(probe: Probe, error: CallError) -> tuple[Verdict, str]:
    """Return what a refusal says about the right to make the call."""
    text = f"{error.code}: {error.message}"
    match error.error_class:
        case ErrorClass.DENIED if bare(error.code) in UNAUTHENTICATED:
            return Verdict.UNKNOWN, text
        case ErrorClass.DENIED:
            return _denied(error, text)
        case ErrorClass.THROTTLED | ErrorClass.RETRYABLE:
            return Verdict.UNKNOWN, text
        case ErrorClass.NOT_FOUND if probe.must_exist:
            return Verdict.UNKNOWN, text
        case _ if not error.is_sent:
            return Verdict.UNKNOWN, text
    return Verdict.ALLOWED, ""


def _denied(error: CallError, text: str) -> tuple[Verdict, str]:
    """Return DENIED, unless AWS names another right, which it looks for once that to make the call is there."""
    is_of_role = "iam:PassRole" in error.message or "sts:AssumeRole" in error.message
    return (Verdict.ALLOWED, "") if is_of_role else (Verdict.DENIED, text)


def _accepted(api: Api, target: Target, probe: Probe) -> Finding:
    """Return that a call is allowed which AWS has accepted, and take it back if it should have been refused."""
    if probe.undo is not None:
        operation, request = probe.undo
        try:
            api.call(target, probe.service, operation, request, caller=_CALLER)
        except CallError as error:
            message = f"AWS has accepted it against all expectation, and {operation} was refused: {error.message}"
            return Finding(probe, Verdict.UNKNOWN, message)
    return Finding(probe, Verdict.ALLOWED)

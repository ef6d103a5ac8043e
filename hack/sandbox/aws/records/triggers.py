"""Reads markers, by which a user makes a resource misbehave: in its tags, environment, hyperparameters or name.

A marker is a key such as `SANDBOX_FAIL` in a tag, an environment variable or a hyperparameter. Case and separators
do not matter (`sandbox-fail`, `sandbox/fail`), because tags, variables and hyperparameters allow different characters.
A resource with a model (a transform job, an endpoint) has the markers of the model's environment as well.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hack.sandbox.aws.wire import invalid

HELP = """\
markers: a tag, environment variable or hyperparameter with one of these names (any case; -, _, / alike); a transform
job or endpoint also has those of its models' environment, an endpoint those of its configuration's tags
  SANDBOX_FAIL=TEXT            a job fails at the end of its work: FailureReason "AlgorithmError: TEXT"; an endpoint
                               becomes Failed, and an update to such a configuration or model rolls back, reason TEXT
  SANDBOX_ROLLBACK_FAIL=TEXT   the update fails, and so does the roll-back: UpdateRollbackFailed
  SANDBOX_OUT_OF_SERVICE=1     the endpoint ends as OutOfService instead of InService
  SANDBOX_SECONDS=N            work for N seconds: train, transform, process, create or update an endpoint;
                               SANDBOX_TRAIN_SECONDS means the same
  SANDBOX_INTERRUPT=N          with managed spot training: N interruptions
  SANDBOX_RULE_ISSUE=NAME      the debugger rule NAME finds issues; NAME may be *
  SANDBOX_FAIL_FIRST=N         the first N training jobs of a tuning job fail
  a name that starts with fail- does the same as SANDBOX_FAIL
  "does-not-exist" in an image, in an S3 input, in a model's data or in a role makes that thing missing"""

MISSING = "does-not-exist"


@dataclass(frozen=True, slots=True)
class Markers:
    """The requested misbehaviour; None, 0, False or empty for none. For an empty `fail` the kind has a message."""

    fail: str | None = None
    work_s: float | None = None
    interruptions: int = 0
    rule_issue: str | None = None
    rollback_fail: str | None = None
    is_out_of_service: bool = False
    fail_first: int = 0


def read(request: Mapping[str, Any], name: str, *related: Mapping[str, Any]) -> Markers:
    """Return the markers in a request and in those of related resources; the request's own come first.

    Raises ValidationException for an invalid number.
    """
    found: dict[str, str] = {}
    for source in (*related, request):
        found |= dict(_entries(source))
    fail = found.get("SANDBOX_FAIL")
    if fail is None and name.startswith("fail-"):
        fail = ""
    return Markers(
        fail=fail,
        work_s=_number(found, "SANDBOX_SECONDS", "SANDBOX_TRAIN_SECONDS"),
        interruptions=int(_number(found, "SANDBOX_INTERRUPT") or 0),
        rule_issue=found.get("SANDBOX_RULE_ISSUE"),
        rollback_fail=found.get("SANDBOX_ROLLBACK_FAIL"),
        is_out_of_service="SANDBOX_OUT_OF_SERVICE" in found,
        fail_first=int(_number(found, "SANDBOX_FAIL_FIRST") or 0),
    )


def _entries(request: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    definitions = [request.get("TrainingJobDefinition") or {}, *(request.get("TrainingJobDefinitions") or ())]
    containers = [request.get("PrimaryContainer") or {}, *(request.get("Containers") or ())]
    for part in (request, *definitions, *containers):
        for source in ("HyperParameters", "StaticHyperParameters", "Environment"):
            for key, value in (part.get(source) or {}).items():
                yield _normal(key), value
    for tag in request.get("Tags") or ():
        yield _normal(tag["Key"]), tag["Value"]


def _normal(key: str) -> str:
    return re.sub(r"\W", "_", key).upper()


def _number(found: Mapping[str, str], *names: str) -> float | None:
    """Return the value of the first of these markers that is set."""
    marker = next((name for name in names if name in found), None)
    if marker is None:
        return None
    text = found[marker]
    try:
        value = float(text)
    except ValueError as exc:
        raise invalid(f"sandbox marker {marker} must be a number, not '{text}'") from exc
    if not 0 <= value <= 1e9:
        raise invalid(f"sandbox marker {marker} must be between 0 and 1e9, not '{text}'")
    return value

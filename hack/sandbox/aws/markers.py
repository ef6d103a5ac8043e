"""How a reader makes a job misbehave: words in its tags, environment, hyperparameters or name.

A marker is a key such as `SANDBOX_FAIL` in a tag, an environment variable or a hyperparameter. Case and separators
do not matter (`sandbox-fail`, `sandbox/fail`), because tags, variables and hyperparameters allow different characters.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hack.sandbox.aws.wire import invalid

HELP = """\
markers: a tag, environment variable or hyperparameter of a job with one of these names (any case; -, _, / alike)
  SANDBOX_FAIL=TEXT            the algorithm fails at the end of training: FailureReason "AlgorithmError: TEXT"
  SANDBOX_TRAIN_SECONDS=N      train for N seconds
  SANDBOX_INTERRUPT=N          with managed spot training: N interruptions
  SANDBOX_RULE_ISSUE=NAME      the debugger rule NAME finds issues; NAME may be *
  a name that starts with fail- does the same as SANDBOX_FAIL
  "does-not-exist" in the training image, in an S3 input or in the role makes that thing missing"""

MISSING = "does-not-exist"
_DEFAULT_FAILURE = 'ExecuteUserScriptError: Command "python train.py" exited with code 1'


@dataclass(frozen=True, slots=True)
class Markers:
    """What was asked for; None or 0 means nothing was."""

    fail: str | None = None
    train_s: float | None = None
    interruptions: int = 0
    rule_issue: str | None = None


def read(request: Mapping[str, Any], name: str) -> Markers:
    """Return the markers in a create request. Raises ValidationException for a number that is none."""
    found = dict(_entries(request))
    fail = found.get("SANDBOX_FAIL")
    if fail is None and name.startswith("fail-"):
        fail = ""
    train_s = found.get("SANDBOX_TRAIN_SECONDS")
    return Markers(
        fail=None if fail is None else fail or _DEFAULT_FAILURE,
        train_s=None if train_s is None else _number("SANDBOX_TRAIN_SECONDS", train_s),
        interruptions=int(_number("SANDBOX_INTERRUPT", found.get("SANDBOX_INTERRUPT", "0"))),
        rule_issue=found.get("SANDBOX_RULE_ISSUE"),
    )


def _entries(request: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for source in ("HyperParameters", "Environment"):
        for key, value in (request.get(source) or {}).items():
            yield _normal(key), value
    for tag in request.get("Tags") or ():
        yield _normal(tag["Key"]), tag["Value"]


def _normal(key: str) -> str:
    return re.sub(r"\W", "_", key).upper()


def _number(marker: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError as exc:
        raise invalid(f"sandbox marker {marker} must be a number, not '{text}'") from exc
    if not 0 <= value <= 1e9:
        raise invalid(f"sandbox marker {marker} must be between 0 and 1e9, not '{text}'")
    return value

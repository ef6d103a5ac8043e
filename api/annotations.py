"""The annotations under the operator's prefix: their names, where they apply, and their values.

One table, which code, `docs/annotations.md` and its test share. Unknown or invalid ones are ignored and reported: a
typo in `deletion-policy` must not be discovered when the data is gone.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, Generic, TypeVar

from api.descriptor import LifeCycle
from api.meta import GROUP
from api.tags import parse_tags

T = TypeVar("T")

_QUOTED: Final = 40
"""Characters of a value that are repeated in a message."""


class Place(Enum):
    """The objects on which an annotation may be set."""

    OBJECT = "object"
    NAMESPACE = "namespace"
    """As the default for all objects in it."""


@dataclass(frozen=True, slots=True)
class Annotation(Generic[T]):
    """One annotation that users or the operator write. `T` is the type of its parsed value."""

    name: str
    """Without the prefix."""
    takes: str
    """The accepted values, for messages."""
    parse: Callable[[str], T | None]
    """Returns None for an invalid value, which counts as absent."""
    places: frozenset[Place] = frozenset({Place.OBJECT})
    life_cycles: frozenset[LifeCycle] = frozenset(LifeCycle)
    """The life-cycles of the kinds on which it has an effect."""
    is_ours: bool = False
    """Written by the operator, for itself."""
    is_told: bool = True
    """Messages may contain its value."""

    key: str = field(init=False)
    """The name with the prefix, as in metadata."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", f"{GROUP}/{self.name}")  # once, as every pass reads some

    def of(self, annotations: Mapping[str, str]) -> T | None:
        """Return the parsed value in `annotations`; None if absent or invalid."""
        text = annotations.get(self.key)
        return None if text is None else self.parse(text)


def choice(*values: str) -> Callable[[str], str | None]:
    """Return a parser for one of `values`."""
    return lambda text: text if text in values else None


def pattern(regex: str) -> Callable[[str], str | None]:
    """Return a parser for texts that fully match `regex`. ASCII only: AWS accepts no other Unicode digits."""
    whole = re.compile(regex, re.ASCII)
    return lambda text: text if whole.fullmatch(text) else None


def flag(text: str) -> bool | None:
    """Parse `true` and `false`."""
    return {"true": True, "false": False}.get(text)


def _seconds(text: str) -> int | None:
    """Parse an integer number of seconds, 0 or more (batch/v1 JobSpec.ttlSecondsAfterFinished is an int32)."""
    return int(text) if text.isascii() and text.isdigit() and int(text) < 2**31 else None


def _tags(text: str) -> dict[str, str] | None:
    """Parse `k=v,k=v`."""
    try:
        return dict(parse_tags(text))
    except ValueError:
        return None


def _queue_urls(text: str) -> tuple[str, ...] | None:
    """Parse URLs of SQS queues with commas between; returns each once, in order."""
    urls = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    return urls if urls and all(_QUEUE_URL.fullmatch(each) for each in urls) else None


_REGION: Final = r"[a-z]{2,4}(-[a-z]+)+-\d+"
_URL: Final = r"https?://[^\s/?#]+\S*"
_ROLE: Final = r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+"
"""IAM API, Role: path and name."""
_EXTERNAL_ID: Final = r"[\w+=,.@:/-]{2,1224}"
"""STS API, AssumeRole."""
_QUEUE_URL: Final = re.compile(r"https?://[A-Za-z0-9.-]+(?::\d{1,5})?/\d{12}/[\w.-]{1,80}", re.ASCII)
"""SQS: the host, then the account and the queue's name."""
_JOBS: Final = frozenset({LifeCycle.JOB})
_BOTH: Final = frozenset(Place)
_NAMESPACE: Final = frozenset({Place.NAMESPACE})
"""A user who may write objects must not choose the credentials, nor where they are sent."""
_ENDPOINTS: Final = frozenset({LifeCycle.ENDPOINT})
_SCALING: Final = frozenset({LifeCycle.SCALING})
_COMPONENTS: Final = frozenset({LifeCycle.COMPONENT})
_IN_PLACE: Final = frozenset({LifeCycle.IN_PLACE})

DELETION_POLICY: Final = Annotation("deletion-policy", "delete or retain", choice("delete", "retain"), _BOTH)
ADOPTION_POLICY: Final = Annotation(
    "adoption-policy",
    "refuse, adopt or adopt-or-create",
    choice("refuse", "adopt", "adopt-or-create"),
    life_cycles=_JOBS
    | _ENDPOINTS
    | _COMPONENTS
    | _IN_PLACE
    | _SCALING,  # models and configurations have names of their own
)
READ_ONLY: Final = Annotation("read-only", "true or false", flag, _BOTH)
PAUSED: Final = Annotation("paused", "true or false", flag, _BOTH)
RECONCILE_AT: Final = Annotation("reconcile-at", "any text, such as a time", str)
DRIFT_POLICY: Final = Annotation(
    "drift-policy",
    "report or correct",
    choice("report", "correct"),
    _BOTH,
    life_cycles=_ENDPOINTS | _COMPONENTS | _IN_PLACE | _SCALING | {LifeCycle.RESOURCE},
)
UPDATE_POLICY: Final = Annotation(
    "update-policy", "automatic or manual", choice("automatic", "manual"), life_cycles=_ENDPOINTS
)
RECREATE_ON_FAILURE: Final = Annotation(
    "recreate-on-failure", "true or false", flag, life_cycles=_ENDPOINTS | _COMPONENTS
)
DEFAULT_REGION: Final = Annotation("default-region", "the name of an AWS region", pattern(_REGION), _NAMESPACE)
ENDPOINT_URL: Final = Annotation(
    "endpoint-url", "a URL that starts with http:// or https://", pattern(_URL), _NAMESPACE
)
ROLE_ARN: Final = Annotation("role-arn", "the ARN of an IAM role", pattern(_ROLE), _NAMESPACE)
EXTERNAL_ID: Final = Annotation(
    "external-id",
    "2 to 1224 letters, digits and any of _+=,.@:/-",
    pattern(_EXTERNAL_ID),
    _NAMESPACE,
    is_told=False,
)
SESSION_TAGS: Final = Annotation("session-tags", "true or false", flag, _NAMESPACE)
OWNER_ACCOUNT_ID: Final = Annotation(
    "owner-account-id", "an account number of 12 digits", pattern(r"\d{12}"), _NAMESPACE
)
DEFAULT_TAGS: Final = Annotation("default-tags", "key=value pairs with commas between", _tags, _NAMESPACE)
STATUS_QUEUE: Final = Annotation(
    "status-queue",
    "URLs of SQS queues, such as https://sqs.REGION.amazonaws.com/ACCOUNT/NAME, with commas between",
    _queue_urls,
    _NAMESPACE,
)
TTL: Final = Annotation(
    "ttl-seconds-after-finished", "a whole number of seconds, 0 or more", _seconds, _BOTH, life_cycles=_JOBS
)

AWS_RESOURCE: Final = Annotation("aws-resource", "JSON", str, is_ours=True)
CLAIMED_VARIANTS: Final = Annotation("claimed-variants", "JSON", str, is_ours=True)
CREATED_NAMES: Final = Annotation("created-names", "JSON", str, is_ours=True)
FOUND_TARGETS: Final = Annotation("found-targets", "JSON", str, is_ours=True)
LAST_UPDATE_ATTEMPT: Final = Annotation("last-update-attempt", "JSON", str, is_ours=True)

KNOWN: Final[Mapping[str, Annotation[Any]]] = {
    each.name: each
    for each in (
        ADOPTION_POLICY,
        AWS_RESOURCE,
        CLAIMED_VARIANTS,
        CREATED_NAMES,
        DEFAULT_REGION,
        DEFAULT_TAGS,
        DELETION_POLICY,
        DRIFT_POLICY,
        ENDPOINT_URL,
        EXTERNAL_ID,
        FOUND_TARGETS,
        LAST_UPDATE_ATTEMPT,
        OWNER_ACCOUNT_ID,
        PAUSED,
        READ_ONLY,
        RECONCILE_AT,
        RECREATE_ON_FAILURE,
        ROLE_ARN,
        SESSION_TAGS,
        STATUS_QUEUE,
        TTL,
        UPDATE_POLICY,
    )
}
"""Every annotation that has an effect, by name."""

FLAGS_INSTEAD: Final[Mapping[str, str]] = {"poll-interval": "--poll-interval", "resync-period": "--resync-period"}
"""Annotations of other operators that are flags here: one List call covers all objects of a kind and region, so no
object can be polled more often, or less, than the others."""


def ignored(annotations: Mapping[str, str], place: Place, life_cycle: LifeCycle | None = None) -> tuple[str, ...]:
    """Return a sentence with the reason for each prefixed annotation without effect, sorted by name. Pure.

    `life_cycle` is that of the annotated object; None for namespaces.
    """
    names = sorted(key.removeprefix(f"{GROUP}/") for key in annotations if key.startswith(f"{GROUP}/"))
    reasons = ((name, _reason(name, annotations[f"{GROUP}/{name}"], place, life_cycle)) for name in names)
    return tuple(f"{name}: {reason}" for name, reason in reasons if reason)


def _reason(name: str, text: str, place: Place, life_cycle: LifeCycle | None) -> str:
    """Return why an annotation has no effect; empty if it has one."""
    annotation = KNOWN.get(name)
    if annotation is None:
        if name in FLAGS_INSTEAD:
            return f"not known of a single object; the operator's flag {FLAGS_INSTEAD[name]} holds for all"
        from difflib import get_close_matches  # noqa: PLC0415 (needed for a typo only)

        close = get_close_matches(name, [each.name for each in KNOWN.values() if not each.is_ours], n=1)
        return f"no such annotation{f' (is {close[0]} meant?)' if close else ''}"
    if annotation.is_ours:
        return ""
    if place not in annotation.places:
        return f"has an effect on {' and '.join(sorted(each.value for each in annotation.places))}s only"
    if life_cycle is not None and life_cycle not in annotation.life_cycles:
        return "has no effect on this kind"
    if annotation.parse(text) is None:
        short = text if len(text) <= _QUOTED else f"{text[:_QUOTED]}…"
        return f"{repr(short) if annotation.is_told else 'its value'} is not {annotation.takes}"
    return ""

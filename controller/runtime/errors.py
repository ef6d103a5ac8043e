"""What a failed call means for its caller.

One table per boundary (`kube.errors`, `aws.errors`) maps replies to an `ErrorClass`; all other code branches on the
class, never on codes, messages or status numbers (DESIGN 4.7).
"""

import traceback
from enum import Enum


class ErrorClass(Enum):
    """How the operator handles an error."""

    NOT_FOUND = "not_found"
    """The reply states that the resource does not exist. Never used for a missing or unclear reply."""
    EXISTS = "already_exists"
    CONFLICT = "conflict"
    """Another writer was faster, or the resource's state does not allow this now: observe and decide again."""
    EXPIRED = "expired"
    """HTTP 410: the resourceVersion or continue token is too old; list again."""
    THROTTLED = "throttled"
    """Rate limited: retried, and not a failure of the object."""
    RETRYABLE = "retryable"
    """5xx, time-outs, connection errors, and everything that no table lists: back off and retry."""
    QUOTA = "quota"
    """An account limit: slow retry."""
    DENIED = "denied"
    """Credentials or permissions: slow retry, they can be granted at any time."""
    REFUSED = "refused"
    """The request was refused, for its content or for the state of what it refers to: slow retry."""
    INVALID = "invalid"
    """The request can never succeed as it is: wait for a change."""


class Absent(Enum):
    """The value for a reply that states absence, as opposed to an error, which proves nothing."""

    ABSENT = "absent"


ABSENT = Absent.ABSENT


class ClassifiedError(Exception):
    """A failed call and its class. `kube.errors` and `aws.errors` derive their typed errors from it."""

    def __init__(self, error_class: ErrorClass, code: str, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(f"{code}: {message}" if code else message)
        self.error_class = error_class
        self.code = code
        """Short machine-readable code of the boundary: a Status reason or an AWS error code."""
        self.message = message
        """For humans; free of secrets."""
        self.retry_after_s = retry_after_s
        """Seconds from the reply's Retry-After; None without one."""


class Terminal(Exception):  # noqa: N818 (a verdict, not an error of ours)
    """Stops retries of a key until something about it changes. The only error that does."""


def release_frames(error: BaseException) -> None:
    """Drop what the finished calls of a handled exception hold: the local variables of its traceback.

    Where one of them is the exception itself, as where it was a parameter and was raised again, both keep each other
    until a collection, with everything else in these calls: a burst of passes that wait for their turn left 5 MB.
    """
    waiting, seen = [error], set[int]()
    while waiting:
        reached = waiting.pop()
        seen.add(id(reached))  # a cause that was set may close a circle
        traceback.clear_frames(reached.__traceback__)
        others = (reached.__cause__, reached.__context__)
        waiting += [each for each in others if each is not None and id(each) not in seen]

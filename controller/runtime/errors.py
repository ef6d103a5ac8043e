"""What a failed call means for its caller.

One table per boundary (`kube.errors`, `aws.errors`) maps replies to an `ErrorClass`; everybody else branches on the
class, never on codes, messages or status numbers (DESIGN 4.7).
"""

from enum import Enum


class ErrorClass(Enum):
    """The behaviours that the operator knows for errors."""

    NOT_FOUND = "not_found"
    """The answer says that the thing does not exist. Silence or doubt is never this."""
    EXISTS = "already_exists"
    CONFLICT = "conflict"
    """Somebody else was faster, or the thing is in a state that refuses this now: look again, then decide anew."""
    EXPIRED = "expired"
    """HTTP 410: the resourceVersion or continue token is too old; list again."""
    THROTTLED = "throttled"
    """Waits its turn: not a failure of the object."""
    RETRYABLE = "retryable"
    """5xx, time-outs, connections, and all that no table knows: back off and try again."""
    QUOTA = "quota"
    """An account limit: slow retry."""
    DENIED = "denied"
    """Credentials or permissions: slow retry, they can be granted at any time."""
    INVALID = "invalid"
    """The request can never succeed as it is: wait for a change."""


class Absent(Enum):
    """The value for "the answer says: not there", as opposed to an error, which says nothing."""

    ABSENT = "absent"


ABSENT = Absent.ABSENT


class ClassifiedError(Exception):
    """A failed call, with what it means. `kube.errors` and `aws.errors` derive their typed errors from it."""

    def __init__(self, error_class: ErrorClass, code: str, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(f"{code}: {message}" if code else message)
        self.error_class = error_class
        self.code = code
        """Short machine word of the boundary: a Status reason or an AWS error code."""
        self.message = message
        """For people; free of secrets."""
        self.retry_after_s = retry_after_s
        """Seconds the other side asked us to wait, where it did."""


class Terminal(Exception):  # noqa: N818 (a verdict, not an error of ours)
    """Stops retries of a key until something about it changes. The only error that does."""

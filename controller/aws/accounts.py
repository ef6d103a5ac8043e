"""Finds the account that calls are made in. A role's account is part of its ARN; the account of the process's own
credentials is learned from created ARNs, or looked up once via STS.
"""

import threading
from typing import Final

import structlog

from controller.aws.errors import CallError
from controller.aws.sagemaker import Api
from controller.aws.targets import BASE_IDENTITY, Target
from controller.runtime.clock import Clock
from controller.runtime.errors import ErrorClass

_AGAIN_S: Final = 300.0
"""Pause after a failed STS look-up: the account only serves a safeguard."""

_log: Final = structlog.get_logger(__name__)


class Accounts:
    """Returns the account of a target. Thread-safe; blocks for a call, which callers at one time share.

    All objects need the account when the operator starts. Those that were refused a call of their own would make a pass
    each in vain, thousands of them, and slow down the one call that they all need.
    """

    def __init__(self, api: Api, clock: Clock) -> None:
        self._api = api
        self._clock = clock
        self._looking_up = threading.Lock()
        """Held during a look-up."""
        self._lock = threading.Lock()
        self._own = ""  # guarded by _lock
        self._not_before = 0.0  # guarded by _lock; monotonic

    def of(self, target: Target) -> str:
        """Return the account of `target`'s identity; empty if STS cannot be reached, e.g. from a private network that
        reaches SageMaker only. Raises `CallError` THROTTLED if the caller has to wait.
        """
        if target.identity.account:
            return target.identity.account
        known = self._known()
        if known is not None:
            return known
        with self._looking_up:
            known = self._known()  # by the look-up of another caller meanwhile
            return self._look_up(target) if known is None else known

    def _known(self) -> str | None:
        """Return the account of the process's own credentials; empty after a failed look-up; None: look it up."""
        now = self._clock.monotonic()
        with self._lock:
            return self._own if self._own or now < self._not_before else None

    def _look_up(self, target: Target) -> str:
        try:
            # Needs no permission, only credentials.
            answer = self._api.call(Target(target.region), "sts", "GetCallerIdentity", {}, caller="account")
        except CallError as error:
            if error.error_class is ErrorClass.THROTTLED:
                raise
            with self._lock:
                self._not_before = self._clock.monotonic() + _AGAIN_S
            _log.warning("own account unknown: objects of other accounts are not told", code=error.code)
            return ""
        account = str(answer.get("Account", ""))
        self.learn(target, account)
        return account

    def learn(self, target: Target, account: str) -> None:
        """Record `account` as that of `target`, from a created ARN."""
        if target.identity == BASE_IDENTITY:
            with self._lock:
                self._own = account

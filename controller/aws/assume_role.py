"""Sessions with assumed roles: botocore's refreshable credentials, fetched via AssumeRole with the process's own.

A session calls STS when it is first used and again some minutes before its credentials expire. While STS refuses, it is
called only once per pause, however many objects need the role: STS has one quota for the whole account, and the
process's own credentials may come from it, too.
"""

import re
import threading
from collections.abc import Callable
from functools import cache
from typing import Any, Final

import botocore.session
import structlog
from botocore import exceptions as sdk
from botocore.config import Config
from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    CredentialProvider,
    CredentialResolver,
    DeferredRefreshableCredentials,
)

from api.meta import GROUP
from controller.aws.clients import Session, new_session
from controller.aws.errors import LocalRefusal, classify
from controller.aws.targets import BASE_IDENTITY, Identity, Target
from controller.runtime.clock import Clock
from controller.runtime.errors import ErrorClass

_METHOD: Final = "assume-role"
_OPERATION: Final = "AssumeRole"
_NAME_LIMIT: Final = 64
"""Characters of a session name (STS API, AssumeRole: 2 to 64 of `\\w+=,.@-`)."""
_NOT_IN_NAMES: Final = re.compile(r"[^A-Za-z0-9_+=,.@-]")
_PAUSE_S: Final = {ErrorClass.DENIED: 60.0, ErrorClass.RETRYABLE: 10.0}
"""Pause before STS is called again for a role that it refused, or for which it did not answer."""

_log: Final = structlog.get_logger(__name__)


class RoleSessions:
    """A `clients.SessionFactory` that can assume roles. Thread-safe; makes no call before a session is used.

    `cluster` returns the cluster's id, which is known before AWS is called. `new` makes a session with
    the SDK's default credentials, and `base` the one that assumes roles, if it is another.
    """

    def __init__(
        self,
        config: Config,
        clock: Clock,
        cluster: Callable[[], str],
        new: Callable[[], botocore.session.Session] = new_session,
        base: Callable[[], botocore.session.Session] | None = None,
    ) -> None:
        self._config = config
        self._clock = clock
        self._cluster = cluster
        self._lock = threading.Lock()
        self._new = new
        # Used under _lock, as sessions are not thread-safe (K9). Cached: most operators assume no role.
        self._base = cache(base or new)

    def __call__(self, target: Target) -> Any:
        """Return a session for the identity of `target`."""
        if target.identity == BASE_IDENTITY:
            return Session(self._new())
        fetch = _Fetch(self._fetcher(target), target.identity, self._clock)
        core = self._new()
        assumed = _Assumed(DeferredRefreshableCredentials(fetch, _METHOD))
        core.register_component("credential_provider", CredentialResolver([assumed]))
        return Session(core)

    def _fetcher(self, target: Target) -> Callable[[], Any]:
        """Return a function that calls AssumeRole with the process's credentials at its own STS, else the target's."""

        def client(service: str, **credentials: Any) -> Any:
            with self._lock:
                region = self._base().get_config_variable("region") or target.region
                return self._base().create_client(service, region_name=region, config=self._config, **credentials)

        def fetch() -> Any:
            with self._lock:
                source = self._base().get_credentials()
            if source is None:
                raise sdk.NoCredentialsError
            identity = target.identity
            request = request_of(identity, self._cluster())
            return AssumeRoleCredentialFetcher(client, source, identity.role, request).fetch_credentials()

        return fetch


class _Assumed(CredentialProvider):  # type: ignore[misc]  # botocore has no types
    """Provides the credentials that its constructor received."""

    METHOD = _METHOD

    def __init__(self, credentials: DeferredRefreshableCredentials) -> None:
        super().__init__()
        self._credentials = credentials

    def load(self) -> DeferredRefreshableCredentials:
        """See `CredentialProvider.load`."""
        return self._credentials


class _Fetch:
    """Fetches credentials for one identity. Called under their lock, by one thread at a time."""

    def __init__(self, fetch: Callable[[], Any], identity: Identity, clock: Clock) -> None:
        self._fetch = fetch
        self._identity = identity
        self._clock = clock
        self._refusal: LocalRefusal | None = None
        self._until = 0.0
        """Monotonic time before which STS is not called again."""

    def __call__(self) -> Any:
        if self._refusal is not None and self._clock.monotonic() < self._until:
            raise self._refusal.again()
        try:
            fetched = self._fetch()
        except Exception as exc:
            self._refusal = refusal(self._identity, exc)
            self._until = self._clock.monotonic() + _PAUSE_S[self._refusal.error_class]
            _log.warning("role not assumed", role=self._identity.role, code=self._refusal.code)
            raise self._refusal from exc
        self._refusal = None
        _log.info("role assumed", role=self._identity.role)
        return fetched


def request_of(identity: Identity, cluster: str) -> dict[str, Any]:
    """Return the AssumeRole request without the ARN. CloudTrail shows the session's name as the caller."""
    whose = identity.namespace or "sagemaker-operator"
    request: dict[str, Any] = {"RoleSessionName": _NOT_IN_NAMES.sub("-", f"{whose}@{cluster}")[:_NAME_LIMIT]}
    if identity.external_id:
        request["ExternalId"] = identity.external_id
    if identity.is_tagged:
        # The keys are those of the ownership tags: a policy may compare the two.
        tags = {f"{GROUP}/cluster": cluster, f"{GROUP}/namespace": identity.namespace}
        request["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
    return request


def refusal(identity: Identity, exc: Exception) -> LocalRefusal:
    """Return the error for a call that was not sent because its AssumeRole failed.

    DENIED, slow retry: the trust policy, or the annotation with the role, has to change. RETRYABLE if STS did not
    decide; its throttling does not concern the budget of the call.
    """
    error = classify(_OPERATION, exc)
    is_open = error.error_class in {ErrorClass.RETRYABLE, ErrorClass.THROTTLED}
    return LocalRefusal(
        ErrorClass.RETRYABLE if is_open else ErrorClass.DENIED,
        error.code,
        f"cannot assume {identity.role}: {error.message}",
        operation=_OPERATION,
        known=error.known,
    )

"""Authenticates a caller's token with the API server, and checks that the user may read the metrics.

There are two ways. `DelegatedReview` uses the operator's identity (TokenReview, SubjectAccessReview: rights that only a
ClusterRole can grant). `SelfReview` uses the caller's token (SelfSubjectAccessReview, which every authenticated user
may create), so an installation for one namespace needs no cluster-wide right.
"""

import hashlib
import threading
from collections.abc import Callable
from enum import Enum
from typing import Any, Final, Protocol

import urllib3

from api.meta import JsonObject, Resource
from controller.kube.access import ConfigError
from controller.kube.client import KubeClient
from controller.kube.config import Cluster
from controller.kube.errors import Forbidden, Unauthorized
from controller.runtime.clock import Clock

PATH: Final = "/metrics"
"""The non-resource URL on which callers need `get`."""
TIMEOUT_S: Final = 5.0

_TOKENS: Final = Resource("authentication.k8s.io", "v1", "tokenreviews", "TokenReview", namespaced=False)
_ACCESS: Final = Resource("authorization.k8s.io", "v1", "subjectaccessreviews", "SubjectAccessReview", namespaced=False)
_SELF: Final = Resource(
    "authorization.k8s.io", "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", namespaced=False
)
_WANTED: Final = {"path": PATH, "verb": "get"}


class Verdict(Enum):
    """The result of a review, as an HTTP status."""

    ALLOWED = 200
    UNKNOWN = 401
    """The API server does not accept the token."""
    DENIED = 403


class Review(Protocol):
    """Judges a bearer token. Thread-safe; blocks for `TIMEOUT_S` per call; raises `ApiError` without an answer."""

    def judge(self, token: str) -> Verdict:
        """Return the verdict for the token's bearer."""
        ...


class DelegatedReview:
    """Reviews tokens with the operator's identity."""

    def __init__(self, client: KubeClient) -> None:
        self._client = client

    def judge(self, token: str) -> Verdict:
        """See `Review.judge`."""
        status = _review(self._client, _TOKENS, {"token": token})
        if not status.get("authenticated"):
            return Verdict.UNKNOWN
        user = status.get("user") or {}
        subject = {"user": user.get("username", ""), "groups": user.get("groups") or [], "uid": user.get("uid", "")}
        extra = {"extra": user["extra"]} if user.get("extra") else {}
        answer = _review(self._client, _ACCESS, {**subject, **extra, "nonResourceAttributes": _WANTED})
        return Verdict.ALLOWED if answer.get("allowed") else Verdict.DENIED


class SelfReview:
    """Reviews tokens with the caller's token. `connect` returns a client that uses a token, for one call."""

    def __init__(self, connect: Callable[[str], KubeClient]) -> None:
        self._connect = connect

    def judge(self, token: str) -> Verdict:
        """See `Review.judge`."""
        with self._connect(token) as client:
            try:
                answer = _review(client, _SELF, {"nonResourceAttributes": _WANTED})
            except Unauthorized:
                return Verdict.UNKNOWN
            except Forbidden:  # anonymous, or without the role system:basic-user
                return Verdict.DENIED
        return Verdict.ALLOWED if answer.get("allowed") else Verdict.DENIED


class AsCaller(Cluster):
    """The same API server, called with the caller's token instead of the operator's credentials.

    Raises `ConfigError` if the connection itself would authenticate the operator (a client certificate): then every
    caller would have the operator's identity.
    """

    def __init__(self, cluster: Cluster, token: str) -> None:
        if cluster.authorization() is None:
            raise ConfigError("--review=self needs an API server that knows us by token, not by certificate")
        self._cluster = cluster
        self._token = token
        self.source = "a caller's token"
        self.base_url = cluster.base_url

    def new_pool(self) -> urllib3.PoolManager:
        """See `Cluster.new_pool`."""
        return self._cluster.new_pool()

    def authorization(self) -> str | None:
        """Return the caller's token."""
        return f"Bearer {self._token}"

    def refused(self) -> None:
        """Do nothing: there is no other token."""


class Remembered:
    """A review that caches verdicts, so that scrapes every few seconds cost few calls. Thread-safe.

    Tokens are kept as digests. The oldest verdict is evicted at a limit, so that strangers cannot fill memory.
    """

    def __init__(self, review: Review, clock: Clock, *, keep_s: float = 60.0, limit: int = 1000) -> None:
        self._review = review
        self._clock = clock
        self._keep_s = keep_s
        self._limit = limit
        self._lock = threading.Lock()
        self._verdicts: dict[bytes, tuple[float, Verdict]] = {}  # with expiry; guarded by _lock; in order of entry

    def judge(self, token: str) -> Verdict:
        """See `Review.judge`."""
        digest = hashlib.sha256(token.encode()).digest()
        with self._lock:
            until, verdict = self._verdicts.get(digest, (0.0, Verdict.UNKNOWN))
        if self._clock.monotonic() < until:
            return verdict
        verdict = self._review.judge(token)
        with self._lock:
            self._verdicts.pop(digest, None)
            self._verdicts[digest] = (self._clock.monotonic() + self._keep_s, verdict)
            while len(self._verdicts) > self._limit:
                del self._verdicts[next(iter(self._verdicts))]
        return verdict


def _review(client: KubeClient, resource: Resource, spec: dict[str, Any]) -> JsonObject:
    """Create a review and return its status."""
    body = {"apiVersion": resource.api_version, "kind": resource.kind, "spec": spec}
    status: JsonObject = client.create(resource, None, body, timeout_s=TIMEOUT_S).get("status") or {}
    return status

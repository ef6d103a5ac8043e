"""Identifies this cluster among those that share an AWS account: by the uid of a namespace.

The namespace is `kube-system`, or the only one that the operator may read. Ownership tags contain the id, so it must be
known before the first effect and never change (modern-expectations.md 5).
"""

import random
from typing import Final

import structlog

from api.meta import ObjectKey
from controller.kube.access import ConfigError
from controller.kube.client import KubeClient
from controller.kube.errors import Forbidden, NotFound
from controller.kube.well_known import NAMESPACES
from controller.runtime.clock import Clock
from controller.runtime.errors import ClassifiedError
from controller.runtime.queue.backoff import Backoff
from controller.runtime.threads import Stop

_SYSTEM: Final = "kube-system"

log = structlog.get_logger(__name__)


class ClusterId:
    """Finds the id once, while the caches fill, and keeps it. Thread-safe.

    `configured` (`--cluster-id`) is used as given. `served` are the namespaces that the operator is limited to.
    """

    def __init__(self, client: KubeClient, clock: Clock, *, configured: str, served: tuple[str, ...]) -> None:
        self._client = client
        self._clock = clock
        self._candidates = (_SYSTEM, *served[:1])
        self._value = configured

    @property
    def value(self) -> str:
        """Return the id; empty until it is known."""
        return self._value

    def run(self, stop: Stop) -> None:
        """Find the id, retrying while the API server cannot answer, then wait for `stop`.

        Raises `ConfigError` if no namespace may be read: the configuration has to change.
        """
        backoff = Backoff(rng=random.Random())  # noqa: S311 (spreads load, keeps no secret)
        while not self._value and not stop.is_set():
            try:
                self._value = self._find()
            except (Forbidden, NotFound) as exc:
                raise ConfigError(
                    f"the cluster's id cannot be found ({exc}): allow `get` on namespace {self._candidates[-1]}, "
                    "or set --cluster-id"
                ) from exc
            except ClassifiedError as exc:
                pause_s = backoff.next_s(self._clock.monotonic())
                log.warning("cluster id not found yet", error=str(exc), again_in_s=round(pause_s, 1))
                stop.wait(pause_s)
        stop.wait()

    def _find(self) -> str:
        for name in self._candidates[:-1]:
            try:
                return self._uid(name)
            except Forbidden:
                continue
        return self._uid(self._candidates[-1])

    def _uid(self, namespace: str) -> str:
        found = self._client.get(NAMESPACES, ObjectKey("", namespace))
        return str(found["metadata"]["uid"])

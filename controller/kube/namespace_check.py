"""Reports a namespace of `--namespace` that does not exist: without this, its objects would silently be missing.

A list of a namespace that does not exist is empty, like that of a new one.
"""

from collections.abc import Sequence
from typing import Final

import structlog

from api.meta import ObjectKey
from controller.kube.client import KubeClient
from controller.kube.errors import Forbidden, NotFound
from controller.kube.well_known import NAMESPACES
from controller.runtime.errors import ClassifiedError
from controller.runtime.threads import Stop

AGAIN_S: Final = 10.0
"""Pause between checks; one GET for each missing namespace."""

log = structlog.get_logger(__name__)


class ServedNamespaces:
    """Checks each namespace until it has been found once. Thread-safe.

    A namespace that may not be read is assumed to exist: if its objects may not be listed either, the caches report it.
    """

    def __init__(self, client: KubeClient, names: Sequence[str]) -> None:
        self._client = client
        self._unseen = tuple(names)
        self._missing: tuple[str, ...] = ()

    def readiness(self) -> str | None:
        """Return which namespaces do not exist, None if all do or it is unknown; a check for `/readyz`."""
        if not self._missing:
            return None
        verb = "does" if len(self._missing) == 1 else "do"
        return f"{', '.join(self._missing)} {verb} not exist; create what is missing or correct --namespace"

    def run(self, stop: Stop) -> None:
        """Check until all exist, or until `stop`. Other namespaces are served in the meantime."""
        while self._unseen and not stop.is_set():
            self._look()
            if self._unseen:
                stop.wait(AGAIN_S)

    def _look(self) -> None:
        unseen, missing = [], []
        for name in self._unseen:
            try:
                self._client.get(NAMESPACES, ObjectKey("", name))
            except NotFound:
                unseen.append(name)
                missing.append(name)
                if name not in self._missing:
                    log.warning("namespace does not exist: nothing is served in it until it does", namespace=name)
            except Forbidden as exc:
                log.debug("namespace may not be read: taken to exist", namespace=name, error=str(exc))
            except ClassifiedError as exc:
                unseen.append(name)
                log.debug("namespace not looked at", namespace=name, error=str(exc))
            else:
                if name in self._missing:
                    log.info("namespace exists now", namespace=name)
        self._unseen, self._missing = tuple(unseen), tuple(missing)

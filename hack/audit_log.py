"""Reads the audit log of a kube-apiserver: which requests it had, from which users, and which of them it refused."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

POLICY: Final = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [{"level": "None", "users": ["system:apiserver"]}, {"level": "Metadata"}],
}
"""What the log is to have: one line for each request, two for a watch, none for the server's requests to itself."""
_BEGUN: Final = "ResponseStarted"
_ENDED: Final = "ResponseComplete"


@dataclass(frozen=True, slots=True)
class Audited:
    """One request, named as the embedded API server counts them."""

    verb: str
    resource: str
    """Of an object, with group and subresource (`trainingjobs.sagemaker.aws.amazon.com/status`), else the path."""
    agent: str
    """The User-Agent header, empty without one."""
    user: str
    code: int
    path: str


class AuditLog:
    """A log that grows. Not thread-safe."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = 0

    def fresh(self) -> Iterator[Audited]:
        """Yield the requests that were logged since the last call; a watch when it begins, others when they end."""
        with self._path.open("rb") as log:
            log.seek(self._read)
            for line in log:
                if not line.endswith(b"\n"):  # the rest is being written
                    return
                self._read += len(line)
                event = json.loads(line)
                if event["stage"] == (_BEGUN if event["verb"] == "watch" else _ENDED):
                    yield _audited(event)


def _audited(event: dict[str, Any]) -> Audited:
    about = event.get("objectRef") or {}
    plural = ".".join(each for each in (about.get("resource"), about.get("apiGroup")) if each)
    resource = "/".join(each for each in (plural, about.get("subresource")) if each)
    return Audited(
        verb=event["verb"],
        resource=resource or event["requestURI"].partition("?")[0],
        agent=event.get("userAgent", ""),
        user=event["user"].get("username", ""),
        code=(event.get("responseStatus") or {}).get("code", 0),
        path=event["requestURI"],
    )

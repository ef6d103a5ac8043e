"""Refusals of an API server, for the client of notebooks and pipelines."""

import json
from dataclasses import dataclass


@dataclass(frozen=True)
class Refused:
    """An answer of the API server, as the package raises it."""

    status: int
    reason: str = ""
    message: str = "words"

    def error(self) -> Exception:
        """Return the exception. Its package is slow to load, and needed here only."""
        from kubernetes.client.exceptions import ApiException  # noqa: PLC0415

        error = ApiException(status=self.status, reason="HTTP's")
        status = json.dumps({"kind": "Status", "reason": self.reason, "message": self.message})
        error.body = status if self.reason else "<html>"
        return error

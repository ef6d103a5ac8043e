"""Calls the control endpoints of running servers: faults, request counts, the clock."""

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

STATE_FILE = "sandbox.json"  # in the directory of `run` while it runs: the servers' URLs


class SandboxError(Exception):
    """The sandbox cannot continue; the text has the reason and the remedy."""


def server_url(which: str, directory: Path, url: str | None) -> str:
    """Return the URL of a running server: the given one, or that of the sandbox whose files are in `directory`.

    Raises SandboxError when none is running there.
    """
    if url is not None:
        return url.rstrip("/")
    try:
        known: dict[str, str] = json.loads((directory / STATE_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise SandboxError(f"no sandbox runs in {directory}: start one with `make run`, or give --url") from exc
    return known[which]


def control(url: str, method: str, endpoint: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Call a control endpoint. Raises SandboxError with the server's message."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{url}/sandbox/{endpoint}", data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            value: dict[str, Any] = json.load(answer)
            return value
    except urllib.error.HTTPError as exc:
        with exc:
            raise SandboxError(_reason(exc)) from exc
    except OSError as exc:
        raise SandboxError(f"{url} does not answer: {exc}") from exc


def _reason(refused: urllib.error.HTTPError) -> str:
    text = refused.read().decode(errors="replace")
    try:
        answer = json.loads(text)
        return str(answer.get("error") or answer.get("message") or text)
    except (ValueError, AttributeError):
        return f"HTTP {refused.code}: {text}"

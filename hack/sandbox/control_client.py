"""Calls the control endpoints of running servers: faults, request counts, the clock."""

import http.client
import json
import os
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from hack.sandbox.samples import REPOSITORY

DEFAULT_FOLDER = REPOSITORY / ".sandbox"
FOLDER_VARIABLE = "SANDBOX_DIR"
"""In the environment that `run` prints: its folder, for the commands that address it."""
STATE_FILE = "sandbox.json"  # in the directory of `run` while it runs: the servers' URLs


class SandboxError(Exception):
    """The sandbox cannot continue; the text has the reason and the remedy."""


def folder_of_commands() -> Path:
    """Return the folder of the sandbox that commands address by default, whatever the current directory."""
    return Path(os.environ.get(FOLDER_VARIABLE) or DEFAULT_FOLDER)


def server_url(which: str, directory: Path, url: str | None) -> str:
    """Return the URL of a running server: the given one, or that of the sandbox whose files are in `directory`.

    Raises SandboxError when none is running there.
    """
    if url is not None:
        return url.rstrip("/")
    try:
        known = json.loads((directory / STATE_FILE).read_text(encoding="utf-8"))
        return str(known[which])
    except (OSError, ValueError, LookupError, TypeError) as exc:
        raise SandboxError(f"no sandbox runs in {directory}: start one with `make run`, or give --url") from exc


def control(url: str, method: str, endpoint: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Call a control endpoint. Raises SandboxError with the server's message."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    try:
        request = urllib.request.Request(f"{url}/sandbox/{endpoint}", data, headers, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            value: dict[str, Any] = json.load(answer)
            return value
    except urllib.error.HTTPError as exc:
        with exc:
            raise SandboxError(_reason(exc)) from exc
    except OSError as exc:
        raise SandboxError(f"{url} does not answer: {getattr(exc, 'reason', None) or exc}") from exc
    except (ValueError, http.client.HTTPException) as exc:
        raise SandboxError(f"{url} is not the address of a sandbox's server, e.g. http://127.0.0.1:18444") from exc


def _reason(refused: urllib.error.HTTPError) -> str:
    text = refused.read().decode(errors="replace")
    try:
        answer = json.loads(text)
        return str(answer.get("error") or answer.get("message") or text)
    except (ValueError, AttributeError):
        return f"HTTP {refused.code}: {text}"

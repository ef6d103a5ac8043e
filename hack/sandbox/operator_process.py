"""Runs the operator as a real process, as a user would start it: `python -m controller --kubeconfig F`."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from hack.sandbox.samples import REPOSITORY

REGION = "us-east-2"
# A Pod's default grace period between SIGTERM and SIGKILL.
_GRACE_S = 30.0


def aws_environment(url: str) -> dict[str, str]:
    """Return the variables that direct AWS clients (operator and AWS CLI) to the embedded SageMaker."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "sandbox",
        "AWS_SECRET_ACCESS_KEY": "sandbox",
        "AWS_DEFAULT_REGION": REGION,
    }


def poll_interval_ms(speed: float) -> int:
    """Return how often the operator looks at jobs of that speed: twice in the shortest stage, within limits."""
    return round(min(max(500 / speed, 100), 500))


class OperatorDiedError(Exception):
    """The operator ended by itself; the text has its exit code and the end of its log."""


class OperatorProcess:
    """A running operator. Leaving its `with` block sends SIGTERM and waits for the end."""

    def __init__(
        self,
        kubeconfig: Path,
        aws_url: str,
        log: Path,
        *more: str,
        speed: float = 1.0,
        command: Sequence[str] | None = None,
    ) -> None:
        """Start it; `more` are further flags, `speed` is that of the sandbox's jobs."""
        self._log = log
        self._health = ""
        # Jobs of the sandbox run for seconds, so the operator polls more often than an AWS account would allow.
        flags = ["--kubeconfig", str(kubeconfig), "--poll-interval", f"{poll_interval_ms(speed)}ms"]
        flags += ["--health-addr", "127.0.0.1:0", "--metrics-addr", "127.0.0.1:0", *more]
        with log.open("wb") as sink:
            # A session of its own: Ctrl-C reaches the sandbox, which ends the operator after the table.
            self._process = subprocess.Popen(
                [*(command or (sys.executable, "-m", "controller")), *flags],
                cwd=REPOSITORY,
                env=_environment(aws_url),
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def until_ready(self, stop: threading.Event, timeout_s: float = 120.0) -> None:
        """Wait for /readyz or for `stop`. Raises OperatorDiedError if it ended, or is not ready after `timeout_s`."""
        deadline = time.monotonic() + timeout_s
        while not stop.is_set():
            self.check()
            obstacle = self._obstacle()
            if obstacle is None:
                return
            if time.monotonic() > deadline:
                raise OperatorDiedError(f"the operator is not ready ({obstacle}){self._tail()}")
            stop.wait(0.05)

    def check(self) -> None:
        """Raise OperatorDiedError if the operator has ended."""
        code = self._process.poll()
        if code is not None:
            raise OperatorDiedError(f"the operator ended with exit code {code}{self._tail()}")

    def stop(self) -> None:
        """Send SIGTERM and wait; SIGKILL after the grace period."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _obstacle(self) -> str | None:
        """Return why the operator is not ready, or None if it is."""
        self._health = self._health or self._health_url()
        if not self._health:
            return "it does not serve /readyz yet"
        try:
            with urllib.request.urlopen(f"{self._health}/readyz", timeout=2):
                return None
        except urllib.error.HTTPError as refused:
            with refused:
                return str(refused)
        except OSError as exc:
            return str(exc)

    def _health_url(self) -> str:
        """Return where the operator serves its health, or nothing: the system chooses the port, the log shows it."""
        complete, _, _ = self._log.read_text(encoding="utf-8", errors="replace").rpartition("\n")
        for line in complete.splitlines():
            if '"serving"' in line and (said := json.loads(line)).get("server") == "health":
                return f"http://127.0.0.1:{said['port']}"
        return ""

    def _tail(self, lines: int = 15) -> str:
        text = self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]
        return f"; the end of {self._log}:\n" + "\n".join(f"  {line}" for line in text)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()


def _environment(aws_url: str) -> dict[str, str]:
    """Return the user's environment without AWS credentials, which the sandbox must never use, and AWS settings."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "SAGEMAKER_OPERATOR_"))}
    return (
        kept
        | aws_environment(aws_url)
        | {"AWS_DEFAULT_SAGEMAKER_ENDPOINT": aws_url, "AWS_EC2_METADATA_DISABLED": "true", "PYTHONUNBUFFERED": "1"}
        | {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    )

"""A fork server: starts operators, and what comes with them, from a process that has already imported them.

`python -m controller` spends two seconds of CPU on imports and on parsing botocore's models before it does anything
of its own. The tests start more than a hundred operators, so each pytest process pays for that once: it keeps one
server, which imports everything, and forks whenever a test starts an operator. What comes out is a real process: with
a pid, an environment, arguments, a log and a session of its own, and with the signal handling that `exec` would give
it. Only what happens before `main` is not run, so tests that are about starting up do not use this.

The server has one thread, as fork demands, and no state but its children. It reads one request a line from standard
input and answers each with one line. It ends, and kills what it started, when its input ends: nothing outlives pytest.
"""

import atexit
import gc
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, NoReturn, TypeAlias

REPOSITORY = Path(__file__).resolve().parents[2]
_LONGEST_PAUSE_S = 0.05
Program: TypeAlias = Literal["controller", "controller.metricsproxy", "controller.smlogs"]
"""A package that can be run: its `__main__` has a function `main` that returns an exit code."""


@dataclass(frozen=True)
class Launch:
    """What to start: arguments of `python -m PROGRAM`, the whole environment, and the files that get the output."""

    arguments: Sequence[str]
    environment: Mapping[str, str]
    log: str
    errors: str
    directory: str
    program: Program


class Child:
    """A process that the server has started, with the part of `subprocess.Popen` that tests use."""

    def __init__(self, server: "ForkServer", pid: int, arguments: Sequence[str]) -> None:
        self._server = server
        self.args = arguments
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return the exit code, negative for a signal, or None while the process runs."""
        if self.returncode is None:
            self.returncode = self._server.ask({"poll": self.pid})
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end and return the exit code. Raises subprocess.TimeoutExpired after `timeout` seconds."""
        deadline = None if timeout is None else time.monotonic() + timeout
        pause_s = 0.001
        while (code := self.poll()) is None:
            if deadline is not None and time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(list(self.args), timeout or 0.0)
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal to a running process. The pid is not reused before `poll` has returned its exit code."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Send SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)


class ForkServer:
    """The side of the tests: a server process, started on construction. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.sandbox.forkserver"],
            cwd=REPOSITORY,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for pytest, which then ends this
        )

    def launch(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        log: Path,
        *,
        errors: Path | None = None,
        directory: Path = REPOSITORY,
        program: Program = "controller",
    ) -> Child:
        """Start an operator or another program, with its output appended to `log`, and errors to `errors`."""
        launch = Launch(list(arguments), dict(environment), str(log), str(errors or log), str(directory), program)
        return Child(self, self.ask({"launch": asdict(launch)}), arguments)

    def ask(self, request: dict[str, Any]) -> Any:
        """Send a request and return the decoded answer."""
        with self._lock:
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        assert line, f"the fork server ended: {self._process.poll()}"
        return json.loads(line)

    def close(self) -> None:
        """End the server and everything that it started. May be called more than once."""
        if self._process.poll() is None:
            self._process.communicate()


@cache
def fork_server() -> ForkServer:
    """Return the server of this process, started on first use and ended with it."""
    server = ForkServer()
    atexit.register(server.close)
    return server


def end_fork_server() -> None:
    """End the server of this process, if there is one: pytest-xdist's workers exit without their exit handlers."""
    if fork_server.cache_info().currsize:
        fork_server().close()
        fork_server.cache_clear()


def preload() -> None:
    """Import the programs, and fill the caches that depend on nothing but the code."""
    import controller.__main__  # noqa: PLC0415 (only the server's process wants this)
    import controller.metricsproxy.__main__  # noqa: PLC0415
    import controller.metricsproxy.selfsigned  # noqa: PLC0415
    import controller.smlogs.__main__  # noqa: PLC0415
    import controller.smlogs.app  # noqa: F401, PLC0415
    from api.fields import installed  # noqa: PLC0415
    from api.v1 import KINDS  # noqa: PLC0415
    from controller.aws.clients import new_session  # noqa: PLC0415
    from controller.reconcile.managed.pruning import well_formed  # noqa: PLC0415
    from controller.version import version  # noqa: PLC0415

    for descriptor in KINDS:
        installed(descriptor)
        well_formed(descriptor)
    version()
    for service in ("sagemaker", "application-autoscaling", "sts", "sqs", "logs"):
        new_session().create_client(service, region_name="us-east-1")  # the shared loader keeps what it is made from
    gc.collect()
    gc.freeze()  # children share these pages: their garbage collector leaves them alone


def serve() -> Launch:
    """Answer requests until the input ends, then end the process. Returns in forked children only, what they are."""
    children: set[int] = set()
    try:
        for line in sys.stdin.buffer:
            match json.loads(line):
                case {"launch": launch}:
                    assert threading.active_count() == 1
                    pid = os.fork()
                    if not pid:
                        children.clear()
                        return Launch(**launch)
                    children.add(pid)
                    _answer(pid)
                case {"poll": pid}:
                    ended, status = os.waitpid(pid, os.WNOHANG)
                    children.discard(ended)
                    _answer(os.waitstatus_to_exitcode(status) if ended else None)
    finally:
        for pid in children:
            os.kill(pid, signal.SIGKILL)
    sys.exit()


def _answer(value: int | None) -> None:
    sys.stdout.buffer.write(json.dumps(value).encode() + b"\n")
    sys.stdout.buffer.flush()


def become(launch: Launch) -> None:
    """Give a forked child what a process that was started by itself has."""
    os.setsid()
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):  # a CI runner may have had them ignored
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    nothing = os.open(os.devnull, os.O_RDONLY)
    log, errors = (os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666) for path in (launch.log, launch.errors))
    for source, target in ((nothing, 0), (log, 1), (errors, 2)):
        os.dup2(source, target)
    os.closerange(3, max(nothing, log, errors) + 1)
    os.chdir(launch.directory)
    os.environ.clear()
    os.environ.update(launch.environment)
    time.tzset()
    sys.argv = [sys.modules[f"{launch.program}.__main__"].__file__ or "", *launch.arguments]


def end(code: int | str | None) -> NoReturn:
    """End a forked child, as `sys.exit` would, without the interpreter's teardown.

    That writes to nearly all memory, so each page that is shared with the server would be copied, only to be freed:
    twice the CPU that the operator has used until then.
    """
    if isinstance(code, str):
        sys.stderr.write(f"{code}\n")
        code = 1
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code or 0)


if __name__ == "__main__":
    preload()
    launched = serve()
    become(launched)
    try:
        end(sys.modules[f"{launched.program}.__main__"].main())
    except SystemExit as wrong_usage:
        end(wrong_usage.code)

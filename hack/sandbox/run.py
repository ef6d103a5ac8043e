"""`run`: starts both servers and the operator, applies CRDs and samples, shows them until Ctrl-C or the end."""

import errno
import json
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any, Protocol, TypeVar

from hack.sandbox import executables
from hack.sandbox.account_command import prepare
from hack.sandbox.aws import server as aws_server
from hack.sandbox.control_client import STATE_FILE, SandboxError
from hack.sandbox.folder import claimed
from hack.sandbox.kube.wire.release import NEWEST, RELEASES
from hack.sandbox.kubeapi import KubeApi, manifests
from hack.sandbox.operator_process import OperatorProcess, aws_environment
from hack.sandbox.samples import NAMED, NAMESPACE, SAMPLES, UPDATE, LiveUpdate, Sample, crd_paths, create_pipeline
from hack.sandbox.show.guidance import COMMANDS, GOODBYE, welcome
from hack.sandbox.show.rows import Row, row_of
from hack.sandbox.show.views import view_for

T = TypeVar("T")
_REFRESH_S = 0.25
KUBE_PORT = 18443
AWS_PORT = 18444
ONCE_SPEED = 4.0
"""The speed of `once`: as fast as the table can show each stage, since nobody watches."""


class KubeServer(Protocol):
    """The part of the embedded API server that `run` needs."""

    @property
    def url(self) -> str:
        """Return the URL on which it listens."""
        ...

    def write_kubeconfig(self, path: Path) -> object:
        """Write a kubeconfig for it."""
        ...

    def stop(self) -> None:
        """Stop it."""
        ...


@dataclass(frozen=True, slots=True)
class Options:
    """The options of `run`."""

    directory: Path | None = None
    """By default the checkout's own, or the next that no other sandbox has."""
    executables: Path | None = None
    """Where launchers are written; by default the environment's `bin`."""
    once: bool = False
    timeout_s: float = 120.0  # of `once`
    kube_port: int | None = None  # by default KUBE_PORT if it is free, else any
    kubernetes_version: str = NEWEST.name
    aws_port: int | None = None
    speed: float | None = None  # of jobs and endpoints; by default 1, with `once` ONCE_SPEED
    events: bool = False
    history: int = 0  # finished jobs of each kind that the account has had
    list_lag_s: float = 0.0
    operator: Sequence[str] | None = None  # the command, in tests
    samples: Sequence[Sample] | None = None  # by default all of the kinds that the operator serves

    @property
    def pace(self) -> float:
        """Return how many times as fast jobs and endpoints live."""
        return self.speed or (ONCE_SPEED if self.once else 1.0)


def run(options: Options, out: IO[str] = sys.stdout, monotonic: Callable[[], float] = time.monotonic) -> int:
    """Run the sandbox; return the exit code. Must be called on the main thread: it handles SIGINT and SIGTERM.

    0: ended by a signal, or with `once` when all samples have ended well. Raises SandboxError (a port is taken, a
    sample ended badly, a signal came before `once` was done), OperatorDiedError and KubeError. The limit of `once`
    counts `monotonic` seconds from when the operator is ready: what a slow machine needs to start is not part of it.
    """
    stop = threading.Event()
    with ExitStack() as stack:
        stack.enter_context(_signals(stop))
        directory = stack.enter_context(claimed(options.directory))
        aws = stack.enter_context(
            listening(lambda port: aws_server.start(port, speed=options.pace), options.aws_port, AWS_PORT, "--aws-port")
        )
        prepare(aws, history=options.history, list_lag_s=options.list_lag_s)
        create_pipeline(aws)
        kube = listening(partial(_start_kube, options), options.kube_port, KUBE_PORT, "--kube-port")
        stack.callback(kube.stop)
        kubeconfig = directory / "kubeconfig"
        kube.write_kubeconfig(kubeconfig)
        (directory / STATE_FILE).write_text(json.dumps({"kube": kube.url, "aws": aws.url}))
        stack.callback((directory / STATE_FILE).unlink, missing_ok=True)
        binaries = _installed(options.executables or executables.directory(directory / "bin"), directory / "bin")
        print(welcome(kube.url, aws.url, directory, binaries, aws_environment(aws.url)), file=out, end="")
        print("" if options.once else COMMANDS, file=out, flush=True)
        api = KubeApi(kube.url)
        _apply_crds(api)
        log = directory / "operator.log"
        flags = _events_flags(aws.url) if options.events else ()
        operator = stack.enter_context(
            OperatorProcess(kubeconfig, aws.url, log, *flags, speed=options.pace, command=options.operator)
        )
        with _meanwhile(aws.load):
            operator.until_ready(stop)
        if not stop.is_set():
            print(f"The operator is ready; its log: {log}", file=out, flush=True)
            show = Show(api, SAMPLES if options.samples is None else options.samples, UPDATE)
            goal = Goal(show.keys, monotonic() + options.timeout_s) if options.once else None
            _watch(api, operator, stop, show, goal, out, monotonic)
        if options.once and stop.is_set():
            raise SandboxError("ended by a signal before all samples had ended")
    print(GOODBYE, file=out, flush=True)
    return 0


def listening(start: Callable[[int], T], wanted: int | None, usual: int, flag: str) -> T:
    """Start a server on the wanted port; by default on the usual one or, where another sandbox has that, on any."""
    if wanted is not None:
        return bound(lambda: start(wanted), wanted, flag)
    try:
        return start(usual)
    except OSError as exc:
        if not _is_about_port(exc):
            raise
    return bound(lambda: start(0), 0, flag)


def bound(start: Callable[[], T], port: int, flag: str) -> T:
    """Return the result of `start`, or raise a one-line error if the port is taken."""
    try:
        return start()
    except OSError as exc:
        if not _is_about_port(exc):
            raise
        raise SandboxError(
            f"port {port} cannot be used ({exc.strerror}); choose another with {flag}, 0 for any"
        ) from exc


def _is_about_port(exc: OSError) -> bool:
    return exc.filename is None and exc.errno in {errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL}


def _installed(target: Path, otherwise: Path) -> Path:
    """Write the launchers into `target`, or `otherwise` if that cannot be written; return where they are."""
    try:
        executables.install(target)
    except OSError:
        executables.install(otherwise)
        return otherwise
    return target


def _events_flags(aws_url: str) -> tuple[str, ...]:
    from hack.sandbox import status_queue  # noqa: PLC0415 - loads moto, which takes a second

    return ("--status-queue", status_queue.create(aws_url))


def _start_kube(options: Options, port: int) -> KubeServer:
    from hack.sandbox.kube import server  # noqa: PLC0415 - `python -m hack.sandbox aws` does not need it

    running: KubeServer = server.start(port, release=RELEASES[options.kubernetes_version])
    return running


def _apply_crds(api: KubeApi) -> None:
    names = [api.apply(crd)["metadata"]["name"] for path in crd_paths() for crd in manifests(path)]
    for name in names:
        api.until_established(name)


@dataclass(frozen=True, slots=True)
class Goal:
    """The goal of `--once`: these objects succeed before `deadline` (monotonic seconds)."""

    samples: frozenset[str]
    deadline: float

    def is_reached(self, rows: Sequence[Row], now: float) -> bool:
        """Return whether all samples have succeeded. Raises SandboxError with the failed ones, once that is certain."""
        rows = [row for row in rows if row.namespace == NAMESPACE]
        shown = {row.key: row for row in rows if row.key in self.samples}
        if len(shown) == len(self.samples) and all(row.verdict for row in shown.values()):
            return True
        is_late = now > self.deadline
        if not is_late and not all(key in shown and shown[key].verdict is not None for key in self.samples):
            return False
        reasons = [f"{key} does not exist" for key in sorted(self.samples - shown.keys())]
        reasons += [
            ": ".join(filter(None, (f"{row.key} is {row.state}", row.message)))
            for row in rows
            if row.key in shown and not row.verdict
        ]
        raise SandboxError(f"{'time is over, ' if is_late else ''}not all samples ended well: {'; '.join(reasons)}")


class Show:
    """Applies the samples, and changes one of them when all have succeeded."""

    def __init__(self, api: KubeApi, samples: Sequence[Sample], update: LiveUpdate) -> None:
        self._api = api
        self._pending = list(samples)
        self.keys = frozenset(sample.key for sample in samples)
        self._update = update if update.sample.key in self.keys else None
        self._is_update_due = self._update is not None

    def apply_next(self) -> bool:
        """Apply a sample; returns whether another is left."""
        if self._pending:
            self._api.apply(self._pending.pop(0).manifest)
        return bool(self._pending)

    def advance(self, objects: Sequence[Mapping[str, Any]], note: Callable[[str], None]) -> None:
        """Apply the change once it is due; `note` reports that to the user."""
        if self._update is None or not self._is_update_due:
            return
        shown = {row.key: row for row in map(row_of, objects) if row.namespace == NAMESPACE}
        if all(key in shown and shown[key].verdict for key in self.keys):
            note(f"Now a live update: {self._update.title}")
            self._api.apply(self._update.manifest)
            self._is_update_due = False

    def is_over(self, objects: Sequence[Mapping[str, Any]]) -> bool:
        """Return whether all samples are applied, and the change is complete."""
        is_updated = self._update is None or (not self._is_update_due and self._update.is_done(objects))
        return not self._pending and is_updated


def _watch(
    api: KubeApi,
    operator: OperatorProcess,
    stop: threading.Event,
    show: Show,
    goal: Goal | None,
    out: IO[str],
    monotonic: Callable[[], float],
) -> None:
    """Show the objects until `stop`, or until the goal is reached. Raises SandboxError if it has become impossible."""
    view = view_for(out, pinned=NAMED.key)
    try:
        while not stop.is_set():
            operator.check()
            objects = api.operator_objects()
            rows = sorted(map(row_of, objects), key=lambda row: (row.kind, row.namespace, row.name))
            view.show(rows)
            show.advance(objects, view.note)
            now = monotonic()
            while (is_more := show.apply_next()) and monotonic() < now + _REFRESH_S:
                pass  # what the first do is shown before the last is applied, where that takes longer
            if goal is not None and goal.is_reached(rows, now):
                if show.is_over(objects):
                    return
                if now > goal.deadline:
                    raise SandboxError("time is over, the live update has not arrived")
            stop.wait(0.0 if is_more else _REFRESH_S)
    finally:
        view.close()


@contextmanager
def _meanwhile(work: Callable[[], None]) -> Iterator[None]:
    """Run `work` in a thread of its own, and wait for its end on leaving."""
    thread = threading.Thread(target=work, name="meanwhile")
    thread.start()
    try:
        yield
    finally:
        thread.join()


@contextmanager
def _signals(stop: threading.Event) -> Iterator[None]:
    """Set `stop` on SIGINT and SIGTERM; a second signal ends the process as usual."""

    def handle(number: int, _frame: object) -> None:
        signal.signal(number, signal.SIG_DFL)
        stop.set()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

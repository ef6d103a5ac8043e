"""Parts start and stop in order, and how the process ends is decided in one place (M1-M4, E14, E15)."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from controller.runtime.election.leader_election import LeadershipLost
from controller.runtime.manager import Manager, Run, Stage
from controller.runtime.threads import Stop
from hack.background import in_background
from tests.deadline import PATIENCE_S
from tests.fakes import FakeClock

MAIN = threading.main_thread()


class Diary:
    """What happened, in order. Thread-safe."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.entries: list[str] = []

    def note(self, entry: str) -> None:
        """Add an entry."""
        with self._changed:
            self.entries.append(entry)
            self._changed.notify_all()

    def wait_for(self, *entries: str) -> None:
        """Block until all of these are in it."""
        with self._changed:
            assert self._changed.wait_for(lambda: set(entries) <= set(self.entries), PATIENCE_S), self.entries

    def part(self, name: str) -> Run:
        """A part that notes when it starts and ends."""

        def run(stop: Stop) -> None:
            self.note(f"+{name}")
            stop.wait()
            self.note(f"-{name}")

        return run

    def index(self, entry: str) -> int:
        """When it happened."""
        return self.entries.index(entry)


class FakeElection:
    """Leads as soon as it runs; `fate` says how its leadership ends."""

    def __init__(self, diary: Diary, fate: Callable[[Stop], None] | None = None) -> None:
        self._diary = diary
        self._fate = fate or (lambda stop: stop.wait() and None)

    def run(self, stop: Stop, on_started: Callable[[], None]) -> None:
        """See `Election.run`."""
        self._diary.note("+election")
        on_started()
        self._fate(stop)
        self._diary.note("-election")

    def release(self) -> None:
        """See `Election.release`."""
        self._diary.note("released")


def terminate_when(diary: Diary, *entries: str) -> Run:
    """A part that sends SIGTERM to the main thread once all of this has happened."""

    def run(stop: Stop) -> None:
        diary.wait_for(*entries)
        assert MAIN.ident is not None
        signal.pthread_kill(MAIN.ident, signal.SIGTERM)
        stop.wait()

    return run


@pytest.fixture
def diary() -> Diary:
    """What the test's parts note."""
    return Diary()


def full_manager(diary: Diary, election: FakeElection | None, **options: float) -> Manager:
    """A manager with one part in every stage."""
    manager = Manager(election=election, **options)  # type: ignore[arg-type]
    for stage in (Stage.LEADING, Stage.ALWAYS, Stage.SERVERS, Stage.EVENTS):
        manager.add(stage, "part", diary.part(stage.value))
    manager.add_cache("cache", diary.part("caches"), has_synced=lambda: "+caches" in diary.entries)
    return manager


def test_stages_start_in_order_and_a_signal_ends_them_with_success(diary: Diary) -> None:
    """M1, M4: servers, caches, what needs no lease, election, what needs it."""
    manager = full_manager(diary, FakeElection(diary))
    manager.add(Stage.LEADING, "terminator", terminate_when(diary, *(f"+{stage.value}" for stage in Stage)))

    assert manager.run() == 0

    assert diary.index("+caches") < diary.index("+always")
    assert diary.index("+caches") < diary.index("+election") < diary.index("+leading")


def test_parts_end_in_order_and_the_lease_is_released_after_the_last_work(diary: Diary) -> None:
    """M2: no-lease parts, workers, caches, servers, lease, events."""
    manager = full_manager(diary, FakeElection(diary))
    manager.add(Stage.LEADING, "terminator", terminate_when(diary, *(f"+{stage.value}" for stage in Stage)))

    manager.run()

    ends = [entry for entry in diary.entries if entry.startswith(("-", "released"))]
    assert ends == ["-always", "-leading", "-caches", "-servers", "-election", "released", "-events"]


def test_without_election_work_starts_when_the_caches_are_filled(diary: Diary) -> None:
    """One replica."""
    manager = full_manager(diary, None)
    manager.add(Stage.LEADING, "terminator", terminate_when(diary, "+leading"))

    assert manager.run() == 0


def test_nothing_works_on_caches_that_are_not_filled(diary: Diary) -> None:
    """An empty cache looks like a world without objects; the process ends when that lasts (C1)."""
    clock = FakeClock()
    manager = Manager(sync_timeout_s=120, clock=clock)

    def has_synced() -> bool:
        clock.advance(50)
        return False

    manager.add_cache("jobs", diary.part("caches"), has_synced=has_synced)
    manager.add(Stage.LEADING, "part", diary.part("leading"))

    assert manager.run() == 1
    assert "+leading" not in diary.entries


def test_readiness_names_what_is_missing(diary: Diary) -> None:
    """M4, and a process that is ending takes no more traffic."""
    manager = Manager()
    synced: set[str] = set()
    for name in ("jobs", "models"):
        manager.add_cache(name, diary.part(name), has_synced=lambda name=name: name in synced)  # type: ignore[misc]
    manager.add(Stage.SERVERS, "terminator", terminate_when(diary, "+jobs", "+models"))
    assert manager.readiness() == "not synced: jobs, models"
    synced.add("jobs")
    assert manager.readiness() == "not synced: models"
    synced.add("models")
    assert manager.readiness() is None

    manager.run()

    assert manager.readiness() == "the process is ending"


def fail(_stop: Stop) -> None:
    """A part that does not even begin."""
    raise RuntimeError("scripted")


@pytest.mark.parametrize("stage", list(Stage))
def test_the_first_part_that_fails_ends_the_process(diary: Diary, stage: Stage) -> None:
    """M3: loudly, with a code that makes whoever supervises it notice; the others end in order."""
    manager = full_manager(diary, FakeElection(diary))
    manager.add(stage, "ill", fail)

    assert manager.run() == 1

    assert sum(entry.startswith("+") for entry in diary.entries) == sum(
        entry.startswith("-") for entry in diary.entries
    )


def test_a_part_that_ends_silently_is_a_failure(diary: Diary) -> None:
    """Alive and useless is worse than dead."""
    manager = full_manager(diary, None)
    manager.add(Stage.LEADING, "worker", lambda _stop: None)

    assert manager.run() == 1


def test_a_part_that_does_something_once_may_end(diary: Diary) -> None:
    """Where it was said so."""
    manager = full_manager(diary, None)
    manager.add(Stage.ALWAYS, "once", lambda _stop: diary.note("once"), may_end=True)
    manager.add(Stage.SERVERS, "terminator", terminate_when(diary, "once", "+leading"))

    assert manager.run() == 0


def test_a_lost_lease_ends_the_process_without_grace(diary: Diary) -> None:
    """E14: nothing is waited for, not even work that hangs; nothing is released."""
    hanging = threading.Event()

    def lose(_stop: Stop) -> None:
        diary.wait_for("+hanging")
        raise LeadershipLost("scripted")

    def hang(_stop: Stop) -> None:
        diary.note("+hanging")
        hanging.wait(PATIENCE_S)

    manager = full_manager(diary, FakeElection(diary, lose))
    manager.add(Stage.LEADING, "hanging", hang)

    code = manager.run()
    was_hanging = not hanging.is_set()
    hanging.set()

    assert (code, was_hanging) == (1, True)
    assert "released" not in diary.entries


def test_work_that_does_not_end_in_time_is_left_behind_with_its_lease(diary: Diary) -> None:
    """M2 and E15: somebody still works under the lease, so it is left to expire; the code tells.

    Those after it are still stopped in order. None is given long, so which of them has ended by then is luck.
    """
    hanging = threading.Event()
    stopped: list[str] = []

    def noting(name: str) -> Run:
        def run(stop: Stop) -> None:
            stop.on_set(lambda: stopped.append(name))
            diary.part(name)(stop)

        return run

    def hang(_stop: Stop) -> None:
        diary.note("+hanging")
        hanging.wait(PATIENCE_S)

    manager = full_manager(diary, FakeElection(diary), shutdown_timeout_s=0.05)
    manager.add(Stage.LEADING, "hanging", hang)
    for stage in (Stage.LEADING, Stage.SERVERS, Stage.EVENTS):
        manager.add(stage, "noting", noting(f"noting {stage.value}"))
    started = [f"+noting {stage.value}" for stage in (Stage.LEADING, Stage.SERVERS, Stage.EVENTS)]
    manager.add(Stage.SERVERS, "terminator", terminate_when(diary, "+hanging", *started))

    code = manager.run()
    hanging.set()

    assert code == 1
    assert "released" not in diary.entries
    assert stopped == ["noting leading", "noting servers", "noting events"]
    diary.wait_for("-caches", "-servers", "-election", "-events")


def test_signals_are_as_before_afterwards(diary: Diary) -> None:
    """And no wake-up is left pending, which would end the process once unblocked."""
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)}
    manager = full_manager(diary, None)
    manager.add(Stage.LEADING, "ill", fail)

    manager.run()

    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == mask
    assert {number: signal.getsignal(number) for number in handlers} == handlers
    assert not signal.sigpending()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_the_process_at_once(number: signal.Signals) -> None:
    """Someone at a terminal, or a node that is going down, does not want to wait.

    The process starts with SIGINT ignored, as in the background of a script: either signal counts all the same.
    """
    program = """
import sys, threading, structlog
from controller.runtime.manager import Manager, Stage

structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))

def hang(stop):
    print("running", flush=True)
    stop.wait()
    print("stopping", flush=True)
    threading.Event().wait()

manager = Manager(shutdown_timeout_s=600)
manager.add(Stage.SERVERS, "hang", hang)
manager.run()
"""
    root = Path(__file__).parents[3]
    with subprocess.Popen(
        in_background([sys.executable, "-c", program]),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    ) as process:
        assert process.stdout is not None
        try:
            wait_for_line(process.stdout, b"running")
            process.send_signal(number)
            wait_for_line(process.stdout, b"stopping")
            process.send_signal(number)
            assert process.wait(PATIENCE_S) == 128 + number
        finally:
            process.kill()


def wait_for_line(lines: object, wanted: bytes) -> None:
    """Read until a line that is `wanted`; the process's death ends it too."""
    assert any(line.strip() == wanted for line in iter(lines.readline, b""))  # type: ignore[attr-defined]

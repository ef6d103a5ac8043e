"""Threads have an owner that ends and joins them, and no failure is lost."""

import threading
from collections.abc import Callable

import pytest

from controller.runtime.threads import Stop, ThreadGroup
from tests.deadline import PATIENCE_S


def until_stopped(stop: Stop) -> None:
    """A well-behaved thread."""
    stop.wait()


def fail(_stop: Stop) -> None:
    """One that does not even begin."""
    raise ZeroDivisionError


def fail_when_stopped(stop: Stop) -> None:
    """One that fails to clean up."""
    stop.wait()
    raise RuntimeError("later")


def run_group(**threads: Callable[[Stop], None]) -> None:
    """Run a group until one of its threads fails."""
    stop = Stop()
    with ThreadGroup("group", stop) as group:
        for name, run in threads.items():
            group.start(name, run)
        assert stop.wait(PATIENCE_S)


class TestStop:
    """A one-way signal."""

    def test_callbacks_run_once(self) -> None:
        """They close sockets that a thread reads from (K3)."""
        stop, calls = Stop(), []
        stop.on_set(lambda: calls.append("a"))

        stop.set()
        stop.set()

        assert calls == ["a"]

    def test_a_callback_that_was_taken_back_does_not_run(self) -> None:
        """The socket is gone by then."""
        stop, calls = Stop(), []
        take_back = stop.on_set(lambda: calls.append("a"))

        take_back()
        stop.set()

        assert calls == []

    def test_a_callback_that_comes_too_late_runs_at_once(self) -> None:
        """Else a stream opened during the stop would never be closed."""
        stop, calls = Stop(), []
        stop.set()

        stop.on_set(lambda: calls.append("a"))()

        assert calls == ["a"]

    def test_one_failing_callback_does_not_keep_the_others_from_running(self) -> None:
        """Each of them frees some thread."""
        stop, calls = Stop(), []
        stop.on_set(lambda: 1 / 0)
        stop.on_set(lambda: calls.append("b"))

        with pytest.raises(ZeroDivisionError):
            stop.set()

        assert calls == ["b"]


class TestThreadGroup:
    """Threads end with whoever has started them."""

    def test_leaving_stops_and_joins_all_threads(self) -> None:
        """Nothing outlives the context (the fixture of all tests checks that too)."""
        stop = Stop()

        with ThreadGroup("group", stop) as group:
            group.start("a", until_stopped)
            group.start("b", until_stopped)

        assert stop.is_set()
        assert not [thread for thread in threading.enumerate() if thread.name.startswith("group/")]

    def test_threads_are_named_and_keep_the_process_alive(self) -> None:
        """A daemon thread may be cut off in the middle of a write."""
        with ThreadGroup("group", Stop()) as group:
            group.start("a", until_stopped)
            (thread,) = [thread for thread in threading.enumerate() if thread.name == "group/a"]

            assert not thread.daemon

    def test_a_failing_thread_ends_the_others_and_is_raised(self) -> None:
        """Loudly, with the thread's name."""
        with pytest.raises(ZeroDivisionError) as caught:
            run_group(well=until_stopped, ill=fail)

        assert caught.value.__notes__ == ["in thread group/ill"]

    def test_later_failures_are_noted_on_the_first(self) -> None:
        """M3: errors during stop are not lost."""
        with pytest.raises(ZeroDivisionError) as caught:
            run_group(second=fail_when_stopped, first=fail)

        assert caught.value.__notes__[1] == "then in thread group/second: RuntimeError('later')"

    def test_an_error_in_the_body_is_the_one_raised(self) -> None:
        """It came first; the threads were stopped because of it."""

        def body() -> None:
            with ThreadGroup("group", Stop()) as group:
                group.start("a", fail_when_stopped)
                raise KeyError

        with pytest.raises(KeyError):
            body()

    def test_nothing_starts_after_the_stop(self) -> None:
        """A leader elected while stopping starts no workers."""
        stop, ran = Stop(), []
        stop.set()

        with ThreadGroup("group", stop) as group:
            group.start("a", lambda _stop: ran.append(1))

        assert ran == []

    def test_join_names_the_threads_that_do_not_end(self) -> None:
        """For the log line of a shutdown that took too long."""
        release = threading.Event()
        with ThreadGroup("group", Stop()) as group:
            group.start("slow", lambda _stop: release.wait() and None)
            group.stop.set()

            assert group.join(0.01) == ["group/slow"]
            release.set()

        assert group.join() == []

"""Properties of every course a training job can take, whatever is asked of it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hack.sandbox.aws.clock import SandboxClock
from hack.sandbox.aws.jobs.training import plan, stop
from hack.sandbox.aws.records.timeline import TERMINAL, Course, Durations, Step
from hack.sandbox.aws.records.triggers import Markers

SECONDS = st.integers(0, 500)
MARKERS = st.builds(Markers, fail=st.none() | st.just("x"), work_s=st.none() | SECONDS, interruptions=st.integers(0, 3))
DURATIONS = st.builds(Durations, *[SECONDS] * 7)


@st.composite
def requests(draw: st.DrawFn) -> dict[str, Any]:
    """Requests that `check` lets through, as far as a course depends on them."""
    runtime_s = draw(st.integers(1, 600))
    spot = draw(st.booleans())
    condition = {"MaxRuntimeInSeconds": runtime_s}
    if spot:
        condition["MaxWaitTimeInSeconds"] = runtime_s + draw(SECONDS)
    return {"StoppingCondition": condition, "EnableManagedSpotTraining": spot}


@given(requests(), MARKERS, DURATIONS)
def test_every_course_goes_forward_and_ends_once(request: dict[str, Any], asked: Markers, durations: Durations) -> None:
    """Times ascend, the last step is the only terminal one, and a failure has a reason."""
    steps = plan(request, asked, 1000.0, durations).steps
    assert [step.at for step in steps] == sorted(step.at for step in steps)
    assert [step.status in TERMINAL for step in steps] == [False] * (len(steps) - 1) + [True]
    assert [step.status for step in steps].count("Stopping") <= 1
    assert all(bool(step.failure) == (step.status == "Failed") for step in steps)


@given(requests(), MARKERS, DURATIONS, SECONDS)
def test_a_stop_keeps_the_past_and_ends_in_stopped(
    request: dict[str, Any], asked: Markers, durations: Durations, after_s: int
) -> None:
    """What a client has seen stays true; from the stop on there is Stopping, then Stopped."""
    course = plan(request, asked, 1000.0, durations)
    at = 1000.0 + after_s
    if course.at(at).status != "InProgress":
        return
    stopped = stop(course, at, durations)
    assert stopped.reached(at)[:-2] == course.reached(at) or stopped.reached(at)[:-1] == course.reached(at)
    assert [step.status for step in stopped.steps[-2:]] == ["Stopping", "Stopped"]
    assert stopped.end.at == at + durations.stopping_s


@given(requests(), MARKERS, DURATIONS)
def test_no_job_trains_longer_than_its_condition_allows(
    request: dict[str, Any], asked: Markers, durations: Durations
) -> None:
    """MaxRuntimeInSeconds bounds the training of all attempts together."""
    course = plan(request, asked, 1000.0, durations)
    trained_s = course.spent(frozenset({"Training"}), course.end.at)
    assert trained_s <= request["StoppingCondition"]["MaxRuntimeInSeconds"] + 1e-6


def test_the_time_before_a_job_shows_its_first_step() -> None:
    """A wall clock may jump back; a job that exists has a status all the same."""
    course = Course((Step(10, "InProgress", "Starting", ""), Step(20, "Completed", "Completed", "")))
    assert (course.at(0), course.reached(0)) == (course.steps[0], course.steps[:1])


def test_the_clock_only_moves_forward() -> None:
    """Statuses never go back, so the clock does not either."""
    clock = SandboxClock.frozen(100)
    assert clock.advance(5) == clock.now() == 105
    with pytest.raises(ValueError, match="forward"):
        clock.advance(-1)

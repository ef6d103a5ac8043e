"""How soon objects show what happened at AWS, and what that costs, in accounts that are hard to poll.

Run `make bench-status`, or `python -m hack.bench.status --before DIR` to measure the operator of another checkout as
well. Every situation has an API server and a SageMaker of its own, in processes of their own, for each operator. Those
that need little of the machine run side by side, the one with many jobs runs alone. Poll interval and all other
settings of the operators are their defaults.

Rows with thousands of jobs and quotas run with real servers and are also simulated (`hack.bench.status_model`), which
shows the operator's polling and budgets without this machine, and only those of this checkout. `--rows` runs single
rows by name.
"""

import argparse
import logging
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from math import inf, isinf
from pathlib import Path
from typing import Any, Final

import boto3
import structlog

from hack.bench.processes import Usage, process
from hack.bench.scene import OPERATOR, SAMPLE, Servers, Watcher, apply_jobs, percentile, until
from hack.bench.status_model import Account, StatusModel
from hack.sandbox import status_queue
from hack.sandbox.control_client import control
from hack.sandbox.kubeapi import manifests
from hack.sandbox.samples import REPOSITORY

POLL_S: Final = 5.0
"""The operator's default."""
LAG_S: Final = 75.0
FEW: Final = 10
CAP_S: Final = 150.0
"""What is not shown after this, counts as not shown."""
_TRAIN_S: Final = 3_600.0
_DAY_S: Final = 86_400.0
_MANY: Final = 5_000, 10_000
_STOPPED: Final = 30
"""Single jobs that end, among many."""
_STOPPING_S: Final = 1.5
"""Time from StopTrainingJob to Stopped in the embedded SageMaker."""
_DELETING_S: Final = 1.5
_START_S: Final = 5.0
_DEPLOYMENT: Final = REPOSITORY / "samples/xgboost-mnist-hostingdeployment.yaml"
_TUNING_JOB: Final = REPOSITORY / "samples/xgboost-mnist-hpo.yaml"
_DEPLOYMENTS: Final = "hostingdeployments", "endpointStatus"
_TUNING_JOBS: Final = "hyperparametertuningjobs", "hyperParameterTuningJobStatus"

Figures = Mapping[str, float]


class Scene:
    """One operator, an API server and a SageMaker."""

    def __init__(self, operator: Path, jobs: int, closing: ExitStack) -> None:
        self._directory = Path(closing.enter_context(tempfile.TemporaryDirectory()))
        self._build = operator
        self.jobs = jobs
        self.servers = Servers(self._directory, closing)
        self._running = closing.enter_context(ExitStack())
        self.operator = self.start()
        self.watcher = Watcher(self.servers.api)

    @property
    def is_of_this_checkout(self) -> bool:
        """Whether the operator has the flags that this checkout knows."""
        return self._build == REPOSITORY

    def start(self, *flags: str) -> subprocess.Popen[bytes]:
        """Start the operator, in place of the one that runs."""
        self._running.close()
        log = self._directory / f"operator-{time.monotonic():.0f}.log"
        self.servers.forget()
        running = process([*OPERATOR, *flags], self.servers.environment(), log, self._build)
        self.operator = self._running.enter_context(running)
        until(lambda: self.servers.kube_requests("sagemaker")["list"] > 0, "the operator lists", 60)
        time.sleep(_START_S)
        return self.operator

    def aws(self, sample: Path = SAMPLE) -> Any:
        """Return a SageMaker client for what other users do in the account, in the region of a sample."""
        manifest = next(manifests(sample))
        credentials = {"aws_access_key_id": "other", "aws_secret_access_key": "user"}
        region = manifest["spec"]["region"]
        return boto3.client("sagemaker", endpoint_url=self.servers.aws_url, region_name=region, **credentials)

    def set(self, endpoint: str, **settings: object) -> None:
        """Change a setting of the embedded SageMaker."""
        control(self.servers.aws_url, "POST", endpoint, settings)

    def run_jobs(self, prefix: str, count: int, train_s: float = _TRAIN_S) -> list[str]:
        """Create jobs; return their objects' names once SageMaker has all of them."""
        names = list(apply_jobs(self.servers.api, prefix, count, train_s))
        until(lambda: self.watcher.count(prefix, "InProgress") >= count, f"{count} jobs", 1_800)
        return names

    def calls(self, seconds: float, during: Callable[[], None] = lambda: None) -> Callable[[str], float]:
        """Count for some seconds, and longer if `during` takes longer; returns calls an interval by operation."""
        self.servers.forget()
        began = time.monotonic()
        during()
        time.sleep(max(0.0, began + seconds - time.monotonic()))
        intervals, counted = (time.monotonic() - began) / POLL_S, self.servers.aws_calls()
        return lambda operation: counted[operation] / intervals

    def end_all(self) -> float:
        """End every job that trains for an hour; returns when that was (monotonic)."""
        self.set("clock", advance_s=_TRAIN_S + 100)
        return time.monotonic()

    def stop(self, name: str) -> float:
        """Stop a job at SageMaker, as another user may; returns when it will have stopped (monotonic)."""
        job = self.servers.api.get(f"/apis/sagemaker.aws.amazon.com/v1/namespaces/default/trainingjobs/{name}")
        self.aws().stop_training_job(TrainingJobName=job["spec"]["trainingJobName"])
        return time.monotonic() + _STOPPING_S

    def delays(self, happened: Mapping[str, float], state: str, within_s: float) -> list[float]:
        """Return after how long each object showed that it reached a state; infinite where it did not in time."""
        deadline = max(happened.values()) + within_s
        while time.monotonic() < deadline:
            if all(state in self.watcher.seen.get(name, {}) for name in happened):
                break
            time.sleep(0.2)
        seen = {name: self.watcher.seen.get(name, {}).get(state, inf) for name in happened}
        return [max(0.0, seen[name] - at) for name, at in happened.items()]

    def status_of(self, plural: str, field: str) -> str:
        """Return the state that the one object of a kind shows."""
        return str((self._only(plural).get("status") or {}).get(field, ""))

    def text_of(self, plural: str) -> str:
        """Return the status of the one object of a kind, as text."""
        return str(self._only(plural).get("status"))

    def _only(self, plural: str) -> dict[str, Any]:
        (obj,) = self.servers.api.get(f"/apis/sagemaker.aws.amazon.com/v1/namespaces/default/{plural}")["items"]
        return dict(obj)

    def delay(self, is_shown: Callable[[], bool], happened: float, within_s: float = CAP_S) -> float:
        """Return after how long something is shown; infinite if it is not in time."""
        while time.monotonic() < happened + within_s:
            if is_shown():
                return max(0.0, time.monotonic() - happened)
            time.sleep(0.5)
        return inf

    def deleted_tuning_job(self) -> float:
        """Stop the tuning job and delete it as soon as that is possible; return after how long its object shows it."""
        client = self.aws(_TUNING_JOB)
        (job,) = client.list_hyper_parameter_tuning_jobs()["HyperParameterTuningJobSummaries"]
        name = {"HyperParameterTuningJobName": job["HyperParameterTuningJobName"]}
        client.stop_hyper_parameter_tuning_job(**name)

        def is_stopped() -> bool:
            status = client.describe_hyper_parameter_tuning_job(**name)["HyperParameterTuningJobStatus"]
            return bool(status == "Stopped")

        until(is_stopped, "the tuning job has stopped", 60)
        client.delete_hyper_parameter_tuning_job(**name)
        return self.delay(lambda: "does not know" in self.text_of(_TUNING_JOBS[0]), time.monotonic())


def p50_p99(delays: Sequence[float], what: str) -> dict[str, float]:
    """Return both percentiles by their names."""
    return {f"{what}, p50 s": percentile(delays, 0.5), f"{what}, p99 s": percentile(delays, 0.99)}


# --- situations


def with_past(finished: int) -> Callable[[Scene], Figures]:
    """Return the situation of an account that has had so many jobs."""

    def measure(scene: Scene) -> Figures:
        scene.set("past", count=finished)
        names = scene.run_jobs("job", FEW)
        time.sleep(3 * POLL_S)
        calls = scene.calls(6 * POLL_S)
        ended = scene.end_all()
        delays = scene.delays(dict.fromkeys(names, ended), "Completed", CAP_S)
        return {"Lists an interval": calls("ListTrainingJobs"), **p50_p99(delays, "end shown after")}

    return measure


def an_old_job(scene: Scene) -> Figures:
    """One job that has run for twenty days, below 50,000 newer ones of others, and five new ones."""
    (old,) = scene.run_jobs("old", 1, train_s=28 * _DAY_S)
    scene.set("clock", advance_s=20 * _DAY_S)
    scene.set("past", count=50_000, step_s=30.0)
    scene.run_jobs("job", 5)
    time.sleep(3 * POLL_S)
    calls = scene.calls(6 * POLL_S)
    (delay,) = scene.delays({old: scene.stop(old)}, "Stopped", CAP_S)
    return {
        "Lists an interval": calls("ListTrainingJobs"),
        "Describes an interval": calls("DescribeTrainingJob"),
        "end of the old job shown after, s": delay,
    }


def late_lists(scene: Scene) -> Figures:
    """Lists that are late, and jobs and an endpoint whose state changes."""
    scene.set("lists", lag_s=LAG_S)
    for manifest in manifests(_DEPLOYMENT):
        scene.servers.api.apply(manifest)
    names = scene.run_jobs("job", FEW)
    client = scene.aws(_DEPLOYMENT)

    def is_listed() -> bool:
        return any(each["EndpointStatus"] == "InService" for each in client.list_endpoints()["Endpoints"])

    until(is_listed, "the List shows the endpoint", 300)
    endpoint = scene.delay(lambda: scene.status_of(*_DEPLOYMENTS) == "InService", time.monotonic())
    shown = {name: scene.stop(name) + LAG_S for name in names}
    delays = scene.delays(shown, "Stopped", CAP_S)
    return {
        **p50_p99(delays, "end shown, since the List has it"),
        "endpoint in service shown, since the List has it, s": endpoint,
    }


def deleted_by_others(scene: Scene) -> Figures:
    """An endpoint in service that another user deletes, and a tuning job that is stopped and deleted at once."""
    for manifest in manifests(_DEPLOYMENT):
        scene.servers.api.apply(manifest)
    for manifest in manifests(_TUNING_JOB):
        parameters = manifest["spec"]["trainingJobDefinition"]["staticHyperParameters"]
        parameters.append({"name": "SANDBOX_TRAIN_SECONDS", "value": str(_TRAIN_S)})
        scene.servers.api.apply(manifest)
    until(lambda: scene.status_of(*_DEPLOYMENTS) == "InService", "the endpoint serves", 120)
    until(lambda: scene.status_of(*_TUNING_JOBS) == "InProgress", "the tuning job runs", 120)
    time.sleep(70)
    client = scene.aws(_DEPLOYMENT)
    (endpoint,) = client.list_endpoints()["Endpoints"]
    client.delete_endpoint(EndpointName=endpoint["EndpointName"])
    gone = time.monotonic() + _DELETING_S
    endpoint_s = scene.delay(lambda: scene.status_of(*_DEPLOYMENTS) != "InService", gone)
    return {"endpoint: shown after, s": endpoint_s, "tuning job: shown after, s": scene.deleted_tuning_job()}


def without_lists(fault: str, wait_s: float) -> Callable[[Scene], Figures]:
    """Return the situation of an account in which Describe works, and List does not."""

    def measure(scene: Scene) -> Figures:
        names = scene.run_jobs("job", FEW)
        scene.set("faults", operation="List*", fault=fault, count=None)
        time.sleep(wait_s)
        delays = scene.delays(dict.fromkeys(names, scene.end_all()), "Completed", CAP_S)
        return p50_p99(delays, "end shown after")

    return measure


def burst(scene: Scene) -> Figures:
    """Many live jobs that end at once, without quotas."""
    names = scene.run_jobs("job", scene.jobs)
    time.sleep(60)
    used = Usage.of(scene.operator.pid).cpu_s
    scene.servers.forget()
    ended = scene.end_all()
    delays = scene.delays(dict.fromkeys(names, ended), "Completed", 300)
    cpu_s = Usage.of(scene.operator.pid).cpu_s - used
    return {
        **p50_p99(delays, "end shown after"),
        "Describes for each end": scene.servers.aws_calls()["DescribeTrainingJob"] / len(names),
        "CPU of the operator for each end, ms": 1000 * cpu_s / len(names),
    }


def many(scene: Scene) -> Figures:
    """Many live jobs with quotas, of which some are stopped; then all others end at once, without quotas."""
    names = scene.run_jobs("job", scene.jobs)
    time.sleep(60)
    scene.set("quota", calls_per_second=2, operations="List*")
    scene.set("quota", calls_per_second=10, operations="Describe*")
    stopped = random.Random(11).sample(names, 30)
    happened: dict[str, float] = {}

    def stop_some() -> None:
        for name in stopped:
            happened[name] = scene.stop(name)
            time.sleep(2.0)

    calls = scene.calls(60, stop_some)
    some = scene.delays(happened, "Stopped", 300)
    scene.set("quota", calls_per_second=0)
    ended = scene.end_all()
    burst = scene.delays(dict.fromkeys(set(names) - set(stopped), ended), "Completed", 300)
    return {
        "Lists a second": calls("ListTrainingJobs") / POLL_S,
        **p50_p99(some, "end shown after"),
        **p50_p99(burst, "end of all others at once shown after"),
    }


def thousands(jobs: int) -> Callable[[Scene], Figures]:
    """Return the situation of so many live jobs with the quotas of an account, of which single ones end."""

    def measure(scene: Scene) -> Figures:
        names = scene.run_jobs("job", jobs, train_s=28 * _DAY_S)
        scene.set("quota", calls_per_second=2, operations="List*")
        scene.set("quota", calls_per_second=10, operations="Describe*")
        ways: dict[str, tuple[str, ...]] = {"Lists alone": ("--status-search=false",)}
        if scene.is_of_this_checkout:
            queue = status_queue.create(scene.servers.aws_url, scene.aws().meta.region_name)
            ways |= {"with Search": (), "with events": ("--status-search=false", f"--status-queue={queue}")}
        chosen = random.Random(11)
        figures: dict[str, float] = {}
        for way, flags in ways.items():
            if scene.is_of_this_checkout:  # the build before has one way only, and none of these flags
                scene.start(*flags)
            time.sleep(2 * jobs / 100 + 30)
            stopped = chosen.sample(names, _STOPPED + (_EARNING if flags != ways["Lists alone"] else 0))
            names = [name for name in names if name not in set(stopped)]
            for name in stopped[_STOPPED:]:
                scene.delays({name: scene.stop(name)}, "Stopped", CAP_S)
            time.sleep(30)
            happened: dict[str, float] = {}

            def stop_some(stopped: Sequence[str] = stopped, happened: dict[str, float] = happened) -> None:
                for name in stopped[:_STOPPED]:
                    happened[name] = scene.stop(name)
                    time.sleep(4.3)  # no multiple of the poll interval

            calls = scene.calls(120, stop_some)
            figures[f"{way}: Lists a second"] = calls("ListTrainingJobs") / POLL_S
            figures[f"{way}: Searches a second"] = calls("Search") / POLL_S
            figures[f"{way}: Describes a second"] = calls("DescribeTrainingJob") / POLL_S
            figures |= p50_p99(scene.delays(happened, "Stopped", 300), f"{way}: end of single jobs shown after")
        return figures

    return measure


# --- simulated situations

SOURCES: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    "lists": ("Lists alone", {"search_lag_s": None}),
    "search": ("with Search", {}),
    "events": ("with events", {"has_events": True}),
}
"""What shows changes: in words, and as settings of the account."""
_EARNING: Final = 16
"""Jobs that end one by one before the measurement, so that Search or events have earned their place."""


def settled(jobs: int, account: Account) -> StatusModel:
    """Return an operator that has followed so many jobs for some minutes, in which a few have ended."""
    model = StatusModel(jobs + _EARNING, account)
    model.run(2 * jobs / 100 + 60)
    for name in model.running[:_EARNING]:
        model.end(name)
        model.run(10)
    model.until_shown(list(model.course.ended), 600)
    model.run(60)
    model.course.calls.clear()
    return model


def single_ends(jobs: int, source: str) -> Figures:
    """Sixty single ends among thousands of live jobs, with the quotas of an account."""
    model = settled(jobs, Account(lists_per_s=2.0, describes_per_s=10.0, **SOURCES[source][1]))
    names = random.Random(11).sample(model.running, 60)
    began = model.clock.now
    for name in names:
        model.end(name)
        model.run(8.3)  # no multiple of the poll interval, so that all phases of it are met
    seconds, calls = model.clock.now - began, model.course.calls.copy()
    model.until_shown(names, 600)
    since = model.course.delivered if source == "events" else model.course.ended
    of_event = " of its event" if source == "events" else ""
    return {
        "Lists a second": calls["ListTrainingJobs"] / seconds,
        "Searches a second": calls["Search"] / seconds,
        **p50_p99(model.course.delays(names, since), f"end of single jobs shown after{of_event}"),
    }


def ends_at_once(jobs: int, source: str) -> Figures:
    """All jobs end at one moment; the mean of several, in different phases of the poll interval."""
    delays: list[float] = []
    for phase in range(5):
        model = settled(jobs, Account(**SOURCES[source][1]))
        model.run(phase)
        names = model.running
        for name in names:
            model.end(name)
        model.until_shown(names, 600)
        delays += model.course.delays(names, model.course.ended)
    return p50_p99(delays, "end shown after")


@dataclass(frozen=True, slots=True)
class Situation:
    """A row of the issue's table: what it is, and how it is measured."""

    row: str
    """Its name, for `--rows`."""
    title: str
    measure: Callable[[Scene], Figures] | None = None
    """None: it is simulated."""
    simulate: Callable[[], Figures] = dict
    is_alone: bool = False
    """Whether it needs the machine for itself."""


def situations(jobs: int) -> tuple[Situation, ...]:
    """Return all situations."""
    return (
        Situation("past", "20,000 finished jobs in the account, 10 live", with_past(20_000)),
        Situation("long-past", "1,000,000 finished jobs in the account, 10 live", with_past(1_000_000)),
        Situation("old-job", "a job of 20 days below 50,000 newer ones, 5 new", an_old_job),
        Situation("late-lists", f"Lists show changes {LAG_S:g} s late", late_lists),
        Situation("deleted", "an endpoint and a tuning job are deleted by others", deleted_by_others),
        Situation("list-denied", "List denied, Describe allowed", without_lists("deny", 4 * POLL_S)),
        Situation("list-hangs", "List does not answer, Describe does", without_lists("hang-before", 90.0)),
        Situation("burst", f"{jobs:,} live jobs that end at once, no quota", burst, is_alone=True),
        Situation("quotas", f"{jobs:,} live jobs, List 2/s and Describe 10/s", many, is_alone=True),
        *(
            Situation(str(count), f"{count:,} live jobs, List 2/s and Describe 10/s", thousands(count), is_alone=True)
            for count in _MANY
        ),
        *(
            Situation(
                f"{count}-{source}",
                f"{count:,} live jobs, List 2/s and Describe 10/s, {SOURCES[source][0]} (simulated)",
                simulate=partial(single_ends, count, source),
            )
            for count in _MANY
            for source in SOURCES
        ),
        *(
            Situation(
                f"burst-{source}",
                f"1,000 live jobs that end at once, no quota, {SOURCES[source][0]} (simulated)",
                simulate=partial(ends_at_once, 1_000, source),
            )
            for source in SOURCES
        ),
    )


def measured(situation: Situation, operator: Path, jobs: int) -> Figures:
    """Measure one situation with one operator; its figures are printed at once, too, since all take minutes."""
    if situation.measure is None:
        figures = situation.simulate()
    else:
        with ExitStack() as closing:
            figures = situation.measure(Scene(operator, jobs, closing))
    text = ", ".join(f"{figure} {shown(value)}" for figure, value in figures.items())
    print(f"{situation.title} ({operator}): {text}", file=sys.stderr, flush=True)
    return figures


def main() -> None:
    """Measure and print the table."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))  # of what is simulated
    names = ", ".join(each.row for each in situations(1_000))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", type=Path, metavar="DIR", help="another checkout, to measure its operator as well")
    parser.add_argument("--jobs", type=int, default=1000, help="live jobs of the last situation; default %(default)s")
    parser.add_argument("--parallel", type=int, default=4, help="scenes at a time; default %(default)s")
    parser.add_argument("--only", default="", metavar="TEXT", help="situations with this text")
    parser.add_argument("--rows", default="", help=f"some rows, with commas between, of: {names}")
    options = parser.parse_args()
    operators = {"before": options.before.resolve()} if options.before else {}
    operators["now"] = REPOSITORY
    wanted = options.rows.split(",") if options.rows else names.split(", ")
    if unknown := set(wanted) - set(names.split(", ")):
        parser.error(f"--rows: there is no {', '.join(sorted(unknown))}; there are {names}")
    chosen = [each for each in situations(options.jobs) if options.only in each.title and each.row in wanted]
    with ThreadPoolExecutor(options.parallel) as together, ThreadPoolExecutor(1) as alone:
        scenes = [
            (each, who)
            for each in sorted(chosen, key=lambda one: one.is_alone)
            for who in operators
            if each.measure is not None or who == "now"
        ]
        first = {
            (each.title, who): together.submit(measured, each, operators[who], options.jobs)
            for each, who in scenes
            if not each.is_alone
        }
        found = {key: future.result() for key, future in first.items()}
        last = {
            (each.title, who): alone.submit(measured, each, operators[who], options.jobs)
            for each, who in scenes
            if each.is_alone
        }
        found |= {key: future.result() for key, future in last.items()}
    print("| situation | | " + " | ".join(operators) + " |")
    print("|---" * (2 + len(operators)) + "|")
    for each in chosen:
        title = each.title
        for figure in found[each.title, "now"]:
            cells = [shown(found.get((each.title, who), {}).get(figure)) for who in operators]
            print(f"| {title} | {figure} | " + " | ".join(cells) + " |")
            title = ""


def shown(value: float | None) -> str:
    """Return a figure as text; None is one that this operator cannot have."""
    if value is None:
        return "-"
    return "not shown" if isinf(value) else f"{value:.1f}"


if __name__ == "__main__":
    main()

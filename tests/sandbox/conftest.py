"""A world for one end-to-end test: API server, SageMaker, a proxy before each, and operators on demand."""

import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import yaml

from api.meta import JsonObject
from hack.sandbox.aws import server as aws_server
from hack.sandbox.aws.clock import SandboxClock
from tests.sandbox.apiserver import write_kubeconfig
from tests.sandbox.crds import server_with_crds
from tests.sandbox.forkserver import end_fork_server
from tests.sandbox.harness import REPOSITORY, Api, Operator
from tests.sandbox.interceptor import Interceptor, interceptor
from tests.sandbox.kubectl import UNCOLLECTED, Kubectl, kubectl_for


class StoppableTime:
    """Real time, which a test can stop: nothing at SageMaker changes meanwhile, however slow the machine is.

    So a state that passes quickly, such as Creating, can be waited for and acted upon. Thread-safe.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._behind_s = 0.0
        self._stopped_at: float | None = None

    def __call__(self) -> float:
        """Return the time, seconds since the epoch."""
        with self._lock:
            return time.time() - self._behind_s if self._stopped_at is None else self._stopped_at

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Stop the time while the block runs; afterwards it goes on where it stopped."""
        now = self()
        with self._lock:
            self._stopped_at = now
        try:
            yield
        finally:
            with self._lock:
                self._behind_s = time.time() - now
                self._stopped_at = None


class World:
    """Both servers, a proxy in front of each, and the operators that a test starts."""

    def __init__(self, directory: Path, stack: ExitStack) -> None:
        self.directory = directory
        self._stack = stack
        self._numbers = itertools.count(1)
        self.operators: list[Operator] = []
        self.kube = stack.enter_context(server_with_crds(directory))
        self.time = StoppableTime()
        """Of SageMaker."""
        self.aws = stack.enter_context(aws_server.start(speed=SPEED, clock=SandboxClock(self.time)))
        self.to_kube: Interceptor = stack.enter_context(interceptor(self.kube.url, token=self.kube.token))
        self.to_aws: Interceptor = stack.enter_context(interceptor(self.aws.url))
        self.api = Api(self.kube.url, self.kube.token, namespace=self.kube.namespace)
        """Around the proxy: what the test does is not counted and not cut."""
        self.kubeconfig = directory / "kubeconfig"
        write_kubeconfig(self.kubeconfig, self.to_kube.url, namespace=self.kube.namespace)
        self.direct_kubeconfig = directory / "direct-kubeconfig"
        write_kubeconfig(self.direct_kubeconfig, self.kube.url, self.kube.token, namespace=self.kube.namespace)

    def electing_operator(self, *flags: str) -> Operator:
        """One more operator, that works only while it holds the lease in the namespace of the objects."""
        return self.operator("--leader-election-namespace", self.api.namespace, *flags)

    def operator(self, *flags: str) -> Operator:
        """Start one more operator process; it ends with the test."""
        log = self.directory / f"operator-{next(self._numbers)}.log"
        started = Operator(
            self.kubeconfig,
            self.to_aws.url,
            log,
            *("--poll-interval", "200ms"),
            *("--workers", WORKERS),
            *(() if self.kube.is_ours else ("--namespace", self.kube.namespace)),
            *flags,
        )
        self.operators.append(started)
        return started

    def close(self) -> None:
        """End all operators that the test did not end itself."""
        for each in self.operators:
            if each.process.poll() is None:
                each.kill()

    def logs(self) -> str:
        """The end of every operator's log, for the report of a failed test."""
        return "\n".join(f"--- {each.log.name}\n{each.log_tail()}" for each in self.operators)


WORKERS = "4"
"""Threads of each controller: few objects do not need the hundreds that an operator has by default."""
SPEED = 4.0
"""How much faster than in `make run` SageMaker works: a job takes a second and a half."""


@pytest.fixture
def world(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    """Fresh servers for every test: nothing that one test did is seen by another."""
    with ExitStack() as stack:
        made = World(tmp_path, stack)
        stack.callback(made.close)
        yield made
        report = getattr(request.node, "report_of_call", None)
        if report is not None and report.failed:
            report.sections.append(("operator logs", made.logs()))


@pytest.fixture(scope="session", autouse=True)
def programs_in_go_collect_no_garbage() -> Iterator[None]:
    """Spare kubectl, helm and promtool the work, where they inherit the environment."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in UNCOLLECTED.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="session", autouse=True)
def no_fork_server_is_left_behind() -> Iterator[None]:
    """End what starts operators, if a test has started it."""
    yield
    end_fork_server()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Let the fixture know whether the test failed, so that it can add the operators' logs."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if report.when == "call":
        item.report_of_call = report  # type: ignore[attr-defined]


@pytest.fixture
def manifest() -> JsonObject:
    """The TrainingJob sample of the guide."""
    loaded: JsonObject = yaml.safe_load((REPOSITORY / "samples" / "xgboost-mnist-trainingjob.yaml").read_text())
    return loaded


@pytest.fixture
def kubectl(world: World) -> Kubectl:
    """Real kubectl on the world's cluster."""
    return kubectl_for(world.direct_kubeconfig, world.directory)

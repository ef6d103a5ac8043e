"""A scripted API server, and clients of it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml
from prometheus_client import CollectorRegistry

from api.meta import Resource
from controller.kube.client import KubeClient
from controller.kube.config import Cluster, connect
from controller.kube.transport import RestMetrics
from controller.runtime.clock import SystemClock
from controller.runtime.queue.rate_limiter import RateLimiter
from tests.deadline import PATIENCE_S
from tests.unit.kube.scripted import ScriptedServer

JOBS = Resource(group="sagemaker.aws.amazon.com", version="v1", plural="trainingjobs", kind="TrainingJob")

MakeClient = Callable[..., KubeClient]


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """Serves what the test puts into its script. Ends after `make_client`'s clients, which hold connections."""
    with ScriptedServer().running() as running:
        yield running


@pytest.fixture
def registry() -> CollectorRegistry:
    """A fresh registry."""
    return CollectorRegistry()


def kubeconfig(path: Path, url: str, *, user: object = None, cluster: object = None) -> Path:
    """Write a kubeconfig with one context."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "clusters": [{"name": "test", "cluster": {"server": url, **(cluster or {})}}],  # type: ignore[dict-item]
        "users": [{"name": "test", "user": user or {"token": "hush"}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
    }
    path.write_text(yaml.safe_dump(config))
    return path


@pytest.fixture
def cluster(server: ScriptedServer, tmp_path: Path) -> Cluster:
    """The scripted server as a cluster."""
    return connect(SystemClock(), kubeconfig=str(kubeconfig(tmp_path / "config", server.url)), environ={})


@pytest.fixture
def make_client(cluster: Cluster, registry: CollectorRegistry) -> Iterator[MakeClient]:
    """Makes clients that the test need not close."""
    metrics = RestMetrics(registry)
    with ExitStack() as stack:

        def make(limiter: RateLimiter[str] | None = None, request_timeout_s: float = PATIENCE_S) -> KubeClient:
            client = KubeClient.of(
                cluster, metrics=metrics, clock=SystemClock(), limiter=limiter, request_timeout_s=request_timeout_s
            )
            return stack.enter_context(client)

        yield make


@pytest.fixture
def client(make_client: MakeClient) -> KubeClient:
    """An unlimited client."""
    return make_client()

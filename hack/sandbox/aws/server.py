"""Starts and stops the embedded SageMaker on loopback.

with start() as aws:
    client = boto3.client("sagemaker", endpoint_url=aws.url, ...)
    aws.faults.add("DescribeTrainingJob", "throttle", count=3)
    aws.clock.advance(60)
    assert aws.requests.count("CreateTrainingJob") == 1
"""

import threading
from types import TracebackType
from typing import Self

from hack.sandbox.aws import control
from hack.sandbox.aws.call_log import CallQuota, Effects, Requests
from hack.sandbox.aws.clock import SandboxClock
from hack.sandbox.aws.faults import Faults
from hack.sandbox.aws.hostile.new_roles import NewRoles
from hack.sandbox.aws.http import HttpServer
from hack.sandbox.aws.lists import Lists
from hack.sandbox.aws.records.past import Past
from hack.sandbox.aws.records.search import SearchApi
from hack.sandbox.aws.records.timeline import Durations
from hack.sandbox.aws.service import AwsService
from hack.sandbox.aws.state_changes import Publisher
from hack.sandbox.aws.wire import HttpRequest, HttpResponse

DEFAULT_PORT = 8002


class RunningServer:
    """A running server. Leaving its `with` block stops it; `stop` may be called more than once. Thread-safe."""

    def __init__(self, http: HttpServer, service: AwsService) -> None:
        self._http = http
        self._service = service
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), name="sandbox-aws")
        self._thread.start()
        self._service.publisher.start()

    @property
    def url(self) -> str:
        """Return the endpoint URL of every AWS service."""
        host, port = self._http.server_address[:2]
        return f"http://{host!s}:{port}"

    @property
    def clock(self) -> SandboxClock:
        """Return the clock of the responses."""
        return self._service.clock

    @property
    def faults(self) -> Faults:
        """Return the injected faults."""
        return self._service.faults

    @property
    def search(self) -> SearchApi:
        """Return Search, whose index can be made to lag."""
        return self._service.search

    @property
    def lists(self) -> Lists:
        """Return how late Lists show changes, and for how long page tokens are accepted."""
        return self._service.lists

    @property
    def roles(self) -> NewRoles:
        """Return the roles, which can be refused while they are new."""
        return self._service.roles

    @property
    def events(self) -> Publisher:
        """Return what publishes state changes; its `flaws` make it repeat, lose, delay and reorder them."""
        return self._service.publisher

    def create_pipeline(self, name: str, definition: str, region: str) -> None:
        """Let others create a pipeline. Raises ApiError for a definition that the service would refuse."""
        self._service.create_pipeline(name, definition, region)

    def take_over(self, resource: str, name: str, region: str) -> None:
        """Let others delete a resource, and create their own under its name. Raises ApiError where they cannot."""
        self._service.take_over(resource=resource, name=name, region=region)

    @property
    def past(self) -> Past:
        """Return the account's past, to which finished jobs can be added."""
        return self._service.past

    @property
    def requests(self) -> Requests:
        """Return the request counts."""
        return self._service.requests

    @property
    def effects(self) -> Effects:
        """Return the recorded changes."""
        return self._service.effects

    @property
    def quota(self) -> CallQuota:
        """Return the simulated quota of calls."""
        return self._service.quota

    def load(self) -> None:
        """Load what else the first requests load, about a second of computing."""
        self._service.load()

    def reset(self) -> None:
        """Clear resources, faults, counts and moto's state."""
        self._service.reset()

    def stop(self) -> None:
        """Stop listening, cut all connections, and wait for every thread."""
        if self._thread.is_alive():
            self._service.publisher.stop()
            self._service.close()
            self._http.shutdown()
            self._thread.join()
            self._http.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()


def start(
    port: int = 0,
    *,
    host: str = "127.0.0.1",
    durations: Durations | None = None,
    speed: float = 1.0,
    clock: SandboxClock | None = None,
) -> RunningServer:
    """Start a server; port 0 takes any free one.

    `durations` are those of the stages of jobs and endpoints, `speed` divides them (10: ten times as fast). `clock` is
    the time of the responses, by default the real one; `SandboxClock.frozen()` moves only by `advance`.
    Raises OSError when the port is taken, ValueError for a speed that is not positive.
    """
    if speed <= 0:
        raise ValueError("speed must be positive")
    service = AwsService(clock or SandboxClock(), (durations or Durations()).scaled(1 / speed))

    def answer(request: HttpRequest) -> HttpResponse:
        if request.path.startswith(control.PREFIX):
            return control.answer(service, request)
        return service.answer(request)

    return RunningServer(HttpServer(host, port, answer, service.clock.now), service)

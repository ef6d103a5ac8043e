"""The only boundary to AWS: budgeted, timed, counted and classified calls over shared botocore clients.

Clients may be shared between threads, sessions may not (K9): each is created once, under its identity's lock, when it
is first used. Starting the operator makes no AWS call.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import botocore.session
from botocore.config import Config
from botocore.parsers import JSONParser, ResponseParserError, ResponseParserFactory
from botocore.utils import parse_timestamp

from api.models import shared_loader
from controller.aws import regions
from controller.aws.circuit_breaker import CircuitBreaker
from controller.aws.errors import UNREACHABLE, CallError, LocalRefusal, bare, classify
from controller.aws.limits.budgets import Budgets
from controller.aws.targets import BASE_IDENTITY, Identity, Target
from controller.runtime.clock import Clock
from controller.runtime.errors import ErrorClass
from controller.runtime.sockets import Sockets

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

LONG_POLL_S: Final = 20.0
"""How long a call of a service that is polled may wait for news, by its own parameter: the most that SQS allows."""
_LONG_POLLED: Final = frozenset({"sqs"})
"""Services with calls that wait. Their clients have longer time-outs, and `interrupt` ends such calls."""
_OF_THE_STATE: Final = frozenset({ErrorClass.NOT_FOUND, ErrorClass.EXISTS, ErrorClass.CONFLICT})
"""Answers about the state of a resource: the caller has not failed."""
_SIGNATURE_REFUSED: Final = frozenset({"InvalidSignature", "SignatureDoesNotMatch"})
_FIRST_REFUSAL: Final = 300
"""HTTP statuses from here on are of errors, which have a way of their own to be read."""
_DURATION_BUCKETS: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """How clients are built."""

    version: str
    """Version of the operator, for the user agent (v1-kinds.md 10)."""
    pool_size: int = 16
    """Connections kept per client: at least the number of calling threads, or they wait for one."""
    connect_timeout_s: float = 5.0
    read_timeout_s: float = 30.0

    def config(self) -> Config:
        """Return the botocore configuration. The operator retries (classes, budgets): the SDK makes one attempt."""
        return Config(
            connect_timeout=self.connect_timeout_s,
            read_timeout=self.read_timeout_s,
            max_pool_connections=self.pool_size,
            retries={"total_max_attempts": 1, "mode": "standard"},
            user_agent_extra=f"sagemaker-on-kubernetes/{self.version}",
        )


def new_session(decode: Callable[[bytes], Any] | None = None) -> botocore.session.Session:
    """Return a session with the SDK's default credentials, and the service models of all others.

    `decode` replaces botocore's way to decode JSON; it raises ValueError for what it cannot.
    """
    core = botocore.session.Session()
    core.register_component("data_loader", shared_loader())
    if decode is not None:
        core.register_component("response_parser_factory", _Parsers(decode))
    core.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=time_of)
    core.register("before-parse", require_whole)
    return core


class _Parsers(ResponseParserFactory):  # type: ignore[misc]  # botocore has no annotations
    """Makes one parser of JSON: it holds nothing of an answer, and botocore would make one for each.

    A parser refers to itself, so each would stay until a collection.
    """

    def __init__(self, decode: Callable[[bytes], Any]) -> None:
        super().__init__()
        self._decode = decode
        self._json: _JsonParser | None = None

    def set_parser_defaults(self, **defaults: Any) -> None:
        """See `ResponseParserFactory.set_parser_defaults`."""
        super().set_parser_defaults(**defaults)
        self._json = None

    def create_parser(self, protocol_name: str) -> Any:
        """See `ResponseParserFactory.create_parser`: it may be one that others use as well."""
        if protocol_name != "json":
            return super().create_parser(protocol_name)
        parser = self._json
        if parser is None:
            parser = self._json = _JsonParser(self._decode, **self._defaults)
        return parser


class _JsonParser(JSONParser):  # type: ignore[misc]  # botocore has no annotations
    def __init__(self, decode: Callable[[bytes], Any], **defaults: Any) -> None:
        super().__init__(**defaults)
        self._decode = decode

    def _parse_body_as_json(self, body_contents: bytes) -> Any:
        try:
            return self._decode(body_contents)
        except ValueError:  # nothing, half a surrogate, or no JSON: botocore's to judge
            return super()._parse_body_as_json(body_contents)


def require_whole(operation_model: Any, response_dict: Mapping[str, Any], **_: object) -> None:
    """Raise `ResponseParserError` for a body that ends before its length, or that is not the JSON object it must be.

    botocore reads either as an answer in which everything is missing: a List without items, a resource without tags.
    """
    body, headers = response_dict["body"], response_dict["headers"]
    if not isinstance(body, bytes):
        return  # a stream
    promised = str(headers.get("content-length", ""))
    if promised.isdigit() and len(body) < int(promised):
        raise ResponseParserError(f"the answer was cut off: {len(body)} of {promised} bytes came")
    is_json = operation_model.service_model.resolved_protocol == "json"
    if is_json and body and response_dict["status_code"] < _FIRST_REFUSAL and not _is_object(body):
        raise ResponseParserError(f"the answer is {headers.get('content-type', 'of no type')}, and not AWS's JSON")


def _is_object(body: bytes) -> bool:
    """Return whether a body looks like a JSON object: the parser reads what is between the braces."""
    text = body.strip()
    return text.startswith(b"{") and text.endswith(b"}")


def time_of(value: object) -> datetime:
    """Return the time of a timestamp in an answer. Raises ValueError.

    JSON has epoch seconds: botocore looks up the machine's time zone for each of them, which takes as long as all the
    other parsing of a page.
    """
    if isinstance(value, int | float):
        try:
            return datetime.fromtimestamp(value, UTC)
        except (ValueError, OverflowError, OSError):  # the operating system's range: botocore counts from the epoch
            pass
    parsed: datetime = parse_timestamp(value)
    return parsed


SessionFactory = Callable[[Target], Any]
"""Creates a `Session`, or one of boto3's, for the identity of a target; called once per identity, under its lock."""


class Session:
    """The part of boto3's sessions that `Clients` needs: boto3 takes 2 MB, and adds its data to the shared loader."""

    def __init__(self, core: botocore.session.Session) -> None:
        self.client = core.create_client


def default_session(target: Target) -> Any:
    """Return a session with the SDK's default credentials. Raises `CallError` DENIED for any other identity."""
    if target.identity != BASE_IDENTITY:
        message = f"no way to become {target.identity.role} is configured"
        raise LocalRefusal(ErrorClass.DENIED, "UnknownIdentity", message)
    return Session(new_session())


class _Identity:
    """One session and its clients; `lock` guards both: creating a client may read files or fetch credentials."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.session: Any = None
        self.clients: OrderedDict[tuple[str, str, str], Any] = OrderedDict()
        """By service, region and endpoint, least recently used first; guarded by lock."""


MOST_CLIENTS: Final = 64
"""Clients kept per identity: users choose regions and endpoints, and a client takes a megabyte."""


class Clients:
    """Botocore clients by identity, region, endpoint and service. Thread-safe. Evicts the least recently used."""

    def __init__(self, settings: ClientSettings, sessions: SessionFactory = default_session) -> None:
        self._config = settings.config()
        # An answer comes a network's delay after the wait, at the latest.
        waiting = Config(read_timeout=LONG_POLL_S + settings.connect_timeout_s + 5.0)
        self._long_poll_config = self._config.merge(waiting)
        self._waiting = Sockets()
        self._sessions = sessions
        self._lock = threading.Lock()
        self._identities: dict[Identity, _Identity] = {}  # guarded by _lock

    def get(self, service: str, target: Target) -> Any:
        """Return the client for `service` at `target`. The first use may block this identity for a credential look-up.

        Raises botocore's exceptions for regions, endpoints and credentials that it cannot use.
        """
        with self._lock:
            identity = self._identities.setdefault(target.identity, _Identity())
        # The override is for SageMaker only: other services would be called at a wrong host (v1-kinds.md 10).
        endpoint = target.endpoint if service == "sagemaker" else ""
        key = (service, target.region, endpoint)
        with identity.lock:
            client = identity.clients.get(key)
            if client is None:
                if identity.session is None:
                    identity.session = self._sessions(target)
                client = self._new_client(identity.session, service, target.region, endpoint)
                identity.clients[key] = client
                if len(identity.clients) > MOST_CLIENTS:
                    identity.clients.popitem(last=False)  # calls under way keep their reference
            identity.clients.move_to_end(key)
            return client

    def interrupt(self) -> None:
        """End calls that wait for news, and those to come: the process is about to end."""
        self._waiting.shut_down()

    def _new_client(self, session: Any, service: str, region: str, endpoint: str) -> Any:
        config = self._long_poll_config if service in _LONG_POLLED else self._config
        client = session.client(service, region_name=region, endpoint_url=endpoint or None, config=config)
        if service in _LONG_POLLED:
            # botocore has no way to end a call under way, neither from another thread nor by closing its client.
            pools = client._endpoint.http_session._pool_classes_by_scheme  # noqa: SLF001 (there is no public way)
            pools.update(self._waiting.registering(pools))
        return client

    def __len__(self) -> int:
        with self._lock:
            return sum(len(identity.clients) for identity in self._identities.values())


class AwsMetrics:
    """Metrics of AWS calls (modern-expectations.md 7)."""

    def __init__(self, registry: "CollectorRegistry") -> None:
        from prometheus_client import Counter, Histogram  # noqa: PLC0415 - the plugin starts without metrics

        self.requests = Counter(
            "sagemaker_operator_aws_requests",
            "AWS calls by outcome: `ok`, the error code, or `unknown`.",
            ["service", "operation", "code"],
            registry=registry,
        )
        self.duration = Histogram(
            "sagemaker_operator_aws_request_duration_seconds",
            "Time until AWS answered.",
            ["service", "operation"],
            buckets=_DURATION_BUCKETS,
            registry=registry,
        )
        self.throttles = Counter(
            "sagemaker_operator_aws_throttles",
            "AWS calls that AWS refused for being too many.",
            ["service", "operation"],
            registry=registry,
        )


class AwsApi:
    """Makes AWS calls. Thread-safe; blocks for one attempt of at most the configured time-outs."""

    def __init__(self, clients: Clients, budgets: Budgets, clock: Clock, registry: "CollectorRegistry | None") -> None:
        """Calls are counted in `registry`, if there is one."""
        self._clients = clients
        self._budgets = budgets
        self._clock = clock
        self._metrics = None if registry is None else AwsMetrics(registry)
        self._breaker = CircuitBreaker()

    def call(
        self,
        target: Target,
        service: str,
        operation: str,
        request: Mapping[str, Any],
        *,
        caller: Hashable,
        background: bool = False,
    ) -> dict[str, Any]:
        """Call `operation` (as the service model spells it) once and return the response.

        `caller` identifies the caller in the queue of an exhausted budget, and keeps its place. Raises `CallError`;
        THROTTLED with `retry_after_s` if the budget is exhausted, if AWS throttles, or if the target does not respond
        and another call is probing it (then nothing was sent).
        """
        with self._breaker.call(target, service, operation, caller):
            self._budgets.admit(target, operation, caller, background=background)
            started = self._clock.monotonic()
            try:
                answer = self._send(target, service, operation, request, started)
            except CallError as error:
                if error.error_class is ErrorClass.THROTTLED:
                    if self._metrics is not None:
                        self._metrics.throttles.labels(service, operation).inc()
                    error.retry_after_s = self._budgets.refused(
                        target,
                        operation,
                        caller,
                        background=background,
                        sent_at=started,
                        retry_after_s=error.retry_after_s or 0.0,
                    )
                elif error.error_class in _OF_THE_STATE:
                    self._budgets.accepted(target, operation, caller)
                else:
                    is_answered = error.error_class is not ErrorClass.RETRYABLE and error.is_sent
                    self._budgets.failed(target, operation, caller, is_answered=is_answered)
                raise
            self._budgets.accepted(target, operation, caller)
            return answer

    def interrupt(self) -> None:
        """End calls that wait for news, and those to come, with an `CallError`: the process is about to end."""
        self._clients.interrupt()

    def reserve(self, target: Target, operation: str, *, caller: Hashable) -> None:
        """Raise THROTTLED if `call` would for lack of budget: lets callers check before costly preparations."""
        self._budgets.reserve(target, operation, caller)

    def _send(
        self, target: Target, service: str, operation: str, request: Mapping[str, Any], started: float
    ) -> dict[str, Any]:
        is_sent = False
        try:
            method = self._method(target, service, operation)
            is_sent = True
            answer: dict[str, Any] = method(**request)
        except Exception as exc:
            error = _with_doubt(classify(operation, exc, is_sent=is_sent), target)
            self._count(service, operation, error.label, started)
            raise error from exc
        self._count(service, operation, "ok", started)
        return answer

    def _method(self, target: Target, service: str, operation: str) -> Callable[..., dict[str, Any]]:
        client = self._clients.get(service, target)
        method: Callable[..., dict[str, Any]] = getattr(client, _method_name(client, operation))
        return method

    def _count(self, service: str, operation: str, code: str, started: float) -> None:
        if self._metrics is None:
            return
        self._metrics.requests.labels(service, operation, code).inc()
        self._metrics.duration.labels(service, operation).observe(self._clock.monotonic() - started)


def _with_doubt(error: CallError, target: Target) -> CallError:
    """Add a hint where no region answers, or none of that name: it may be a typo, which the user can fix.

    An endpoint that was set answers for every region, and refuses the signature of one that it does not know: then the
    region is wrong for certain, and the credentials are not.
    """
    is_unreachable = error.code == UNREACHABLE and not target.endpoint
    is_refused = bare(error.code) in _SIGNATURE_REFUSED and "valid region" in error.message.lower()
    text = regions.doubt(target.region) if is_unreachable or is_refused else ""
    if not text:
        return error
    error_class = ErrorClass.INVALID if is_refused else error.error_class
    return error.again(error_class=error_class, message=f"{error.message.rstrip('.')} ({text})")


def _method_name(client: Any, operation: str) -> str:
    """Return the Python method of an operation: the reverse of botocore's mapping."""
    mapping: Mapping[str, str] = client.meta.method_to_api_mapping
    return next(method for method, api in mapping.items() if api == operation)

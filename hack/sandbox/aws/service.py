"""The dispatch in front of moto: decodes a request, applies faults, and selects its handler.

moto's own training jobs are Completed at once, accept no Stop and have few filters, its endpoints are InService at
once, its executions Succeeded without any step, and its scaling has no endpoints, so the operations of the kinds served
here replace moto's. Only this module decides that, by service and operation (`X-Amz-Target`). All other requests are
passed on.
"""

import json
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final
from urllib.parse import parse_qs

from hack.sandbox.aws.call_log import CallQuota, Effects, Requests
from hack.sandbox.aws.caller import Caller, caller_of, check_region
from hack.sandbox.aws.clock import SandboxClock
from hack.sandbox.aws.faults import Fault, Faults
from hack.sandbox.aws.hostile.kinds import When
from hack.sandbox.aws.hostile.new_roles import NewRoles
from hack.sandbox.aws.hosting.component_api import ComponentApi
from hack.sandbox.aws.hosting.components import COMPONENT
from hack.sandbox.aws.hosting.endpoint_api import ENDPOINT, EndpointApi
from hack.sandbox.aws.hosting.endpoints import Endpoint
from hack.sandbox.aws.hosting.immutable_api import StaticApi
from hack.sandbox.aws.hosting.invocations import RuntimeApi, invoked_endpoint
from hack.sandbox.aws.hosting.scaling import Targets
from hack.sandbox.aws.hosting.scaling_api import SERVICE as SCALING
from hack.sandbox.aws.hosting.scaling_api import ScalingApi
from hack.sandbox.aws.jobs.finished import FINISHED
from hack.sandbox.aws.jobs.job_api import JobApi, Operation
from hack.sandbox.aws.jobs.kinds import KINDS, TRAINING
from hack.sandbox.aws.jobs.tuning_api import TUNING, TuningApi
from hack.sandbox.aws.lists import Lists
from hack.sandbox.aws.logs import LogsApi
from hack.sandbox.aws.moto_bridge import DEFAULT_ACCOUNT, MotoBridge
from hack.sandbox.aws.pipelines.execution_api import ExecutionApi
from hack.sandbox.aws.pipelines.pipeline_api import PIPELINE, PipelineApi
from hack.sandbox.aws.records.models import ENDPOINT_CONFIG, STATIC_KINDS
from hack.sandbox.aws.records.past import Past
from hack.sandbox.aws.records.resource import AnyKind, Store
from hack.sandbox.aws.records.search import Flaws, SearchApi
from hack.sandbox.aws.records.tags import TagApi
from hack.sandbox.aws.records.timeline import Durations
from hack.sandbox.aws.records.validation import service_model
from hack.sandbox.aws.registry.api import EntryApi
from hack.sandbox.aws.registry.kinds import ENTRY_KINDS
from hack.sandbox.aws.state_changes import EventFlaws, Publisher
from hack.sandbox.aws.wire import (
    ApiError,
    Call,
    HttpRequest,
    HttpResponse,
    Protocol,
    UnknownOperationError,
    error_answer,
    json_answer,
    unknown_operation,
)

OTHERS: Final = "somebody-else"
"""The User-Agent of others who use the account."""
_LONGEST_NAME: Final = 63
_LONGEST_WAIT_S = 1
_XML_SERVICES = frozenset({"s3", "s3express", "s3-outposts", "route53", "cloudfront"})
"""Services with operations as paths and errors in XML; with all others of this shape, errors are JSON."""


class Lost(Exception):  # noqa: N818 - a requested outcome, not an error of the program
    """No response is sent, or `part` of one that promises more: the HTTP layer cuts the connection."""

    def __init__(self, part: HttpResponse | None = None) -> None:
        super().__init__()
        self.part = part


class AwsService:
    """Answers AWS requests from its own store, or passes them to moto. Thread-safe."""

    def __init__(self, clock: SandboxClock, durations: Durations) -> None:
        self.clock = clock
        self.faults = Faults()
        self.requests = Requests()
        self.effects = Effects()
        self.quota = CallQuota()
        self._released = threading.Event()  # ends delays; replaced by reset, final after close
        self.past = Past(FINISHED)
        self.lists = Lists()
        self.roles = NewRoles()
        self._store = Store(self.past)
        self._targets = Targets()
        self._moto = MotoBridge()
        kinds: tuple[AnyKind, ...] = (*KINDS, TUNING, *STATIC_KINDS, ENDPOINT, COMPONENT, PIPELINE, *ENTRY_KINDS)
        self._kinds = {kind.resource: kind for kind in kinds}
        tags, logs = TagApi(kinds, self._store), LogsApi(kinds, self._store)
        scaling = ScalingApi(self._store, self._targets)
        self._runtime = RuntimeApi(self._store)
        self._tuning = TuningApi(self._store, durations)
        self.executions = ExecutionApi(self._store, durations)
        self.publisher = Publisher(self._store, self._settle, self._moto, clock)
        hosting = EndpointApi(self._store, durations, self._targets, self._components_on)
        parts = ComponentApi(self._store, durations, self._targets)
        sagemaker = self._tuning.operations() | hosting.operations() | parts.operations()
        sagemaker |= self.executions.operations() | PipelineApi(self._store).operations()
        for kind in KINDS:
            sagemaker |= JobApi(kind, self._store, durations).operations()
        for static in STATIC_KINDS:
            after = {"on_delete": hosting.lose_configuration} if static is ENDPOINT_CONFIG else {}
            sagemaker |= StaticApi(static, self._store, **after).operations()
        for entry in ENTRY_KINDS:
            sagemaker |= EntryApi(entry, self._store).operations()
        training = JobApi(TRAINING, self._store, durations)
        searched = ((TRAINING, training.describe), (TUNING, self._tuning.describe), (ENDPOINT, hosting.describe))
        self.search = SearchApi(searched, self._store)
        self._own: Mapping[str, Mapping[str, Operation]] = {
            "sagemaker": sagemaker | tags.operations() | self.search.operations(),
            SCALING: scaling.operations(),
            "logs": logs.operations(),
        }
        # Operations that are handled here for some resources only, and by moto for others.
        self._is_ours: Mapping[str, Callable[[Call], bool]] = {
            operation: api.knows for api in (tags, logs, scaling, self.search) for operation in api.operations()
        }

    def answer(self, request: HttpRequest) -> HttpResponse:
        """Return the response to an AWS request. Raises Lost when a fault swallows it. Blocks only for a delay."""
        caller = caller_of(request, self._moto.account_of, DEFAULT_ACCOUNT)
        operation, protocol = _operation(request, caller)
        try:
            check_region(caller.region, protocol)
            if caller.service == "sagemaker":
                self.quota.charge(caller.account, caller.region, operation, self.clock.now())
            body, user_agent = request.body.decode(errors="replace"), request.headers.get("user-agent", "")
            fault = self.faults.take(operation, body, caller.region, user_agent)
            response = self._with_fault(request, caller, operation, fault)
        except Lost:
            self.requests.note(operation, "(lost)")
            raise
        except (ApiError, UnknownOperationError) as exc:
            error = unknown_operation(exc, protocol) if isinstance(exc, UnknownOperationError) else exc
            self.requests.note(operation, error.code or f"HTTP {error.status}")
            return error_answer(error, protocol, now=self.clock.now())
        self.requests.note(operation, _error_code(response))
        return response

    @property
    def operations(self) -> Mapping[str, Iterable[str]]:
        """Return the operations handled here instead of by moto, by service."""
        return self._own

    def load(self) -> None:
        """Load moto and SageMaker's model, unless they are loaded."""
        service_model("sagemaker")
        self._moto.load()

    def reset(self) -> None:
        """Clear resources, faults, counts and moto's state, and end delays; the clock keeps running."""
        released, self._released = self._released, threading.Event()
        released.set()
        self._store.clear()
        self._targets.clear()
        self.faults.reset()
        self.requests.reset()
        self.effects.reset()
        self.quota.set(0)
        self.search.flaws = Flaws()
        self.lists.set()
        self.roles.set()
        self.publisher.flaws = EventFlaws()
        self.past.clear()
        self._moto.reset()

    def close(self) -> None:
        """End all delays, so that no request outlives the server."""
        self._released.set()

    def _with_fault(self, request: HttpRequest, caller: Caller, operation: str, fault: Fault | None) -> HttpResponse:
        if fault is None:
            return self._perform(request, caller, operation)
        when, delay_s = fault.kind.when, fault.kind.delay_s
        error = fault.error(service=caller.service, operation=operation, account=caller.account)
        if when is When.INSTEAD:
            raise error
        if when is When.LOST_BEFORE:
            self._released.wait(delay_s)
            raise Lost
        if when is When.DELAYED:
            self._released.wait(delay_s)
            return self._perform(request, caller, operation)
        if when is When.FORESTALLED:
            self._forestall(request, caller, operation)
            return self._perform(request, caller, operation)
        response = self._perform(request, caller, operation)
        if when is When.AFTER:
            raise error
        if when is When.LOST_WITHIN:
            raise Lost(_first_half(response))
        self._released.wait(delay_s)
        raise Lost

    def _forestall(self, request: HttpRequest, caller: Caller, operation: str) -> None:
        """Create what a call asks for as others would: a moment earlier, without the tags."""
        params = {member: value for member, value in _decoded(request.body).items() if member != "Tags"}
        call = Call(caller.service, operation, caller.account, caller.region, self.clock.now(), params)
        with suppress(ApiError):
            self._create_as_others(call)

    def take_over(self, *, resource: str, name: str, region: str, account: str = DEFAULT_ACCOUNT) -> dict[str, Any]:
        """Let others delete a resource and create their own of the same content under its name, at once.

        `resource` is as in the operations, e.g. `TrainingJob`. Raises ValueError for an unknown one, ApiError where
        there is none of that name or what it needs is gone; then the name may be free afterwards.
        """
        kind = self._kinds.get(resource)
        if kind is None:
            raise ValueError(f"unknown resource '{resource}', known are: {', '.join(self._kinds)}")
        place = Call("sagemaker", f"Delete{resource}", account, region, self.clock.now(), {kind.name_member: name})
        found = self._store.get(kind, place, name)
        self._store.remove(kind, place, name)
        if kind is ENDPOINT:
            self._targets.forget_endpoint(place, name)
        if kind is COMPONENT:
            self._targets.forget_component(place, name)
        self.effects.note(place, OTHERS)
        request = dict(found.request)
        if isinstance(found, Endpoint):
            request["EndpointConfigName"] = found.course.at(place.now).fleet.config_name
        self._create_as_others(replace(place, operation=f"Create{resource}", params=request))
        return {"resource": resource, "name": name, "region": region}

    def _components_on(self, call: Call, endpoint: str) -> list[str]:
        return [each.name for each in self._store.list(COMPONENT, call) if each.endpoint == endpoint]

    def create_pipeline(self, name: str, definition: str, region: str, account: str = DEFAULT_ACCOUNT) -> None:
        """Let others create a pipeline. Raises ApiError for a definition that the service would refuse."""
        role = f"arn:aws:iam::{account}:role/service-role/AmazonSageMaker-ExecutionRole"
        members = {"PipelineName": name, "PipelineDefinition": definition, "RoleArn": role}
        token = {"ClientRequestToken": name.ljust(32, "0")}
        self._act(Call("sagemaker", "CreatePipeline", account, region, self.clock.now(), {**members, **token}), OTHERS)

    def _create_as_others(self, call: Call) -> None:
        """Create a resource of others; their endpoint has a configuration of its own, of the same content."""
        params = dict(call.params)
        if call.operation == "CreateEndpoint":
            copied = self._store.get(ENDPOINT_CONFIG, call, params["EndpointConfigName"])
            params["EndpointConfigName"] = theirs = f"theirs-{copied.name}"[:_LONGEST_NAME]
            if self._store.find(ENDPOINT_CONFIG, call, theirs) is None:
                request = {**copied.request, "EndpointConfigName": theirs}
                self._act(replace(call, operation="CreateEndpointConfig", params=request), OTHERS)
        self._act(replace(call, params=params), OTHERS)

    def _act(self, call: Call, user_agent: str) -> Mapping[str, Any] | None:
        """Perform a call of an operation handled here, and record its effect."""
        self.roles.check(call)
        is_repeated = self.executions.is_repeated(call)
        answer = self._own[call.service][call.operation](self.lists.seen_by(call))
        if not is_repeated:
            self.effects.note(call, user_agent)
        return self.lists.dated(call, answer)

    def _settle(self, now: float) -> None:
        """Let what makes jobs by itself make those that are due."""
        self._tuning.settle(now)
        self.executions.settle(now)

    def _perform(self, request: HttpRequest, caller: Caller, operation: str) -> HttpResponse:
        """Run an operation handled here, or pass the request on."""
        endpoint = invoked_endpoint(request)
        if endpoint is not None:
            call = Call("sagemaker-runtime", operation, caller.account, caller.region, self.clock.now())
            return self._runtime.invoke(call, endpoint, request)
        if operation == "ReceiveMessage":
            request = _hurried(request)
        if caller.service not in self._own or "x-amz-target" not in request.headers:
            return self._moto.answer(request)
        params = _decoded(request.body)
        call = Call(caller.service, operation, caller.account, caller.region, self.clock.now(), params)
        self._settle(call.now)
        handler = self._own[call.service].get(operation)
        is_ours = self._is_ours.get(operation)
        if handler is None or (is_ours is not None and not is_ours(call)):
            return self._moto.answer(request)
        return json_answer(self._act(call, request.headers.get("user-agent", "")))


def _operation(request: HttpRequest, caller: Caller) -> tuple[str, Protocol]:
    """Return the operation's name and its protocol; unknown REST calls are `<service> <METHOD>`."""
    target = request.headers.get("x-amz-target", "")
    if target:
        return target.rpartition(".")[2], Protocol.JSON
    if invoked_endpoint(request) is not None:
        return "InvokeEndpoint", Protocol.REST_JSON
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        action = parse_qs(request.body.decode(errors="replace")).get("Action")
        if action:
            return action[0], Protocol.QUERY
    protocol = Protocol.QUERY if not caller.service or caller.service in _XML_SERVICES else Protocol.REST_JSON
    return f"{caller.service or 'unsigned'} {request.method}", protocol


def _first_half(response: HttpResponse) -> HttpResponse:
    """Return a response that ends in the middle; one without a body promises some."""
    length = max(len(response.body), 2)
    headers = (*response.headers, ("Content-Length", str(length)))
    return replace(response, body=response.body[: length // 2], headers=headers)


def _hurried(request: HttpRequest) -> HttpRequest:
    """Return a ReceiveMessage that waits for a second at most: moto cannot be interrupted when the server ends."""
    params = _decoded(request.body)
    waits_s = params.get("WaitTimeSeconds")
    if not isinstance(waits_s, int) or waits_s <= _LONGEST_WAIT_S:
        return request
    return replace(request, body=json.dumps(params | {"WaitTimeSeconds": _LONGEST_WAIT_S}).encode())


def _decoded(body: bytes) -> dict[str, Any]:
    try:
        params = json.loads(body or b"{}")
    except ValueError as exc:
        raise ApiError("SerializationException", "The request body is not valid JSON") from exc
    if not isinstance(params, dict):
        raise ApiError("SerializationException", "Start of structure or map expected")
    return params


def _error_code(response: HttpResponse) -> str:
    """Return the error code in a response of moto, for the call log."""
    if response.status < 400:
        return ""
    found = re.search(rb'"__type":\s*"([^"]+)"|<Code>([^<]+)</Code>', response.body)
    return (found[1] or found[2]).decode() if found else f"HTTP {response.status}"

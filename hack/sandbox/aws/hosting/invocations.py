"""InvokeEndpoint: every endpoint in service predicts a number, the same one for the same input.

The number replaces a model's; it depends on the body only, so that scripts can be checked. The hosting guide's request
gets the response that the guide shows.
"""

import hashlib
import re
from dataclasses import dataclass, replace

from hack.sandbox.aws.hosting.components import COMPONENT, Component
from hack.sandbox.aws.hosting.endpoint_api import ENDPOINT
from hack.sandbox.aws.hosting.endpoints import SERVING, Endpoint, Fleet, Variant, instance_id
from hack.sandbox.aws.records.resource import Store, partition
from hack.sandbox.aws.wire import ApiError, Call, HttpRequest, HttpResponse

_PATH = re.compile(r"/endpoints/([^/]+)/invocations")
_GUIDES_INPUT = ",".join(map(str, range(1, 785)))
_GUIDES_ANSWER = 4.95847082138
_RANGE = 10.0
_KEPT_LINES = 1000


def invoked_endpoint(request: HttpRequest) -> str | None:
    """Return the endpoint that a request invokes, or None for another request."""
    found = _PATH.fullmatch(request.path) if request.method == "POST" else None
    return found[1] if found else None


@dataclass(frozen=True, slots=True)
class RuntimeApi:
    """The only operation of `sagemaker-runtime`, over a store."""

    store: Store

    def invoke(self, call: Call, name: str, request: HttpRequest) -> HttpResponse:
        """Return a prediction for each line of the body, and log the request for the endpoint.

        Raises ValidationError unless the endpoint is in service, ModelError (HTTP 424) for CSV without numbers.
        """
        endpoint = self.store.find(ENDPOINT, call, name)
        if endpoint is None or endpoint.status_at(call.now) not in SERVING:
            raise ApiError("ValidationError", f"Endpoint {name} of account {call.account} not found.")
        fleet = endpoint.course.at(call.now).fleet
        if "ExecutionRoleArn" in fleet.config:
            return self._invoke_component(call, endpoint, request)
        variant = _chosen(fleet, endpoint, request)
        instance = f"{variant.name}/{instance_id(endpoint, fleet, variant.name, 0)}"
        text = request.body.decode(errors="replace")
        rows = [line.strip() for line in text.splitlines() if line.strip()]
        is_csv = request.headers.get("content-type", "text/csv").partition(";")[0].strip() == "text/csv"
        problem = next(filter(None, map(_problem, rows or [""])), None) if is_csv else None
        self._note(call, endpoint, instance, 200 if problem is None else 400)
        if problem is not None:
            raise _model_error(call, endpoint, instance, variant.name, problem)
        answer = "\n".join(f"{prediction(row):.11f}" for row in rows)
        headers = (
            ("Content-Type", "text/csv; charset=utf-8"),
            ("x-Amzn-Invoked-Production-Variant", variant.name),
        )
        return HttpResponse(200, answer.encode(), headers)

    def _invoke_component(self, call: Call, endpoint: Endpoint, request: HttpRequest) -> HttpResponse:
        """Return the prediction of a component: an endpoint without models serves nothing by itself."""
        name = request.headers.get("x-amzn-sagemaker-inference-component")
        if not name:
            raise ApiError(
                "ValidationError",
                "Inference Component Name header is required for endpoints to which you plan to deploy inference"
                " components. Please include Inference Component Name header or consider using SageMaker models.",
            )
        component = self.store.find(COMPONENT, call, name)
        is_there = component is not None and component.endpoint == endpoint.name
        if component is None or not is_there or component.status_at(call.now) not in {"InService", "Updating"}:
            raise ApiError("ValidationError", f"Inference component {name} of endpoint {endpoint.name} not found.")
        line = (call.now, '"POST /invocations HTTP/1.1" 200')

        def noted(known: Component) -> Component:
            return replace(known, invocations=(*known.invocations[1 - _KEPT_LINES :], line))

        self.store.change(COMPONENT, call, name, noted)
        rows = [each for each in request.body.decode(errors="replace").splitlines() if each.strip()]
        answer = "\n".join(f"{prediction(row):.11f}" for row in rows)
        headers = (
            ("Content-Type", "text/csv; charset=utf-8"),
            ("x-Amzn-Invoked-Production-Variant", component.variant),
        )
        return HttpResponse(200, answer.encode(), headers)

    def _note(self, call: Call, endpoint: Endpoint, instance: str, status: int) -> None:
        line = (call.now, instance, f'"POST /invocations HTTP/1.1" {status}')

        def noted(known: Endpoint) -> Endpoint:
            lines = (*known.invocations[1 - _KEPT_LINES :], line)
            return replace(known, invocations=lines, invoked=known.invoked + 1)

        self.store.change(ENDPOINT, call, endpoint.name, noted)


def prediction(row: str) -> float:
    """Return a number from 0 (inclusive) to 10 that depends on the row only."""
    return (_GUIDES_ANSWER + _hashed(row) - _hashed(_GUIDES_INPUT)) % _RANGE


def _hashed(row: str) -> float:
    digest = hashlib.sha256(row.replace(" ", "").encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48 * _RANGE


def _chosen(fleet: Fleet, endpoint: Endpoint, request: HttpRequest) -> Variant:
    """Return the requested variant, or one by weight: over many requests each gets its share, in a fixed order."""
    variants = [variant for variant in fleet.variants if not variant.is_shadow]
    wanted = request.headers.get("x-amzn-sagemaker-target-variant")
    if wanted is not None:
        found = next((variant for variant in variants if variant.name == wanted), None)
        if found is None:
            raise ApiError("ValidationError", f"Variant {wanted} not found for endpoint {endpoint.name}.")
        return found
    total = sum(variant.weight for variant in variants)
    seed = hashlib.sha256(f"{endpoint.invoked}".encode()).digest()
    point = int.from_bytes(seed[:4], "big") / 2**32 * total
    for variant in variants:
        if point < variant.weight:
            return variant
        point -= variant.weight
    return variants[-1]


def _problem(row: str) -> str | None:
    """Return the error of a numeric model for a row of CSV, or None."""
    for value in row.split(","):
        try:
            float(value)
        except ValueError:
            return f"could not convert string to float: {value!r}"
    return None


def _model_error(call: Call, endpoint: Endpoint, instance: str, variant: str, problem: str) -> ApiError:
    group = ENDPOINT.group(endpoint)
    place = f"arn:{partition(call.region)}:logs:{call.region}:{call.account}"
    message = (
        f'Received client error (400) from {variant} with message "{problem}". See'
        f" https://{call.region}.console.aws.amazon.com/cloudwatch/home?region={call.region}#logEventViewer:"
        f"group={group} in account {call.account} for more information."
    )
    details = {
        "OriginalStatusCode": 400,
        "OriginalMessage": problem,
        "LogStreamArn": f"{place}:log-group:{group}:log-stream:{instance}",
    }
    return ApiError("ModelError", message, status=424, details=details)

"""The embedded SageMaker without sockets: requests in the form of the wire, made and checked by the SDK's own code."""

import uuid
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import botocore.exceptions
import orjson
from botocore.model import OperationModel
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from botocore.validate import ParamValidator

from api.meta import JsonObject
from controller.aws.autoscaling import ApplicationAutoScaling
from controller.aws.errors import classify
from controller.aws.parts import SageMakerParts
from controller.aws.sagemaker import SageMaker
from controller.aws.targets import Target
from controller.aws.tuning_jobs import SageMakerTuningJobChildren
from hack.sandbox.aws.clock import SandboxClock
from hack.sandbox.aws.records.timeline import Durations
from hack.sandbox.aws.records.validation import service_model
from hack.sandbox.aws.service import AwsService
from hack.sandbox.aws.wire import HttpRequest
from tests.fakes.clock import FakeClock

READS: Final = ("Describe", "List", "Search", "Get")
DURATIONS: Final = Durations(training_s=3600, transform_s=3600, processing_s=3600)
"""Jobs run until they are stopped."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One request that AWS received; `error` is the code of its refusal."""

    service: str
    operation: str
    target: Target
    params: JsonObject
    error: str = ""

    @property
    def is_read(self) -> bool:
        """Whether it changes nothing."""
        return self.operation.startswith(READS)


class EmbeddedAws(SageMaker):
    """All ports of AWS over one embedded service."""

    def __init__(self, clock: FakeClock) -> None:
        self.service = AwsService(SandboxClock(lambda: clock.utcnow().timestamp()), DURATIONS)
        wire = InProcessWire(self.service)
        super().__init__(wire)
        self.wire = wire
        self.sent = wire.sent
        """Every request, in order."""
        self.scaling = ApplicationAutoScaling(wire)
        self.page = SageMakerTuningJobChildren(wire).page
        self.parts = SageMakerParts(wire)

    def of(self, _descriptor: object) -> "EmbeddedAws":
        """All kinds have this service."""
        return self

    @property
    def operations(self) -> tuple[str, ...]:
        """The operations called so far, in order."""
        return tuple(each.operation for each in self.sent)

    @property
    def changes(self) -> list[Sent]:
        """The requests that had an effect, in order."""
        return [each for each in self.sent if not each.is_read and not each.error]


class InProcessWire:
    """Stands in for `controller.aws.clients.AwsApi`: no budgets, no connections, the same bytes."""

    def __init__(self, service: AwsService) -> None:
        self._service = service
        self.sent: list[Sent] = []

    def reserve(self, target: Target, operation: str, *, caller: Hashable) -> None:
        """See `AwsApi.reserve`: calls are not limited."""

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
        """See `AwsApi.call`."""
        model = _operation(service, operation)
        request = {**{member: str(uuid.uuid4()) for member in model.idempotent_members}, **request}  # as the SDK does
        report = ParamValidator().validate(dict(request), model.input_shape)
        if report.has_errors():
            raise classify(operation, botocore.exceptions.ParamValidationError(report=report.generate_report()))
        made = create_serializer("json").serialize_to_request(dict(request), model)
        scope = f"Credential=test/20300102/{target.region}/{service}/aws4_request"
        headers = {name.lower(): value for name, value in made["headers"].items()}
        headers["authorization"] = f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0"
        response = self._service.answer(HttpRequest("POST", "/", headers, made["body"]))
        reply = {"status_code": response.status, "headers": dict(response.headers), "body": response.body or b"{}"}
        parsed: dict[str, Any] = create_parser("json").parse(reply, model.output_shape)
        error = parsed.get("Error", {}).get("Code", "") if response.status >= 400 else ""
        self.sent.append(Sent(service, operation, target, orjson.loads(made["body"]), error))
        if error:
            raise classify(operation, botocore.exceptions.ClientError(parsed, operation))  # type: ignore[arg-type]
        return parsed


@cache
def _operation(service: str, operation: str) -> OperationModel:
    model: OperationModel = service_model(service).operation_model(operation)
    return model

"""No credential reaches a status, a condition, an Event, a log line or a metric, wherever a text of others enters.

What counts as one, and that nothing else is taken, is in tests/property/test_redaction.py.
"""

import io
import json
from collections.abc import Callable, Iterator

import pytest
import structlog
from botocore import exceptions as sdk
from botocore.exceptions import ClientError
from botocore.model import ServiceModel, Shape
from botocore.parsers import ResponseParserError
from structlog.testing import capture_logs

from api.descriptor import KindDescriptor
from api.meta import Condition
from api.v1 import KINDS, TRAINING_JOB
from controller import __main__ as main_module
from controller.aws.assume_role import refusal
from controller.aws.errors import AwsError, classify
from controller.aws.targets import Identity
from controller.kube import errors
from controller.observability import logs
from controller.observability.redact import redact_free_texts
from controller.reconcile.status.patch import Facts, next_status, with_notice
from controller.reconcile.steps import Phase, StatusUpdate
from controller.runtime.errors import ClassifiedError, ErrorClass
from hack import models
from tests.fakes.job_manifests import SPECS, manifest_of
from tests.fakes.secrets import Leak, leaks
from tests.fakes.world import World
from tests.tables import each_row
from tests.unit.observability.test_logs import logging_as_before
from tests.unit.reconcile.test_status import NOW

LEAKS = leaks()
each_leak = each_row("leak", LEAKS, ids=lambda leak: leak.name)
each_job = each_row("kind", [kind for kind in KINDS if kind.kind in SPECS], ids=lambda kind: kind.kind)
ROLE = Identity(role="arn:aws:iam::123456789012:role/x")


def is_left(leak: Leak, *shown: object) -> bool:
    """Whether any part of the credential can be read."""
    return any(secret in str(each) for secret in leak.secrets for each in shown)


def reply(text: str, *, code: str = "ValidationException", status: int = 400) -> ClientError:
    """What botocore raises for a refusal with this message."""
    answer = {"Error": {"Code": code, "Message": text}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "CreateTrainingJob")  # type: ignore[arg-type]  # only what is read of it


AWS: dict[str, Callable[[str], Exception]] = {
    "refusal": reply,
    "code": lambda text: reply("no", code=text),
    "code of a broken server": lambda text: reply("no", code=text, status=503),
    "throttling by a proxy": lambda text: reply(text, code=text, status=429),
    "endpoint": lambda text: sdk.EndpointConnectionError(endpoint_url=text),
    "slow endpoint": lambda text: sdk.ReadTimeoutError(endpoint_url=text),
    "no TLS": lambda text: sdk.SSLError(endpoint_url=text, error=text),
    "proxy": lambda text: sdk.ProxyConnectionError(proxy_url=text),
    "connection": lambda text: sdk.HTTPClientError(error=text),
    "parameters": lambda text: sdk.ParamValidationError(report=text),
    "credential process": lambda text: sdk.CredentialRetrievalError(provider="custom-process", error_msg=text),
    "web identity": lambda text: sdk.InvalidConfigError(error_msg=text),
    "instance metadata": lambda text: sdk.MetadataRetrievalError(error_msg=text),
    "answer that is no JSON": ResponseParserError,
    "invalid URL": lambda text: ValueError(f"Invalid endpoint: {text}"),
    "anything else": RuntimeError,
}
KUBE: dict[str, Callable[[str], Exception]] = {
    "status": lambda text: errors.error_from_status({"kind": "Status", "reason": "Invalid", "message": text}),
    "reason": lambda text: errors.error_from_status({"kind": "Status", "reason": text, "message": "no"}),
    "proxy": lambda text: errors.error_from_response(502, {}, text.encode(), request="get trainingjobs"),
    "connection": lambda text: errors.ConnectionFailed(errors.CONNECTION_BROKEN, text),
    "credential plugin": lambda text: errors.Unauthorized("NoCredentials", text),
}


@each_leak
def test_no_error_of_aws_or_kubernetes_has_a_credential(leak: Leak, subtests: pytest.Subtests) -> None:
    """Neither its text, nor its parts, nor its label of metrics; STS refuses in the same words."""
    for name, raised in AWS.items():
        with subtests.test(aws=name):
            error = classify("CreateTrainingJob", raised(leak.text))
            assert not is_left(leak, error, error.message, error.code, error.label)
            assert not is_left(leak, refusal(ROLE, raised(leak.text)))
    for name, made in KUBE.items():
        with subtests.test(kubernetes=name):
            failed = made(leak.text)
            assert isinstance(failed, ClassifiedError)
            assert not is_left(leak, failed, failed.message, failed.code)


@pytest.mark.parametrize("status", [400, 429, 500, 503])
def test_a_code_that_no_table_knows_is_no_label_of_a_metric(status: int) -> None:
    """Whatever server answers at an endpoint that a user chose: its codes would be series without end."""
    labels = {classify("CreateTrainingJob", reply("no", code=f"Odd{n}", status=status)).label for n in range(20)}

    assert len(labels) == 1


@each_job
def test_a_jobs_failure_is_shown_without_credentials(kind: KindDescriptor) -> None:
    """User code writes the reason, and libraries quote URLs in their exceptions: status, conditions, Events and log."""
    leak = Leak("all", " ".join(each.text for each in LEAKS), tuple(one for each in LEAKS for one in each.secrets))
    world = World(kind)
    world.cluster.apply(manifest_of(kind))
    with capture_logs() as lines:
        world.run(10)
        name = world.status[kind.name.status_field]
        world.aws.move(name, kind.status.failed, FailureReason=f"AlgorithmError: {leak.text}")
        world.run(30)

    assert "AlgorithmError" in world.status["additional"]
    assert not is_left(leak, json.dumps(world.status, default=str), world.recorder.messages, lines)


@each_job
@each_leak
def test_a_refusal_is_shown_without_credentials(kind: KindDescriptor, leak: Leak) -> None:
    """AWS quotes what it was sent."""
    world = World(kind)
    world.aws.fail("create", classify(kind.operations.create, reply(f"1 validation error detected: {leak.text}")))
    world.cluster.apply(manifest_of(kind))
    with capture_logs() as lines:
        world.run(10)

    assert "1 validation error" in world.status["additional"]
    assert not is_left(leak, json.dumps(world.status, default=str), world.recorder.messages, lines)


@each_leak
def test_conditions_are_redacted_whoever_wrote_the_message(leak: Leak) -> None:
    """Users' own annotations and URLs are quoted, too; the redacted message is no news in the next pass."""
    update = StatusUpdate(Phase.STUCK, "InvalidSpec", leak.text, additional=leak.text, synced="InvalidSpec")
    notice = Condition("AnnotationIgnored", "True", "NoEffect", leak.text)

    status = next_status(TRAINING_JOB, {}, update, Facts(1, NOW))
    noticed = with_notice(status["conditions"], notice, 1, NOW)

    assert not is_left(leak, status, noticed)
    assert noticed is not None
    assert with_notice(noticed, notice, 1, NOW) is None


@each_row("kind", KINDS, ids=lambda kind: kind.kind)
def test_every_free_text_of_a_description_is_redacted(kind: KindDescriptor) -> None:
    """By the service model: texts without a list of values, and named like prose."""
    model = ServiceModel(models.installed(kind.service))
    operation = model.operation_model(kind.operations.describe or kind.operations.create)
    asked = {name for each in kind.operations.sending for name in model.operation_model(each).input_shape.members}
    found = {name for name in _free(operation.output_shape, frozenset()) if _is_prose(name)} - asked  # users' own words
    answer = dict.fromkeys(found, f"see {LEAKS[0].text}")

    assert not is_left(LEAKS[0], redact_free_texts({"deep": [answer]}))


def _is_prose(name: str) -> bool:
    """Whether a member is named like a sentence of somebody."""
    return name.endswith(("Reason", "Message", "Detail", "Details", "Explanation", "Description", "Cause", "Error"))


def _free(shape: Shape | None, above: frozenset[str]) -> Iterator[str]:
    if shape is None or shape.name in above:
        return
    above |= {shape.name}
    if shape.type_name == "list":
        yield from _free(shape.member, above)
    elif shape.type_name == "map":
        yield from _free(shape.value, above)
    elif shape.type_name == "structure":
        for name, member in shape.members.items():
            if member.type_name == "string" and not member.enum:
                yield name
            yield from _free(member, above)


class _Thing:
    """A value that a log line shows as its text."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


@pytest.mark.usefixtures(logging_as_before.__name__)
@pytest.mark.parametrize("format", ["json", "console"])
@each_leak
def test_log_lines_have_no_credentials_in_any_of_their_parts(leak: Leak, format: logs.LogFormat) -> None:  # noqa: A002
    """Message, facts, keys, exceptions with their causes and notes, and values that are no text."""
    stream = io.StringIO()
    logs.configure(format=format, level="info", stream=stream)
    log = structlog.get_logger("test")
    failure = AwsError(ErrorClass.RETRYABLE, "Odd", "odd")
    failure.__cause__ = RuntimeError(leak.text)
    failure.__cause__.add_note(leak.text)
    log.error("failed %s", leak.text, exc_info=failure)
    log.info(leak.text, text=leak.text, parts=(leak.text,), by_key={leak.text: 1}, some={leak.text})
    log.info("objects", error=ValueError(leak.text), thing=_Thing(leak.text))

    written = stream.getvalue()
    assert "failed" in written
    assert not is_left(leak, written)
    # JSON and the console escape quotes and line ends, which may separate the parts of a credential
    assert not is_left(leak, written.encode().decode("unicode_escape"))


@pytest.mark.usefixtures(logging_as_before.__name__)
@pytest.mark.parametrize("leak", LEAKS, ids=lambda leak: leak.name)
def test_what_ends_the_process_is_logged_without_credentials(leak: Leak, monkeypatch: pytest.MonkeyPatch) -> None:
    """The interpreter's traceback is nobody's log line, and would show what an exception quotes."""
    stream = io.StringIO()
    logs.configure(format="json", level="info", stream=stream)
    monkeypatch.setattr(main_module.logs, "configure", lambda **_options: None)

    def run(_settings: object) -> int:
        raise RuntimeError(leak.text)

    monkeypatch.setattr(main_module.app, "run", run)

    assert main_module.main([]) == 1
    assert "the operator failed" in stream.getvalue()
    assert not is_left(leak, stream.getvalue())

"""One line per event with facts as keys; libraries' logs take the same way out."""

import io
import json
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from controller.observability import logs


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """Undo what `configure` does to the process."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    logging.captureWarnings(False)
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    """What was logged, decoded."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def configured(**options: Any) -> io.StringIO:
    """A stream that logs go to as JSON."""
    stream = io.StringIO()
    logs.configure(**{"format": "json", "stream": stream, **options})
    return stream


def test_an_event_is_one_json_line_with_its_facts_and_context() -> None:
    """docs/monitoring.md: what a log pipeline can count on."""
    stream = configured()

    with structlog.contextvars.bound_contextvars(namespace="ml", name="train"):
        structlog.get_logger("controller.x").info("job created", job_name="train-1")

    (line,) = lines(stream)
    assert list(line)[:3] == ["ts", "level", "msg"]
    assert (
        line.items()
        >= {
            "level": "info",
            "msg": "job created",
            "job_name": "train-1",
            "namespace": "ml",
            "name": "train",
            "logger": "controller.x",
        }.items()
    )


def test_secrets_are_taken_out_of_lines_and_tracebacks() -> None:
    """Exceptions quote what was sent; local variables are never shown."""
    stream = configured()

    def fail() -> None:
        hidden = "local" + "-secret"
        raise ValueError(f"refused: Bearer abcdefghijkl ({len(hidden)})")

    try:
        fail()
    except ValueError:
        structlog.get_logger().exception("boom", token="hunter2")

    assert "abcdefghijkl" not in stream.getvalue()
    assert "hunter2" not in stream.getvalue()
    assert "local-secret" not in stream.getvalue()


def test_exceptions_are_structured() -> None:
    """Type, value and frames can be searched for."""
    stream = configured()

    structlog.get_logger().error("boom", exc_info=ValueError("why"))

    (line,) = lines(stream)
    assert (line["exception"][0]["exc_type"], line["exception"][0]["exc_value"]) == ("ValueError", "why")


def test_the_console_shows_secrets_no_more_than_json() -> None:
    """Terminals are shared too."""
    stream = configured(format="console")

    structlog.get_logger().error("boom", exc_info=ValueError("Bearer abcdefghijkl"), token="hunter2")

    assert "ValueError: Bearer [redacted]" in stream.getvalue()
    assert "hunter2" not in stream.getvalue()


def test_levels_below_the_chosen_one_are_not_logged() -> None:
    """--log-level."""
    stream = configured(level="warning")

    structlog.get_logger().info("quiet")
    logging.getLogger("some.library").info("quiet")
    structlog.get_logger().warning("loud")

    assert [line["msg"] for line in lines(stream)] == ["loud"]


@pytest.mark.parametrize("library", ["urllib3", "botocore.auth", "kubernetes.client.rest"])
def test_libraries_never_log_below_warning(library: str) -> None:
    """At DEBUG they print requests with their credentials."""
    stream = configured(level="debug")

    logging.getLogger(library).debug("Authorization: …")
    logging.getLogger(library).warning("%s of %s", 1, 2)

    assert [(line["msg"], line["logger"]) for line in lines(stream)] == [("1 of 2", library)]


def test_warnings_are_logged_too_except_for_insecure_requests() -> None:
    """Switching verification off is the kubeconfig's owner's decision, not news at every request."""
    from urllib3.exceptions import InsecureRequestWarning  # noqa: PLC0415 (only here)

    stream = configured()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("careful", UserWarning, stacklevel=1)
        warnings.warn("unverified", InsecureRequestWarning, stacklevel=1)

    assert "careful" in stream.getvalue()
    assert "unverified" not in stream.getvalue()


def test_auto_is_json_unless_there_is_a_terminal() -> None:
    """Pods have none."""
    stream = configured(format="auto")

    structlog.get_logger().info("hello")

    assert lines(stream)[0]["msg"] == "hello"

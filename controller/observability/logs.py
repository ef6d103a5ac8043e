"""Configures logging: one line per event, facts as keys, secrets redacted.

`log = structlog.get_logger(__name__)` everywhere; records of libraries through `logging` are written the same way, but
only from WARNING up, whatever the operator's level: at DEBUG they contain requests with their credentials.
"""

import logging
import sys
from collections.abc import Callable, MutableMapping
from typing import Any, Final, Literal, TextIO, TypeAlias, cast

import structlog

from controller.observability.redact import redact

LogFormat: TypeAlias = Literal["auto", "json", "console"]
LogLevel: TypeAlias = Literal["debug", "info", "warning", "error"]

_LIBRARIES: Final = ("urllib3", "botocore", "boto3", "s3transfer", "kubernetes", "requests", "oauthlib", "asyncio")
_NOISY: Final = ("urllib3.connectionpool", "botocore.credentials")
"""Their warnings are for the operator to handle and report: retries, connections beyond the pool's size, and, with a
traceback for every call, credentials that are not renewed."""

_EventDict: TypeAlias = MutableMapping[str, Any]
_Processor: TypeAlias = Callable[[Any, str, _EventDict], Any]


def configure(*, format: LogFormat = "auto", level: LogLevel = "info", stream: TextIO | None = None) -> None:  # noqa: A002
    """Configure structlog and `logging` for the process. May be called again; the last call counts.

    `auto` is console on a terminal and JSON elsewhere. Writes to `stream`, by default the current standard error.
    """
    target = sys.stderr if stream is None else stream
    is_console = format == "console" or (format == "auto" and target.isatty())
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[_Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="ts"),
        structlog.processors.StackInfoRenderer(),
    ]
    # before the redaction, which handles text only
    shared.append(structlog.processors.format_exc_info if is_console else _exceptions_as_fields())
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.PositionalArgumentsFormatter(), *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _redact,
                _console(target) if is_console else _json(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(number)
    for name in _LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.ERROR)
    logging.captureWarnings(True)
    # insecure-skip-tls-verify is the kubeconfig owner's decision; urllib3 would repeat its warning per request
    logging.getLogger("py.warnings").addFilter(_is_not_about_insecure_requests)


def _exceptions_as_fields() -> _Processor:
    """Return a processor for exceptions: frames with file, line and function, without local variables (secrets)."""
    transformer = structlog.tracebacks.ExceptionDictTransformer(show_locals=False, max_frames=30)
    return cast("_Processor", structlog.processors.ExceptionRenderer(transformer))


def _redact(_logger: object, _method: str, event: _EventDict) -> _EventDict:
    redacted: _EventDict = redact(event)
    return redacted


def _console(target: TextIO) -> _Processor:
    return cast(
        "_Processor",
        structlog.dev.ConsoleRenderer(
            colors=target.isatty(), exception_formatter=structlog.dev.plain_traceback, timestamp_key="ts"
        ),
    )


def _json() -> _Processor:
    """Return a renderer for one JSON object per line: time, level and text first, then the facts."""
    # Not at the top: the downloadable logs plugin runs on any machine, and so has no compiled code in it.
    import orjson  # noqa: PLC0415

    def to_json(_logger: object, _method: str, event: _EventDict) -> str:
        first = {"ts": event.pop("ts", None), "level": event.pop("level", None), "msg": event.pop("event", None)}
        return orjson.dumps({**first, **event}, default=str, option=orjson.OPT_NON_STR_KEYS).decode()

    return to_json


def _is_not_about_insecure_requests(record: logging.LogRecord) -> bool:
    return "InsecureRequestWarning" not in record.getMessage()

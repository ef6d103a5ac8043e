#!/bin/sh
# structlog 26.1.0: `dict_tracebacks`, the processor for JSON logs, writes the local variables of every frame.
#
# An exception in a function that has a password or a token in a variable puts it into the log, although neither the message nor
# the source line has it. The text form (`format_exc_info`) shows no variables. The rich form for terminals does as well.
#
# Source: structlog's documentation, "Exceptions" and API reference of ExceptionDictTransformer(show_locals=True).
# Here: ExceptionDictTransformer(show_locals=False), and every line is redacted.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check structlog==26.1.0
"$dir/venv/bin/python" - <<'PYTHON'
import io
import sys
from importlib.metadata import version

import structlog
from structlog.processors import JSONRenderer, dict_tracebacks, format_exc_info


def fail() -> None:
    password = "fake" + "word"
    raise ValueError(f"{len(password)} characters are too few")


def logged(processor) -> str:
    stream = io.StringIO()
    structlog.configure(processors=[processor, JSONRenderer()], logger_factory=structlog.PrintLoggerFactory(stream))
    try:
        fail()
    except ValueError:
        structlog.get_logger().exception("login failed")
    return stream.getvalue()


print("structlog", version("structlog"))
shown = {processor: "fakeword" in logged(processor) for processor in (dict_tracebacks, format_exc_info)}
print(f"the password is in the log: with dict_tracebacks {shown[dict_tracebacks]}, as text {shown[format_exc_info]}")
sys.exit(0 if shown == {dict_tracebacks: True, format_exc_info: False} else 1)
PYTHON

"""`python -m controller`: parses settings and runs the operator; the only place that ends the process."""

# ruff: noqa: E402 (the collector is to rest before anything else is imported)

import gc

gc.disable()
# What follows creates 90,000 objects that stay: looking through them for garbage took a sixth of the time.

import logging
import os
import sys
import threading
from collections.abc import Sequence

import structlog

from controller import app, settings
from controller.kube.access import ConfigError
from controller.observability import logs
from controller.observability.redact import redact_text
from controller.observability.server import BindError

gc.freeze()  # no later collection looks through what is there now
gc.enable()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the operator until a signal. Returns the exit code: 0 stopped by a signal, 1 failed; 2 wrong usage.

    With `--check-aws` nothing is run, and 1 means that a right is missing.
    """
    before = set(threading.enumerate())
    chosen = settings.parse(sys.argv[1:] if arguments is None else arguments)
    logs.configure(format=chosen.log_format, level=chosen.log_level)
    try:
        code = _check_aws(chosen) if chosen.check_aws else app.run(chosen)
    except (ConfigError, BindError) as exc:
        # a configuration mistake that the user can fix: one line, no traceback
        sys.stderr.write(redact_text(f"{settings.PROGRAM}: error: {exc}\n"))
        return 1
    except Exception:  # noqa: BLE001 (logged: the interpreter's traceback would show secrets that messages quote)
        structlog.get_logger(__name__).exception("the operator failed")
        return 1
    if any(thread not in before and not thread.daemon for thread in threading.enumerate()):
        # The interpreter would wait for threads that did not end in time, or after a lost lease.
        logging.shutdown()
        os._exit(code)
    return code


def _check_aws(chosen: settings.Settings) -> int:
    from controller.rights import app as rights  # noqa: PLC0415 (an operator that runs has no use for it)

    return rights.run(chosen)


if __name__ == "__main__":
    sys.exit(main())

"""`python -m controller`: parses settings and runs the operator; the only place that ends the process."""

import logging
import os
import sys
import threading
from collections.abc import Sequence

from controller import app, settings
from controller.kube.config import ConfigError
from controller.observability import logs
from controller.observability.server import BindError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the operator until a signal. Returns the exit code: 0 stopped by a signal, 1 failed; 2 wrong usage."""
    before = set(threading.enumerate())
    chosen = settings.parse(sys.argv[1:] if arguments is None else arguments)
    logs.configure(format=chosen.log_format, level=chosen.log_level)
    try:
        code = app.run(chosen)
    except (ConfigError, BindError) as exc:
        # a configuration mistake that the user can fix: one line, no traceback
        sys.stderr.write(f"{settings.PROGRAM}: error: {exc}\n")
        return 1
    if any(thread not in before and not thread.daemon for thread in threading.enumerate()):
        # The interpreter would wait for threads that did not end in time, or after a lost lease.
        logging.shutdown()
        os._exit(code)
    return code


if __name__ == "__main__":
    sys.exit(main())

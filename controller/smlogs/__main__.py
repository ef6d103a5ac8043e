"""`kubectl-smlogs`: command line to exit code; the only place that ends the process, without output on a signal."""

import gc
import os
import signal
import sys
from collections.abc import Sequence
from typing import Final

from controller.smlogs.command_line import completion
from controller.smlogs.command_line import help as texts
from controller.smlogs.command_line.flags import UsageError
from controller.smlogs.command_line.options import HelpWanted, VersionWanted, read
from controller.version import version

INTERRUPTED: Final = 130
NOBODY_READS: Final = 141
"""Exit codes that a shell reports after SIGINT or SIGPIPE: 128 plus the signal's number."""

_OBJECTS_PER_COLLECTION: Final = 200_000
"""New objects between two collections of garbage: more than the start makes, and little memory for a long log."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the plugin. Returns its exit code: 0, 1 failed, 130 after Ctrl-C, 141 when nobody reads the output.

    Must be called on the main thread: SIGINT interrupts, also where the process inherited that it be ignored, as from
    nohup or `&` in a script. Python installs its handler in other cases only.
    """
    code = _code_of(sys.argv[1:] if arguments is None else arguments)
    if arguments is None:
        # The system takes back at once what the interpreter would take apart piece by piece, for a tenth of the CPU.
        os._exit(code)
    return code


def _code_of(arguments: Sequence[str]) -> int:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        code = _run(arguments)
        sys.stdout.flush()
        sys.stderr.flush()
        return code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The interpreter flushes standard output once more when it ends, and would report an error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NOBODY_READS


def _run(arguments: Sequence[str]) -> int:
    if arguments[:1] == [completion.COMMAND]:
        sys.stdout.write(completion.answer(arguments[1:], os.environ))
        return 0
    try:
        wanted = read(arguments)
    except UsageError as error:
        sys.stderr.write(f"error: {error}\nRun 'kubectl smlogs --help' for usage.\n")
        return 1
    if isinstance(wanted, HelpWanted):
        sys.stdout.write(texts.root() if wanted.kind is None else texts.command(wanted.kind))
        sys.stdout.flush()
        return 0
    if isinstance(wanted, VersionWanted):
        sys.stdout.write(f"kubectl-smlogs {version()}\n")
        return 0
    # What is imported stays: to search it for garbage takes a tenth of the start.
    gc.set_threshold(_OBJECTS_PER_COLLECTION)
    # Not at the top: the AWS SDK is slow to import, help does not need it, and Ctrl-C must work without a traceback.
    from controller.smlogs import app  # noqa: PLC0415

    # A log line may contain any character: one that the terminal's encoding lacks must not end the program.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    return app.run(wanted, os.environ, sys.stdout, sys.stderr)


if __name__ == "__main__":
    sys.exit(main())

"""Runs a command that must end in time: `python bounded.py SECONDS COMMAND...`, for credential plugins.

A plugin that hangs (an identity provider that does not answer) would block every request of the process forever: the
`kubernetes` package waits for it without a limit. This script runs between the two, and imports nothing but the
standard library. Exit code: the command's; 124 when it was too slow, 127 when it could not be started.
"""

import os
import signal
import subprocess
import sys


def main(arguments: list[str]) -> int:
    """Run the command with this process's input, output and environment."""
    limit_s, *command = arguments
    try:
        # A session of its own: processes that the command starts must not keep our output open.
        running = subprocess.Popen(command, start_new_session=True)  # noqa: S603 (the user's own kubeconfig names it)
    except OSError as exc:
        print(f"{command[0]}: {exc.strerror}", file=sys.stderr)
        return 127
    try:
        return running.wait(float(limit_s))
    except subprocess.TimeoutExpired:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
        print(f"{command[0]}: no credentials within {limit_s} s", file=sys.stderr)
        return 124


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

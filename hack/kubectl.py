"""Runs kubectl, with all its arguments: the one on PATH, else the packaged one, which is fetched once.

The sandbox puts it into its environment under the name `kubectl` (hack/sandbox/executables.py).
"""

import os
import sys

from hack.tools import ToolMissingError, find


def main() -> int:
    """Become kubectl; returns only if it is not available: 1, after one line on stderr."""
    try:
        os.execv(find("kubectl"), ["kubectl", *sys.argv[1:]])
    except (ToolMissingError, OSError) as failed:
        print(f"error: {failed}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())

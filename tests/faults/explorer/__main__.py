"""Prints what the explorations see; `--deep` makes all of them, to their end."""

import argparse
import sys
import time

import structlog

from tests.faults.explorer.explorations import ALL_OF_THEM


def main() -> int:
    """Explore; returns 1 if something is broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.explorer", description=__doc__)
    parser.add_argument("--deep", action="store_true", help="explore to the end, and what takes minutes")
    parser.add_argument("only", nargs="?", default="", help="only explorations with this text in their names")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    is_broken = False
    for each in ALL_OF_THEM:
        if options.only in each.name and (options.deep or not each.is_deep):
            began = time.process_time()
            report = each.run(deep=options.deep)
            print(f"{each.name}: {report} ({time.process_time() - began:.0f} s of CPU)", flush=True)
            is_broken |= report.broken is not None
    return int(is_broken)


if __name__ == "__main__":
    sys.exit(main())

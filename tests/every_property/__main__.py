"""`make every-property`: plays every property of every kind, or a part of them, and reports what is wrong.

    python -m tests.every_property [--seed N] [--kind KIND …] [--path TEXT] [--nth K/N] [--over-http N]

The same seed plays the same values. The exit code is 1 if a rule was violated; each violation comes with the manifests
that show it, to be applied one after another.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence

from tests.every_property.places import PLURALS
from tests.every_property.runs import drawn, every, play_in_processes, play_over_http, report, summary


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="make every-property", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", nargs="*", choices=list(PLURALS), default=list(PLURALS))
    parser.add_argument("--path", default="", help="only properties with this text in their path")
    parser.add_argument("--nth", default="0/1", help="the K-th of N parts, for example 0/10")
    parser.add_argument(
        "--over-http",
        type=int,
        metavar="N",
        help="play N properties of each kind, drawn by the seed, by real processes",
    )
    chosen = parser.parse_args(arguments)
    part, of = map(int, chosen.nth.split("/"))
    began = time.monotonic()
    outcomes = []
    some = every(chosen.kind, chosen.path)[part::of]
    played = (
        play_in_processes(some, chosen.seed)
        if chosen.over_http is None
        else play_over_http(drawn(some, chosen.over_http, chosen.seed), chosen.seed)
    )
    for each in played:
        outcomes.append(each)
        if not each.accepted:
            print(f"never at AWS: {each.kind} {each.path}: {'; '.join(each.turned_down)[:300]}", flush=True)
        for violation in each.violations:
            print(report(violation), flush=True)
    violations = [violation for each in outcomes for violation in each.violations]
    print(summary(outcomes))
    print(f"violations by rule: {dict(Counter(each.rule for each in violations)) or 'none'}")
    print(f"seed {chosen.seed}, {len(outcomes)} properties, {time.monotonic() - began:.0f} s")
    return bool(violations)


if __name__ == "__main__":
    sys.exit(main())

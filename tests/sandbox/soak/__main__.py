"""`python -m tests.sandbox.soak`: break the operator for minutes on end, seed after seed, and judge what is left.

Each run has fresh servers. It prints its seed, and for what is wrong the story of the object; exit code 1 says that
something was. With KUBEBUILDER_ASSETS set, the API server is a real one, whose own failures cannot be ordered.
"""

import argparse
import logging
import os
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.sandbox.harness import OPERATOR_CHECKOUT
from tests.sandbox.soak.churn import churn
from tests.sandbox.soak.driver import Soak
from tests.sandbox.soak.scene import Scene


def main() -> int:
    """Run one seed, or as many as fit into the time."""
    parser = argparse.ArgumentParser(prog="make soak ARGS=…", description=__doc__.partition("\n\n")[0])
    parser.add_argument("--seed", type=int, help="of the first run, by default a random one; later runs count on")
    parser.add_argument("--minutes", type=float, default=3.0, help="for all runs together; default %(default)g")
    parser.add_argument("--run", type=float, default=45.0, metavar="S", help="seconds of trouble; default %(default)g")
    parser.add_argument("--replicas", type=int, help="operators; by default one, or two with an election, by seed")
    parser.add_argument("--keep", type=Path, help="directory for logs that stay")
    parser.add_argument(
        "--churn", action="store_true", help="no trouble: watch what the operator holds as objects go by"
    )
    parser.add_argument(
        "--operator", type=Path, metavar="DIR", help="another checkout, to break its operator in place of this one"
    )
    options = parser.parse_args()
    if options.operator is not None:
        os.environ[OPERATOR_CHECKOUT] = str(options.operator.resolve())
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # watches that are cut on request
    seed = random.SystemRandom().randrange(10**6) if options.seed is None else options.seed
    if options.churn:
        with tempfile.TemporaryDirectory(prefix="soak-") as temporary, Scene(Path(temporary), replicas=1) as scene:
            churn(scene, seed, 60 * options.minutes)
        return 0
    deadline, failed = time.monotonic() + 60 * options.minutes, 0
    while True:
        failed += not run(seed, options.run, options.replicas or (2 if seed % 3 == 0 else 1), options.keep)
        seed += 1
        if time.monotonic() > deadline:
            return min(failed, 1)


def run(seed: int, seconds: float, replicas: int, keep: Path | None) -> bool:
    """Whether everything was as it must be."""
    print(f"seed {seed}, {replicas} operators, {seconds:g} s", flush=True)
    with tempfile.TemporaryDirectory(prefix="soak-") as temporary:
        directory = Path(temporary)
        if keep is not None:
            directory = keep / f"seed-{seed}"
            directory.mkdir(parents=True)
        with Scene(directory, replicas=replicas) as scene:
            soak = Soak(scene, seed)
            soak.prepare()
            soak.act(seconds)
            wrong = soak.judge()
            (directory / "acts.txt").write_text("\n".join(f"{at:7.1f}  {text}" for at, text in scene.ledger.lines))
            created = sum(effect.operation.startswith("Create") for effect in scene.aws.effects.all())
            calls = Counter(scene.aws.requests.counts())
            drawn, by_others, struck = scene.ledger.drawn, scene.ledger.struck, scene.aws.faults.struck()
    print(f"seed {seed}: {len(scene.ledger.lines)} acts, {created} creations, {len(wrong)} wrong")
    print(f"{calls.total()} AWS calls, most of them {dict(calls.most_common(3))}")
    print(f"drawn: {_counted(drawn)}; acts of others: {_counted(by_others)}")
    print(f"calls that faults struck: {_counted(Counter(fault for fault, _ in struck.elements()))}")
    changing = Counter(each for _, each in struck.elements() if not each.startswith(("Describe", "List")))
    print(f"mutating operations among them: {_counted(changing)}")
    for each in wrong:
        print(f"- {each}", flush=True)
    return not wrong


def _counted(numbers: Counter[str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in sorted(numbers.items())) or "none"


if __name__ == "__main__":
    sys.exit(main())

"""Runs the tests as a busy and unlucky machine would, and says which of them fell over.

Beside them, busy loops take the processors. They run in the background without a terminal, with SIGINT ignored and
nothing to read; as user 65534 when started by root; in a copy of the checkout, as a fresh clone would be, with a home
that cannot be written, umask 077, another time zone and locale, TERM=dumb; file by file in random order. The order
follows from the seed that is printed: `--seed` repeats it. Nothing is written outside of a scratch folder, which is
removed at the end, and no process survives.
"""

import argparse
import os
import random
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import zoneinfo
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from hack.background import in_background
from hack.stress import processes, surroundings
from hack.stress.surroundings import Surroundings

_GRACE_S: Final = 20.0
"""How long what pytest started may take to end after it. A limit, paid by tests only that leave something behind."""


@dataclass(frozen=True, slots=True)
class Round:
    """What came of running the selected tests once."""

    seed: int
    exit_code: int
    """pytest's; negative where a signal ended it."""
    failed: tuple[str, ...]
    survivors: tuple[str, ...] = ()
    """Processes that the tests left behind."""

    @property
    def is_clean(self) -> bool:
        """Whether all tests passed and nothing was left behind."""
        return self.exit_code == 0 and not self.failed and not self.survivors


def report(rounds: Sequence[Round], arguments: Sequence[str]) -> str:
    """Return the summary: each test that failed, how often and with which seeds, and how to run it like that again."""
    bad = [each for each in rounds if not each.is_clean]
    count = f"{len(rounds)} round{'s' if len(rounds) > 1 else ''}"
    if not bad:
        return f"stress: nothing fell over in {count}, seed {_numbers(each.seed for each in rounds)}"
    failed: dict[str, list[int]] = {}
    for each in bad:
        for test in dict.fromkeys(each.failed):
            failed.setdefault(test, []).append(each.seed)
    lines = [f"stress: {len(failed)} test{'' if len(failed) == 1 else 's'} fell over in {count}"]
    often_first = sorted(failed.items(), key=lambda item: (-len(item[1]), item[0]))
    lines += [f"  {len(seeds)} of {len(rounds)}  {test}  (seed {_numbers(seeds)})" for test, seeds in often_first]
    lines += [f"  left behind with seed {each.seed}: {words}" for each in bad for words in each.survivors]
    lines += [f"  pytest ended with {each.exit_code}, seed {each.seed}" for each in bad if _is_unexplained(each)]
    again = shlex.join(["--seed", str(bad[0].seed), *arguments])
    return "\n".join([*lines, f"again: make test-stress ARGS={shlex.quote(again)}"])


def _is_unexplained(each: Round) -> bool:
    """Whether pytest failed for another reason than a test: usage, a crash, nothing selected."""
    return each.exit_code not in (0, 1) or (each.exit_code == 1 and not each.failed)


def _numbers(seeds: Iterable[int]) -> str:
    return ", ".join(map(str, seeds))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the rounds. Returns the exit code: 0 nothing fell over, 1 something did, 130 after Ctrl-C."""
    options, selected = _parser().parse_known_args(arguments)
    seed = random.SystemRandom().randrange(1_000_000) if options.seed is None else options.seed
    if not any(Path(folder, options.timezone).is_file() for folder in zoneinfo.TZPATH):
        raise SystemExit(f"error: no time zone {options.timezone} here; install tzdata or name another by --timezone")
    languages = surroundings.locales(surroundings.installed_locales())
    processes.adopt_orphans()
    rounds = []
    try:
        with _terminable(), _scratch() as scratch:
            made = surroundings.make(scratch)
            for number in range(options.repeat):
                locale = languages[number % len(languages)]
                where = f"TZ={options.timezone}, LC_ALL={locale}, {made.who}"
                print(f"stress: round {number + 1} of {options.repeat}, seed {seed + number}, {where}", flush=True)
                variables = surroundings.environment(os.environ, made, timezone=options.timezone, locale=locale)
                rounds.append(_round(made, variables, seed + number, options.busy, selected))
    except KeyboardInterrupt:
        print("stress: interrupted", file=sys.stderr)
        return 130
    print(report(rounds, selected), flush=True)
    return 0 if all(each.is_clean for each in rounds) else 1


def _round(made: Surroundings, variables: Mapping[str, str], seed: int, loops: int, selected: Sequence[str]) -> Round:
    failures = made.temporary / "failures"
    failures.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", "-q", "-n", "auto", "-p", "hack.stress.plugin"]
    command += ["--shuffle-seed", str(seed), "--failures", str(failures), *selected]
    how = made.options(variables)
    piped = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with (
        processes.busy(loops, made.prefix, **how) as busy,
        processes.owned([*made.prefix, *in_background(command)], **how, **piped) as tests,
        _shown(tests.stdout),
    ):
        code = tests.wait()
        survivors = processes.kill_descendants(spared=busy, grace_s=_GRACE_S)  # their output is open while they live
    failed = failures.read_text(encoding="utf-8").splitlines() if failures.exists() else []
    return Round(seed, code, tuple(failed), tuple(survivors))


@contextmanager
def _shown(output: IO[bytes] | None) -> Iterator[None]:
    """Pass the tests' output on: to them it is a pipe, whatever ours is."""

    def copy() -> None:
        while output and (chunk := os.read(output.fileno(), 1 << 16)):
            sys.stdout.buffer.write(chunk)
            sys.stdout.buffer.flush()

    thread = threading.Thread(target=copy, name="output")
    thread.start()
    try:
        yield
    finally:
        processes.kill_descendants()
        thread.join()


@contextmanager
def _scratch() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="stress-"))
    try:
        yield path
    finally:
        processes.kill_descendants()
        for folder in path.rglob("*"):
            if folder.is_dir() and not folder.is_symlink():
                folder.chmod(0o700)
        shutil.rmtree(path)


@contextmanager
def _terminable() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end this process as Ctrl-C does, with all that has to be cleaned up."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # as to SIGINT: we may be in the background ourselves
    before = {number: signal.signal(number, signal.default_int_handler) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _parser() -> argparse.ArgumentParser:
    summary, _, details = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        prog="python -m hack.stress",
        description=summary,
        epilog=f"{details}\nAll other arguments are pytest's.",
        allow_abbrev=False,
    )
    parser.add_argument("--seed", type=int, metavar="N", help="of the order; by default a random one, which is printed")
    parser.add_argument("--repeat", type=_positive, default=1, metavar="N", help="rounds, each with the next seed")
    parser.add_argument(
        "--busy", type=int, default=2, metavar="N", help="busy loops beside the tests, default %(default)s"
    )
    parser.add_argument("--timezone", default="Asia/Kathmandu", metavar="TZ", help="default %(default)s")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


if __name__ == "__main__":
    sys.exit(main())

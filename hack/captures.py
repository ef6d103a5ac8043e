"""Runs the commands that pages show, in a sandbox, and writes what they print today into the pages.

A capture in a page is a block of console text after a comment, which may name steps that come first:

    <!-- capture: advance 3; wait trainingjob/a {.status.secondaryStatus}=Training -->
    ```console
    $ kubectl get trainingjobs
    ...
    ```

Each page has a cluster, an AWS and an operator of its own. The time of AWS stands still: `advance` moves it, so that
jobs are where the page wants them. `$ make run` shows the sandbox's own table, for a terminal of 80 by 24. Times, ages,
ids and ports are the same in every run. `python -m hack.captures` writes the pages, `--check` compares.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import unified_diff
from itertools import groupby
from pathlib import Path
from typing import Final

from hack import tools
from hack.sandbox.aws import server as aws_server
from hack.sandbox.aws.clock import SandboxClock
from hack.sandbox.kube import server as kube_server
from hack.sandbox.kubeapi import KubeApi, manifests
from hack.sandbox.operator_process import OperatorProcess, aws_environment
from hack.sandbox.samples import NAMED, REPOSITORY, SAMPLES, crd_paths, create_pipeline
from hack.sandbox.show.guidance import COMMANDS, welcome
from hack.sandbox.show.layout import layout
from hack.sandbox.show.rows import row_of

BLOCK: Final = re.compile(r"<!-- capture(?:: (?P<steps>[^>]*?))? -->\n```console\n(?P<text>.*?)```\n", re.DOTALL)
SHOW: Final = "make run"
WIDTH: Final = 79
HEIGHT: Final = 23
_PATIENCE_S: Final = 60.0

_REPLACED: Final = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "2030-01-02T03:04:05Z"),
    (re.compile(r"(?<=Digest:)(\s+)[0-9a-f]{10}\b"), r"\g<1>0a1b2c3d4e"),
    (re.compile(r"(?<![\d.])0\.\d{4,6}\b"), "0.123456"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? \+0000 UTC"), "2030-01-02 03:04:05.6 +0000 UTC"),
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "6d7f0a1b-2c3d-4e5f-8071-8293a4b5c6d7"),
    (re.compile(r"\b[0-9a-f]{32}\b"), "6d7f0a1b2c3d4e5f80718293a4b5c6d7"),
    (re.compile(r"(?<=-)(\d{3})-[0-9a-f]{8}\b"), r"\1-1f2e3d4c"),
    (re.compile(r"(?<=/algo-)(\d+)-\d{10}\b"), r"\1-1893553445"),
    (re.compile(r"\b(pipelines-)[a-z0-9]{12}(-[\w-]+-)[a-z0-9]{10}\b"), r"\1a1b2c3d4e5f6\2a1b2c3d4e5"),
    (re.compile(r"(?<=/execution/)[a-z0-9]{12}\b"), "a1b2c3d4e5f6"),
    (re.compile(r"(?<=Resource Version:)(\s+)\d+"), r"\g<1>1234"),
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:18444"),
    (re.compile(r" \(x\d+ over \w+\)"), ""),
)
_AS_GOOD_AS_EQUAL: Final = (
    (re.compile(r"-\d{3}-1f2e3d4c\b"), "-NNN"),
    (re.compile(r"none of the \d+ values"), "none of the values"),
)
_EVENTS: Final = ("Normal ", "Warning ")
_AGE: Final = re.compile(r"(?<=\s)(?:\d+s|\d+m(?:\d+s)?)(?=\s|$)")


def normal(text: str) -> str:
    """Return what a command printed with times, ages and ids that do not change from run to run."""
    for pattern, replacement in _REPLACED:
        text = pattern.sub(replacement, text)
    return "\n".join(_AGE.sub(_same_width, line).rstrip() for line in text.splitlines())


def _same_width(age: re.Match[str]) -> str:
    return f"{'5s':<{len(age[0])}}"


def compared(text: str) -> str:
    """Return text as captures are compared: without what differs although nothing has changed.

    Runs of spaces depend on how long ages are, the best of a tuning job's training jobs on its name, and the number of
    values that AWS takes on the version of its service model. Events of one second come in any order.
    """
    for pattern, replacement in _AS_GOOD_AS_EQUAL:
        text = pattern.sub(replacement, text)
    lines = [" ".join(line.split()) for line in text.splitlines()]
    runs = (list(run) for _, run in groupby(lines, key=lambda line: line.startswith(_EVENTS)))
    return "\n".join(line for run in runs for line in (sorted(run) if run[0].startswith(_EVENTS) else run))


@dataclass(frozen=True, slots=True)
class Stage:
    """A page's cluster, AWS and operator."""

    aws: aws_server.RunningServer
    api: KubeApi
    environment: dict[str, str]
    folder: Path

    def prepare(self, steps: str) -> None:
        """Perform the steps of a capture. Raises ValueError for an unknown one, TimeoutError without the state."""
        for step in filter(None, map(str.strip, steps.split(";"))):
            verb, _, rest = step.partition(" ")
            match verb:
                case "advance":
                    self.aws.clock.advance(float(rest))
                case "wait":
                    what, _, condition = rest.partition(" ")
                    self._wait(what, condition)
                case "apply":
                    self.run(f"kubectl apply -f {rest}")
                case "show":
                    self._all_samples()
                case _:
                    raise ValueError(f"unknown step: {step}")

    def output(self, command: str) -> str:
        """Return what a command prints, on both streams."""
        return self._show() if command == SHOW else self.run(command)

    def run(self, command: str) -> str:
        """Run a command in a shell, in the repository; its exit code does not matter, a page may show a refusal."""
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=REPOSITORY,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_PATIENCE_S,
            check=False,
        )
        return done.stdout

    def _wait(self, what: str, condition: str) -> None:
        """Wait for a condition of kubectl; the object, and the field, may be missing at first."""
        path = f"jsonpath={condition}" if condition.startswith("{") else condition
        deadline = time.monotonic() + _PATIENCE_S
        while f"{what.partition('/')[2]} condition met" not in self.run(
            f"kubectl wait --timeout=2s --for='{path}' {what}"
        ):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what} has not become {condition}: {self.run(f'kubectl get -o yaml {what}')}")

    def _all_samples(self) -> None:
        for sample in SAMPLES:
            self.api.apply(sample.manifest)

    def _show(self) -> str:
        url = "http://127.0.0.1:18444"
        checkout = Path("/home/me/sagemaker-operator")
        head = welcome(url, url, checkout / ".sandbox", checkout / ".venv" / "bin", aws_environment(url))
        rows = [row_of(each) for each in self.api.operator_objects()]
        lines = layout(
            rows, width=WIDTH, height=HEIGHT, now=datetime.now(UTC), caption="Ctrl-C ends it", pinned=NAMED.key
        )
        return f"{head}{COMMANDS}\n" + "\n".join(line.text for line in lines)


@contextmanager
def stage() -> Iterator[Stage]:
    """Run a cluster with our kinds, an AWS in which time stands still, and the operator."""
    with (
        tempfile.TemporaryDirectory() as scratch,
        aws_server.start(clock=SandboxClock.frozen(time.time())) as aws,
        kube_server.start() as kube,
    ):
        create_pipeline(aws)
        folder = Path(scratch)
        kubeconfig = kube.write_kubeconfig(folder / "kubeconfig")
        api = KubeApi(kube.url)
        for name in [api.apply(crd)["metadata"]["name"] for path in crd_paths() for crd in manifests(path)]:
            api.until_established(name)
        path = (
            f"{tools.find('kubectl').parent}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        )
        environment = {**os.environ, **aws_environment(aws.url), "KUBECONFIG": str(kubeconfig), "PATH": path}
        environment |= {"HOME": scratch, "PYTHONPATH": str(REPOSITORY), "NO_COLOR": "1"}
        with OperatorProcess(kubeconfig, aws.url, folder / "operator.log") as operator:
            operator.until_ready(threading.Event())
            yield Stage(aws, api, environment, folder)


def commands(text: str) -> list[str]:
    """Return the commands of a capture: the lines that begin with a prompt."""
    return [line[2:] for line in text.splitlines() if line.startswith("$ ")]


def captured(page: str) -> str:
    """Return a page with what its commands print today."""
    with stage() as scene:

        def renewed(block: re.Match[str]) -> str:
            scene.prepare(block["steps"] or "")
            parts = []
            for command in commands(block["text"]):
                printed = normal(scene.output(_runnable(command)))
                parts.append(f"$ {command}\n" + (f"{printed}\n" if printed else ""))
            return block[0].replace(block["text"], "".join(parts), 1)

        return BLOCK.sub(renewed, page)


def _runnable(command: str) -> str:
    """Return a command without the comment behind it."""
    return command.partition("  # ")[0].rstrip()


def pages() -> list[Path]:
    """Return the pages with captures."""
    every = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]
    return [page for page in every if BLOCK.search(page.read_text(encoding="utf-8"))]


def difference(before: str, after: str) -> Iterator[str]:
    """Yield the lines that are not as before, with the signs of a diff."""
    old, new = compared(before).splitlines(), compared(after).splitlines()
    return (line for line in unified_diff(old, new, lineterm="", n=0) if not line.startswith(("---", "+++", "@@")))


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the captures, or compare them. Returns 1 if a page is not current."""
    parser = argparse.ArgumentParser(prog="python -m hack.captures", description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a page is not current")
    parser.add_argument("pages", nargs="*", type=Path, help="default: all with captures")
    options = parser.parse_args(arguments)
    stale = False
    for page in options.pages or pages():
        before = page.read_text(encoding="utf-8")
        after = captured(before)
        if compared(before) == compared(after):
            continue
        stale = True
        print(f"{page}: {'not current' if options.check else 'written'}")
        if options.check:
            print("\n".join(difference(before, after)))
        else:
            page.write_text(after, encoding="utf-8")
    return 1 if stale and options.check else 0


if __name__ == "__main__":
    sys.exit(main())

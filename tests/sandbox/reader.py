"""Someone who follows a user guide: types its commands, with real kubectl and helm, and looks at the output."""

import re
import shlex
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from shutil import copytree

import pytest

from hack import tools
from tests import guides
from tests.deadline import PATIENCE_S, eventually
from tests.sandbox.harness import REPOSITORY
from tests.sandbox.kubectl import UNCOLLECTED

LIMIT_S = PATIENCE_S
_CLONE = "amazon-sagemaker-operator-for-k8s"
_PLACEHOLDER = re.compile(r"<(\w+(?: \w+)+)>")
_WGET = "import sys, urllib.request as u; u.urlretrieve(sys.argv[1], sys.argv[1].rpartition('/')[2])"


class Reader:
    """Types commands by their number. A step that fails, or whose output lacks a fact, fails the test.

    `values` fill the guide's placeholders: `role_arn` is `<role arn>`. What a step's facts capture by name is a value
    of all later steps.
    """

    def __init__(self, home: Path, kubeconfig: Path, site: str, environment: Mapping[str, str], **values: str) -> None:
        self.home = home
        self.done: list[str] = []
        self.values = dict(values)
        self._site = site
        self._bin = home / "bin"
        self._bin.mkdir()
        for tool in ("kubectl", "helm"):
            (self._bin / tool).symlink_to(tools.find(tool).resolve())
        self.script("wget", f"exec {shlex.quote(sys.executable)} -c {shlex.quote(_WGET)}")
        copytree(REPOSITORY / "hack" / "charts", home / _CLONE / "hack" / "charts", symlinks=True)
        self._environment = {
            "HOME": str(home),
            "PATH": f"{self._bin}:/usr/local/bin:/usr/bin:/bin",
            "BASH_ENV": str(home / ".bashrc"),  # what one step writes there, the next one reads
            "KUBECONFIG": str(kubeconfig),
            **UNCOLLECTED,
            **environment,
        }
        (home / ".bashrc").touch()

    def script(self, name: str, line: str) -> None:
        """Put a program on the reader's PATH that runs `line` with its own arguments behind."""
        path = self._bin / name
        path.write_text(f'#!/bin/sh\n{line} "$@"\n')
        path.chmod(0o755)

    def with_plugin(self) -> "Reader":
        """The reader after installing the logs plugin: here it is the one of the sources."""
        self.python("kubectl-smlogs", "controller.smlogs")
        return self

    def python(self, name: str, module: str) -> None:
        """Put a module of this repository on the reader's PATH."""
        self.script(name, f"PYTHONPATH={shlex.quote(str(REPOSITORY))} exec {shlex.quote(sys.executable)} -m {module}")

    def does(self, number: str, **values: str) -> str:
        """Run one command to its end; returns its output, both streams as they came."""
        self.values |= values
        output = self.types(guides.commands()[number].run)
        self._look(number, output)
        self.done.append(number)
        return output

    def types(self, text: str) -> str:
        """Run what is no command of the guide; returns its output. Fails where it fails."""
        done = subprocess.run(
            self._shell(text),
            env=self._environment,
            cwd=self.home,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
        assert done.returncode == 0, f"{text} ended with {done.returncode}:\n{done.stdout}"
        return done.stdout

    @contextmanager
    def watching(self, number: str) -> Iterator[None]:
        """Run a command that goes on until all of its facts were seen; the block begins when the first one was."""
        command = guides.commands()[number]
        output = self.home / f"{number}.out"
        with output.open("w") as sink:
            process = subprocess.Popen(
                self._shell(command.run), env=self._environment, cwd=self.home, stdout=sink, stderr=subprocess.STDOUT
            )
        try:
            eventually(lambda: self._missing(command.see[:1], output.read_text()) is None, what=f"{number} begins")
            yield
            eventually(lambda: self._missing(command.see, output.read_text()) is None, what=f"{number} ends")
        finally:
            process.kill()
            process.wait()
        self._look(number, output.read_text())
        self.done.append(number)

    def _shell(self, text: str) -> list[str]:
        filled = _PLACEHOLDER.sub(self._value, text)
        unfilled = _PLACEHOLDER.search(filled)
        assert unfilled is None, f"the reader has no value for {unfilled}"
        # `exec` lets a command alone take the shell's place, so that killing the one ends the other
        start = "" if "\n" in filled.strip() or "|" in filled or "#" in filled else "exec "
        script = re.sub(r"(https://)?…/", f"{self._site}/", start + filled)
        return ["bash", "-c", f"set -eo pipefail\n{script}"]

    def _value(self, found: re.Match[str]) -> str:
        return self.values.get(found[1].replace(" ", "_"), found[0])

    def _missing(self, facts: tuple[str, ...], output: str) -> str | None:
        """The first fact that the output does not show, or not after those before it."""
        position = 0
        for fact in facts:
            pattern = _PLACEHOLDER.sub(lambda found: re.escape(self._value(found)), fact)
            shown = re.compile(pattern, re.MULTILINE).search(output, position)
            if shown is None:
                return pattern
            position = shown.end()
            self.values |= shown.groupdict("")
        return None

    def _look(self, number: str, output: str) -> None:
        missing = self._missing(guides.commands()[number].see, output)
        assert missing is None, f"{number} must show, in this place:\n  {missing}\nIt shows:\n{output}"


@contextmanager
def site(directory: Path, **folders: Path) -> Iterator[str]:
    """What the guides download, on loopback: `release`, `samples` or others in their place; yields the address."""
    root = directory / "site"
    root.mkdir()
    for name, folder in ({each: REPOSITORY / each for each in ("release", "samples")} | folders).items():
        (root / name).symlink_to(folder)

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(root)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="guide-files")
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def check_marks(reader: Reader, request: pytest.FixtureRequest) -> None:
    """A test that passed must have run exactly what it is marked with: a mark alone proves nothing."""
    report = getattr(request.node, "report_of_call", None)
    if report is not None and report.passed:
        marked = {each for mark in request.node.iter_markers(guides.MARK) for each in mark.args}
        assert set(reader.done) == marked, "the test's mark and what it ran differ"

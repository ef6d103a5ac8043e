"""Asks kubectl for an object, so that cluster, user and namespace of the plugin are those that kubectl itself means.

A plugin's users expect every flag, environment variable, credential plugin and default of kubectl to count. kubectl
knows them all, runs on the same machine by definition, and keeps the plugin free of a Kubernetes client.
"""

import json
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from api.meta import JsonObject, ObjectKey, Resource
from controller.runtime.errors import ClassifiedError, ErrorClass

NOT_FOUND: Final = "NotFound"
NOT_SERVED: Final = "NotServed"
UNAUTHORIZED: Final = "Unauthorized"
FORBIDDEN: Final = "Forbidden"
UNREACHABLE: Final = "Unreachable"
MISSING: Final = "NoKubectl"


class KubectlError(ClassifiedError):
    """kubectl did not get the object. `code` is one of the words above, a reason of the API server, or `Kubectl`."""


@dataclass(frozen=True, slots=True)
class _Row:
    """What kubectl says (kubectl pkg/cmd/util `standardErrorMessage`, `StatusErr…`), and what that means."""

    says: re.Pattern[str]
    error_class: ErrorClass
    code: str = ""
    """Empty: what the group `code` of the pattern matched."""


_TABLE: Final = (
    _Row(re.compile(r"the server doesn't have a resource type"), ErrorClass.DENIED, NOT_SERVED),
    _Row(re.compile(r"\(NotFound\): the server could not find"), ErrorClass.DENIED, NOT_SERVED),
    _Row(re.compile(r"^Error from server \(NotFound\)"), ErrorClass.NOT_FOUND, NOT_FOUND),
    _Row(re.compile(r"\(Unauthorized\)"), ErrorClass.DENIED, UNAUTHORIZED),
    _Row(re.compile(r"^Error from server \(Forbidden\)"), ErrorClass.DENIED, FORBIDDEN),
    _Row(re.compile(r"^Error from server \((?P<code>\w+)\)"), ErrorClass.RETRYABLE),
    _Row(
        re.compile(r"^(Unable to connect to the server|The connection to the server)"),
        ErrorClass.RETRYABLE,
        UNREACHABLE,
    ),
    _Row(re.compile(r"^Error from server"), ErrorClass.RETRYABLE, "ServerError"),
)
"""Rows are tried in order; what none knows is about kubectl's own configuration, and stays as it is."""
_FAILED: Final = re.compile(r"Error\b|error\b|Unable to connect|The connection to the server")
"""How lines begin in which kubectl says why it failed."""
_NOISE: Final = re.compile(r"Warning:|[EWI]\d{4} ")
"""How its warnings, and the lines of its library's log, begin."""


class Kubectl:
    """Runs kubectl with the user's own flags. `tell` gets what credential plugins say, line by line."""

    def __init__(self, flags: Sequence[str], environ: Mapping[str, str], tell: Callable[[str], None]) -> None:
        self._flags = tuple(flags)
        self._environ = dict(environ)
        self._tell = tell

    def get(self, resource: Resource, name: str) -> JsonObject:
        """The object of that name in the namespace that flags and kubeconfig mean. Raises `KubectlError`; blocks."""
        return self._run("get", "--output=json", *self._flags, "--", f"{resource.plural}.{resource.group}", name)

    def get_again(self, resource: Resource, key: ObjectKey, *, timeout_s: int) -> JsonObject:
        """The object of that key, by one request without discovery. Raises `KubectlError`; blocks for `timeout_s`."""
        path = f"/apis/{resource.api_version}/namespaces/{key.namespace}/{resource.plural}/{key.name}"
        return self._run("get", *self._flags, f"--request-timeout={timeout_s}s", "--raw", path)

    def _run(self, *arguments: str) -> JsonObject:
        with tempfile.TemporaryFile() as out:
            try:
                process = subprocess.Popen(  # noqa: S603 (the user's own kubectl, without a shell)
                    ["kubectl", *arguments],  # noqa: S607 (that of PATH, which found this plugin, too)
                    env=self._environ,
                    stdout=out,
                    stderr=subprocess.PIPE,
                    text=True,
                    errors="replace",
                )
            except OSError as exc:
                raise KubectlError(ErrorClass.DENIED, MISSING, str(exc)) from exc
            with process:
                said = self._listen(process.stderr or ())
            if process.returncode:
                raise _error(said)
            out.seek(0)
            found: JsonObject = json.load(out)
            return found

    def _listen(self, lines: Iterable[str]) -> list[str]:
        """Why kubectl failed, line by line. What is not its own is passed on at once: a credential plugin may ask for
        something, and go on only when the user has done it.
        """
        said = []
        for line in lines:
            text = line.rstrip()
            if _FAILED.match(text):
                said.append(text)
            elif text and not _NOISE.match(text):
                self._tell(text)
        return said


def _error(said: Sequence[str]) -> KubectlError:
    """What kubectl's last words mean."""
    words = said[-1] if said else "kubectl failed without a word"
    for row in _TABLE:
        if found := row.says.search(words):
            return KubectlError(row.error_class, row.code or found["code"], words)
    return KubectlError(ErrorClass.INVALID, "Kubectl", words)

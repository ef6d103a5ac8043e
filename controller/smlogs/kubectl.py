"""Gets an object via kubectl, so that the plugin uses the same cluster, user and namespace as kubectl itself.

A plugin's users expect every flag, environment variable, credential plugin and default of kubectl to work. kubectl
handles them all, runs on the same machine by definition, and saves the plugin a Kubernetes client.
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
    """kubectl did not get the object. `code` is one of the codes above, a reason of the API server, or `Kubectl`."""


@dataclass(frozen=True, slots=True)
class _Row:
    """A message of kubectl (kubectl pkg/cmd/util `standardErrorMessage`, `StatusErr…`), and its class."""

    says: re.Pattern[str]
    error_class: ErrorClass
    code: str = ""
    """Empty: the match of the pattern's group `code`."""


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
"""Rows are tried in order; a message without a row concerns kubectl's own configuration, and is kept as it is."""
_FAILED: Final = re.compile(r"Error\b|error\b|Unable to connect|The connection to the server")
"""Start of the lines in which kubectl reports its failure."""
_NOISE: Final = re.compile(r"Warning:|[EWI]\d{4} ")
"""Start of its warnings, and of the lines of its library's log."""


class Kubectl:
    """Runs kubectl with the user's own flags. `tell` receives the output of credential plugins, line by line."""

    def __init__(self, flags: Sequence[str], environ: Mapping[str, str], tell: Callable[[str], None]) -> None:
        self._flags = tuple(flags)
        self._environ = dict(environ)
        self._tell = tell

    def get(self, resource: Resource, name: str) -> JsonObject:
        """Return the object of that name in the namespace of flags and kubeconfig. Raises `KubectlError`; blocks."""
        return self._run("get", "--output=json", *self._flags, "--", f"{resource.plural}.{resource.group}", name)

    def names(self, resource: str, selector: str = "") -> list[str]:
        """Return the names of the objects in the user's namespace, with these labels. Raises `KubectlError`; blocks."""
        labels = (f"--selector={selector}",) if selector else ()
        found = self._run("get", "--output=json", *self._flags, *labels, "--", resource)
        return [str(each["metadata"]["name"]) for each in found.get("items") or ()]

    def get_again(self, resource: Resource, key: ObjectKey, *, timeout_s: int) -> JsonObject:
        """Return the object of that key, without discovery. Raises `KubectlError`; blocks for `timeout_s` at most."""
        path = f"/apis/{resource.api_version}/namespaces/{key.namespace}/{resource.plural}/{key.name}"
        return self._run("get", *self._flags, f"--request-timeout={timeout_s}s", "--raw", path)

    def _run(self, *arguments: str) -> JsonObject:
        with tempfile.TemporaryFile() as out:
            try:
                process = subprocess.Popen(  # noqa: S603 (the user's own kubectl, without a shell)
                    ["kubectl", *arguments],  # noqa: S607 (from PATH, like this plugin)
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
        """Return kubectl's error, line by line, and pass other lines on at once: a credential plugin may wait for the
        user's action.
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
    """Return the error for kubectl's last lines."""
    words = said[-1] if said else "kubectl failed without a word"
    for row in _TABLE:
        if found := row.says.search(words):
            return KubectlError(row.error_class, row.code or found["code"], words)
    return KubectlError(ErrorClass.INVALID, "Kubectl", words)

"""Answers kubectl's requests for shell completion of the plugin: `kubectl_complete-smlogs`, an executable on PATH.

kubectl passes the words typed so far, the last one perhaps empty or incomplete, and reads what cobra prints: one
candidate a line, and a directive at the end.
"""

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from controller.smlogs import kinds
from controller.smlogs.command_line.flags import Flag, UsageError, parse
from controller.smlogs.command_line.options import CLUSTER_FLAGS, HELP_FLAG, JSON, LOG_FLAGS, TEXT, VERSION_FLAG
from controller.smlogs.kubectl import Kubectl, KubectlError

COMMAND: Final = "__complete"
"""The first argument of such a request, as for kubectl itself."""
_NO_FILES: Final = ":4"
_DEFAULT: Final = ":0"
_FLAGS: Final = (*LOG_FLAGS, *CLUSTER_FLAGS, HELP_FLAG, VERSION_FLAG)
_TIMEOUT: Final = "--request-timeout=3s"
"""A shell waits for the answer."""
Names = Callable[[str, Sequence[str]], list[str]]
"""Returns the names of a resource's objects, with these flags of kubectl."""


def answer(words: Sequence[str], environ: Mapping[str, str]) -> str:
    """Return the text for kubectl. Objects are listed with the user's own flags; a cluster's silence is no error."""

    def names(resource: str, flags: Sequence[str]) -> list[str]:
        try:
            return Kubectl((*flags, _TIMEOUT), environ, lambda _: None).names(resource)
        except KubectlError:
            return []

    try:
        found, directive = candidates(words, names)
    except UsageError:  # a word before the last one is wrong: there is nothing to suggest
        found, directive = [], _NO_FILES
    return "".join(f"{each}\n" for each in (*found, directive))


def candidates(words: Sequence[str], names: Names) -> tuple[list[str], str]:
    """Return what the last word may become, and whether the shell may complete file names instead."""
    *before, last = words or [""]
    flag = _waiting(before)
    if flag is not None:
        return _values(flag, last, before, names)
    if last.startswith("-"):
        return _beginning(last, (f"--{each.name}\t{each.help}" for each in _FLAGS)), _NO_FILES
    line = parse(_FLAGS, before)
    if not line.arguments:
        return _beginning(
            last.lower(), (f"{kind.names[0]}\tLogs of a {kind.kind}" for kind in kinds.LOG_KINDS)
        ), _NO_FILES
    kind = kinds.find(line.arguments[0])
    if kind is None or len(line.arguments) > 1:
        return [], _NO_FILES
    resource = f"{kind.resource.plural}.{kind.resource.group}"
    return _beginning(last, names(resource, _given(before))), _NO_FILES


def _waiting(words: Sequence[str]) -> Flag | None:
    """Return the flag that still needs a value at the end of the words."""
    last = words[-1] if words else ""
    for flag in _FLAGS:
        if not flag.is_switch and (last == f"--{flag.name}" or (flag.short and last == f"-{flag.short}")):
            return flag
    return None


def _values(flag: Flag, last: str, before: Sequence[str], names: Names) -> tuple[list[str], str]:
    match flag.name:
        case "output":
            return _beginning(last, (TEXT, JSON)), _NO_FILES
        case "namespace":
            return _beginning(last, names("namespaces", _given(before[:-1]))), _NO_FILES
        case _:
            return [], _DEFAULT if flag.placeholder == "file" else _NO_FILES


def _given(words: Sequence[str]) -> list[str]:
    """Return the flags for kubectl among the words."""
    try:
        given = parse(_FLAGS, words).given
    except UsageError:
        return []
    return [
        f"--{flag.name}={str(value).lower() if flag.is_switch else value}"
        for flag, value in given
        if flag in CLUSTER_FLAGS
    ]


def _beginning(last: str, all_of_them: Iterable[str]) -> list[str]:
    return [each for each in all_of_them if each.startswith(last)]


def main() -> int:
    """Answer a request of kubectl: the words are the arguments."""
    sys.stdout.write(answer(sys.argv[1:], os.environ))
    return 0

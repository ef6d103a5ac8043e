"""Turns objects into a Helm template: places in them get marks, and marks become actions in the YAML.

An action replaces a value or a part of one, on its line. A block replaces lines: an item of a list, or a key with its
value. In a block, `%I` stands for the indentation of the line, `%D` for its depth, and `%N` for the depth of what is
nested in it.
"""

import re
from collections.abc import Iterable
from typing import Any, Final

from api.meta import JsonObject
from hack.crds import to_yaml

_MARK: Final = re.compile(r"MARK-(\d+)-")
_BLOCK: Final = re.compile(r"(?:- |\w+: )?BLOCK-(\d+)-\n")


class Template:
    """The marks of one template file, with what they stand for."""

    def __init__(self) -> None:
        self._texts: list[str] = []

    def action(self, text: str) -> str:
        """Return a mark for an action within a line, such as `{{ .Values.replicas }}`."""
        self._texts.append(text)
        return f"MARK-{len(self._texts) - 1}-"

    def block(self, text: str) -> str:
        """Return a mark for whole lines, as an item of a list or the value of a key."""
        self._texts.append(text)
        return f"BLOCK-{len(self._texts) - 1}-"

    def value(self, obj: JsonObject, key: str, value: str) -> None:
        """Put an action that yields an object or a list below a key."""
        obj[key] = self.block(f"%I{key}:\n%I  {{{{- toYaml {value} | nindent %N }}}}\n")

    def optional(self, obj: JsonObject, key: str, value: str, shown: str = "toYaml . | nindent %N") -> None:
        """Put a key only where `value` is not empty; `shown` is what becomes of it."""
        obj[key] = self.block(f"{{{{- with {value} }}}}\n%I{key}:\n%I  {{{{- {shown} }}}}\n{{{{- end }}}}\n")

    def text(self, obj: JsonObject) -> str:
        """Return an object as a template, its own braces escaped."""
        return "".join(self._line(line) for line in escaped(to_yaml(obj)).splitlines(keepends=True))

    def _line(self, line: str) -> str:
        indent = line[: len(line) - len(line.lstrip())]
        if block := _BLOCK.fullmatch(line[len(indent) :]):
            depth = len(indent)
            text = self._texts[int(block[1])].replace("%I", indent)
            return text.replace("%D", str(depth)).replace("%N", str(depth + 2))
        if "BLOCK-" in line:
            raise ValueError(f"a block needs lines of its own: {line}")
        return _MARK.sub(lambda found: self._texts[int(found[1])], line)


def escaped(text: str) -> str:
    """Return text with its own braces (alert templates, documentation) escaped for Helm."""
    return re.sub(r"\{\{|\}\}", lambda found: f'{{{{ "{found[0]}" }}}}', text)


def conditional(condition: str, text: str) -> str:
    """Return a template that is empty unless the condition holds."""
    return f"{{{{- if {condition} }}}}\n{text}{{{{- end }}}}\n"


def indented(text: str) -> str:
    """Return lines for a block: those after the first have its indentation."""
    return text.rstrip("\n").replace("\n", "\n%I") + "\n"


def joined(documents: Iterable[str]) -> str:
    """Return several documents as one file."""
    return "---\n".join(documents)


def literal(value: Any) -> str:
    """Return a map of texts as an expression of Helm: `dict "key" "value"`."""
    return " ".join(["dict", *(f'"{part}"' for pair in sorted(value.items()) for part in pair)])

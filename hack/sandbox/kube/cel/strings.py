"""Functions on strings: CEL's own, the strings extension, and Kubernetes' regular expressions."""

import re
from typing import Any, Final, cast

from hack.sandbox.kube.cel.registry import LIBRARY
from hack.sandbox.kube.cel.times import duration_text, timestamp_text
from hack.sandbox.kube.cel.values import Duration, EvaluationError, Timestamp, Type, is_number
from hack.sandbox.kube.wire.causes import go_fixed
from hack.sandbox.kube.wire.patterns import BadPatternError, compile_pattern

_VERB: Final = re.compile(r"%(?:\.(\d+))?(.)", re.DOTALL)
_QUOTES: Final = str.maketrans(
    {
        "\a": "\\a",
        "\b": "\\b",
        "\f": "\\f",
        "\n": "\\n",
        "\r": "\\r",
        "\t": "\\t",
        "\v": "\\v",
        "\\": "\\\\",
        '"': '\\"',
    }
)


@LIBRARY.function("<string>.contains(string): bool")
def _contains(text: str, part: str) -> bool:
    return part in text


@LIBRARY.function("<string>.startsWith(string): bool")
def _starts_with(text: str, prefix: str) -> bool:
    return text.startswith(prefix)


@LIBRARY.function("<string>.endsWith(string): bool")
def _ends_with(text: str, suffix: str) -> bool:
    return text.endswith(suffix)


def _expression(pattern: str) -> Any:
    try:
        return compile_pattern(pattern)
    except BadPatternError as exc:
        raise EvaluationError(f"error parsing regexp: {exc}") from exc


@LIBRARY.function("<string>.matches(string): bool", "matches(string, string): bool")
def _matches(text: str, pattern: str) -> bool:
    return _expression(pattern).search(text) is not None


@LIBRARY.function("<string>.find(string): string")
def _find(text: str, pattern: str) -> str:
    match = _expression(pattern).search(text)
    return str(match.group()) if match else ""


@LIBRARY.function("<string>.findAll(string): list(string)", "<string>.findAll(string, int): list(string)")
def _find_all(text: str, pattern: str, limit: int = -1) -> list[str]:
    found = [str(match.group()) for match in _expression(pattern).finditer(text)]
    return found if limit < 0 else found[:limit]


@LIBRARY.function("<string>.charAt(int): string")
def _char_at(text: str, index: int) -> str:
    if not 0 <= index <= len(text):
        raise EvaluationError(f"index out of range: {index}")
    return text[index : index + 1]


@LIBRARY.function("<string>.indexOf(string): int", "<string>.indexOf(string, int): int")
def _index_of(text: str, part: str, start: int = 0) -> int:
    if not 0 <= start <= len(text):
        raise EvaluationError(f"index out of range: {start}")
    return text.find(part, start)


@LIBRARY.function("<string>.lastIndexOf(string): int", "<string>.lastIndexOf(string, int): int")
def _last_index_of(text: str, part: str, end: int | None = None) -> int:
    if end is None:
        return text.rfind(part)
    if not 0 <= end <= len(text):
        raise EvaluationError(f"index out of range: {end}")
    return text.rfind(part, 0, end + len(part))


@LIBRARY.function("<string>.lowerAscii(): string")
def _lower(text: str) -> str:
    return "".join(each.lower() if each.isascii() else each for each in text)


@LIBRARY.function("<string>.upperAscii(): string")
def _upper(text: str) -> str:
    return "".join(each.upper() if each.isascii() else each for each in text)


@LIBRARY.function("<string>.replace(string, string): string", "<string>.replace(string, string, int): string")
def _replace(text: str, old: str, new: str, limit: int = -1) -> str:
    return text.replace(old, new, limit)


@LIBRARY.function("<string>.split(string): list(string)", "<string>.split(string, int): list(string)")
def _split(text: str, separator: str, limit: int = -1) -> list[str]:
    if limit == 0:
        return []
    if not separator:
        parts = list(text)
        return parts if limit < 0 or len(parts) <= limit else [*parts[: limit - 1], "".join(parts[limit - 1 :])]
    return text.split(separator, limit - 1 if limit > 0 else -1)


@LIBRARY.function("<string>.substring(int): string", "<string>.substring(int, int): string")
def _substring(text: str, start: int, end: int | None = None) -> str:
    last = len(text) if end is None else end
    if not 0 <= start <= len(text):
        raise EvaluationError(f"index out of range: {start}")
    if not 0 <= last <= len(text):
        raise EvaluationError(f"index out of range: {last}")
    if start > last:
        raise EvaluationError(f"invalid substring range. start: {start}, end: {last}")
    return text[start:last]


@LIBRARY.function("<string>.trim(): string")
def _trim(text: str) -> str:
    return text.strip()


@LIBRARY.function("<list(string)>.join(): string", "<list(string)>.join(string): string")
def _join(parts: list[Any], separator: str = "") -> str:
    if not all(isinstance(part, str) for part in parts):
        raise EvaluationError("no such overload")
    return separator.join(parts)


@LIBRARY.function("strings.quote(string): string")
def _quote(text: str) -> str:
    return f'"{text.translate(_QUOTES)}"'


@LIBRARY.function("<string>.format(list(dyn)): string")
def _format(template: str, arguments: list[Any]) -> str:
    remaining = iter(arguments)

    def replace(match: re.Match[str]) -> str:
        precision, verb = match.groups()
        if verb == "%":
            return "%"
        try:
            value = next(remaining)
        except StopIteration:
            raise EvaluationError(f"index {len(arguments)} out of range") from None
        return _formatted(value, verb, int(precision) if precision else 6)

    return _VERB.sub(replace, template)


def _formatted(value: Any, verb: str, precision: int) -> str:
    if verb == "s":
        return _plain(value)
    whole = isinstance(value, int) and not isinstance(value, bool)
    if verb == "d" and (whole or isinstance(value, float)):
        return str(value)
    if verb in "fe" and is_number(value):
        return f"{float(value):.{precision}{verb}}"
    if verb == "b" and isinstance(value, int):
        return f"{int(value):b}"
    if verb == "o" and whole:
        return f"{value:o}"
    if verb in "xX":
        if isinstance(value, str | bytes):
            digits = (value.encode() if isinstance(value, str) else value).hex()
            return digits if verb == "x" else digits.upper()
        if whole:
            return f"{value:{verb}}"
    raise EvaluationError(f'could not parse formatting clause: unrecognized formatting clause "{verb}"')


def _plain(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case float():
            return go_fixed(value)
        case bytes():
            return value.decode(errors="replace")
        case Timestamp():
            return timestamp_text(value)
        case Duration():
            return duration_text(value)
        case Type():
            return value.name
        case list():
            return f"[{', '.join(map(_plain, value))}]"
        case dict():
            entries = sorted((_plain(name), _plain(inner)) for name, inner in value.items())
            return f"{{{', '.join(f'{name}: {inner}' for name, inner in entries)}}}"
    return str(cast("object", value))

"""Conversions between types, `size`, `type` and `dyn`."""

from typing import Any

from hack.sandbox.kube.cel.registry import LIBRARY
from hack.sandbox.kube.cel.syntax import UInt
from hack.sandbox.kube.cel.times import duration_text, parse_duration, parse_timestamp, timestamp_text
from hack.sandbox.kube.cel.values import Duration, EvaluationError, Timestamp, Type, check_int, type_name
from hack.sandbox.kube.wire.causes import go_float

_CONTAINERS = ("string", "bytes", "list(A)", "map(A, B)")


@LIBRARY.function(*(f"size({kind}): int" for kind in _CONTAINERS), *(f"<{kind}>.size(): int" for kind in _CONTAINERS))
def _size(value: Any) -> int:
    return len(value)


@LIBRARY.function("dyn(A): dyn")
def _dyn(value: Any) -> Any:
    return value


@LIBRARY.function("type(A): type")
def _type(value: Any) -> Type:
    return Type(type_name(value))


@LIBRARY.function("bool(bool): bool", "bool(string): bool")
def _bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if value in {"1", "t", "true", "TRUE", "True"}:
        return True
    if value in {"0", "f", "false", "FALSE", "False"}:
        return False
    raise EvaluationError("type conversion error from 'string' to 'bool'")


@LIBRARY.function("int(int): int", "int(uint): int", "int(double): int", "int(string): int", "int(timestamp): int")
def _int(value: Any) -> int:
    if isinstance(value, Timestamp):
        return value.nanoseconds // 1_000_000_000
    try:
        return check_int(int(value))
    except (ValueError, OverflowError) as exc:
        raise EvaluationError(f"type conversion error from '{type_name(value)}' to 'int'") from exc


@LIBRARY.function("uint(uint): uint", "uint(int): uint", "uint(double): uint", "uint(string): uint")
def _uint(value: Any) -> UInt:
    try:
        number = int(value)
    except (ValueError, OverflowError) as exc:
        raise EvaluationError(f"type conversion error from '{type_name(value)}' to 'uint'") from exc
    if not 0 <= number < 2**64:
        raise EvaluationError("unsigned integer overflow")
    return UInt(number)


@LIBRARY.function("double(double): double", "double(int): double", "double(uint): double", "double(string): double")
def _double(value: Any) -> float:
    try:
        return float(value)
    except ValueError as exc:
        raise EvaluationError(f"type conversion error from '{type_name(value)}' to 'double'") from exc


@LIBRARY.function(
    *(
        f"string({kind}): string"
        for kind in ["string", "bool", "int", "uint", "double", "bytes", "timestamp", "duration"]
    )
)
def _string(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case float():
            return go_float(value)
        case bytes():
            try:
                return value.decode()
            except UnicodeDecodeError as exc:
                raise EvaluationError("invalid UTF-8 in bytes, cannot convert to string") from exc
        case Timestamp():
            return timestamp_text(value)
        case Duration():
            return duration_text(value)
    return str(value)


@LIBRARY.function("bytes(bytes): bytes", "bytes(string): bytes")
def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


@LIBRARY.function("timestamp(timestamp): timestamp", "timestamp(string): timestamp", "timestamp(int): timestamp")
def _timestamp(value: Any) -> Timestamp:
    if isinstance(value, Timestamp):
        return value
    return parse_timestamp(value) if isinstance(value, str) else Timestamp(value * 1_000_000_000)


@LIBRARY.function("duration(duration): duration", "duration(string): duration", "duration(int): duration")
def _duration(value: Any) -> Duration:
    if isinstance(value, Duration):
        return value
    return parse_duration(value) if isinstance(value, str) else Duration(value)

"""Hashes the content of a spec: two specs with the same hash make the same request to SageMaker.

Tags are not content: they say who owns a resource (known-defects.md D-13). A field that is set to its default, v1's or
AWS's, counts as absent (v1-kinds.md 11). Pure.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from api.convert import ConversionError, to_request
from api.descriptor import KindDescriptor
from api.naming import key_of
from controller.aws.errors import LocalRefusal
from controller.reconcile.drift.report import Difference
from controller.runtime.errors import ErrorClass

_DEFAULTS: Final[Mapping[str, Any]] = {
    "AcceptEula": False,
    "DisableScaleIn": False,
    "EnableNetworkIsolation": False,
    "EnableSSMAccess": False,
    "UseLogit": False,
    "Mode": "SingleModel",
    "InitialVariantWeight": 1.0,
}
"""Members and the values that mean the same as absence. Not every `false` does: some defaults of AWS are true."""
_WHOSE: Final = frozenset({"Tags", "ModelName", "EndpointConfigName"})
"""Top-level members that name or label the resource; the ModelName of a variant is content."""


def content(descriptor: KindDescriptor, spec: Mapping[str, Any], operation: str = "") -> dict[str, Any]:
    """Return the Create (or another) request of `spec` without defaults. Raises `CallError` INVALID, not sent."""
    request = request_of(descriptor, spec, operation)
    return {name: said for name, value in request.items() if _says(name, said := plain(value))}


def request_of(descriptor: KindDescriptor, spec: Mapping[str, Any], operation: str = "") -> dict[str, Any]:
    """Return the members of a request that say something, each as it is sent. Raises `CallError` INVALID, not sent."""
    try:
        request = to_request(descriptor, spec, operation)
    except ConversionError as exc:
        raise LocalRefusal(ErrorClass.INVALID, "InvalidField", str(exc)) from exc
    return {name: value for name, value in request.items() if name not in _WHOSE and _says(name, value)}


def digest(value: Any) -> str:
    """Return ten hexadecimal digits for a JSON value: short, since they become part of names."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def differences(wanted: Any, shown: Any, path: str = "") -> Iterator[Difference]:
    """Yield where AWS's answer lacks or contradicts what is wanted; additional members are ignored."""
    if isinstance(wanted, Mapping) and isinstance(shown, Mapping):
        for name, value in wanted.items():
            yield from differences(value, shown.get(name, _DEFAULTS.get(name)), _below(path, name))
    elif isinstance(wanted, list) and isinstance(shown, list | tuple) and len(wanted) == len(shown):
        for n, (one, other) in enumerate(zip(wanted, shown, strict=True)):
            yield from differences(one, other, f"{path}[{n}]")
    elif wanted != shown:
        yield Difference(path, wanted, shown)


def _below(path: str, name: str) -> str:
    return f"{path}.{key_of(name)}" if path else key_of(name)


def plain(value: Any) -> Any:
    """Return a part of a request without defaults."""
    if isinstance(value, Mapping):
        return {name: said for name, item in value.items() if _says(name, said := plain(item))}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def _says(name: str, value: Any) -> bool:
    """Return whether a member differs from its default."""
    if value is None or (isinstance(value, str | list | tuple | Mapping) and len(value) == 0):
        return False
    return name not in _DEFAULTS or bool(value != _DEFAULTS[name])

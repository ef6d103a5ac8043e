"""What a spec asks of AWS, as a short hash: two specs of one content make no difference to SageMaker.

Tags are no content: they say whose something is, not what (D-13). Where v1 or AWS have a default, saying it or not is
the same (v1-kinds.md 11). Pure.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from api.convert import ConversionError, to_request
from api.descriptor import KindDescriptor
from controller.aws.errors import AwsError
from controller.reconcile.drift.report import Difference
from controller.runtime.errors import ErrorClass

_DEFAULTS: Final[Mapping[str, Any]] = {
    "DisableScaleIn": False,
    "EnableNetworkIsolation": False,
    "Mode": "SingleModel",
    "InitialVariantWeight": 1.0,
}
"""Members that mean the same when absent. A false boolean in general does not: some defaults of AWS are true."""
_WHOSE: Final = frozenset({"Tags", "ModelName", "EndpointConfigName"})
"""Members of the request itself that name it; a variant's ModelName is content."""


def content(descriptor: KindDescriptor, spec: Mapping[str, Any], operation: str = "") -> dict[str, Any]:
    """What the Create (or another) request of `spec` says, defaults left out. Raises `AwsError` INVALID, not sent."""
    try:
        request = to_request(descriptor, spec, operation)
    except ConversionError as exc:
        raise AwsError(ErrorClass.INVALID, "InvalidField", str(exc), sent=False) from exc
    return {name: _plain(value) for name, value in request.items() if name not in _WHOSE and _says(name, value)}


def digest(value: Any) -> str:
    """Ten hexadecimal digits for a JSON value; short, as they go into names (one object has few contents)."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def differences(wanted: Any, shown: Any, path: str = "") -> Iterator[Difference]:
    """Where an answer of AWS lacks what is wanted, or says otherwise; what it adds does not count."""
    if isinstance(wanted, Mapping) and isinstance(shown, Mapping):
        for name, value in wanted.items():
            yield from differences(value, shown.get(name, _DEFAULTS.get(name)), _below(path, name))
    elif isinstance(wanted, list) and isinstance(shown, list | tuple) and len(wanted) == len(shown):
        for n, (one, other) in enumerate(zip(wanted, shown, strict=True)):
            yield from differences(one, other, f"{path}[{n}]")
    elif wanted != shown:
        yield Difference(path, wanted, shown)


def _below(path: str, name: str) -> str:
    field = name[:1].lower() + name[1:]  # as v1 spells it
    return f"{path}.{field}" if path else field


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items() if _says(name, item)}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _says(name: str, value: Any) -> bool:
    """Whether a member says more than its absence would."""
    if value is None or (isinstance(value, str | list | tuple) and len(value) == 0):
        return False
    return name not in _DEFAULTS or bool(value != _DEFAULTS[name])

"""Resources inside resources: `x-kubernetes-embedded-resource` requires an apiVersion, a kind and valid metadata.

Source: k8s.io/apiextensions-apiserver pkg/apiserver/schema/objectmeta.
"""

import re
from typing import Any, Final

from hack.sandbox.kube.schema.defaulting import EMBEDDED, JsonObject, Schema, additional_schema
from hack.sandbox.kube.wire import causes
from hack.sandbox.kube.wire.causes import Cause
from hack.sandbox.kube.wire.identity_cache import IdentityCache

_KIND: Final = re.compile("[a-z]([-a-z0-9]*[a-z0-9])?")
_KIND_RULE: Final = (
    "may have mixed case, but should otherwise match: a DNS-1035 label must consist of lower case alphanumeric "
    "characters or '-', start with an alphabetic character, and end with an alphanumeric character "
    "(e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
)


def validate_embedded(schema: Schema, value: Any, path: str = "") -> list[Cause]:
    """Return the findings on embedded resources in `value` and below."""
    found: list[Cause] = []
    if _embeds.get(schema):
        _visit(schema, value, path, found)
    return found


def _any_embedded(schema: Schema) -> bool:
    below = list((schema.get("properties") or {}).values())
    below += [sub for sub in (schema.get("items"), additional_schema(schema)) if isinstance(sub, dict)]
    return bool(schema.get(EMBEDDED)) or any(_embeds.get(sub) for sub in below)


_embeds: Final[IdentityCache[bool]] = IdentityCache(_any_embedded, size=65536)


def _visit(schema: Schema, value: Any, path: str, found: list[Cause]) -> None:
    if isinstance(value, dict):
        if schema.get(EMBEDDED):
            found += _type_meta(value, path)
        properties = schema.get("properties") or {}
        rest = additional_schema(schema)
        for name, child in value.items():
            if name in properties:
                if _embeds.get(properties[name]):
                    _visit(properties[name], child, causes.child(path, name), found)
            elif rest is not None and _embeds.get(rest):
                _visit(rest, child, causes.key(path, name), found)
    elif isinstance(value, list):
        items = schema.get("items")
        if isinstance(items, dict) and _embeds.get(items):
            for at, item in enumerate(value):
                _visit(items, item, causes.key(path, str(at)), found)


def _type_meta(resource: JsonObject, path: str) -> list[Cause]:
    found = [
        causes.required(causes.child(path, name)) for name in ("apiVersion", "kind") if resource.get(name, ...) is ...
    ]
    for name in ("apiVersion", "kind"):
        if name not in resource:
            continue
        value, at = resource[name], causes.child(path, name)
        if not isinstance(value, str):
            found.append(causes.invalid(at, value, "must be a string"))
        elif not value:
            found.append(causes.invalid(at, value, "must not be empty"))
        elif name == "apiVersion" and value.count("/") > 1:
            found.append(causes.invalid(at, value, f"unexpected GroupVersion string: {value}"))
        elif name == "kind" and (not _KIND.fullmatch(value.lower()) or len(value) > 63):
            found.append(causes.invalid(at, value, _KIND_RULE))
    return found

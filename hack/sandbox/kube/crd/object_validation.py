"""Validates an object against its structural schema, with the messages of a kube-apiserver.

`validate` joins four checks in the API server's order: the OpenAPI keywords, embedded resources, uniqueness in `set`
and `map` lists, and, if nothing blocking was found, the CEL rules. On updates, findings in unchanged parts are ignored
(ratcheting). Sources: k8s.io/apiextensions-apiserver pkg/registry/customresource, pkg/apiserver/validation and
k8s.io/kube-openapi pkg/validation/validate.

Schemas are compiled once and cached by identity; callers must not change a schema after its first use.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from hack.sandbox.kube.crd.cel_rules import Rules
from hack.sandbox.kube.schema.correlation import Correlated
from hack.sandbox.kube.schema.defaulting import JsonObject, Schema
from hack.sandbox.kube.schema.embedded_resources import validate_embedded
from hack.sandbox.kube.schema.keywords import Keywords
from hack.sandbox.kube.schema.list_types import validate_list_types
from hack.sandbox.kube.wire.causes import Cause, invalid
from hack.sandbox.kube.wire.identity_cache import IdentityCache

_NOT_CHECKED: Final = (
    "some validation rules were not checked because the object was invalid; "
    "correct the existing errors to complete validation"
)


class _Compiled:
    """The compiled checks of one schema."""

    def __init__(self, schema: Schema) -> None:
        self.keywords = Keywords(schema)
        status = (schema.get("properties") or {}).get("status")
        self.status = Keywords(status) if status else None
        self.rules = Rules.compile(schema)


_compiled: IdentityCache[_Compiled] = IdentityCache(_Compiled)


def validate(
    schema: Schema | None,
    obj: JsonObject,
    old: JsonObject | None = None,
    *,
    subresource: str = "",
    preceding: Sequence[Cause] = (),
) -> list[Cause]:
    """Return every reason why `obj` may not be stored, `preceding` first; an empty list if it may.

    `old` is the stored object on updates. With `subresource="status"` only the keywords of the status are checked, but
    all rules. `preceding` are earlier findings, e.g. on the metadata: blocking ones skip the rules, too.
    Pure; thread-safe. Raises nothing for any JSON object.
    """
    found = list(preceding)
    if not schema:
        return found
    compiled = _compiled.get(schema)
    pair = Correlated(obj, old, schema) if old is not None else None
    if subresource == "status":
        if compiled.status is not None and "status" in obj:
            found += compiled.status.check(obj["status"], pair.field("status") if pair else None, prefix="status")
    else:
        found += compiled.keywords.check(obj, pair)
        found += validate_embedded(schema, obj)
    found += _new_duplicates(schema, obj, old)
    if compiled.rules is None:
        return found
    if any(cause.blocks_rules for cause in found):
        return [*found, invalid("", None, _NOT_CHECKED)]
    return [*found, *compiled.rules.check(obj, old, pair)]


def _new_duplicates(schema: Schema, obj: JsonObject, old: JsonObject | None) -> Iterable[Cause]:
    """Return duplicates, unless the stored object already had some, anywhere."""
    causes = validate_list_types(schema, obj)
    if causes and old is not None and validate_list_types(schema, old):
        return ()
    return causes

"""Validates a CustomResourceDefinition: names, versions, conversion, columns, and the schemas.

Source: k8s.io/apiextensions-apiserver pkg/apis/apiextensions/validation/validation.go. The server uses an internal
form with the common members of all versions at the top: so paths contain `spec.validation` although the user wrote
`spec.versions[0].schema`.
"""

import unicodedata
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlsplit

from hack.sandbox.kube.crd.schema_rules import validate_schema
from hack.sandbox.kube.schema.defaulting import JsonObject
from hack.sandbox.kube.schema.field_path import find_field
from hack.sandbox.kube.schema.formats import is_checked
from hack.sandbox.kube.schema.list_types import LIST_TYPE
from hack.sandbox.kube.wire import causes
from hack.sandbox.kube.wire.causes import Cause, Verbatim, child, go_json, go_quote, key
from hack.sandbox.kube.wire.names import label_1035_problems, subdomain_problems
from hack.sandbox.kube.wire.release import V1_37, imitated

MAX_SELECTABLE_FIELDS: Final = 8
APPROVAL: Final = "api-approved.kubernetes.io"

_COLUMN_TYPES: Final = ("boolean", "date", "integer", "number", "string")
_COLUMN_FORMATS: Final = ("byte", "date", "date-time", "double", "float", "int32", "int64", "password")
_REVIEW_VERSIONS: Final = ("v1", "v1beta1")
_SHARED: Final = ("schema", "subresources", "additionalPrinterColumns", "selectableFields")
"""Members of versions that move to the top if they are equal in all of them."""
_VERSION_MEMBERS: Final[dict[str, Any]] = {
    "name": "",
    "served": False,
    "storage": False,
    "deprecated": False,
    **dict.fromkeys(("deprecationWarning", "schema", "subresources", "additionalPrinterColumns", "selectableFields")),
}
_MIXED_CASE: Final = "may have mixed case, but should otherwise match: "
_SEE: Final = "see https://github.com/kubernetes/enhancements/pull/1111"


def validate_crd(crd: JsonObject, old: JsonObject | None = None) -> list[Cause]:
    """Return every reason why a CRD with defaults may not be created, or replace `old`.

    Of the metadata only the name is checked. Pure; raises nothing for a CRD with the types of its API.
    """
    spec, metadata = crd["spec"], crd.get("metadata") or {}
    names = spec.get("names") or {}
    found: list[Cause] = []
    if old is None and metadata.get("name") != f"{names.get('plural') or ''}.{spec.get('group') or ''}":
        detail = 'must be spec.names.plural+"."+spec.group'
        found.append(causes.invalid("metadata.name", metadata.get("name") or "", detail))
    found += _spec(spec)
    if old is not None:
        found += _immutable(spec, old)
    status = crd.get("status") or {}
    found += _names(status.get("acceptedNames") or {}, "status.acceptedNames")
    found += _stored_versions(status.get("storedVersions") or [], spec)
    found += _approval(crd, old)
    if spec.get("preserveUnknownFields") and not (old and old["spec"].get("preserveUnknownFields")):
        detail = (
            "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead"
        )
        found.append(causes.invalid("spec.preserveUnknownFields", True, detail))
    return found


def crd_warnings(crd: JsonObject, old: JsonObject | None = None) -> list[str]:
    """Return the warnings on an accepted CRD: what is new in its schemas, and the server does not check or support."""
    known = _unchecked_formats(old) if old is not None else []
    found = [f"unrecognized format {go_quote(name)}" for name in _unchecked_formats(crd) if name not in known]
    if imitated() < V1_37:
        return found
    sets = _set_types(crd) - (_set_types(old) if old is not None else set())
    why = "is not supported by server-side apply or CEL validation rules"
    return found + [f"{LIST_TYPE}: set for items of type {go_quote(each)} {why}" for each in sorted(sets)]


def _set_types(crd: JsonObject) -> set[str]:
    """Return the types of items that are no scalars, of the lists that are sets."""
    schemas = [(version.get("schema") or {}).get("openAPIV3Schema") for version in crd["spec"].get("versions") or ()]
    lists = [each for schema in schemas for each in _below(schema) if each.get(LIST_TYPE) == "set"]
    return {(each.get("items") or {}).get("type") for each in lists} & {"object", "array"}


def _unchecked_formats(crd: JsonObject) -> list[str]:
    schemas = [(version.get("schema") or {}).get("openAPIV3Schema") for version in crd["spec"].get("versions") or ()]
    return list(dict.fromkeys(name for schema in schemas for name in _formats_below(schema)))


def _formats_below(schema: Any) -> Iterator[str]:
    """Yield the unchecked formats of a schema and of its fields, items and map values."""
    for each in _below(schema):
        name = each.get("format") or ""
        types = ["integer", "string"] if each.get("x-kubernetes-int-or-string") else [each.get("type") or ""]
        if name and not is_checked(name, types):
            yield name


def _below(schema: Any) -> Iterator[JsonObject]:
    """Yield a schema, and those of its fields, items and map values."""
    if not isinstance(schema, dict):
        return
    yield schema
    for sub in [*(schema.get("properties") or {}).values(), schema.get("items"), schema.get("additionalProperties")]:
        yield from _below(sub)


def is_established(crd: JsonObject) -> bool:
    """Return whether a CRD's resources are served: its kind and scope cannot change any more."""
    conditions = (crd.get("status") or {}).get("conditions") or ()
    return any(each.get("type") == "Established" and each.get("status") == "True" for each in conditions)


def _spec(spec: JsonObject) -> Iterator[Cause]:
    yield from _group(spec.get("group") or "")
    yield from _one_of("spec.scope", spec.get("scope") or "", ("Cluster", "Namespaced"))
    versions = spec.get("versions") or []
    top = {name: versions[0].get(name) for name in _SHARED if _is_shared(versions, name)}
    schema = (top.get("schema") or {}).get("openAPIV3Schema")
    if schema is None:
        for at, version in enumerate(versions):
            if (version.get("schema") or {}).get("openAPIV3Schema") is None:
                yield causes.required(f"spec.versions[{at}].schema.openAPIV3Schema")
    yield from _versions(versions, top)
    yield from _required_names(spec.get("names") or {})
    yield from _names(spec.get("names") or {}, "spec.names")
    has_status = any(_has_status(version) for version in versions)
    if schema is not None:
        yield from validate_schema(schema, "spec.validation.openAPIV3Schema", has_status=has_status)
    yield from _subresources(top.get("subresources"), "spec.subresources")
    yield from _columns(top.get("additionalPrinterColumns") or [], "spec.additionalPrinterColumns")
    yield from _selectable_fields(top.get("selectableFields") or [], schema, "spec.selectableFields")
    yield from _conversion(spec.get("conversion") or {})


def _is_shared(versions: list[JsonObject], name: str) -> bool:
    return bool(versions) and all(version.get(name) == versions[0].get(name) for version in versions)


def _has_status(version: JsonObject) -> bool:
    return (version.get("subresources") or {}).get("status") is not None


def _group(group: str) -> Iterator[Cause]:
    if not group:
        yield causes.required("spec.group")
    elif problems := subdomain_problems(group):
        yield causes.invalid("spec.group", group, ",".join(problems))
    elif "." not in group:
        yield causes.invalid("spec.group", group, "should be a domain with at least one dot")


def _one_of(path: str, value: str, accepted: tuple[str, ...]) -> Iterator[Cause]:
    if not value:
        yield causes.required(path)
    elif value not in accepted:
        yield causes.not_supported(path, value, accepted)


def _versions(versions: list[JsonObject], top: JsonObject) -> Iterator[Cause]:
    for at, version in enumerate(versions):
        path = key("spec.versions", str(at))
        name = version.get("name") or ""
        if problems := label_1035_problems(name):
            yield causes.invalid(child(path, "name"), name, ",".join(problems))
        yield from _version({each: value for each, value in version.items() if each not in top}, version, path)
    names = [version.get("name") for version in versions]
    shown = Verbatim(f"[{','.join(_go_version(version, top) for version in versions)}]")
    if names and (problems := label_1035_problems(names[0] or "")):
        yield causes.invalid("spec.version", names[0], ",".join(problems))
    if len(set(names)) < len(names):
        yield causes.invalid("spec.versions", shown, "must contain unique version names")
    if sum(bool(version.get("storage")) for version in versions) != 1:
        yield causes.invalid("spec.versions", shown, "must have exactly one version marked as storage version")


def _go_version(version: JsonObject, top: JsonObject) -> str:
    """Return a version as Go prints its internal type, in which common members are not set."""
    texts = [
        f'"{name[0].upper()}{name[1:]}":{go_json(None if name in top else version.get(name, empty))}'
        for name, empty in _VERSION_MEMBERS.items()
    ]
    return f"{{{','.join(texts)}}}"


def _version(own: JsonObject, version: JsonObject, path: str) -> Iterator[Cause]:
    """Check the members of one version: `own` omits the common ones."""
    yield from _deprecation(version, child(path, "deprecationWarning"))
    schema = (own.get("schema") or {}).get("openAPIV3Schema")
    if schema is not None:
        at = child(path, "schema.openAPIV3Schema")
        yield from validate_schema(schema, at, has_status=_has_status(version))
    yield from _subresources(own.get("subresources"), child(path, "subresources"))
    yield from _columns(own.get("additionalPrinterColumns") or [], child(path, "additionalPrinterColumns"))
    fields = own.get("selectableFields") or []
    everywhere = schema or (version.get("schema") or {}).get("openAPIV3Schema")
    yield from _selectable_fields(fields, everywhere, child(path, "selectableFields"))


def _deprecation(version: JsonObject, path: str) -> Iterator[Cause]:
    warning = version.get("deprecationWarning")
    if warning is None:
        return
    if not version.get("deprecated"):
        yield causes.invalid(path, warning, "can only be set for deprecated versions")
        return
    if len(warning.encode()) > 256:
        yield causes.invalid(path, warning, "must be <= 256 characters long")
    if not warning:
        yield causes.invalid(path, warning, "must not be an empty string")
    for at, character in enumerate(warning):
        if character != " " and unicodedata.category(character)[0] in "CZ":
            offset = len(warning[:at].encode())
            detail = f"must only contain printable UTF-8 characters; non-printable character found at index {offset}"
            yield causes.invalid(path, warning, detail)
            return


def _required_names(names: JsonObject) -> Iterator[Cause]:
    for name in ("plural", "singular", "kind", "listKind"):
        if not names.get(name):
            yield causes.required(f"spec.names.{name}")


def _names(names: JsonObject, path: str) -> Iterator[Cause]:
    for name in ("plural", "singular", "kind", "listKind"):
        value = names.get(name) or ""
        mixed = name.lower().endswith("kind")
        problems = label_1035_problems(value.lower() if mixed else value) if value else []
        if problems:
            yield causes.invalid(child(path, name), value, (_MIXED_CASE if mixed else "") + ",".join(problems))
    for name in ("shortNames", "categories"):
        for at, value in enumerate(names.get(name) or ()):
            if problems := label_1035_problems(value):
                yield causes.invalid(key(child(path, name), str(at)), value, ",".join(problems))
    if names.get("kind") and names["kind"] == names.get("listKind"):
        yield causes.invalid(child(path, "listKind"), names["listKind"], "kind and listKind may not be the same")


def _subresources(subresources: JsonObject | None, path: str) -> Iterator[Cause]:
    scale = (subresources or {}).get("scale")
    if scale is None:
        return
    for name, prefixes, where in (
        ("specReplicasPath", (".spec.",), ".spec"),
        ("statusReplicasPath", (".status.",), ".status"),
        ("labelSelectorPath", (".spec.", ".status."), "either .spec or .status"),
    ):
        value, at = scale.get(name) or "", child(path, f"scale.{name}")
        if not value and name != "labelSelectorPath":
            yield causes.required(at)
        elif value and not value.startswith("."):
            yield causes.invalid(at, value, "must be a simple json path starting with .")
        elif value and not value.startswith(prefixes):
            yield causes.invalid(at, value, f"should be a json path under {where}")


def _columns(columns: list[JsonObject], path: str) -> Iterator[Cause]:
    for position, column in enumerate(columns):
        at = key(path, str(position))
        if not column.get("name"):
            yield causes.required(child(at, "name"))
        kind, detail = column.get("type") or "", f"must be one of {','.join(_COLUMN_TYPES)}"
        if not kind:
            yield causes.required(child(at, "type"), detail)
        elif kind not in _COLUMN_TYPES:
            yield causes.invalid(child(at, "type"), kind, detail)
        if column.get("format") and column["format"] not in _COLUMN_FORMATS:
            detail = f"must be one of {','.join(_COLUMN_FORMATS)}"
            yield causes.invalid(child(at, "format"), column["format"], detail)
        json_path = column.get("jsonPath") or ""
        if not json_path:
            yield causes.required(child(at, "JSONPath"))
        elif not json_path.startswith("."):
            yield causes.invalid(child(at, "JSONPath"), json_path, "must be a simple json path starting with .")


def _selectable_fields(fields: list[JsonObject], schema: JsonObject | None, path: str) -> Iterator[Cause]:
    seen: set[str] = set()
    for position, field in enumerate(fields):
        at, json_path = child(key(path, str(position)), "jsonPath"), field.get("jsonPath") or ""
        if not json_path:
            yield causes.required(at)
            continue
        try:
            found, target = find_field(json_path, schema or {}, brackets=False)
        except ValueError as exc:
            yield causes.invalid(at, json_path, f"is an invalid path: {exc}")
            continue
        if found.partition(".")[0] == "metadata":
            yield causes.invalid(at, json_path, "must not point to fields in metadata")
        if target.get("type") not in {"string", "boolean", "integer"}:
            detail = (
                "must point to a field of type string, boolean or integer. "
                "Enum string fields and strings with formats are allowed."
            )
            yield causes.invalid(at, json_path, detail)
        if found in seen:
            yield causes.duplicate(at, json_path)
        seen.add(found)
    if len(seen) > MAX_SELECTABLE_FIELDS:
        yield causes.too_many(path, len(seen), MAX_SELECTABLE_FIELDS)


def _conversion(conversion: JsonObject) -> Iterator[Cause]:
    path, strategy = "spec.conversion", conversion.get("strategy") or ""
    yield from _one_of(child(path, "strategy"), strategy, ("None", "Webhook"))
    webhook = conversion.get("webhook")
    config, config_path = (webhook or {}).get("clientConfig"), child(path, "webhookClientConfig")
    versions = (webhook or {}).get("conversionReviewVersions") or []
    if strategy != "Webhook":
        detail = "should not be set when strategy is not set to Webhook"
        if config is not None:
            yield causes.forbidden(config_path, detail)
        if versions:
            yield causes.forbidden(child(path, "conversionReviewVersions"), detail)
        return
    if config is None:
        yield causes.required(config_path, "required when strategy is set to Webhook")
    elif (config.get("url") is None) == (config.get("service") is None):
        yield causes.required(config_path, "exactly one of url or service is required")
    yield from _review_versions(versions, child(path, "conversionReviewVersions"))


def _review_versions(versions: list[str], path: str) -> Iterator[Cause]:
    if not versions:
        yield causes.required(path)
        return
    for at, version in enumerate(versions):
        if version in versions[:at]:
            yield causes.invalid(key(path, str(at)), version, "duplicate version")
            continue
        for problem in label_1035_problems(version):
            yield causes.invalid(key(path, str(at)), version, problem)
    if not set(versions) & set(_REVIEW_VERSIONS):
        yield causes.invalid(path, versions, f"must include at least one of {', '.join(_REVIEW_VERSIONS)}")


def _immutable(spec: JsonObject, old: JsonObject) -> Iterator[Cause]:
    before = old["spec"]
    pairs: list[tuple[str, Any, Any]] = []
    if is_established(old):
        pairs.append(("spec.scope", spec.get("scope"), before.get("scope")))
        pairs.append(("spec.names.kind", spec["names"].get("kind"), before["names"].get("kind")))
    pairs.append(("spec.group", spec.get("group"), before.get("group")))
    pairs.append(("spec.names.plural", spec["names"].get("plural"), before["names"].get("plural")))
    for path, new_value, old_value in pairs:
        if new_value != old_value:
            yield causes.invalid(path, new_value or "", "field is immutable")


def _stored_versions(stored: list[str], spec: JsonObject) -> Iterator[Cause]:
    path = "status.storedVersions"
    if not stored:
        yield causes.invalid(path, None, "must have at least one stored version")
        return
    missing = {name: at for at, name in enumerate(stored)}
    for version in spec.get("versions") or ():
        name = version.get("name") or ""
        if version.get("storage") and name not in missing:
            yield causes.invalid(path, stored, f"must have the storage version {name}")
        missing.pop(name, None)
    for name, at in missing.items():
        detail = (
            f"missing from spec.versions; {name} was previously a storage version, and must remain in spec.versions "
            f"until a storage migration ensures no data remains persisted in {name} and removes {name} from "
            "status.storedVersions"
        )
        yield causes.invalid(key(path, str(at)), name, detail)


def _approval(crd: JsonObject, old: JsonObject | None) -> Iterator[Cause]:
    """Check that an API in a group of the Kubernetes community is approved, to report accidental use."""
    group = crd["spec"].get("group") or ""
    protected = any(group == each or group.endswith(f".{each}") for each in ("k8s.io", "kubernetes.io"))
    value = _approval_of(crd)
    if not protected or (old is not None and _approval_state(_approval_of(old)) == _approval_state(value)):
        return
    path = f"metadata.annotations[{APPROVAL}]"
    state = _approval_state(value)
    if state == "missing":
        detail = f'protected groups must have approval annotation "{APPROVAL}", {_SEE}'
        yield causes.required(path, detail)
    elif state == "invalid":
        detail = (
            f'protected groups must have approval annotation "{APPROVAL}" with either a URL or a reason starting '
            f'with "unapproved", {_SEE}'
        )
        yield causes.invalid(path, value, detail)


def _approval_of(crd: JsonObject) -> str:
    return str(((crd.get("metadata") or {}).get("annotations") or {}).get(APPROVAL) or "")


def _approval_state(value: str) -> str:
    if not value:
        return "missing"
    if value.startswith("unapproved"):
        return "bypassed"
    parts = urlsplit(value)
    return "approved" if parts.scheme and parts.netloc else "invalid"

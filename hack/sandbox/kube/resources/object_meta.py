"""The rules for `metadata` of all kinds: values that the server sets, errors and warnings.

Sources: k8s.io/apimachinery pkg/api/validation/objectmeta.go and k8s.io/apiserver pkg/registry/rest.
"""

import json
import random
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from hack.sandbox.kube.wire import names
from hack.sandbox.kube.wire.causes import Cause, forbidden, go_quote, invalid, required, too_long
from hack.sandbox.kube.wire.release import V1_37, imitated

Json = dict[str, Any]
NameRule = Callable[[str], list[str]]

SUFFIX_ALPHABET: Final = "bcdfghjklmnpqrstvwxz2456789"
"""Letters and digits of generated names, without those that form words or look alike."""
SUFFIX_LENGTH: Final = 5
GENERATED_PREFIX_MAX: Final = 63 - SUFFIX_LENGTH
ANNOTATIONS_MAX: Final = 256 * 1024
ORPHAN: Final = "orphan"
FOREGROUND: Final = "foregroundDeletion"
_STANDARD_FINALIZERS: Final = frozenset({"kubernetes", ORPHAN, FOREGROUND})
_OWNER_FIELDS: Final = ("apiVersion", "kind", "name", "uid", "controller", "blockOwnerDeletion")


def timestamp() -> str:
    """Return the current time as `metav1.Time` writes it: UTC, whole seconds."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def fill_new(meta: Json, namespace: str) -> None:
    """Set the server's values in a new object, and a generated name on request."""
    for field in ("selfLink", "deletionTimestamp", "deletionGracePeriodSeconds", "generation"):
        meta.pop(field, None)
    meta["uid"] = str(uuid.uuid4())
    meta["creationTimestamp"] = timestamp()
    if namespace:
        meta["namespace"] = namespace
    prefix = meta.get("generateName")
    if prefix and not meta.get("name"):
        suffix = "".join(random.choices(SUFFIX_ALPHABET, k=SUFFIX_LENGTH))
        meta["name"] = prefix[:GENERATED_PREFIX_MAX] + suffix


def carry_over(meta: Json, old: Json) -> None:
    """On update, keep values that a client cannot change and may omit."""
    if "generation" in old:
        meta["generation"] = old["generation"]
    else:
        meta.pop("generation", None)
    meta.setdefault("uid", old["uid"])
    meta["creationTimestamp"] = old["creationTimestamp"]
    if "deletionTimestamp" in old:
        meta["deletionTimestamp"] = old["deletionTimestamp"]
    if "deletionGracePeriodSeconds" in old:
        meta.setdefault("deletionGracePeriodSeconds", old["deletionGracePeriodSeconds"])


def validate_new(meta: Json, *, namespaced: bool, name_rule: NameRule = names.subdomain_problems) -> list[Cause]:
    """Return the findings on the metadata of a new object, after its name was generated."""
    causes: list[Cause] = []
    prefix, name = meta.get("generateName", ""), meta.get("name", "")
    if prefix:
        # A prefix may end in a dash: only the resulting name matters.
        masked = f"{prefix[:-1]}a" if prefix.endswith("-") and len(prefix) > 1 else prefix
        causes += [invalid("metadata.generateName", prefix, problem) for problem in name_rule(masked)]
    if not name:
        causes.append(required("metadata.name", "name or generateName is required"))
    causes += [invalid("metadata.name", name, problem) for problem in (name_rule(name) if name else ())]
    if namespaced and not meta.get("namespace"):
        causes.append(required("metadata.namespace"))
    elif not namespaced and meta.get("namespace"):
        causes.append(forbidden("metadata.namespace", "not allowed on this type"))
    return [*causes, *_common(meta), *_finalizers(meta.get("finalizers", []))]


def validate_update(meta: Json, old: Json) -> list[Cause]:
    """Return the findings on changed metadata."""
    causes: list[Cause] = []
    if "deletionTimestamp" in old:
        extra = sorted(set(meta.get("finalizers", ())) - set(old.get("finalizers", ())))
        if extra:
            found = f"[]string{{{', '.join(map(go_quote, extra))}}}"
            why = "no new finalizers can be added if the object is being deleted, found new finalizers"
            causes.append(forbidden("metadata.finalizers", f"{why} {found}"))
    if not meta.get("resourceVersion"):
        causes.append(invalid("metadata.resourceVersion", "", "must be specified for an update"))
    for field in ("name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"):
        if meta.get(field) != old.get(field):
            causes += [invalid(f"metadata.{field}", meta.get(field), "field is immutable")]
    return [*causes, *_common(meta), *_finalizers(meta.get("finalizers", []))]


def finalizer_warnings(meta: Json, old: Json | None = None) -> list[str]:
    """Return warnings for finalizers without a domain, which may clash with others."""
    added = sorted(set(meta.get("finalizers", ())) - set((old or {}).get("finalizers", ())))
    advice = "prefer a domain-qualified finalizer name to avoid accidental conflicts with other finalizer writers"
    return [
        f"metadata.finalizers: {go_quote(name)}: {advice}"
        for name in added
        if "/" not in name and name not in _STANDARD_FINALIZERS
    ]


def unqualified_finalizers(meta: Json) -> list[Cause]:
    """Return errors for finalizers without a domain in built-in kinds; for custom resources they are warnings."""
    why = "name is neither a standard finalizer name nor is it fully qualified"
    return [
        invalid(f"metadata.finalizers[{index}]", name, why)
        for index, name in enumerate(meta.get("finalizers", ()))
        if "/" not in name and name not in _STANDARD_FINALIZERS
    ]


def drop_duplicate_owners(meta: Json, when: str = "") -> list[str]:
    """Remove repeated owner references; returns a warning if there were any. `when`: the preceding step of a patch."""
    owners = meta.get("ownerReferences")
    if not owners or len({json.dumps(o, sort_keys=True) for o in owners}) == len(owners):
        return []
    meta["ownerReferences"] = [owner for index, owner in enumerate(owners) if owner not in owners[:index]]
    twice = sorted({owner.get("uid", "") for index, owner in enumerate(owners) if owner in owners[:index]})
    told = "API server dedups owner references in 1.20+, and may reject such requests as early as 1.24"
    wrong = f".metadata.ownerReferences contains duplicate entries{when}"
    return [f"{wrong}; {told}; please fix your requests; duplicate UID(s) observed: {', '.join(twice)}"]


def _common(meta: Json) -> list[Cause]:
    causes: list[Cause] = []
    for key, value in meta.get("labels", {}).items():
        causes += [invalid("metadata.labels", key, problem) for problem in names.label_key_problems(key)]
        causes += [invalid("metadata.labels", value, problem) for problem in names.label_value_problems(value)]
    annotations: dict[str, str] = meta.get("annotations", {})
    for key in annotations:
        problems = names.label_key_problems(key.lower())
        causes += [invalid("metadata.annotations", key, problem) for problem in problems]
    if sum(len(k.encode()) + len(v.encode()) for k, v in annotations.items()) > ANNOTATIONS_MAX:
        causes.append(too_long("metadata.annotations", ANNOTATIONS_MAX))
    return causes + _owners(meta.get("ownerReferences", []))


def _owners(owners: list[Json]) -> list[Cause]:
    path = "metadata.ownerReferences"
    causes: list[Cause] = []
    controller = ""
    for index, owner in enumerate(owners):
        of_one = path if imitated() < V1_37 else f"{path}[{index}]"
        causes += _owner_fields(owner, of_one)
        if owner.get("apiVersion") == "v1" and owner.get("kind") == "Event":
            causes.append(_owner_cause(owner, "/v1, Kind=Event is disallowed from being an owner", of_one))
        if owner.get("controller"):
            this = f"{owner.get('kind', '')}/{owner.get('name', '')}"
            if controller:
                rule = "Only one reference can have Controller set to true. Found"
                causes.append(_owner_cause(owners, f'{rule} "true" in references for {controller} and {this}'))
            controller = controller or this
    return causes


def _owner_fields(owner: Json, path: str) -> list[Cause]:
    """Return errors for the fields that every owner reference has (apimachinery pkg/api/validation/objectmeta.go)."""
    version = owner.get("apiVersion", "")
    is_unfit = not version or version.endswith("/") or version.count("/") > 1
    empty = [field for field in ("kind", "name", "uid") if not owner.get(field)]
    if imitated() < V1_37:
        causes = [invalid(f"{path}.apiVersion", version, "version must not be empty")] if is_unfit else []
        return causes + [invalid(f"{path}.{field}", "", "must not be empty") for field in empty]
    causes = [invalid(f"{path}.apiVersion", version, "must be <group>/<version> or <version>")] if is_unfit else []
    if not version:
        causes = [required(f"{path}.apiVersion", "must not be empty")]
    return causes + [required(f"{path}.{field}", "must not be empty") for field in empty]


def _owner_cause(value: Json | list[Json], why: str, path: str = "metadata.ownerReferences") -> Cause:
    """Return the cause; owner references are printed in the order of their Go struct, not sorted."""
    listed = value if isinstance(value, list) else [value]
    ordered: Any = [{field: owner[field] for field in _OWNER_FIELDS if field in owner} for owner in listed]
    shown = json.dumps(ordered if isinstance(value, list) else ordered[0], separators=(",", ":"))
    return Cause("FieldValueInvalid", f"Invalid value: {shown}: {why}", path)


def _finalizers(finalizers: list[str]) -> list[Cause]:
    path = "metadata.finalizers"
    causes = [invalid(path, name, problem) for name in finalizers for problem in names.label_key_problems(name)]
    if ORPHAN in finalizers and FOREGROUND in finalizers:
        why = f"finalizer {ORPHAN} and {FOREGROUND} cannot be both set"
        causes.append(invalid(path, finalizers, why))
    return causes

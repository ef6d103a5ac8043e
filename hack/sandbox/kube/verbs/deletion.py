"""DELETE: preconditions, finalizers, propagation policies, collections.

Source: k8s.io/apiserver pkg/registry/rest/delete.go and pkg/registry/generic/registry/store.go.
"""

from dataclasses import replace
from typing import Any

from hack.sandbox.kube.resources.conditions import set_condition
from hack.sandbox.kube.resources.object_meta import FOREGROUND, ORPHAN, timestamp
from hack.sandbox.kube.store.storage import Entry, clone
from hack.sandbox.kube.verbs.calls import Call, Page
from hack.sandbox.kube.verbs.registry import NAMESPACES, Registry
from hack.sandbox.kube.wire import errors
from hack.sandbox.kube.wire.options import DeleteOptions, ListOptions

Json = dict[str, Any]

IMMORTAL = frozenset({"default", "kube-system", "kube-public"})
CRDS = "apiextensions.k8s.io/customresourcedefinitions"
CRD_FINALIZER = "customresourcecleanup.apiextensions.k8s.io"


def delete(registry: Registry, call: Call, options: DeleteOptions) -> tuple[int, Json]:
    """Delete one object, or mark it for deletion. Returns the HTTP status and the body. Raises StatusError."""
    resource = call.resource
    if resource.collection == NAMESPACES and call.name in IMMORTAL:
        raise errors.forbidden("", resource.plural, call.name, "this namespace may not be deleted")
    entry = registry.entry(call)
    _check_preconditions(call, entry, options)
    if resource.collection == NAMESPACES:
        marked = _mark_namespace(entry.obj)
    elif resource.collection == CRDS:
        marked = _mark_crd(entry.obj)
    else:
        marked = _mark(entry.obj, options)
    if marked is not None:
        if marked is not entry.obj and not options.dry_run:
            entry = registry.storage.put(resource.collection, entry.key, marked)
            marked = entry.obj
        return 202 if options.orphan is False else 200, resource.strategy.to_served(marked)
    if not options.dry_run:
        entry = registry.storage.delete(resource.collection, entry.key)
    if resource.strategy.returns_deleted:
        return 200, registry.served(resource, entry)
    details = {**errors.about(resource.group, resource.plural, call.name), "uid": entry.obj["metadata"]["uid"]}
    return 200, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}


def delete_collection(registry: Registry, call: Call, selection: ListOptions, options: DeleteOptions) -> Page:
    """Delete all selected objects; returns their last states."""
    page = registry.list_page(call.resource, call.namespace, selection)
    for entry in page.entries:
        one = Call(call.resource, call.namespace, entry.obj["metadata"]["name"])
        delete(registry, one, options)
    return replace(page, revision=registry.storage.revision)


def _check_preconditions(call: Call, entry: Entry, options: DeleteOptions) -> None:
    meta, resource = entry.obj["metadata"], call.resource
    why = ""
    if options.uid is not None and options.uid != meta["uid"]:
        why = (
            f"the UID in the precondition ({options.uid}) does not match the UID in record ({meta['uid']}). "
            "The object might have been deleted and then recreated"
        )
    elif options.resource_version is not None and options.resource_version != meta["resourceVersion"]:
        why = (
            f"the ResourceVersion in the precondition ({options.resource_version}) does not match the ResourceVersion "
            f"in record ({meta['resourceVersion']}). The object might have been modified"
        )
    if why:
        raise errors.conflict(resource.group, resource.kind, call.name, why)


def _mark(obj: Json, options: DeleteOptions) -> Json | None:
    """Return the object marked for deletion, the same object if unchanged, None if it can be deleted at once."""
    meta = obj["metadata"]
    current: list[str] = meta.get("finalizers", [])
    wanted = [name for name in current if name not in (ORPHAN, FOREGROUND)]
    policy = _policy(current, options)
    if policy == "Orphan":
        wanted.append(ORPHAN)
    elif policy == "Foreground":
        wanted.append(FOREGROUND)
    if not wanted:
        return None
    if "deletionTimestamp" in meta and set(wanted) == set(current):
        return obj
    marked = clone(obj)
    meta = marked["metadata"]
    meta["finalizers"] = wanted
    if "deletionTimestamp" not in meta:
        meta["deletionTimestamp"] = timestamp()
        meta["deletionGracePeriodSeconds"] = 0
        if "generation" in meta:
            meta["generation"] += 1
    return marked


def _policy(finalizers: list[str], options: DeleteOptions) -> str:
    """Return the propagation policy: the request's, else by the finalizers, else background."""
    if options.orphan is not None:
        return "Orphan" if options.orphan else "Background"
    if options.policy is not None:
        return options.policy
    return next(("Orphan" if n == ORPHAN else "Foreground" for n in finalizers if n in (ORPHAN, FOREGROUND)), "")


def _mark_namespace(obj: Json) -> Json | None:
    """Mark a namespace: it is deleted when the namespace controller has emptied it and removed the spec's finalizer."""
    if not obj["spec"].get("finalizers") and not obj["metadata"].get("finalizers"):
        return None
    if "deletionTimestamp" in obj["metadata"]:
        return obj
    marked = clone(obj)
    marked["metadata"]["deletionTimestamp"] = timestamp()
    marked["status"]["phase"] = "Terminating"
    return marked


def _mark_crd(obj: Json) -> Json | None:
    """Mark a CRD: it is deleted when all of its objects are deleted."""
    if "deletionTimestamp" in obj["metadata"]:
        return obj if obj["metadata"].get("finalizers") else None
    marked = clone(obj)
    meta = marked["metadata"]
    meta["deletionTimestamp"] = timestamp()
    meta["finalizers"] = list(dict.fromkeys([*meta.get("finalizers", ()), CRD_FINALIZER]))
    message = "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon"
    set_condition(marked["status"], "Terminating", "True", "InstanceDeletionPending", message)
    return marked

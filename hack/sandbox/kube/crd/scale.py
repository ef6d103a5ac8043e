"""The scale subresource: a view of the replicas of an object, as autoscaling/v1 Scale.

Source: k8s.io/apiextensions-apiserver pkg/registry/customresource/etcd.go and pkg/registry/apps/deployment/storage.
"""

from typing import Any

from hack.sandbox.kube.builtin.printers import format_selector
from hack.sandbox.kube.builtin.schemas import schema_of
from hack.sandbox.kube.crd.custom_resources import CustomStrategy
from hack.sandbox.kube.patch import PatchError, json_patch, merge
from hack.sandbox.kube.resources.resource import JSON_PATCH
from hack.sandbox.kube.store.storage import clone
from hack.sandbox.kube.verbs.calls import Body, Call
from hack.sandbox.kube.verbs.registry import Registry, check_name
from hack.sandbox.kube.wire import errors, json_path, typed
from hack.sandbox.kube.wire.causes import invalid

Json = dict[str, Any]

_SHAPE = "io.k8s.api.autoscaling.v1.Scale"
_DEFAULT_PATHS = {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}


def read(registry: Registry, call: Call) -> Json:
    """Return the Scale of an object. Raises StatusError."""
    return _view(call, registry.served(call.resource, registry.entry(call)))


def replace(registry: Registry, call: Call, body: Body) -> Json:
    """PUT: set the replicas."""
    if body.error or not isinstance(body.value, dict):
        raise errors.bad_request(f"couldn't get version/kind; json parse error: {body.error}")
    return _write(registry, call, body.value)


def patch(registry: Registry, call: Call, patch_type: str, body: Body) -> Json:
    """PATCH: set the replicas. Merge and strategic patches are the same on a Scale: it has no lists."""
    view = read(registry, call)
    try:
        changed = json_patch(view, body.value) if patch_type == JSON_PATCH else merge(view, body.value)
    except PatchError as exc:
        raise errors.StatusError(exc.code, exc.reason or None, exc.message) from exc
    return _write(registry, call, changed)


def _paths(call: Call) -> Json:
    strategy = call.resource.strategy
    declared = strategy.scale if isinstance(strategy, CustomStrategy) else None
    return {**_DEFAULT_PATHS, **(declared or {})}


def _view(call: Call, obj: Json) -> Json:
    paths, meta = _paths(call), obj["metadata"]
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    view: Json = {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {field: meta[field] for field in kept if field in meta},
        "spec": {},
        "status": {"replicas": _number(paths["statusReplicasPath"], obj)},
    }
    if not call.resource.builtin and not json_path.find(paths["specReplicasPath"], obj):
        why = f'the spec replicas field "{paths["specReplicasPath"]}" does not exist'
        raise errors.StatusError(
            500, "InternalError", f"Internal error occurred: {why}", {"causes": [{"message": why}]}
        )
    replicas = _number(paths["specReplicasPath"], obj)
    if replicas:
        view["spec"]["replicas"] = replicas
    selector = _selector(paths, obj)
    if selector:
        view["status"]["selector"] = selector
    return view


def _number(path: str, obj: Json) -> int:
    found = json_path.find(path, obj)
    return found[0] if found and isinstance(found[0], int) else 0


def _selector(paths: Json, obj: Json) -> str:
    if "labelSelectorPath" in paths:
        found = json_path.find(paths["labelSelectorPath"], obj)
        return str(found[0]) if found else ""
    selector = obj.get("spec", {}).get("selector")
    return format_selector(selector) if isinstance(selector, dict) and "matchLabels" in selector else ""


def _write(registry: Registry, call: Call, scale: Json) -> Json:
    try:
        wanted, _ = typed.decode(schema_of(_SHAPE), scale)
    except typed.DecodeError as exc:
        why = f'Scale in version "v1" cannot be handled as a Scale: {exc}'
        raise errors.bad_request(why) from exc
    check_name(call, wanted)
    replicas = wanted.get("spec", {}).get("replicas", 0)
    if replicas < 0 and call.resource.builtin:
        cause = invalid("spec.replicas", replicas, "must be greater than or equal to 0")
        raise errors.invalid("autoscaling", "Scale", call.name, [cause])
    entry = registry.entry(call)
    live = clone(registry.served(call.resource, entry))
    new = clone(live)
    target = new
    *parents, last = _paths(call)["specReplicasPath"].strip(".").split(".")
    for name in parents:
        target = target.setdefault(name, {})
    target[last] = replicas
    new["metadata"]["resourceVersion"] = (
        wanted["metadata"].get("resourceVersion") or live["metadata"]["resourceVersion"]
    )
    main = Call(call.resource, call.namespace, call.name, "", call.options, recorded_as="scale")
    return _view(call, registry.store_changed(main, entry, live, new))

"""Finds the objects of the cluster that decide whether AWS accepts an object's request, e.g. a transform job's model.

AWS says in many wordings that something is missing or in the way, and such refusals are tried again after minutes.
Where an object of the cluster stands for it, the message names that object, and its change ends the wait.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, Protocol, TypeAlias

from api.annotations import CREATED_NAMES
from api.descriptor import KindDescriptor
from api.meta import JsonObject, ObjectKey
from api.naming import sagemaker_name
from api.references import Reference
from api.v1 import ENDPOINT_CONFIG, KINDS, MODEL, MODEL_PACKAGE
from controller.reconcile.ports import NoObjects, ObjectReader
from controller.reconcile.served import Served
from controller.reconcile.status.copies import own_status
from controller.reconcile.status.patch import is_controlled, tried_in
from controller.runtime.cache.handlers import KeysOf, VersionChanged
from controller.runtime.cache.store import Snapshot, Store

NAMES: Final = "names"
"""Index of objects that others may name by `namespace/name`, with each name by which they may."""
REFERENCES: Final = "references"
"""Index of objects by `kind namespace/name` of the objects that their spec names."""
MODEL_NAMES_FIELD: Final = "modelNames"
"""Status field of an EndpointConfig: the Models that it names by their objects, so that a name which was an object's is
not taken for SageMaker's once the object is gone."""
PACKAGE_NAMES_FIELD: Final = "modelPackageNames"
"""Status field of a Model: the same of packages. What a name stood for is used as long as its object is gone."""
NOTED: Final = {
    ENDPOINT_CONFIG.kind: (MODEL.kind, MODEL_NAMES_FIELD),
    MODEL.kind: (MODEL_PACKAGE.kind, PACKAGE_NAMES_FIELD),
}
"""By kind, the kind of the named objects that a status notes, and the field."""
ENDPOINTS: Final = "endpoints"
"""Index of policies by `namespace/endpointName`, as the spec has it."""

SCALED_COMPONENTS: Final = "scaled-components"
"""Index of policies by `namespace/inferenceComponentName`, as the spec has it."""
COMPONENT: Final = "inferenceComponentName"
"""Field of an entry of a policy's `resourceId`."""

_BY_KIND: Final = {each.kind: each for each in KINDS}

NamesIn: TypeAlias = Callable[[JsonObject], Iterable[str]]
"""Returns the names that an object's spec refers to."""


@dataclass(frozen=True, slots=True)
class Dependency:
    """An object that another one depends on."""

    hint: str
    """For users: what may be the cause of a refusal; empty if nothing is wrong with it."""
    state: str
    """Changes when AWS may decide otherwise."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """What the names in a spec stand for."""

    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By kind, the names at SageMaker by those of objects; any other name is SageMaker's own."""
    waits_for: str = ""
    """For users: what has to be there, or to end, before SageMaker can take the names; empty: nothing."""


UNRESOLVED: Final = Resolution()


class Dependencies(Protocol):
    """Finds what an object depends on. Thread-safe, reads stores only."""

    def of(self, obj: JsonObject) -> tuple[Dependency, ...]:
        """Return the dependencies of an object, those that the cluster knows."""
        ...

    def resolve(self, obj: JsonObject) -> Resolution:
        """Return the SageMaker names of the objects that a spec names, and for which of them it has to wait."""
        ...


class NoDependencies:
    """`Dependencies` of kinds that refer to no other objects."""

    def of(self, obj: JsonObject) -> tuple[Dependency, ...]:  # noqa: ARG002 (the port's signature)
        """Return none."""
        return ()

    def resolve(self, obj: JsonObject) -> Resolution:  # noqa: ARG002 (the port's signature)
        """Return that no name is another's."""
        return UNRESOLVED


class ReferencedObjects:
    """The objects that the references of a spec name, see `KindDescriptor.references`."""

    def __init__(self, descriptor: KindDescriptor, readers: Mapping[str, ObjectReader]) -> None:
        """`readers` is by kind; where one is missing, every name is SageMaker's."""
        self._references = descriptor.references
        self._readers = readers

    def of(self, obj: JsonObject) -> tuple[Dependency, ...]:
        """See `Dependencies.of`."""
        return tuple(
            _dependency(reference, found, name)
            for reference, name in self._named_by(obj)
            for found in self._reader(reference).by_index(NAMES, f"{_namespace(obj)}/{name}")
            if found["metadata"]["uid"] != obj["metadata"]["uid"]
        )

    def resolve(self, obj: JsonObject) -> Resolution:
        """See `Dependencies.resolve`. What the operator creates for its own objects has SageMaker's names already."""
        is_child = is_controlled(obj["metadata"])
        if is_child and not any(each.is_passed_on for each in self._references):
            return UNRESOLVED
        kept = {
            str(each.get("name")): str(each.get("value"))
            for each in reversed((obj.get("status") or {}).get(PACKAGE_NAMES_FIELD) or ())  # the newest comes first
        }
        names: dict[str, dict[str, str]] = {}
        waits_for: list[str] = []
        noted = {(MODEL.kind, each.get("name")) for each in (obj.get("status") or {}).get(MODEL_NAMES_FIELD) or ()}
        for reference, name in self._named_by(obj):
            if is_child and not reference.is_passed_on:
                continue
            found = self._reader(reference).get(ObjectKey(_namespace(obj), name))
            if reference.is_passed_on and name in kept and (is_child or found is None):
                names.setdefault(reference.kind, {})[name] = kept[name]
                continue
            if found is not None and found["metadata"]["uid"] != obj["metadata"]["uid"]:
                there, wait = name_at_sagemaker(_BY_KIND[reference.kind], found), _wait(reference, found)
                names.setdefault(reference.kind, {})[name] = there or name
                waits_for += [wait] if wait else []
            elif (reference.kind, name) in noted:
                waits_for.append(f"{reference.kind} {_namespace(obj)}/{name}, which does not exist any more")
        return Resolution(names, "; ".join(dict.fromkeys(waits_for)))

    def _named_by(self, obj: JsonObject) -> Iterator[tuple[Reference, str]]:
        spec = obj.get("spec") or {}
        for reference in self._references:
            yield from ((reference, name) for name in dict.fromkeys(reference.names_in(spec)))

    def _reader(self, reference: Reference) -> ObjectReader:
        return self._readers.get(reference.kind) or NoObjects()


def name_at_sagemaker(descriptor: KindDescriptor, obj: JsonObject) -> str:
    """Return the SageMaker name of what an object has created or shows; empty while there is nothing."""
    status = own_status(descriptor, obj)
    return "" if tried_in(status) else str(status.get(descriptor.name.status_field) or "")


def _wait(reference: Reference, found: JsonObject) -> str:
    """Return what a user of the object waits for, for users; empty if SageMaker takes its name."""
    descriptor, key = _BY_KIND[reference.kind], ObjectKey.of(found)
    who, status = f"{reference.kind} {key}", own_status(descriptor, found)
    if found["metadata"].get("deletionTimestamp"):
        return f"{who}, which is being deleted"
    if not name_at_sagemaker(descriptor, found):
        return f"{who}, which is not created at SageMaker yet"
    value = status.get(descriptor.status.field)
    if reference.must_have_ended and value not in descriptor.status.terminal:
        return f"{who} to end, which is {value or 'not seen yet'}"
    if reference.states and value not in reference.states:
        return f"{who} to be {' or '.join(sorted(reference.states))}, which is {value or 'not seen yet'}"
    return ""


def _dependency(reference: Reference, found: JsonObject, name: str) -> Dependency:
    descriptor, key = _BY_KIND[reference.kind], ObjectKey.of(found)
    there = name_at_sagemaker(descriptor, found)
    hint = ""
    if not (there and (found.get("status") or {}).get("awsResource")):
        hint = f"{reference.kind} {key} is not created at SageMaker yet"
    elif name not in {there, key.name}:
        hint = f"{reference.kind} {key} has the name {there} at SageMaker"
    return Dependency(hint, f"{found['metadata']['uid']} {there} {bool(hint)} {_wait(reference, found)}")


class PolicyDependencies(NoDependencies):
    """The autoscaling policies of endpoints, other than the object itself."""

    def __init__(self, policies: ObjectReader, names_in: NamesIn) -> None:
        self._policies = policies
        self._names_in = names_in

    def of(self, obj: JsonObject) -> tuple[Dependency, ...]:
        """See `Dependencies.of`."""
        found = {
            policy["metadata"]["uid"]: policy
            for name in self._names_in(obj)
            for policy in self._policies.by_index(ENDPOINTS, f"{_namespace(obj)}/{name}")
        }
        found.pop(obj["metadata"]["uid"], None)
        return tuple(_policy_dependency(found[uid]) for uid in sorted(found))


def _policy_dependency(policy: JsonObject) -> Dependency:
    ids = (policy.get("status") or {}).get("resourceIDList") or ()
    hint = f"HostingAutoscalingPolicy {ObjectKey.of(policy)} scales variants of the endpoint" if ids else ""
    metadata = policy["metadata"]
    return Dependency(hint, f"{metadata['uid']} {metadata.get('generation')} {sorted(map(str, ids))}")


# --- indexes and watches


class StateChanged(VersionChanged):
    """Drops additions, too: what was just added has no state at AWS, and after a restart every object has its pass."""

    def passes_add(self, obj: Snapshot) -> bool:  # noqa: ARG002 (see the base class)
        """See `Predicate.passes_add`."""
        return False


def names(descriptor: KindDescriptor, obj: JsonObject) -> Iterator[str]:
    """Index function for `NAMES`, once the kind is bound: the object's own name, and those at SageMaker."""
    metadata = obj["metadata"]
    own, uid, namespace = metadata["name"], metadata.get("uid") or "", _namespace(obj)
    status, claims = obj.get("status") or {}, (metadata.get("annotations") or {}).get(CREATED_NAMES.key) or ""
    found = {own, sagemaker_name(own, uid, descriptor.name.max_length)}
    found.add(str(status.get(descriptor.name.status_field) or own))
    yield from (f"{namespace}/{name}" for name in sorted({*found, *_quoted(claims)}))


def _quoted(text: str) -> Iterable[str]:
    """Return what is in quotes in a JSON object of names: those of contents are no names, and do no harm."""
    return text.split('"')[1::2]


def references(descriptor: KindDescriptor, obj: JsonObject) -> Iterator[str]:
    """Index function for `REFERENCES`, once the kind is bound."""
    spec = obj.get("spec") or {}
    for reference in descriptor.references:
        yield from (f"{reference.kind} {_namespace(obj)}/{name}" for name in dict.fromkeys(reference.names_in(spec)))


def users_of(referred: KindDescriptor, users: Store) -> KeysOf:
    """Return the function from an object of the kind `referred` to the objects in `users` that refer to it."""
    return partial(_users_of, referred, users)


def _users_of(referred: KindDescriptor, users: Store, obj: Snapshot) -> list[ObjectKey]:
    found = names(referred, obj.decode())
    return [key for name in found for key in users.index_keys(REFERENCES, f"{referred.kind} {name}")]


def endpoint_names(policy: JsonObject) -> Iterator[str]:
    """Return the endpoints that the spec of an autoscaling policy names: deployments, or names at SageMaker."""
    yield from filter(None, map(endpoint_name, variants_of(policy.get("spec") or {})))


def variants_of(spec: Mapping[str, Any]) -> Sequence[Any]:
    """Return the variants of a policy's spec, unchecked; none if it is no list, which the conversion reports."""
    entries = spec.get("resourceId")
    return entries if isinstance(entries, list) else ()


def endpoint_name(variant: Any) -> str:
    """Return the endpoint that a variant of a policy's spec names; empty if it names none."""
    name = variant.get("endpointName") if isinstance(variant, Mapping) else ""
    return name if isinstance(name, str) else ""


def component_name(entry: Any) -> str:
    """Return the inference component that an entry of a policy's spec names; empty if it names none."""
    name = entry.get(COMPONENT) if isinstance(entry, Mapping) else ""
    return name if isinstance(name, str) else ""


def deployment_names(deployment: JsonObject) -> Iterator[str]:
    """Return the names by which an autoscaling policy may refer to a deployment."""
    yield deployment["metadata"]["name"]
    if name := (deployment.get("status") or {}).get("endpointName"):
        yield str(name)


def deployments_of_policy(policy: Snapshot) -> list[ObjectKey]:
    """Return the deployments of the endpoints that a policy scales: an update may wait until it does not."""
    return [ObjectKey(policy.key.namespace, name) for name in dict.fromkeys(endpoint_names(policy.decode()))]


def fellow_policies(policies: Served) -> KeysOf:
    """Return the function from a policy to the others of the same endpoints: AWS may refuse one for the other."""
    return partial(_fellow_policies, policies.store)


def _fellow_policies(store: Store, policy: Snapshot) -> list[ObjectKey]:
    names = dict.fromkeys(endpoint_names(policy.decode()))
    keys = (key for name in names for key in store.index_keys(ENDPOINTS, f"{policy.key.namespace}/{name}"))
    return [key for key in keys if key != policy.key]


def _namespace(obj: JsonObject) -> str:
    namespace: str = obj["metadata"].get("namespace") or ""
    return namespace

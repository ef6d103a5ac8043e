"""Matches the children that a HostingDeployment wants with those that exist.

A child is named by a digest of its content, so that an edit that changes nothing for SageMaker makes no new child
(D-13). What the predecessor named by generation is recognised by its content. Pure.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from api.annotations import DRIFT_POLICY, RECONCILE_AT
from api.descriptor import KindDescriptor
from api.hosting import Resolved
from api.meta import API_VERSION, FINALIZER, GROUP, JsonObject
from api.naming import CHILD_MAX_LENGTH, child_name, join_name
from api.v1 import ENDPOINT_CONFIG, HOSTING_DEPLOYMENT, MODEL
from controller.aws.errors import CallError
from controller.reconcile import reasons
from controller.reconcile.drift.digest import content, digest, plain
from controller.reconcile.observation import Recorded
from controller.reconcile.status.copies import own_claims, own_status
from controller.reconcile.status.patch import RESOURCE_ANNOTATION, noted_resource, resource_fields

OWNER_NAMESPACE: Final = "owner_HostingDeployment_namespace"
OWNER_NAME: Final = "owner_HostingDeployment_name"
"""Labels of children, as the predecessor has them (v1-kinds.md 5)."""
MODEL_LABEL: Final = f"{GROUP}/model"
"""Label of child Models: their name within the deployment."""

_ORPHAN: Final = "orphan"
"""Finalizer that the API server sets for `--cascade=orphan`, until the garbage collector has let the children go."""
_LABEL_LIMIT: Final = 63
_HOW: Final = ("DeploymentConfig", "RetainAllVariantProperties", "ExcludeRetainedVariantProperties")
"""Members of UpdateEndpoint that say how to update, not what to serve: they alone cause no update (D-13)."""


COUNT: Final = "DesiredInstanceCount"
WEIGHT: Final = "DesiredWeight"
"""Properties of a variant, as `VariantPropertyType` has them."""


class LazyContent(Mapping[str, Any]):
    """The content of a child's spec, converted once, on first access; empty if it cannot be converted.

    Only children that may match the spec are accessed; none while a deployment is being deleted.
    """

    def __init__(self, descriptor: KindDescriptor, spec: Mapping[str, Any]) -> None:
        self._descriptor = descriptor
        self._spec = spec
        self._converted: Mapping[str, Any] | None = None

    def __getitem__(self, name: str) -> Any:
        return self._content[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._content)

    def __len__(self) -> int:
        return len(self._content)

    @property
    def _content(self) -> Mapping[str, Any]:
        if self._converted is None:
            try:
                self._converted = content(self._descriptor, self._spec)
            except CallError:
                self._converted = {}
        return self._converted


@dataclass(frozen=True, slots=True)
class Child:
    """A child object, as the store shows it."""

    descriptor: KindDescriptor
    name: str
    uid: str
    version: str
    sagemaker_name: str
    """Empty while SageMaker has none."""
    content: Mapping[str, Any]
    spec: Mapping[str, Any]
    is_deleting: bool
    trouble: str = ""
    """What keeps it from being created."""
    is_stalled: bool = False
    is_owned: bool = True
    """It names its owner; the predecessor's children do not (D-20)."""
    drift: str = ""
    """What was changed outside the operator at AWS, in words."""
    corrects: bool = False
    """It corrects that itself: annotation `drift-policy`."""
    is_held: bool = False
    """It is being deleted, and waits because the endpoint uses what it has at SageMaker."""
    succeeds: str = ""
    """The uid of the child from which it takes that over."""
    takes_over: str = ""
    """The name of that at SageMaker."""
    resource: Mapping[str, Any] = field(default_factory=dict)
    """Its `status.awsResource`."""
    labels: Mapping[str, str] = field(default_factory=dict)
    retry: str = ""
    """Its annotation `reconcile-at`."""


@dataclass(frozen=True, slots=True)
class Want:
    """A child that the deployment needs."""

    descriptor: KindDescriptor
    label: str
    """A model's name within the deployment; empty for the configuration."""
    name: str
    """Name of the object to make, if there is none of this content."""
    spec: JsonObject
    child: Child | None = None
    """The object of this content."""
    modified: Child | None = None
    """An object of that name with a changed spec."""


@dataclass(frozen=True, slots=True)
class Desired:
    """The endpoint that the spec of a deployment describes."""

    spec_digest: str
    """Digest of everything in the spec that bears on the success of an update: one that failed is not repeated (D-15),
    unless `retry` changes."""
    models: tuple[Want, ...]
    configuration: Want | None
    """None until every model has its name at SageMaker."""
    shape: str = ""
    """Digest of the configuration without its numbers; empty as long as it is not known."""
    numbers: Mapping[str, tuple[int | None, float]] = field(default_factory=dict)
    """Instances and weight by variant, of variants that have such."""
    retry: str = ""
    """Annotation `reconcile-at`."""
    retains: frozenset[str] = frozenset()
    """Properties of variants that an update leaves as they are, as UpdateEndpoint names them; by default none (D-17b):
    it sets instance counts back to those of the spec, whatever autoscaling has made of them."""

    @property
    def model_names(self) -> dict[str, str]:
        """Return the SageMaker names of models that have one, by their names in the deployment."""
        return {want.label: want.child.sagemaker_name for want in self.models if want.child}


def label_value(text: str) -> str:
    """Return `text` if it is a valid label value, else its beginning and a digest (D-20)."""
    if len(text) <= _LABEL_LIMIT and re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?", text):
        return text
    short = hashlib.sha256(text.encode()).hexdigest()[:10]
    start = re.sub(r"[^A-Za-z0-9_.-]", "-", text)[: _LABEL_LIMIT - 11].strip("_.-")
    return f"{start}-{short}" if start else short


def labels_of(namespace: str, name: str, model: str = "") -> dict[str, str]:
    """Return the labels of a child."""
    labels = {OWNER_NAMESPACE: label_value(namespace), OWNER_NAME: label_value(name)}
    return {**labels, MODEL_LABEL: label_value(model)} if model else labels


def owners_of(obj: JsonObject) -> Iterable[str]:
    """Index function: the deployments that a child may belong to, as `uid` or `namespace/label`."""
    metadata = obj["metadata"]
    for reference in metadata.get("ownerReferences") or ():
        if reference.get("kind") == HOSTING_DEPLOYMENT.kind and reference.get("uid"):
            yield str(reference["uid"])
    labels = metadata.get("labels") or {}
    if labels.get(OWNER_NAME):
        yield f"{metadata.get('namespace', '')}/{labels[OWNER_NAME]}"


def is_child_of(obj: JsonObject, owner: JsonObject) -> bool:
    """Return whether `obj` was created for this very deployment; labels may name an earlier one (D-20)."""
    uid = owner["metadata"]["uid"]
    references = obj["metadata"].get("ownerReferences") or ()
    if any(reference.get("uid") == uid for reference in references):
        return True
    return not references and uid.replace("-", "") in obj["metadata"]["name"]


def is_orphaned(obj: JsonObject, owner: JsonObject) -> bool:
    """Return whether a child is to outlive the deployment, which was deleted with `--cascade=orphan`.

    Kubernetes then takes the owner references off the children, first or meanwhile. The predecessor's children have
    never had any: they have other names, and go with their deployment.
    """
    metadata = owner["metadata"]
    if _ORPHAN in (metadata.get("finalizers") or ()):
        return True
    by_content = rf"(^|-)[0-9a-f]{{10}}-{metadata['uid'].replace('-', '')}$"
    return not obj["metadata"].get("ownerReferences") and bool(re.search(by_content, obj["metadata"]["name"]))


def child_of(descriptor: KindDescriptor, obj: JsonObject) -> Child:
    """Return a child object as a value; a spec that cannot be converted has no content."""
    metadata, status = obj["metadata"], own_status(descriptor, obj)
    conditions = {each.get("type"): each for each in status.get("conditions") or ()}
    drifted = conditions.get(reasons.DRIFTED, {})
    spec = obj.get("spec") or {}
    noted = noted_resource(metadata)
    return Child(
        descriptor=descriptor,
        name=metadata["name"],
        uid=metadata["uid"],
        version=metadata["resourceVersion"],
        sagemaker_name=status.get(descriptor.name.status_field) or "",
        content=LazyContent(descriptor, spec),
        spec=spec,
        is_deleting=bool(metadata.get("deletionTimestamp")),
        trouble=status.get("additional") or "",
        is_stalled=conditions.get(reasons.STALLED, {}).get("status") == "True",
        is_owned=bool(metadata.get("ownerReferences")),
        drift=str(drifted.get("message") or "") if drifted.get("status") == "True" else "",
        corrects=DRIFT_POLICY.of(metadata.get("annotations") or {}) == "correct",
        is_held=is_held(descriptor, obj),
        succeeds=noted.owner_uid if noted is not None else "",
        takes_over=noted.name if noted is not None and noted.owner_uid else "",
        resource=status.get("awsResource") or _claimed(metadata, noted),
        labels=metadata.get("labels") or {},
        retry=RECONCILE_AT.of(metadata.get("annotations") or {}) or "",
    )


def is_held(descriptor: KindDescriptor, obj: JsonObject) -> bool:
    """Return whether a child is being deleted, and waits because the endpoint uses what it has at SageMaker.

    Once the operator has released it, it is others that hold it, whatever its status still says.
    """
    metadata, conditions = obj["metadata"], own_status(descriptor, obj).get("conditions") or ()
    reason = next((each.get("reason") for each in conditions if each.get("type") == reasons.RECONCILING), "")
    is_ours_to_release = bool(metadata.get("deletionTimestamp")) and FINALIZER in (metadata.get("finalizers") or ())
    return is_ours_to_release and reason == reasons.IN_USE


def _claimed(metadata: JsonObject, noted: Recorded | None) -> JsonObject:
    """Return what a child has claimed from another one, as long as its status does not show it."""
    return resource_fields(noted) if noted is not None and noted.name in own_claims(metadata) else {}


def desired(
    owner: JsonObject,
    resolved: Resolved,
    how: Mapping[str, Any],
    models: Sequence[Child],
    configurations: Sequence[Child],
) -> Desired:
    """Return what the deployment `owner` needs, matched with its children.

    `how` is the UpdateEndpoint request of its spec. Raises `CallError` INVALID if a part cannot be converted.
    """
    metadata = owner["metadata"]
    contents = [(model.name, content(MODEL, model.spec)) for model in resolved.models]
    wants = tuple(
        _want(owner, MODEL, model.name, model.name, model.spec, wanted, models)
        for model, (_, wanted) in zip(resolved.models, contents, strict=True)
    )
    logical = content(ENDPOINT_CONFIG, resolved.configuration)
    retry = RECONCILE_AT.of(metadata.get("annotations") or {}) or ""
    spec_digest = digest([contents, logical, {name: said for name in _HOW if (said := plain(how.get(name)))}])
    names = {want.label: want.child.sagemaker_name for want in wants if want.child}
    if not all(names.get(want.label) for want in wants):
        return Desired(spec_digest, wants, None, retry=retry)
    spec = resolved.configuration_with(names)
    wanted = content(ENDPOINT_CONFIG, spec)
    configuration = _want(owner, ENDPOINT_CONFIG, "", metadata["name"], spec, wanted, configurations)
    return Desired(
        spec_digest,
        wants,
        configuration,
        shape_of(wanted),
        numbers_of(wanted),
        retry,
        retains=_retained(how),
    )


def _retained(how: Mapping[str, Any]) -> frozenset[str]:
    """Return the properties of variants that an UpdateEndpoint like `how` retains."""
    if not how.get("RetainAllVariantProperties"):
        return frozenset()
    excluded = {each.get("VariantPropertyType") for each in how.get("ExcludeRetainedVariantProperties") or ()}
    return frozenset({COUNT, WEIGHT} - excluded)


def shape_of(configuration: Mapping[str, Any]) -> str:
    """Return the digest of the content that only UpdateEndpoint can change."""
    variants = [
        {name: value for name, value in variant.items() if name not in {"InitialInstanceCount", "InitialVariantWeight"}}
        for variant in configuration.get("ProductionVariants", ())
    ]
    return digest({**configuration, "ProductionVariants": variants})


def numbers_of(configuration: Mapping[str, Any]) -> dict[str, tuple[int | None, float]]:
    """Return instances (None: the variant has none) and weight, which UpdateEndpointWeightsAndCapacities can change."""
    return {
        variant["VariantName"]: (variant.get("InitialInstanceCount"), float(variant.get("InitialVariantWeight", 1.0)))
        for variant in configuration.get("ProductionVariants", ())
        if "VariantName" in variant
    }


def reference(owner: JsonObject) -> JsonObject:
    """Return the owner reference of a child.

    It blocks nothing: the deployment's own finalizer waits for the children, and where the API server checks the right
    to block (admission plugin OwnerReferencesPermissionEnforcement), the operator would need one more for it.
    """
    return {
        "apiVersion": API_VERSION,
        "kind": HOSTING_DEPLOYMENT.kind,
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": False,
    }


def manifest(owner: JsonObject, want: Want) -> JsonObject:
    """Return the child object to create."""
    metadata = owner["metadata"]
    return {
        "apiVersion": API_VERSION,
        "kind": want.descriptor.kind,
        "metadata": {
            "name": want.name,
            "namespace": metadata.get("namespace", ""),
            # With the deployment's labels: an operator that watches by label must see the children.
            "labels": {
                **(metadata.get("labels") or {}),
                **labels_of(metadata.get("namespace", ""), metadata["name"], want.label),
            },
            "ownerReferences": [reference(owner)],
        },
        "spec": want.spec,
    }


def successor(owner: JsonObject, child: Child) -> JsonObject:
    """Return the child object that takes over what another one, which is being deleted, has at SageMaker.

    Its name is another one of the same form, so that it stands for the same model, or for the configuration.
    """
    plain = owner["metadata"]["uid"].replace("-", "")
    base = re.sub(rf"-?([0-9a-f]{{10}}|\d{{1,9}})-{plain}$", "", child.name)
    name = join_name(f"{digest([dict(child.spec), child.uid])}-{plain}", base, CHILD_MAX_LENGTH)
    made = manifest(owner, Want(child.descriptor, "", name, dict(child.spec)))
    made["metadata"]["labels"] |= child.labels
    made["metadata"]["annotations"] = {RESOURCE_ANNOTATION: json.dumps({**child.resource, "ownerUid": child.uid})}
    return made


def _want(
    owner: JsonObject,
    descriptor: KindDescriptor,
    label: str,
    base: str,
    spec: JsonObject,
    wanted: Mapping[str, Any],
    there: Sequence[Child],
) -> Want:
    """Return a wanted child with content `wanted`, and its match among the children `there`."""
    uid = owner["metadata"]["uid"]
    name = join_name(f"{digest(wanted)}-{uid.replace('-', '')}", _object_name(base), CHILD_MAX_LENGTH)
    taking_over = {child.uid for child in there if child.succeeds and not child.sagemaker_name}
    children = [child for child in there if _stands_for(child.name, name, base, uid)]
    # The name alone proves nothing: an object may have been replaced under its name, and the predecessor named
    # children by generation, so that only their content identifies them.
    # One that could not be created where the deployment was, moves with it.
    same = [
        child
        for child in children
        if child.content == wanted and (child.sagemaker_name or _place_of(child.spec) == _place_of(spec))
    ]
    modified = next((child for child in children if child.name == name and child.uid not in taking_over), None)
    # One that is being deleted still serves, unless there is another: its deletion waits for the deployment, and for
    # one that takes over what it has. That one is waited for where no other is left.
    same.sort(key=lambda child: (child.uid in taking_over, child.is_deleting, not child.sagemaker_name, child.name))
    return Want(descriptor, label, name, spec, same[0] if same else None, None if same else modified)


def _place_of(spec: Mapping[str, Any]) -> tuple[Any, Any]:
    return spec.get("region"), spec.get("sageMakerEndpoint")


def _stands_for(there: str, name: str, base: str, uid: str) -> bool:
    """Return whether the child named `there` is of this model (or the configuration), whatever its content."""
    plain = uid.replace("-", "")
    by_generation = re.search(rf"(\d{{1,9}})-{plain}$", there)
    if by_generation and child_name(base, uid, int(by_generation[1])) == there:
        return True
    by_content = re.search(rf"([0-9a-f]{{10}})-{plain}$", there)
    return bool(
        there == name or (by_content and join_name(by_content[0], _object_name(base), CHILD_MAX_LENGTH) == there)
    )


def _object_name(base: str) -> str:
    """Return `base` with the letters that object names allow; names that v1 accepted are unchanged."""
    return re.sub(r"[^a-z0-9.-]", "-", base.lower()).strip("-.") or "model"

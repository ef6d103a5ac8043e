"""Matches the children that a HostingDeployment wants with those that exist.

A child is named by a digest of its content, so that an edit that changes nothing for SageMaker makes no new child
(D-13). What the predecessor named by generation is recognised by its content. Pure.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from api.annotations import DRIFT_POLICY, RECONCILE_AT
from api.descriptor import KindDescriptor
from api.hosting import Resolved
from api.meta import API_VERSION, GROUP, JsonObject
from api.naming import CHILD_MAX_LENGTH, child_name, join_name
from api.v1 import ENDPOINT_CONFIG, HOSTING_DEPLOYMENT, MODEL
from controller.aws.errors import AwsError
from controller.reconcile import reasons
from controller.reconcile.drift.digest import content, digest

OWNER_NAMESPACE: Final = "owner_HostingDeployment_namespace"
OWNER_NAME: Final = "owner_HostingDeployment_name"
"""Labels of children, as the predecessor has them (v1-kinds.md 5)."""
MODEL_LABEL: Final = f"{GROUP}/model"
"""Label of child Models: their name within the deployment."""

_LABEL_LIMIT: Final = 63
_HOW: Final = ("DeploymentConfig", "RetainAllVariantProperties", "ExcludeRetainedVariantProperties")
"""Members of UpdateEndpoint that say how to update, not what to serve: they alone cause no update (D-13)."""


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
            except AwsError:
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
    resets_counts: bool = False
    """An update sets instance counts back to those of the spec, whatever autoscaling has made of them (D-17b)."""

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


def child_of(descriptor: KindDescriptor, obj: JsonObject) -> Child:
    """Return a child object as a value; a spec that cannot be converted has no content."""
    metadata, status = obj["metadata"], obj.get("status") or {}
    conditions = {each.get("type"): each for each in status.get("conditions") or ()}
    drifted = conditions.get(reasons.DRIFTED, {})
    spec = obj.get("spec") or {}
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
    )


def desired(
    owner: JsonObject,
    resolved: Resolved,
    how: Mapping[str, Any],
    models: Sequence[Child],
    configurations: Sequence[Child],
) -> Desired:
    """Return what the deployment `owner` needs, matched with its children.

    `how` is the UpdateEndpoint request of its spec. Raises `AwsError` INVALID if a part cannot be converted.
    """
    metadata = owner["metadata"]
    contents = [(model.name, content(MODEL, model.spec)) for model in resolved.models]
    wants = tuple(
        _want(owner, MODEL, model.name, model.name, model.spec, wanted, models)
        for model, (_, wanted) in zip(resolved.models, contents, strict=True)
    )
    logical = content(ENDPOINT_CONFIG, resolved.configuration)
    retry = RECONCILE_AT.of(metadata.get("annotations") or {}) or ""
    spec_digest = digest([contents, logical, {name: how[name] for name in _HOW if name in how}])
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
        resets_counts=_resets_counts(how),
    )


def _resets_counts(how: Mapping[str, Any]) -> bool:
    """Return whether an UpdateEndpoint like `how` resets instance counts, which is AWS's default."""
    excluded = {each.get("VariantPropertyType") for each in how.get("ExcludeRetainedVariantProperties") or ()}
    return not how.get("RetainAllVariantProperties") or "DesiredInstanceCount" in excluded


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
    children = [child for child in there if _stands_for(child.name, name, base, uid)]
    # The name alone proves nothing: an object may have been replaced under its name, and the predecessor named
    # children by generation, so that only their content identifies them.
    same = [child for child in children if child.content == wanted]
    modified = next((child for child in children if child.name == name), None)
    # One that is being deleted still serves, unless there is another: its deletion waits for the deployment.
    same.sort(key=lambda child: (child.is_deleting, not child.sagemaker_name, child.name))
    return Want(descriptor, label, name, spec, same[0] if same else None, None if same else modified)


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

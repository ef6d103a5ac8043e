"""Builds the TrainingJob objects of a tuning job. Pure."""

import json
from collections.abc import Mapping
from typing import Any, Final

from api.annotations import DELETION_POLICY, READ_ONLY
from api.convert import to_spec
from api.descriptor import KindDescriptor
from api.meta import FINALIZER, GROUP, JsonObject
from controller.aws.targets import Target
from controller.reconcile.observation import Recorded
from controller.reconcile.status.patch import LAUNCHED_BY, RESOURCE_ANNOTATION, resource_fields
from controller.reconcile.tuning.decide import SPAWN_FINALIZER, child_key

TUNING_LABEL: Final = f"{GROUP}/tuning-job"
"""Label of spawned objects: the tuning job's name at AWS, at most 32 characters."""
_INHERITED: Final = (DELETION_POLICY.key, READ_ONLY.key)
"""Annotations that protect AWS resources apply to launched jobs, too."""


def spawned(
    training: KindDescriptor, tuning: JsonObject, description: Mapping[str, Any], target: Target, tuning_job: str
) -> JsonObject:
    """Return the TrainingJob object for a launched job; its spec is converted from the description.

    An annotation holds the job's identity, so that its reconciler records it and only follows the job. Raises
    `ConversionError` for an invalid description.
    """
    metadata, spec = tuning["metadata"], tuning.get("spec") or {}
    name = str(description[training.name.member])
    arn = str(description.get(training.status.arn_member) or "")
    _, partition, _, _, account, *_ = (*arn.split(":", 5), "", "", "", "", "")
    created = description.get("CreationTime")
    recorded = Recorded(
        name,
        target.region,
        partition,
        arn,
        account,
        created_at=created,
        creation_time=created,
        is_unverified=True,  # users can write such an annotation
    )
    resource = {**resource_fields(recorded), LAUNCHED_BY: f"{metadata['namespace']}/{metadata['uid']}"}
    annotations = {**(metadata.get("annotations") or {})}
    made: JsonObject = {**to_spec(training, description), "region": target.region, training.name.spec_field: name}
    if spec.get("sageMakerEndpoint"):
        made["sageMakerEndpoint"] = spec["sageMakerEndpoint"]
    key = child_key(metadata["namespace"], name)
    return {
        "apiVersion": training.resource.api_version,
        "kind": training.kind,
        "metadata": {
            "name": key.name,
            "namespace": key.namespace,
            # An operator with a selector that the tuning job matches must see its training jobs, too.
            "labels": {**(metadata.get("labels") or {}), TUNING_LABEL: tuning_job},
            "annotations": {name: annotations[name] for name in _INHERITED if name in annotations}
            | {RESOURCE_ANNOTATION: json.dumps(resource, sort_keys=True)},
            "finalizers": [FINALIZER, SPAWN_FINALIZER],
            "ownerReferences": [
                {
                    "apiVersion": tuning["apiVersion"],
                    "kind": tuning["kind"],
                    "name": metadata["name"],
                    "uid": metadata["uid"],
                    "controller": True,
                    # The tuning job's own finalizer waits; blocking would need one more permission (OpenShift).
                    "blockOwnerDeletion": False,
                }
            ],
        },
        "spec": made,
    }

"""What a TrainingJob object of a tuning job looks like. Pure."""

import json
from collections.abc import Mapping
from typing import Any, Final

from api.annotations import DELETION_POLICY, READ_ONLY
from api.convert import to_spec
from api.descriptor import KindDescriptor
from api.meta import FINALIZER, GROUP, JsonObject
from controller.aws.targets import Target
from controller.reconcile.observation import Recorded
from controller.reconcile.status.patch import RESOURCE_ANNOTATION, resource_fields
from controller.reconcile.tuning.decide import SPAWN_FINALIZER, child_key

TUNING_LABEL: Final = f"{GROUP}/tuning-job"
"""Label of spawned objects: the tuning job's name at AWS, at most 32 characters."""
_INHERITED: Final = (DELETION_POLICY.key, READ_ONLY.key)
"""Annotations that protect what is at AWS hold for what the tuning job has launched there, too."""


def spawned(
    training: KindDescriptor, tuning: JsonObject, description: Mapping[str, Any], target: Target, tuning_job: str
) -> JsonObject:
    """The TrainingJob object for a launched job: its spec is what SageMaker says of it.

    It announces the job's identity, so that its reconciler records it and does nothing but follow. Raises
    `ConversionError` for a description that is none.
    """
    metadata, spec = tuning["metadata"], tuning.get("spec") or {}
    name = str(description[training.name.member])
    arn = str(description.get(training.status.arn_member) or "")
    _, partition, _, _, account, *_ = (*arn.split(":", 5), "", "", "", "", "")
    recorded = Recorded(name, target.region, partition, arn, account, description.get("CreationTime"))
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
            # A selector that the tuning job meets must not hide its training jobs from the operator.
            "labels": {**(metadata.get("labels") or {}), TUNING_LABEL: tuning_job},
            "annotations": {name: annotations[name] for name in _INHERITED if name in annotations}
            | {RESOURCE_ANNOTATION: json.dumps(resource_fields(recorded), sort_keys=True)},
            "finalizers": [FINALIZER, SPAWN_FINALIZER],
            "ownerReferences": [
                {
                    "apiVersion": tuning["apiVersion"],
                    "kind": tuning["kind"],
                    "name": metadata["name"],
                    "uid": metadata["uid"],
                    "controller": True,
                    # Not needed, as the tuning job's own finalizer waits; it would take one more right (OpenShift).
                    "blockOwnerDeletion": False,
                }
            ],
        },
        "spec": made,
    }

"""An operator of a user's own on our kinds, for `kopf run`: it marks jobs, and keeps a record of what has ended."""

from typing import Any

import kopf

JOBS = ("sagemaker.aws.amazon.com", "v1", "trainingjobs")
MINE = {"kopf": "mine"}


@kopf.on.create(*JOBS, labels=MINE)
def mark(patch: kopf.Patch, spec: kopf.Spec, **_: Any) -> None:
    """Mark a new job with its region."""
    patch.metadata.annotations["example.com/region"] = spec["region"]


@kopf.on.field(*JOBS, field="status.trainingJobStatus", labels=MINE)
def note(patch: kopf.Patch, new: str | None, **_: Any) -> None:
    """Repeat the status in an annotation."""
    patch.metadata.annotations["example.com/status"] = new or ""


@kopf.on.delete(*JOBS, labels=MINE)
def clean_up(name: str, namespace: str | None, body: kopf.Body, **_: Any) -> None:
    """Post an event about the end."""
    kopf.event(body, type="Normal", reason="CleanedUp", message=f"{namespace}/{name} is cleaned up")

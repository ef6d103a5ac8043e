"""Observations of jobs by field, whether the field is one of jobs or of all objects."""

from dataclasses import fields, replace
from typing import Any

from controller.reconcile.job.observation import JobObservation
from controller.reconcile.observation import Observed

OF_JOBS = {field.name for field in fields(JobObservation)} - {"base"}


def job_of(base: Observed, **changes: Any) -> JobObservation:
    """The observation of a job that is otherwise as `base`."""
    return changed(JobObservation(base), **changes)


def changed(seen: JobObservation, **changes: Any) -> JobObservation:
    """The same observation with these fields changed."""
    own = {name: value for name, value in changes.items() if name in OF_JOBS}
    others = {name: value for name, value in changes.items() if name not in OF_JOBS}
    return replace(seen, base=replace(seen.base, **others), **own)

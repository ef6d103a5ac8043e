"""Finds edits of a job's spec that have no effect: those that the API server's rules cannot see, and races with them.

A spec counts as edited if it makes another request than the one that created the job (`api.content`). Pure.
"""

from collections.abc import Mapping
from typing import Any

from api.content import content
from api.convert import ConversionError
from api.descriptor import KindDescriptor
from controller.reconcile.drift.digest import digest
from controller.reconcile.observation import Observed
from controller.runtime.frozen import replace


def content_digest(descriptor: KindDescriptor, spec: Mapping[str, Any]) -> str:
    """Return the digest of what a spec asks for; empty if it makes no request."""
    try:
        return digest(content(descriptor, spec))
    except ConversionError:
        return ""


def with_edits(observed: Observed, content: str) -> Observed:
    """Return the observation with what the spec asks for, and whether that is not what the recorded job was made of."""
    observed = replace(observed, content=content)
    recorded = observed.recorded
    if recorded is None or observed.edited or recorded.content in {"", observed.content}:
        return observed
    return replace(observed, edited=("spec",))

"""The four ways to change a part of an object: merge, JSON and strategic merge patches, and server-side apply.

All functions are pure: JSON in, a new JSON object out, `PatchError` if the API server answers with an error. Arguments
are never changed, but results may share parts with them.
"""

from hack.sandbox.kube.patch.apply import ApplyConflict, server_side_apply
from hack.sandbox.kube.patch.errors import PatchError
from hack.sandbox.kube.patch.json_patch import json_patch
from hack.sandbox.kube.patch.managed import update_managed_fields
from hack.sandbox.kube.patch.merge import merge
from hack.sandbox.kube.patch.strategic import strategic

__all__ = [
    "ApplyConflict",
    "PatchError",
    "json_patch",
    "merge",
    "server_side_apply",
    "strategic",
    "update_managed_fields",
]

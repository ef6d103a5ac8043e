"""What the spec of a component asks for, and what AWS shows of it, in the same form. Pure.

The specification is changed by a deployment, the number of copies without one, and by autoscaling.
"""

from collections.abc import Mapping
from typing import Any, Final

from api.v1 import INFERENCE_COMPONENT
from api.v1.inferencecomponent import UPDATE
from controller.reconcile.drift.digest import content, plain
from controller.reconcile.mutable.compared.desired import Desired

_RUNTIME: Final = "RuntimeConfig"
_HOW: Final = "DeploymentConfig"
_SPECIFICATIONS: Final = ("Specification", "Specifications")


def desired(spec: Mapping[str, Any]) -> Desired:
    """Return what a spec asks for, its names being those at SageMaker. Raises `CallError` INVALID, not sent."""
    wanted = content(INFERENCE_COMPONENT, spec, UPDATE)
    wanted.pop(_HOW, None)
    copies = (wanted.pop(_RUNTIME, None) or {}).get("CopyCount")
    return Desired(wanted, copies)


def shown(description: Mapping[str, Any]) -> Desired:
    """Return what a Describe answer shows, in the form of a request."""
    copies = (description.get(_RUNTIME) or {}).get("DesiredCopyCount")
    parts = {name: _as_requested(description[name]) for name in _SPECIFICATIONS if description.get(name)}
    return Desired(parts, copies)


def _as_requested(part: Any) -> Any:
    """Return a specification as a request has it: the image as it was given, not as it was resolved."""
    if isinstance(part, list):
        return [_as_requested(item) for item in part]
    given = dict(part)
    if container := given.get("Container"):
        image = (container.get("DeployedImage") or {}).get("SpecifiedImage")
        rest = {name: value for name, value in container.items() if name != "DeployedImage"}
        given["Container"] = rest | ({"Image": image} if image else {})
    return plain(given)

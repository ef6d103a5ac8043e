"""Negotiates the form of a response: JSON or YAML, plain, as a Table, or metadata only."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from hack.sandbox.kube.wire.errors import not_acceptable

JSON: Final = "application/json"
YAML: Final = "application/yaml"
OFFERED: Final = (JSON, YAML, "application/vnd.kubernetes.protobuf")
"""Types in error messages. Protobuf is read but never written: clients that prefer it also accept JSON."""
STREAMED: Final = tuple(f"{media_type};stream=watch" for media_type in (JSON, OFFERED[2]))
"""The same for watches."""
_WILDCARDS: Final = ("*/*", "application/*", "")


@dataclass(frozen=True, slots=True)
class Form:
    """The form of a response. `target` is empty, Table, PartialObjectMetadata or …List, in meta.k8s.io/`version`."""

    media_type: str = JSON
    target: str = ""
    version: str = "v1"


def clauses(accept: str) -> list[tuple[str, Mapping[str, str]]]:
    """Return the media ranges of an Accept header with their parameters, best quality first."""
    found: list[tuple[float, str, Mapping[str, str]]] = []
    for clause in accept.split(","):
        media_type, *raw = (part.strip() for part in clause.split(";"))
        parameters = dict(part.partition("=")[::2] for part in raw)
        try:
            quality = float(parameters.pop("q", "1"))
        except ValueError:
            quality = 0.0
        found.append((quality, media_type, parameters))
    return [(media_type, parameters) for _, media_type, parameters in sorted(found, key=lambda item: -item[0])]


def of_errors(accept: str) -> str:
    """Return the media type of a Status: an accepted one, or JSON if none is available."""
    return next((media_type for media_type, _ in clauses(accept) if media_type in (JSON, YAML)), JSON)


def negotiate(accept: str) -> Form:
    """Return the first acceptable form. Raises 406."""
    for media_type, parameters in clauses(accept):
        base = JSON if media_type in _WILDCARDS else media_type
        if base not in (JSON, YAML):
            continue
        target = parameters.get("as", "")
        if not target:
            return Form(base)
        known = parameters.get("g") == "meta.k8s.io" and parameters.get("v") in ("v1", "v1beta1")
        if known and target in ("Table", "PartialObjectMetadata", "PartialObjectMetadataList"):
            return Form(base, target, parameters["v"])
    raise not_acceptable(OFFERED)

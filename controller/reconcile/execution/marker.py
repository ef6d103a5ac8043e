"""Marks an execution as an object's own: in its description, as executions take no tags. Pure.

List shows descriptions, so that an execution is found again of which no answer has named the ARN.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from api.meta import JsonObject

_DISPLAY_NAME_MAX: Final = 82
_DESCRIPTION_MAX: Final = 3072
_DESCRIPTION: Final = "PipelineExecutionDescription"
_DISPLAY_NAME: Final = "PipelineExecutionDisplayName"


def marked(obj: JsonObject, request: JsonObject) -> JsonObject:
    """Return a request that starts an execution with the object's mark, and with the object's name to be shown."""
    mark = mark_of(obj)
    given = str(request.get(_DESCRIPTION, ""))[: _DESCRIPTION_MAX - len(mark) - 1]
    description = f"{given} {mark}" if given else mark
    shown = request.get(_DISPLAY_NAME) or _display_name(obj["metadata"]["name"])
    return {**request, _DESCRIPTION: description, _DISPLAY_NAME: shown}


def mark_of(obj: JsonObject) -> str:
    """Return what stands at the end of the description: an object's uid is never used again."""
    metadata = obj["metadata"]
    return f"[Kubernetes {metadata.get('namespace')}/{metadata['name']} {metadata['uid']}]"


def is_marked(obj: JsonObject, shown: Mapping[str, Any]) -> bool:
    """Return whether a summary or a description is of the object's own execution."""
    return str(shown.get(_DESCRIPTION) or "").endswith(f" {obj['metadata']['uid']}]")


def _display_name(name: str) -> str:
    """Return the name of an object as far as AWS takes it: letters, digits and single places for hyphens."""
    return re.sub(r"[^a-zA-Z0-9]+", "-", name)[:_DISPLAY_NAME_MAX].strip("-")

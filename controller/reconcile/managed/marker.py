"""Marks what AWS names itself as an object's own: at the end of its description, as it takes no tags. Pure.

A description never changes, and List shows it: so a resource is found again of which no answer has named the ARN.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from api.descriptor import KindDescriptor
from api.fields import installed
from api.meta import JsonObject

_LONGEST: Final = 1024
"""Characters of a description for which the service model has no limit."""


def marked(descriptor: KindDescriptor, obj: JsonObject, request: JsonObject) -> JsonObject:
    """Return a Create request with the object's mark; what the user has written comes first, as far as it fits."""
    member, mark = descriptor.name.mark, mark_of(obj)
    given = str(request.get(member, ""))[: _longest(descriptor) - len(mark) - 1]
    return {**request, member: f"{given} {mark}" if given else mark}


def mark_of(obj: JsonObject) -> str:
    """Return what stands at the end of the description: an object's uid is never used again."""
    metadata = obj["metadata"]
    return f"[Kubernetes {metadata.get('namespace')}/{metadata['name']} {metadata['uid']}]"


def is_marked(descriptor: KindDescriptor, obj: JsonObject, shown: Mapping[str, Any]) -> bool:
    """Return whether a summary or a description is of the object's own resource."""
    return str(shown.get(descriptor.name.mark) or "").endswith(f" {obj['metadata']['uid']}]")


@cache
def _longest(descriptor: KindDescriptor) -> int:
    fields = installed(descriptor).spec.fields
    return int(next(each.maximum for each in fields if each.member == descriptor.name.mark) or _LONGEST)

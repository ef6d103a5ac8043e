"""Fields of a spec that name another object of the namespace, or its resource at SageMaker. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

ITEMS: Final = "[]"
"""Step of a path: every item of a list."""


@dataclass(frozen=True, slots=True)
class Reference:
    """One such field: an object of that name comes first, else SageMaker is asked for the name as it is."""

    path: tuple[str, ...]
    """Below `spec`, e.g. `("productionVariants", ITEMS, "modelName")`."""
    kind: str
    must_have_ended: bool = False
    """SageMaker takes it only when the named job has ended."""
    states: frozenset[str] = frozenset()
    """SageMaker takes it only in one of these states; empty: in any."""
    is_passed_on: bool = False
    """A deployment passes it on to the objects that it creates as it is: theirs is resolved, too. What it stood for is
    noted in the status, and stays what it stands for: for a child in any case, else as long as the object is gone."""

    def names_in(self, spec: Mapping[str, Any]) -> Iterator[str]:
        """Yield the names that a spec has in this field, as often as it has them."""
        yield from _names(spec, self.path)

    def replaced(self, spec: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
        """Return a copy of a spec with other names in this field."""
        copied: dict[str, Any] = _replaced(spec, self.path, names)
        return copied


@dataclass(frozen=True, slots=True)
class DocumentField:
    """A field of the spec with a JSON document, which may be in a ConfigMap of the namespace instead."""

    field: str
    """Below `spec`, e.g. `pipelineDefinition`."""
    source: str
    """Field of the spec that names ConfigMap and key in its place, e.g. `pipelineDefinitionFrom`."""


def _names(value: Any, path: Sequence[str]) -> Iterator[str]:
    """Yield what is at `path`; what has another form than the schema demands is left to the conversion."""
    if not path:
        if isinstance(value, str) and value:
            yield value
    elif path[0] == ITEMS:
        for item in value if isinstance(value, list) else ():
            yield from _names(item, path[1:])
    elif isinstance(value, Mapping) and path[0] in value:
        yield from _names(value[path[0]], path[1:])


def _replaced(value: Any, path: Sequence[str], names: Mapping[str, str]) -> Any:
    if not path:
        return names.get(value, value) if isinstance(value, str) else value
    if path[0] == ITEMS:
        return [_replaced(item, path[1:], names) for item in value] if isinstance(value, list) else value
    if isinstance(value, Mapping) and path[0] in value:
        return {**value, path[0]: _replaced(value[path[0]], path[1:], names)}
    return value

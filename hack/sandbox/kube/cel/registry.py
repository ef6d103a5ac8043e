"""The registry of library functions: each is declared with its signature, next to its implementation."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any, Final, TypeVar

from hack.sandbox.kube.cel.signatures import Kind, Signature, signature
from hack.sandbox.kube.cel.values import OverloadError, type_name

F = TypeVar("F", bound=Callable[..., Any])

_RUNTIME_NAMES: Final = {"timestamp": "google.protobuf.Timestamp", "duration": "google.protobuf.Duration"}


class Registry:
    """Overloads by name. Filled when modules are imported, then only read."""

    def __init__(self) -> None:
        self._overloads: dict[tuple[str, bool], list[tuple[Signature, Callable[..., Any]]]] = defaultdict(list)

    def function(self, *signatures: str) -> Callable[[F], F]:
        """Declare the decorated function as the implementation of each signature."""

        def declare(implementation: F) -> F:
            for text in signatures:
                overload = signature(text)
                self._overloads[overload.name, overload.method].append((overload, implementation))
            return implementation

        return declare

    def signatures(self, name: str, *, method: bool) -> list[Signature]:
        """Return the overloads of a name, for the checker; none if there is no such function."""
        return [overload for overload, _ in self._overloads.get((name, method), ())]

    def find(self, name: str, *, method: bool = False) -> Callable[..., Any] | None:
        """Return one callable for all overloads of a name, which dispatches by argument types; None for unknown names.

        The callable raises EvaluationError: a plain one from an implementation, OverloadError if nothing fits.
        """
        overloads = self._overloads.get((name, method))
        if not overloads:
            return None

        def call(*arguments: Any) -> Any:
            for overload, implementation in overloads:
                if len(overload.parameters) == len(arguments) and all(map(_fits, overload.parameters, arguments)):
                    return implementation(*arguments)
            raise OverloadError

        return call


def _fits(wanted: Kind, value: Any) -> bool:
    if wanted.is_variable or wanted.is_dynamic():
        return True
    return type_name(value) == _RUNTIME_NAMES.get(wanted.name, wanted.name)


LIBRARY: Final = Registry()
"""The functions of CEL and of Kubernetes; the modules of this package that declare some are imported by `library`."""

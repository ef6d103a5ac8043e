"""An AWS API with prepared answers."""

from collections.abc import Hashable, Mapping
from typing import Any

from controller.aws.targets import Target


class Answers:
    """An `Api` that gives what was prepared for an operation, one after another, the last one for ever."""

    def __init__(self, **answers: list[dict[str, Any] | Exception]) -> None:
        self.answers = answers
        self.requests: list[tuple[str, dict[str, Any]]] = []

    def call(
        self,
        target: Target,
        service: str,
        operation: str,
        request: Mapping[str, Any],
        *,
        caller: Hashable,
        background: bool = False,
    ) -> dict[str, Any]:
        """See `Api.call`."""
        self.requests.append((operation, dict(request)))
        prepared = self.answers[operation]
        answer = prepared.pop(0) if len(prepared) > 1 else prepared[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

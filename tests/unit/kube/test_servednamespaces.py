"""Namespaces of --namespace that do not exist are told once, and until they do."""

from typing import Any, cast

import structlog

from api.meta import JsonObject, ObjectKey, Resource
from controller.kube.client import KubeClient
from controller.kube.errors import ApiError, Forbidden, NotFound, ServerError
from controller.kube.namespace_check import AGAIN_S, ServedNamespaces
from controller.runtime.threads import Stop


class Namespaces:
    """A client that knows namespaces: a name's answers, the last of which stays."""

    def __init__(self, **answers: list[type[ApiError] | None]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    def get(self, resource: Resource, key: ObjectKey) -> JsonObject:
        """One namespace."""
        self.asked.append(key.name)
        answers = self.answers[key.name]
        refusal = answers.pop(0) if len(answers) > 1 else answers[0]
        if refusal is not None:
            raise refusal("Refused", f"namespace {key.name}")
        return {"metadata": {"name": key.name}}


class Turns(Stop):
    """Waits for nothing, and stops after so many waits. Writes down what readiness said before each."""

    def __init__(self, turns: int) -> None:
        super().__init__()
        self.left = turns
        self.said: list[str | None] = []
        self.watched: ServedNamespaces | None = None

    def wait(self, timeout_s: float | None = None) -> bool:
        """One turn."""
        assert timeout_s == AGAIN_S
        assert self.watched is not None
        self.said.append(self.watched.readiness())
        self.left -= 1
        if not self.left:
            self.set()
        return self.is_set()


def run(client: Namespaces, *, turns: int = 9) -> tuple[ServedNamespaces, list[str | None], list[tuple[str, Any]]]:
    """The part after its run, what readiness said at each pause, and the log from `info` up."""
    stop = Turns(turns)
    part = ServedNamespaces(cast("KubeClient", client), list(client.answers))
    stop.watched = part
    with structlog.testing.capture_logs() as logged:
        part.run(stop)
    return part, stop.said, [(each["event"], each["namespace"]) for each in logged if each["log_level"] != "debug"]


def test_all_there_is_one_look_and_silence() -> None:
    """The part ends: nothing is asked again."""
    client = Namespaces(a=[None], b=[None])
    part, said, logged = run(client)
    assert (part.readiness(), said, logged) == (None, [], [])
    assert client.asked == ["a", "b"]


def test_a_missing_one_is_told_once_and_keeps_the_process_unready_until_it_comes() -> None:
    """A typo shows in `kubectl rollout status`, in the log and at /readyz; the others are not asked again."""
    client = Namespaces(a=[None], typo=[NotFound, NotFound, None])
    part, said, logged = run(client)
    assert said == ["typo does not exist; create what is missing or correct --namespace"] * 2
    assert part.readiness() is None
    assert logged == [
        ("namespace does not exist: nothing is served in it until it does", "typo"),
        ("namespace exists now", "typo"),
    ]
    assert client.asked == ["a", "typo", "typo", "typo"]


def test_several_missing_ones_are_named_together() -> None:
    """One line."""
    part, _, _ = run(Namespaces(x=[NotFound], y=[NotFound]), turns=1)
    assert part.readiness() == "x, y do not exist; create what is missing or correct --namespace"


def test_what_may_not_be_read_is_taken_to_exist() -> None:
    """Nobody needs this right: without it the caches say what cannot be listed."""
    client = Namespaces(a=[Forbidden])
    part, said, logged = run(client)
    assert (part.readiness(), said, logged) == (None, [], [])


def test_an_api_server_that_cannot_answer_is_asked_again() -> None:
    """It has said nothing about the namespace."""
    client = Namespaces(a=[ServerError, None])
    part, said, logged = run(client)
    assert (part.readiness(), said, logged) == (None, [None], [])

"""`make conformance-random` itself: servers that are alike show no difference, and one that deviates is found."""

from collections.abc import Iterator
from typing import Any

import pytest

from hack.sandbox.kube.server import RunningServer, Sandbox, start
from tests.random_requests.compare import Comparison, Player, prepare
from tests.random_requests.generate import steps

pytestmark = pytest.mark.sandbox


class Deviating:
    """An ASGI application that answers as another does, but for the generation of new objects."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request."""

        async def deviate(message: Any) -> None:
            if scope["method"] == "POST" and "body" in message:
                message["body"] = message["body"].replace(b'"generation":1', b'"generation":2')
            await send(message)

        await self._app(scope, receive, deviate)


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[Player, Player, Player]]:
    """Two that are alike, and one that deviates."""
    other = Sandbox()
    other.app = Deviating(other.app)  # type: ignore[assignment]
    with start() as one, start() as same, RunningServer(other, "127.0.0.1", 0, None).launch() as deviating:
        found = (Player("one", one.url), Player("same", same.url), Player("deviating", deviating.url))
        prepare(*found)
        yield found


def test_servers_that_are_alike_answer_alike(servers: tuple[Player, Player, Player]) -> None:
    """So what differs by chance (uids, versions, times, names of namespaces) is no difference."""
    compared = Comparison(*servers[:2], seed=1)
    compared.round(0, 25)
    assert [str(each) for each in compared.found.values()] == []
    assert compared.played > 25


def test_a_deviation_is_found_and_shown_by_the_shortest_way(servers: tuple[Player, Player, Player]) -> None:
    """One request is enough here."""
    compared = Comparison(servers[0], servers[2], seed=1)
    for number in range(5):
        compared.round(number, 10)
        if compared.found:
            break
    (found, *_) = compared.found.values()
    assert [each.method for each in found.way] == ["POST"]
    assert "generation: expected 1" in found.lines[0]


def test_a_seed_repeats_the_requests() -> None:
    """Else nobody could look at what it found."""
    assert list(map(str, steps(7, 3, 20))) == list(map(str, steps(7, 3, 20)))
    assert list(map(str, steps(7, 3, 20))) != list(map(str, steps(8, 3, 20)))

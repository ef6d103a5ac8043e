"""Plays properties, here or in several processes, and words what came of it."""

import json
import logging
import multiprocessing
import os
import random
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from itertools import groupby
from typing import TypeAlias

import structlog

from tests.every_property.kubernetes import EmbeddedApi
from tests.every_property.places import PLURALS, Place, places
from tests.every_property.processes import NOT_HERE, has_tags, servers
from tests.every_property.sequence import BY_KIND, Outcome, Violation, in_one_thread
from tests.every_property.sequence import Sequence as Played

Property: TypeAlias = tuple[str, str]
"""Kind and path, such as `spec.tags[].key`."""
_CHUNK = 12
"""Properties for one process at a time."""


def every(kinds: Iterable[str] = PLURALS, path: str = "") -> list[Property]:
    """All properties of these kinds with `path` in theirs."""
    return [(kind, each.text) for kind in kinds for each in places(kind) if path in each.text]


def play(some: Sequence[Property], seed: int) -> list[Outcome]:
    """Play properties one after another, on one API server."""
    worlds = in_one_thread(EmbeddedApi())
    return [Played(worlds, _place(each), seed).play() for each in some]


def play_over_http(some: Iterable[Property], seed: int) -> Iterator[Outcome]:
    """Play properties one after another with an operator's process and servers; yields the outcomes.

    Those of kinds without tags come first, while the clocks agree.
    """
    with servers() as running:
        for each in sorted(some, key=lambda each: has_tags(BY_KIND[each[0]])):
            if each[1] not in NOT_HERE:
                yield Played(running.world, _place(each), seed).play()


@cache
def _place(each: Property) -> Place:
    kind, path = each
    return next(one for one in places(kind) if one.text == path)


def drawn(some: Sequence[Property], of_each_kind: int, seed: int) -> list[Property]:
    """So many properties of each kind, drawn by the seed."""
    rng = random.Random(seed)
    by_kind = {kind: list(group) for kind, group in groupby(some, lambda each: each[0])}
    return [each for group in by_kind.values() for each in rng.sample(group, min(of_each_kind, len(group)))]


def play_in_processes(some: Sequence[Property], seed: int) -> Iterator[Outcome]:
    """Play properties in as many processes as there are processors; yields the outcomes in order."""
    chunks = [some[start : start + _CHUNK] for start in range(0, len(some), _CHUNK)]
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), mp_context=fresh, initializer=be_silent) as pool:
        for played in pool.map(partial(play, seed=seed), chunks):
            yield from played


def be_silent() -> None:
    """Have the operator log nothing: it would be more than anybody reads."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def summary(outcomes: Sequence[Outcome]) -> str:
    """A table with a line for each kind."""
    lines = [f"{'kind':26}{'properties':>11}{'reached AWS':>12}{'edits':>7}{'refused':>9}{'taken':>7}{'violated':>9}"]
    for kind, some in groupby(outcomes, lambda each: each.kind):
        of_kind = list(some)
        reached = sum(each.accepted > 0 for each in of_kind)
        edits, refused, taken = (sum(getattr(each, name) for each in of_kind) for name in ("edits", "refused", "taken"))
        violated = sum(bool(each.violations) for each in of_kind)
        lines.append(f"{kind:26}{len(of_kind):11}{reached:12}{edits:7}{refused:9}{taken:7}{violated:9}")
    return "\n".join(lines)


def report(violation: Violation) -> str:
    """One violation, with what shows it."""
    steps = "\n---\n".join(json.dumps(each, ensure_ascii=False) for each in violation.manifests)
    return f"VIOLATION {violation}\n{steps}"

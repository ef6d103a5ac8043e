"""Random requests: a seeded sequence that needs no answers, so that it can be replayed against any server."""

import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from api.meta import JsonObject
from tests.random_requests.bodies import CORE, NAMES, NAMESPACE, OURS, Kind, mutated, pointers

_CONTENT: Final = {
    "json": "application/json-patch+json",
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "apply": "application/apply-patch+yaml",
}
_TABLE: Final = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
_PARTIAL: Final = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json"


@dataclass(frozen=True, slots=True)
class Step:
    """One request; `onto` merges the body into the object that the server has (a read-modify-write)."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    content: str = ""
    body: Any = field(default=None, hash=False)
    accept: str = "application/json"
    onto: str = ""
    is_watch: bool = False

    def __str__(self) -> str:
        query = "&".join(f"{name}={value}" for name, value in self.query)
        return f"{self.method} {self.path}{'?' if query else ''}{query}"


def steps(seed: int, round_: int, count: int, among: Sequence[Kind] = (*CORE, *OURS)) -> list[Step]:
    """The requests of one round, in a namespace of its own; they end with a watch of all that happened."""
    rng = random.Random(f"{seed} {round_}")
    kinds = [rng.choice(among) for _ in range(3)]
    made = [_step(rng, rng.choice(kinds)) for _ in range(count)]
    watches = [Step("GET", each.path(NAMESPACE), is_watch=True) for each in dict.fromkeys(kinds) if not each.actions]
    return [*made, *watches]


def _step(rng: random.Random, kind: Kind) -> Step:
    possible = {each: weight for each, weight in _ACTIONS.items() if not kind.actions or each.__name__ in kind.actions}
    (action,) = rng.choices(list(possible), list(possible.values()))
    name = rng.choice(NAMES)
    return action(rng, kind, name if kind.namespaced else f"{NAMESPACE}-{name}")


def _options(rng: random.Random, *, manager: bool = True) -> list[tuple[str, str]]:
    made: list[tuple[str, str]] = []
    if manager and rng.random() < 0.5:
        made.append(("fieldManager", rng.choice(("one", "two"))))
    if rng.random() < 0.4:
        made.append(("fieldValidation", rng.choice(("Strict", "Warn", "Ignore"))))
    if rng.random() < 0.1:
        made.append(("dryRun", "All"))
    return made


def _maybe(rng: random.Random, obj: JsonObject, share: float = 0.2) -> JsonObject:
    changed: JsonObject = mutated(rng, obj) if rng.random() < share else obj
    return changed


def _create(rng: random.Random, kind: Kind, name: str) -> Step:
    body = _maybe(rng, kind.object(rng, name))
    return Step("POST", kind.path(NAMESPACE), tuple(_options(rng)), "application/json", body)


def _get(rng: random.Random, kind: Kind, name: str) -> Step:
    accept = rng.choice(("application/json", "application/json", _TABLE, _PARTIAL))
    return Step("GET", kind.path(NAMESPACE, name), accept=accept)


def _list(rng: random.Random, kind: Kind, _name: str) -> Step:
    query = rng.choice(
        (
            (),
            (("labelSelector", "team=red"),),
            (("labelSelector", "team in (red,blue),!app"),),
            (("fieldSelector", "metadata.name=a"),),
            (("fieldSelector", "metadata.name!=a"),),
            (("limit", "1"),),
        )
    )
    return Step("GET", kind.path(NAMESPACE), query, accept=rng.choice(("application/json", _TABLE)))


def _replace(rng: random.Random, kind: Kind, name: str) -> Step:
    body = _maybe(rng, kind.object(rng, name))
    onto = rng.choice(("", "all", "all", "version"))
    return Step("PUT", kind.path(NAMESPACE, name), tuple(_options(rng)), "application/json", body, onto=onto)


def _part(rng: random.Random, kind: Kind, name: str) -> JsonObject:
    """Some of an object."""
    whole = kind.object(rng, name)
    whole["metadata"].pop("name")
    names = [each for each in whole if each not in {"apiVersion", "kind"}]
    return {each: whole[each] for each in rng.sample(names, rng.randint(1, len(names)))}


def _merge(rng: random.Random, kind: Kind, name: str) -> Step:
    body = _maybe(rng, _part(rng, kind, name), 0.4)
    return Step("PATCH", kind.path(NAMESPACE, name), tuple(_options(rng)), _CONTENT["merge"], body)


def _strategic(rng: random.Random, kind: Kind, name: str) -> Step:
    body = _maybe(rng, _part(rng, kind, name), 0.3)
    return Step("PATCH", kind.path(NAMESPACE, name), tuple(_options(rng)), _CONTENT["strategic"], body)


def _json(rng: random.Random, kind: Kind, name: str) -> Step:
    there = list(pointers(_part(rng, kind, name)))
    operations = []
    for _ in range(rng.randint(1, 3)):
        operation = rng.choice(("add", "replace", "remove", "test", "move", "copy"))
        pointer, value = rng.choice(there)
        made: JsonObject = {"op": operation, "path": pointer}
        if operation in {"add", "replace", "test"}:
            made["value"] = value
        if operation in {"move", "copy"}:
            made["from"] = rng.choice(there)[0]
        operations.append(made)
    return Step("PATCH", kind.path(NAMESPACE, name), tuple(_options(rng)), _CONTENT["json"], operations)


def _apply(rng: random.Random, kind: Kind, name: str) -> Step:
    body = _maybe(rng, kind.object(rng, name))
    query = [*_options(rng, manager=False), ("fieldManager", rng.choice(("one", "two", "three")))]
    if rng.random() < 0.3:
        query.append(("force", "true"))
    return Step("PATCH", kind.path(NAMESPACE, name), tuple(query), _CONTENT["apply"], body)


def _status(rng: random.Random, kind: Kind, name: str) -> Step:
    path = f"{kind.path(NAMESPACE, name)}/status"
    body: JsonObject = {"status": kind.status(rng)}
    if rng.random() < 0.3:
        body |= {"metadata": {"labels": {"team": "blue"}}, "spec": kind.make(rng).get("spec")}
    body = _maybe(rng, body)
    how = rng.choice(("merge", "put", "apply"))
    if how == "merge":
        return Step("PATCH", path, tuple(_options(rng)), _CONTENT["merge"], body)
    whole = {"apiVersion": kind.version, "kind": kind.kind, "metadata": {"name": name}} | body
    if how == "put":
        return Step("PUT", path, tuple(_options(rng)), "application/json", whole, onto="all")
    return Step("PATCH", path, (("fieldManager", "status"), ("force", "true")), _CONTENT["apply"], whole)


def _delete(rng: random.Random, kind: Kind, name: str) -> Step:
    options: JsonObject = {"apiVersion": "v1", "kind": "DeleteOptions"}
    if rng.random() < 0.3:
        options["preconditions"] = {"uid": "00000000-0000-0000-0000-000000000000"}
    if rng.random() < 0.2:
        options["dryRun"] = ["All"]
    if rng.random() < 0.3:
        options["gracePeriodSeconds"] = rng.choice((0, 30))
    has_body = len(options) > 2 or rng.random() < 0.5
    content = "application/json" if has_body else ""
    return Step("DELETE", kind.path(NAMESPACE, name), (), content, options if has_body else None)


def _delete_many(rng: random.Random, kind: Kind, _name: str) -> Step:
    return Step("DELETE", kind.path(NAMESPACE), (("labelSelector", f"team={rng.choice(('red', 'blue'))}"),))


def _release(_rng: random.Random, kind: Kind, name: str) -> Step:
    body = {"metadata": {"finalizers": None}}
    return Step("PATCH", kind.path(NAMESPACE, name), (), _CONTENT["merge"], body)


_ACTIONS: Final[Mapping[Callable[[random.Random, Kind, str], Step], float]] = {
    _create: 7,
    _get: 1,
    _list: 2,
    _replace: 4,
    _merge: 4,
    _strategic: 3,
    _json: 4,
    _apply: 7,
    _status: 3,
    _delete: 2,
    _delete_many: 0.5,
    _release: 1,
}
"""Actions by weight."""


def about(all_steps: Sequence[Step], step: Step) -> list[Step]:
    """The steps up to `step` about the same collection, or the same object where that has no namespace."""
    upto = all_steps[: next(n for n, each in enumerate(all_steps) if each is step) + 1]
    return [each for each in upto if collection_of(each.path) == collection_of(step.path)]


_COLLECTION: Final = re.compile(r".*/namespaces/(?:\$\{ns\}|random-[0-9a-f]+-[0-9]+)/[^/]+")


def collection_of(path: str) -> str:
    """The path of the collection that a request is about; of the object where that has no namespace."""
    found = _COLLECTION.match(path)
    return found[0] if found else path.removesuffix("/status")

"""Plays the same requests to two servers and compares the answers, normalised as those of the recordings are."""

import copy
import importlib.util
import json
import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from api.meta import JsonObject
from tests.deadline import eventually
from tests.random_requests.bodies import CORE, NAMESPACE, OURS
from tests.random_requests.generate import Step, about, collection_of, steps
from tests.sandbox.crds import our_crds

_KIT: Final = Path(__file__).resolve().parents[1] / "conformance" / "replay.py"
_TRIES: Final = 60
"""Plays of a shorter sequence, until the shortest that differs is taken for it."""


@cache
def kit() -> ModuleType:
    """The replayer, which is a script."""
    spec = importlib.util.spec_from_file_location("conformance_replay", _KIT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass(frozen=True, slots=True)
class Difference:
    """A step that two servers answer differently, and the shortest way there."""

    way: tuple[Step, ...]
    lines: tuple[str, ...]

    @property
    def signature(self) -> str:
        """Differences that look alike: verb, kind of kind, and the first place that differs."""
        step = self.way[-1]
        kinds = [
            each.plural for each in CORE if f"/{each.plural}" in step.path.replace(f"/namespaces/{NAMESPACE}/", "/")
        ]
        sort = "custom" if "/sagemaker" in step.path else "".join(kinds[-1:])
        verb = "WATCH" if step.is_watch else f"{step.method} {step.content.partition('/')[2]}"
        return f"{verb} {sort} {re.sub(r'[0-9]+', 'N', self.lines[0])[:100]}"

    def __str__(self) -> str:
        shown = [
            f"  {each} {json.dumps(each.body, ensure_ascii=False)[:1500] if each.body is not None else ''}"
            for each in self.way
        ]
        return "\n".join(["DIFFERENCE after", *shown, *(f"    {line}" for line in self.lines[:12])])


class Player:
    """One server, and what its answers have to be known by: versions and uids in the order of their appearance."""

    def __init__(self, name: str, url: str, token: str = "") -> None:
        self.name = name
        self._client = kit().Client(url, token or None, url.startswith("https:"), None)

    def prepare(self) -> None:
        """Install our CRDs."""
        for crd in our_crds():
            path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
            status = self._client.status("POST", path, body=crd)
            assert status in {201, 409}, f"{self.name}: {status} for a CRD"

    def release(self) -> str:
        """The release that it is of, such as `1.37`."""
        version = self._client.send("GET", "/version").json()
        return f"{version['major']}.{version['minor'].rstrip('+')}"

    def is_ready(self) -> bool:
        """Whether it serves our kinds."""
        return all(self._client.status("GET", each.path("default")) == 200 for each in OURS)

    def enter(self, namespace: str) -> None:
        """Begin a round in a namespace of its own."""
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
        made = self._client.status("POST", "/api/v1/namespaces", body=body)
        assert made in {201, 404}, f"{self.name}: {made} for a namespace"  # 404: a server of our kinds only
        self._namespace = namespace
        self._normalizers: dict[str, Any] = {}
        """By collection, so that a difference in one does not number the objects of the others differently."""
        self._since: dict[str, str] = {}

    def leave(self) -> None:
        """Have the namespace go, if the server has somebody who does that."""
        self._client.status("DELETE", f"/api/v1/namespaces/{self._namespace}")

    def play(self, step: Step) -> JsonObject:
        """The normalized answer."""
        path = step.path.replace(NAMESPACE, self._namespace)
        collection = collection_of(path)
        if "/namespaces/" in collection and collection not in self._since:
            listed = self._client.send("GET", collection).json()
            self._since[collection] = listed["metadata"].get("resourceVersion", "")
        if step.is_watch:
            return {"events": [self._normal(each, path) for each in self._events(path, self._since[collection])]}
        body = step.body if not step.onto else self._onto(path, step)
        headers = {"Accept": step.accept} | ({"Content-Type": step.content} if step.content else {})
        # With escapes, as many clients do; in an order that does not depend on the server that was asked first.
        text = None if body is None else json.dumps(body, sort_keys=bool(step.onto)).replace(NAMESPACE, self._namespace)
        answer = self._client.send(step.method, path, list(step.query), headers, text)
        try:
            document = answer.json()
        except ValueError:
            document = answer.text
        return {
            "status": answer.status_code,
            "type": answer.headers.get("Content-Type", ""),
            "warnings": answer.raw.headers.getlist("Warning"),
            "body": self._normal(document, collection),
        }

    def _onto(self, path: str, step: Step) -> Any:
        """The body as somebody writes it who has read the object before."""
        read = self._client.send("GET", path)
        if read.status_code != 200 or not isinstance(step.body, dict):
            return step.body
        live = read.json()
        body = copy.deepcopy(step.body)
        if not isinstance(body.get("metadata"), dict):
            return body
        if step.onto == "version":
            body["metadata"]["resourceVersion"] = live["metadata"]["resourceVersion"]
            return body
        return {**live, **body, "metadata": {**live["metadata"], **body["metadata"]}}

    def _events(self, path: str, since: str) -> Iterator[Any]:
        query = {"watch": "true", "resourceVersion": since, "timeoutSeconds": "1"}
        answer = self._client.send("GET", path, query, stream=True)
        yield from (json.loads(line) for line in answer.iter_lines() if line)

    def _normal(self, document: Any, collection: str) -> Any:
        if collection not in self._normalizers:
            self._normalizers[collection] = kit().Normalizer({}, {self._namespace: NAMESPACE})
        normalizer = self._normalizers[collection]
        for value in _identities(document):
            if value not in normalizer.variables.values():
                normalizer.variables[f"v{len(normalizer.variables)}"] = value
        return _in_order(normalizer.body(document, keep_managed_fields=True))


def prepare(*some: Player) -> None:
    """Install our CRDs, and wait until they are served."""
    for player in some:
        player.prepare()
    for player in some:
        eventually(player.is_ready, what=f"{player.name} serves our kinds")


_QUOTED: Final = re.compile(r'Invalid value: "\{\\".*\}": ')
"""A whole object in a message: its members come in the order of a Go struct."""


def _in_order(body: Any) -> Any:
    """An answer of which the message lists errors in no order, with these sorted; whole objects are left out."""
    if isinstance(body, dict) and isinstance(body.get("message"), str):
        head, listed, errors = body["message"].partition("errors:\n")
        body = {**body, "message": _unquoted(f"{head}{listed}{chr(10).join(sorted(errors.splitlines()))}")}
        for cause in (body.get("details") or {}).get("causes") or ():
            cause["message"] = _unquoted(cause.get("message", ""))
    return body


def _unquoted(message: str) -> str:
    return _QUOTED.sub("Invalid value: <object>: ", message)


def _identities(document: Any) -> Iterator[str]:
    """Versions and uids of objects, in order."""
    if isinstance(document, dict):
        metadata = document.get("metadata")
        if isinstance(metadata, dict) and not kit().is_collection(document):
            yield from (metadata[name] for name in ("uid", "resourceVersion") if isinstance(metadata.get(name), str))
        for each in document.values():
            yield from _identities(each)
    elif isinstance(document, list):
        for each in document:
            yield from _identities(each)


def differences(left: Player, right: Player, some: Sequence[Step], name: str) -> Iterator[tuple[Step, list[str]]]:
    """Play steps in a new namespace; yields those that are answered differently."""
    for player in (left, right):
        player.enter(name)
    try:
        for step in some:
            lines = kit().differences(left.play(step), right.play(step))
            if lines:
                yield step, lines
    finally:
        for player in (left, right):
            player.leave()


class Comparison:
    """Rounds of random requests to two servers."""

    def __init__(
        self,
        left: Player,
        right: Player,
        *,
        seed: int,
        custom_only: bool = False,
        note: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._players = left, right
        self._seed = seed
        self._kinds = OURS if custom_only else (*CORE, *OURS)
        self._note = note
        self._namespaces = 0
        self._run = secrets.token_hex(3)
        """In the names of namespaces, which no answer shows: a server may have those of an earlier run."""
        self.played = 0
        self.found: dict[str, Difference] = {}
        """The first of each sort."""

    def round(self, number: int, count: int) -> None:
        """Play one round. Of a collection, the first difference counts: what comes later may come of it."""
        every = steps(self._seed, number, count, self._kinds)
        parted: set[str] = set()
        for step, lines in self._play(every):
            collection = collection_of(step.path)
            if collection in parted:
                continue
            parted.add(collection)
            difference = Difference(tuple(about(every, step)), tuple(lines))
            if difference.signature not in self.found:
                self.found[difference.signature] = shortest = self._shortest(difference)
                self._note(str(shortest))
        self.played += len(every)

    def _play(self, some: Sequence[Step]) -> list[tuple[Step, list[str]]]:
        self._namespaces += 1
        return list(differences(*self._players, some, f"random-{self._run}-{self._namespaces}"))

    def _shortest(self, difference: Difference) -> Difference:
        """Leave out steps, one at a time from the last on, as long as the last one is still answered so."""
        way, lines = list(difference.way), difference.lines
        last = way[-1]
        for step in list(reversed(way[:-1]))[:_TRIES]:
            shorter = [each for each in way if each is not step]
            ends = [found for at, found in self._play(shorter) if at is last]
            if ends and _place(ends[0]) == _place(lines):
                way, lines = shorter, tuple(ends[0])
        return Difference(tuple(way), lines)


def _place(lines: Sequence[str]) -> str:
    return lines[0].partition(":")[0]

#!/usr/bin/env python3
# Kept as it came with the recordings (see README.md), so not in the style of this repository.
"""Record what a Kubernetes API server answers, and check another server against it.

A *scenario* (scenarios/NAME.yaml) is a list of HTTP steps.  ``record`` plays it
against a reference server and writes the normalized answers to
golden/NAME.json.  ``check`` plays it against the server under test and reports
every difference.  ``kubectl-record`` and ``kubectl-check`` do the same for a list of
kubectl and helm command lines (kubectl.yaml, golden/kubectl.json).

    replay.py check --server http://127.0.0.1:8001              # every scenario
    replay.py check --server https://HOST:6443 --token T --insecure patch watch
    replay.py kubectl-check --kubeconfig FILE

README.md describes the scenario format and what is normalized.
Needs Python 3.11, ``requests`` and ``pyyaml``.
"""
from __future__ import annotations

import argparse
import copy
import datetime
import difflib
import itertools
import json
import operator
import os
import queue
import random
import re
import shutil
import string
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, Iterator

import requests
import urllib3
import yaml

REQUEST_TIMEOUT = 30      # seconds for one plain request
POLL_INTERVAL = 0.2       # seconds between two tries of an "until" step
QUIET_PERIOD = 0.3        # seconds a watch must stay silent after its last expected event
CLEANUP_TIMEOUT = 90      # seconds to wait for namespaces and CRDs to go away

PATCH_TYPES = {
    "json": "application/json-patch+json",
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "apply": "application/apply-patch+yaml",
}


class KitError(Exception):
    """A mistake in the kit itself: an unknown variable, a stale golden file, …"""


# What playing a step can raise when the server answers something unexpected.
STEP_ERRORS = (KitError, requests.RequestException, subprocess.CalledProcessError,
               AttributeError, KeyError, TypeError, ValueError)


# --------------------------------------------------------------------------
# Paths into JSON documents:  a.b[0].c   a["dotted.key"]   a[name=x].b   a[*].b
# --------------------------------------------------------------------------

ABSENT = "<absent>"
PATH_TOKEN = re.compile(
    r'\.?(?:(?P<key>[^.\[\]"]+)'
    r'|\[(?P<index>\d+)\]'
    r'|\["(?P<quoted>[^"]*)"\]'
    r'|\[(?P<all>\*)\]'
    r'|\[(?P<field>[^\]=]+)=(?P<value>[^\]]*)\])')


def parse_path(path: str) -> list[tuple]:
    """Split a path into steps such as ("key", "metadata") or ("where", "name", "x")."""
    steps: list[tuple] = []
    position = 0
    while path != "." and position < len(path):
        match = PATH_TOKEN.match(path, position)
        if not match:
            raise KitError(f"cannot parse the path {path!r} at {path[position:]!r}")
        position = match.end()
        if match["key"] is not None:
            steps.append(("key", match["key"]))
        elif match["quoted"] is not None:
            steps.append(("key", match["quoted"]))
        elif match["index"] is not None:
            steps.append(("index", int(match["index"])))
        elif match["all"]:
            steps.append(("all",))
        else:
            steps.append(("where", match["field"], match["value"]))
    return steps


def get_path(document: Any, path: str) -> Any:
    """Return the value at a path, or ABSENT. "PATH|keys" gives the sorted keys there."""
    path, _, modifier = path.partition("|")
    value = _walk_path(document, parse_path(path))
    if modifier == "keys":
        return sorted(value) if isinstance(value, dict) else ABSENT
    if modifier:
        raise KitError(f"unknown path modifier {modifier!r}")
    return value


def _walk_path(value: Any, steps: list[tuple]) -> Any:
    for position, step in enumerate(steps):
        if step[0] == "key":
            if not isinstance(value, dict) or step[1] not in value:
                return ABSENT
            value = value[step[1]]
        elif not isinstance(value, list):
            return ABSENT
        elif step[0] == "index":
            if step[1] >= len(value):
                return ABSENT
            value = value[step[1]]
        elif step[0] == "where":
            found = [v for v in value if str(_walk_path(v, parse_path(step[1]))) == step[2]]
            if not found:
                return ABSENT
            value = found[0]
        else:
            return [_walk_path(item, steps[position + 1:]) for item in value]
    return value


def set_path(document: Any, path: str, value: Any) -> None:
    """Set the value at a path, making the objects on the way."""
    *parents, last = parse_path(path)
    for step in parents:
        if step[0] == "key":
            document = document.setdefault(step[1], {})
        else:
            document = _walk_path(document, [step])
    if last[0] == "index" and last[1] == len(document):
        document.append(value)
    else:
        document[last[1]] = value


def drop_path(document: Any, path: str) -> None:
    """Remove the value at a path if it is there."""
    *parents, last = parse_path(path)
    parent = _walk_path(document, parents)
    targets = parent if any(step[0] == "all" for step in parents) else [parent]
    for target in targets:
        if isinstance(target, dict) and last[0] == "key":
            target.pop(last[1], None)
        elif isinstance(target, list) and last[0] == "index" and last[1] < len(target):
            del target[last[1]]


# --------------------------------------------------------------------------
# ${variable} templates
# --------------------------------------------------------------------------

VARIABLE = re.compile(r"\$\{([A-Za-z_][\w.\[\]-]*)\}")


def expand(value: Any, variables: dict[str, Any]) -> Any:
    """Replace ${name} in every string of a value. A string that is only ${name} keeps
    the type of the variable, so a whole object can be inserted."""
    if isinstance(value, dict):
        return {expand(k, variables): expand(v, variables) for k, v in value.items()}
    if isinstance(value, list):
        return [expand(v, variables) for v in value]
    if not isinstance(value, str):
        return value
    whole = VARIABLE.fullmatch(value)
    if whole:
        return copy.deepcopy(expand(_lookup(whole[1], variables), variables))
    return VARIABLE.sub(lambda m: str(expand(_lookup(m[1], variables), variables)), value)


def _lookup(name: str, variables: dict[str, Any]) -> Any:
    value = get_path(variables, name)
    if isinstance(value, str) and value == ABSENT:
        raise KitError(f"variable ${{{name}}} has no value (an earlier step did not save it)")
    return value


def random_token() -> str:
    """Six random characters that cannot be part of an English word."""
    return "".join(random.choices("bcdfghjklmnpqrstvwxz" + string.digits[2:], k=6))


# --------------------------------------------------------------------------
# Normalization
# --------------------------------------------------------------------------

UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
TIMESTAMP = re.compile(
    r"\b(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)")
AGE = re.compile(r"(\d+[smhdy]){1,2}")
IPV4 = re.compile(r"\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(:\d+)?\b")
GENERATED_SUFFIX = re.compile(r"[bcdfghjklmnpqrstvwxz2456789]{5}")
LONG_DESCRIPTION = 60


def mask_recent_times(text: str) -> str:
    """Replace timestamps of the last or next 24 hours; a scenario's own dates are far
    from now and stay. The number of fraction digits is kept, because clients parse it."""
    def replace(match: re.Match) -> str:
        stamp, fraction, zone = match.groups()
        try:
            when = datetime.datetime.fromisoformat(stamp + "+00:00")
        except ValueError:
            return match[0]
        now = datetime.datetime.now(datetime.timezone.utc)
        if abs((now - when).total_seconds()) > 86400:
            return match[0]
        digits = f".{len(fraction) - 1}" if fraction else ""
        return f"<time{digits}>" if zone == "Z" else f"<time{digits} with offset>"
    return TIMESTAMP.sub(replace, text)


class Normalizer:
    """Turns a response into something two servers can agree on.

    Values that a scenario saved in a variable are shown as ${variable}, so that "the same
    uid again" or "the resourceVersion did not change" is part of the golden file."""

    def __init__(self, variables: dict[str, Any], literals: dict[str, str]):
        self.variables = variables
        self.literals = literals       # random text of this run -> its placeholder
        self.unnamed: set[str] = set()  # variables that are never shown as ${variable}

    def text(self, value: str) -> str:
        """Normalize one string."""
        for literal in sorted(self.literals, key=len, reverse=True):
            value = value.replace(literal, self.literals[literal])
        value = UUID.sub(lambda m: self._named(m[0]) or "<uid>", value)
        value = mask_recent_times(value)
        return IPV4.sub("<ip>", value)

    def _named(self, value: str) -> str | None:
        """The ${variable} that holds this value, the one saved first if there are several."""
        for name, known in self.variables.items():
            if known == value and name not in self.unnamed:
                return "${" + name + "}"
        return None

    def resource_version(self, value: Any, of_collection: bool) -> Any:
        """A collection's resourceVersion moves with unrelated writes: it is only masked."""
        if not isinstance(value, str) or not value.isdigit() or value == "0":
            return value
        return "<rv>" if of_collection else self._named(value) or "<rv>"

    def body(self, value: Any, keep_managed_fields: bool = False) -> Any:
        """Normalize a decoded JSON body."""
        if isinstance(value, list):
            return [self.body(v, keep_managed_fields) for v in value]
        if isinstance(value, str):
            return self.text(value)
        if not isinstance(value, dict):
            return value
        result = {}
        for key, item in value.items():
            if key == "managedFields" and not keep_managed_fields:
                continue
            if key == "storageVersionHash":
                continue
            if key == "managedFields" and isinstance(item, list):
                item = sorted(item, key=manager_key)     # the server sorts them by time
            if key == "verbs" and is_discovery(value):
                item = sorted(item)
            if key == "metadata" and isinstance(item, dict):
                item = self._metadata(item, is_collection(value))
            elif key == "resourceVersion":
                item = self.resource_version(item, of_collection=False)
            elif key == "continue" and item and isinstance(item, str):
                item = "<continue>"
            result[self.text(key)] = self.body(item, keep_managed_fields)
        if value.get("kind") == "Table":
            self._table(result)
        if value.get("kind") == "Status":
            self._status(result)
        return result

    def _metadata(self, metadata: dict, of_collection: bool) -> dict:
        metadata = dict(metadata)
        if metadata.get("resourceVersion"):
            metadata["resourceVersion"] = self.resource_version(
                metadata["resourceVersion"], of_collection)
        prefix, name = metadata.get("generateName"), metadata.get("name")
        if prefix and isinstance(name, str) and name.startswith(prefix) \
                and GENERATED_SUFFIX.fullmatch(name[len(prefix):]):
            metadata["name"] = prefix + "<5 random characters>"
        return metadata

    @staticmethod
    def _table(table: dict) -> None:
        for column in table.get("columnDefinitions") or []:
            if len(column.get("description") or "") > LONG_DESCRIPTION:
                column["description"] = "<text>"
        for row in table.get("rows") or []:
            row["cells"] = ["<age>" if isinstance(c, str) and AGE.fullmatch(c) else c
                            for c in row.get("cells") or []]

    @staticmethod
    def _status(status: dict) -> None:
        """Several causes come in no fixed order, some of them twice: sort them, and the
        message made of them."""
        details = status.get("details")
        if not isinstance(details, dict) or len(details.get("causes") or []) < 2:
            return
        unique = {json.dumps(cause, sort_keys=True): cause for cause in details["causes"]}
        causes = details["causes"] = sorted(unique.values(), key=lambda c: (
            c.get("field", ""), c.get("reason", ""), c.get("message", "")))
        head, bracket, tail = status.get("message", "").partition(": [")
        parts = sorted(f"{c.get('field')}: {c.get('message')}" for c in causes)
        if bracket and tail.endswith("]") and len(", ".join(parts)) == len(tail) - 1 \
                and all(part in tail for part in parts):
            status["message"] = f"{head}: [{', '.join(parts)}]"


def is_collection(body: dict) -> bool:
    """True for List and Table objects."""
    kind = body.get("kind")
    return isinstance(kind, str) and (kind.endswith("List") or kind == "Table")


def manager_key(entry: dict) -> tuple:
    """Sort key of one managedFields entry."""
    return tuple(entry.get(key, "") for key in ("manager", "operation", "subresource"))


def is_discovery(body: dict) -> bool:
    """True for the description of a resource in a discovery document."""
    return not {"singularName", "responseKind"}.isdisjoint(body)


# --------------------------------------------------------------------------
# Differences
# --------------------------------------------------------------------------

def differences(expected: Any, got: Any, path: str = "") -> list[str]:
    """List the differences of two JSON values, one line each."""
    where = path.lstrip(".") or "(all)"
    if isinstance(expected, dict) and isinstance(got, dict):
        lines = []
        for key in sorted(set(expected) | set(got)):
            inner = f"{path}.{key}" if re.fullmatch(r"[\w-]+", key) else f'{path}["{key}"]'
            if key not in got:
                lines.append(f"{inner.lstrip('.')}: missing, expected {brief(expected[key])}")
            elif key not in expected:
                lines.append(f"{inner.lstrip('.')}: unexpected {brief(got[key])}")
            else:
                lines += differences(expected[key], got[key], inner)
        return lines
    if isinstance(expected, list) and isinstance(got, list):
        lines = []
        if len(expected) != len(got):
            lines.append(f"{where}: expected {len(expected)} items, got {len(got)}")
        for index, (left, right) in enumerate(zip(expected, got)):
            lines += differences(left, right, f"{path}[{index}]")
        for index in range(len(got), len(expected)):
            lines.append(f"{where}[{index}]: missing, expected {brief(expected[index])}")
        for index in range(len(expected), len(got)):
            lines.append(f"{where}[{index}]: unexpected {brief(got[index])}")
        return lines
    if type(expected) is type(got) and expected == got:
        return []
    return [f"{where}: expected {brief(expected)}", f"{' ' * len(where)}       got {brief(got)}"]


def brief(value: Any, limit: int = 400) -> str:
    """A value as one line of JSON, cut when it is long."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= limit else text[:limit] + f"… ({len(text)} characters)"


# --------------------------------------------------------------------------
# HTTP
# --------------------------------------------------------------------------

class Client:
    """Sends requests to one API server."""

    def __init__(self, server: str, token: str | None, insecure: bool, ca_file: str | None):
        self.server = server.rstrip("/")
        self.token = token
        self.verify: bool | str = False if insecure else (ca_file or True)
        if insecure:
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        self.session = self._session()

    def _session(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        session.verify = self.verify
        session.headers["User-Agent"] = "conformance-kit"
        session.headers["Accept"] = "application/json"
        if self.token:
            session.headers["Authorization"] = f"Bearer {self.token}"
        return session

    def send(self, method: str, path: str, query: dict | None = None,
             headers: dict | None = None, body: Any = None,
             stream: bool = False) -> requests.Response:
        """Send one request. A str body goes out as it is, anything else as JSON. A stream has
        a connection of its own and no read time-out."""
        headers = dict(headers or {})
        data = None
        if body is not None:
            data = (body if isinstance(body, str) else json.dumps(body)).encode()
            headers.setdefault("Content-Type", "application/json")
        session = self._session() if stream else self.session
        return session.request(
            method, self.server + path, params=query, headers=headers, data=data, stream=stream,
            timeout=(REQUEST_TIMEOUT, None if stream else REQUEST_TIMEOUT))

    def status(self, method: str, path: str, **arguments) -> int:
        """Send a request of which only the status code matters."""
        return self.send(method, path, **arguments).status_code


class Watch:
    """A watch stream that is read in the background."""

    def __init__(self, client: Client, path: str, query: dict, headers: dict | None):
        self.response: requests.Response | None = None
        self.error: Exception | None = None
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._opened = threading.Event()
        threading.Thread(target=self._read, args=(client, path, query, headers),
                         daemon=True).start()
        if not self._opened.wait(REQUEST_TIMEOUT):
            self.error = TimeoutError("the server sent no response headers")

    def _read(self, client: Client, path: str, query: dict, headers: dict | None) -> None:
        try:
            self.response = client.send("GET", path, query, headers, stream=True)
            self._opened.set()
            for line in self.response.iter_lines(chunk_size=1):
                if line:
                    self._lines.put(line.decode())
        except Exception as error:          # the reader thread reports, it never raises
            self.error = self.error or error
        finally:
            self._opened.set()
            self._lines.put(None)

    def collect(self, count: int | None, timeout: float, drop_bookmarks: bool
                ) -> tuple[list[dict], str]:
        """Read events until `count` of them came (and then nothing for QUIET_PERIOD), until
        the server ends the stream, or until the timeout. Says "open" or "closed" as well."""
        events: list[dict] = []
        deadline = time.monotonic() + timeout
        while True:
            enough = count is not None and len(events) >= count
            left = deadline - time.monotonic()
            try:
                line = self._lines.get(timeout=QUIET_PERIOD if enough else max(left, 0.01))
            except queue.Empty:
                return events, "open"
            if line is None:
                self._lines.put(None)
                return events, "closed"
            event = json.loads(line)
            if event.get("type") == "BOOKMARK" and (drop_bookmarks or enough):
                continue                    # a server may send one at any time
            events.append(event)
            if left < 0 and not enough:
                return events, "open"

    def error_body(self) -> Any:
        """The body of an answer that is not a stream of events."""
        lines = list(iter(lambda: self._lines.get(timeout=REQUEST_TIMEOUT), None))
        try:
            return json.loads("\n".join(lines))
        except ValueError:
            return "\n".join(lines)

    def close(self) -> None:
        """Stop reading, where the HTTP library has a way to."""
        shutdown = getattr(self.response and self.response.raw, "shutdown", None)
        if shutdown:
            try:
                shutdown()
            except Exception:               # already closed by the server
                pass


# --------------------------------------------------------------------------
# Scenarios
# --------------------------------------------------------------------------

COMPARISONS = {"==": operator.eq, "!=": operator.ne}
NUMERIC_COMPARISONS = {"<": operator.lt, ">": operator.gt, ">=": operator.ge}


class Scenario:
    """One scenarios/NAME.yaml file."""

    def __init__(self, path: Path):
        document = yaml.safe_load(path.read_text())
        self.path = path
        self.name = path.stem
        self.description = document.get("description", "")
        self.fixtures: list[str] = document.get("fixtures", [])
        self.namespaces: list[str] = document.get("namespaces", ["ns"])
        self.variables: dict[str, Any] = document.get("vars", {})
        self.cleanup: list[str] = document.get("cleanup", [])
        self.steps = list(self._steps(document["steps"]))
        names = [step["name"] for step in self.steps]
        for name in names:
            if names.count(name) > 1:
                raise KitError(f"{path.name}: two steps are named {name!r}")

    @staticmethod
    def _steps(raw_steps: list[dict]) -> Iterator[dict]:
        """Give every step its group, and unroll the steps that have an `each` list."""
        group = ""
        for raw in raw_steps:
            if "group" in raw:
                group = raw["group"]
                continue
            for item in raw.get("each", [None]):
                step = {**raw, "group": group, "name": f"{group} / {raw['name']}"}
                if "each" in raw:
                    label = item.get("name", "") if isinstance(item, dict) else item
                    step["name"] += f" [{label}]"
                    step["item"] = item
                yield step


class ScenarioRun:
    """Plays one scenario against one server."""

    def __init__(self, client: Client, scenario: Scenario, fixtures: "Fixtures",
                 compact_command: str | None):
        self.client = client
        self.scenario = scenario
        self.fixtures = fixtures
        self.compact_command = compact_command
        run = random_token()
        self.namespaces = {name: f"conf-{run}-{name}" for name in scenario.namespaces}
        self.variables: dict[str, Any] = {"run": run, **self.namespaces, **scenario.variables}
        literals = {actual: "${" + name + "}" for name, actual in self.namespaces.items()}
        literals[run] = "${run}"
        literals[client.server] = "${server}"
        self.normalizer = Normalizer(self.variables, literals)
        self.watches: dict[str, Watch] = {}

    # -- life cycle ---------------------------------------------------------

    def __enter__(self) -> "ScenarioRun":
        self._delete_leftovers()
        for name in self.scenario.fixtures:
            self.fixtures.install(name)
        for namespace in self.namespaces.values():
            body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
            response = self.client.send("POST", "/api/v1/namespaces", body=body)
            if response.status_code != 201:
                raise KitError(f"cannot create namespace {namespace}: {response.text[:300]}")
        return self

    def __exit__(self, *exception) -> None:
        for watch in self.watches.values():
            watch.close()
        self._delete_leftovers()
        for namespace in self.namespaces.values():
            self.fixtures.empty_namespace(namespace)
            self.client.status("DELETE", f"/api/v1/namespaces/{namespace}")
            self.fixtures.dying_namespaces.append(namespace)

    def _delete_leftovers(self) -> None:
        for path in self.scenario.cleanup:
            delete_and_wait(self.client, expand(path, self.variables))

    # -- steps --------------------------------------------------------------

    def play(self, step: dict) -> dict | None:
        """Play one step and return its normalized result; None if it has to be skipped."""
        if step.get("needs") == "compaction" and not self.compact_command:
            return None
        self.variables["item"] = step.get("item")
        time.sleep(step.get("wait", 0))
        if "compact" in step:
            command = self.compact_command.replace("REV", expand(step["compact"], self.variables))
            subprocess.run(command, shell=True, check=True, stdout=subprocess.DEVNULL)
            return {"compacted": True}
        if "watch" in step:
            return self._watch(step)
        if "collect" in step:
            return self._collect(self.watches[step["collect"]], step)
        return self._request(step)

    def failed_assertions(self, step: dict) -> list[str]:
        """Check the step's comparisons of saved variables, such as "rv2 > rv1"."""
        failures = []
        for text in step.get("assert", []):
            left, symbol, right = text.split()
            a, b = _lookup(left, self.variables), _lookup(right, self.variables)
            if symbol in NUMERIC_COMPARISONS:
                holds = NUMERIC_COMPARISONS[symbol](int(a), int(b))
            else:
                holds = COMPARISONS[symbol](a, b)
            if not holds:
                failures.append(f"assertion failed: {text} (they are {a!r} and {b!r})")
        return failures

    def _request(self, step: dict) -> dict:
        method, path = expand(step["request"], self.variables).split(" ", 1)
        headers = expand(step.get("headers", {}), self.variables)
        if "patch" in step:
            headers["Content-Type"] = PATCH_TYPES[step["patch"]]
        body = expand(step.get("body"), self.variables)
        for key, value in expand(step.get("set", {}), self.variables).items():
            set_path(body, key, value)
        for key in step.get("unset", []):
            drop_path(body, key)
        query = expand(step.get("query", {}), self.variables)

        polling = "until" in step or "until_status" in step
        deadline = time.monotonic() + step.get("timeout", REQUEST_TIMEOUT)
        while True:
            response = self.client.send(method, path, query, headers, body)
            document = decode(response)
            if not polling or self._arrived(step, response, document) \
                    or time.monotonic() > deadline:
                break
            time.sleep(POLL_INTERVAL)

        for name, where in step.get("save", {}).items():
            value = get_path(document, where)
            if isinstance(value, str) and value == ABSENT:
                self.variables.pop(name, None)
            else:
                self.variables[name] = value
            if isinstance(document, dict) and is_collection(document):
                self.normalizer.unnamed.add(name)     # may or may not be that of an object
        result = self._head(response)
        result["body"] = self._body(document, step)
        return result

    def _arrived(self, step: dict, response: requests.Response, document: Any) -> bool:
        """True if a polled response is the one that the step waits for."""
        if step.get("until_status", response.status_code) != response.status_code:
            return False
        wanted = expand(step.get("until", {}), self.variables)
        return all(get_path(document, path) == value for path, value in wanted.items())

    def _watch(self, step: dict) -> dict:
        query = {"watch": "true", **expand(step.get("query", {}), self.variables)}
        watch = Watch(self.client, expand(step["watch"], self.variables), query,
                      expand(step.get("headers"), self.variables))
        if watch.response is None:
            raise requests.ConnectionError(f"the watch did not open: {watch.error}")
        self.watches[step.get("as", step["name"])] = watch
        result = self._head(watch.response)
        if watch.response.status_code != 200:
            return {**result, "body": self._body(watch.error_body(), step)}
        if "as" in step:
            return result
        return {**result, **self._collect(watch, step)}

    def _collect(self, watch: Watch, step: dict) -> dict:
        events, end = watch.collect(step.get("count"), step.get("timeout", 10),
                                    step.get("bookmarks") == "drop")
        for name, where in step.get("save", {}).items():
            value = get_path(events, where)
            if value != ABSENT:
                self.variables[name] = value
        normalized: list[dict] = []
        for event in events:
            item = self._body(event, step)
            if event.get("type") == "BOOKMARK":
                set_path(item, "object.metadata.resourceVersion", "<rv>")
                if normalized and normalized[-1] == item:
                    continue                # how many bookmarks come is a matter of timing
            normalized.append(item)
        return {"events": normalized, "stream": end}

    @staticmethod
    def _head(response: requests.Response) -> dict:
        """The parts of a response that are not its body."""
        head: dict[str, Any] = {"status": response.status_code,
                                "content_type": response.headers.get("Content-Type")}
        warnings = response.headers.get("Warning")
        if warnings:
            head["warning"] = warnings
        return head

    def _body(self, document: Any, step: dict) -> Any:
        """Normalize a body as the step asks for."""
        body = copy.deepcopy(document)
        if "pick" in step:
            body = {label: get_path(body, expand(path, self.variables))
                    for label, path in step["pick"].items()}
        for path in step.get("drop", []):
            drop_path(body, path)
        body = self.normalizer.body(body, keep_managed_fields=step.get("managed_fields", False))
        for path in step.get("mask", []):
            if get_path(body, path) != ABSENT:
                set_path(body, path, "<masked>")
        for pattern, text in step.get("replace", []):
            body = replace_text(body, re.compile(pattern), text)
        return body


def decode(response: requests.Response) -> Any:
    """The JSON body of a response, or its text where it is not JSON."""
    try:
        return response.json()
    except ValueError:
        return response.text


def replace_text(value: Any, pattern: re.Pattern, text: str) -> Any:
    """Apply a regular expression to all strings of a value."""
    if isinstance(value, dict):
        return {k: replace_text(v, pattern, text) for k, v in value.items()}
    if isinstance(value, list):
        return [replace_text(v, pattern, text) for v in value]
    return pattern.sub(text, value) if isinstance(value, str) else value


def delete_and_wait(client: Client, path: str, timeout: float = CLEANUP_TIMEOUT) -> None:
    """Delete one object, if it exists, and wait until it is gone."""
    if client.status("DELETE", path) == 404:
        return
    wait_until_gone(client, path, timeout)


def wait_until_gone(client: Client, path: str, timeout: float = CLEANUP_TIMEOUT) -> None:
    """Wait until a GET says 404."""
    deadline = time.monotonic() + timeout
    while client.status("GET", path) != 404:
        if time.monotonic() > deadline:
            print(f"warning: {path} is still there after {timeout:.0f} seconds")
            return
        time.sleep(POLL_INTERVAL)


class Fixtures:
    """The CRDs in fixtures/, each installed once a run, when the first scenario needs it."""

    CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"

    def __init__(self, client: Client, directory: Path):
        self.client = client
        self.directory = directory
        self.installed: dict[str, dict] = {}
        self.dying_namespaces: list[str] = []

    def install(self, name: str) -> None:
        """Create the CRD anew and wait until its resource is served."""
        if name in self.installed:
            return
        crd = yaml.safe_load((self.directory / f"{name}.yaml").read_text())
        delete_and_wait(self.client, f"{self.CRDS}/{crd['metadata']['name']}")
        response = self.client.send("POST", self.CRDS, body=crd)
        if response.status_code != 201:
            raise KitError(f"cannot create the CRD {name}: {response.text[:300]}")
        self.installed[name] = crd
        deadline = time.monotonic() + REQUEST_TIMEOUT
        while self.client.status("GET", self._collection(crd)) != 200:
            if time.monotonic() > deadline:
                raise KitError(f"the CRD {name} is not served after {REQUEST_TIMEOUT} seconds")
            time.sleep(POLL_INTERVAL)
        time.sleep(1)           # let a server that publishes discovery in the background catch up

    @staticmethod
    def _collection(crd: dict, namespace: str | None = None) -> str:
        spec = crd["spec"]
        version = next(v["name"] for v in spec["versions"] if v["storage"])
        middle = f"/namespaces/{namespace}" if namespace else ""
        return f"/apis/{spec['group']}/{version}{middle}/{spec['names']['plural']}"

    def empty_namespace(self, namespace: str) -> None:
        """Take the finalizers off every custom resource, so that the namespace can go."""
        for crd in self.installed.values():
            if crd["spec"]["scope"] != "Namespaced":
                continue
            collection = self._collection(crd, namespace)
            listed = decode(self.client.send("GET", collection))
            for item in (listed.get("items") or []) if isinstance(listed, dict) else []:
                path = f"{collection}/{item['metadata']['name']}"
                if item["metadata"].get("finalizers"):
                    self.client.send("PATCH", path, body={"metadata": {"finalizers": None}},
                                     headers={"Content-Type": PATCH_TYPES["merge"]})
                self.client.send("DELETE", path)

    def remove(self) -> None:
        """Wait for the namespaces of this run to go, then delete the CRDs."""
        deadline = time.monotonic() + CLEANUP_TIMEOUT
        for namespace in self.dying_namespaces:
            wait_until_gone(self.client, f"/api/v1/namespaces/{namespace}",
                            max(deadline - time.monotonic(), 0))
        for crd in self.installed.values():
            delete_and_wait(self.client, f"{self.CRDS}/{crd['metadata']['name']}")


# --------------------------------------------------------------------------
# record and check
# --------------------------------------------------------------------------

class Report:
    """Prints results and counts them."""

    def __init__(self, verbose: bool, max_lines: int):
        self.verbose = verbose
        self.max_lines = max_lines
        self.passed = self.failed = self.skipped = 0

    def ok(self, name: str) -> None:
        """Count a step that agrees with its golden."""
        self.passed += 1
        if self.verbose:
            print(f"  ok    {name}")

    def skip(self, name: str, why: str) -> None:
        """Count a step that was not played."""
        self.skipped += 1
        if self.verbose:
            print(f"  skip  {name} ({why})")

    def fail(self, name: str, lines: list[str]) -> None:
        """Count and print a step that differs."""
        self.failed += 1
        print(f"  FAIL  {name}")
        shown = lines if len(lines) <= self.max_lines else lines[:self.max_lines]
        for line in shown:
            print(f"          {line}")
        if len(lines) > len(shown):
            print(f"          … and {len(lines) - len(shown)} more lines (--max-lines)")

    def finish(self) -> int:
        """Print the closing line; the exit status."""
        if self.skipped:
            print(f"{self.skipped} skipped")
        print(f"{self.passed} passed, {self.failed} failed")
        return 1 if self.failed else 0


def find_scenarios(kit: Path, wanted: list[str]) -> list[Scenario]:
    """Load the named scenarios (names or paths), or all of them."""
    if not wanted:
        return [Scenario(p) for p in sorted((kit / "scenarios").glob("*.yaml"))]
    paths = []
    for name in wanted:
        path = Path(name) if name.endswith(".yaml") else kit / "scenarios" / f"{name}.yaml"
        if not path.exists():
            raise KitError(f"no scenario {name!r}")
        paths.append(path)
    return [Scenario(p) for p in paths]


def record(client: Client, kit: Path, scenarios: list[Scenario], compact: str | None) -> int:
    """Play the scenarios and write their golden files."""
    version = decode(client.send("GET", "/version")).get("gitVersion", "unknown")
    fixtures = Fixtures(client, kit / "fixtures")
    try:
        for scenario in scenarios:
            print(f"== {scenario.name}")
            golden_steps = []
            with ScenarioRun(client, scenario, fixtures, compact) as run:
                for step in scenario.steps:
                    result = run.play(step)
                    if result is None:
                        raise KitError(f"{step['name']}: recording needs --compact-command")
                    for failure in run.failed_assertions(step):
                        raise KitError(f"{step['name']}: {failure}")
                    golden_steps.append({"name": step["name"], "result": result})
            golden = {"scenario": scenario.name, "recorded_from": version, "steps": golden_steps}
            write_golden(kit / "golden" / f"{scenario.name}.json", golden)
            print(f"   {len(golden_steps)} steps recorded")
    finally:
        fixtures.remove()
    return 0


def write_golden(path: Path, golden: dict) -> None:
    """Write a golden file in a form that diffs well."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(golden, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def read_golden(path: Path, step_names: list[str]) -> dict[str, Any]:
    """Read a golden file; its results by step name."""
    if not path.exists():
        raise KitError(f"there is no golden file {path.name}: record it first")
    steps = json.loads(path.read_text())["steps"]
    if [step["name"] for step in steps] != step_names:
        raise KitError(f"{path.name} does not have the steps of its scenario: record it again")
    return {step["name"]: step["result"] for step in steps}


def check(client: Client, kit: Path, scenarios: list[Scenario], compact: str | None,
          report: Report) -> int:
    """Play the scenarios and compare with their golden files."""
    fixtures = Fixtures(client, kit / "fixtures")
    try:
        for scenario in scenarios:
            print(f"== {scenario.name}")
            try:
                golden = read_golden(kit / "golden" / f"{scenario.name}.json",
                                     [step["name"] for step in scenario.steps])
                with ScenarioRun(client, scenario, fixtures, compact) as run:
                    for step in scenario.steps:
                        check_step(run, step, golden[step["name"]], report)
            except STEP_ERRORS as error:
                report.fail(f"{scenario.name} / set-up or clean-up", [str(error)])
    finally:
        try:
            fixtures.remove()
        except STEP_ERRORS as error:
            print(f"warning: clean-up failed: {error}")
    return report.finish()


def check_step(run: ScenarioRun, step: dict, expected: dict, report: Report) -> None:
    """Play one step and report whether it agrees."""
    try:
        got = run.play(step)
        if got is None:
            report.skip(step["name"], f"needs {step['needs']}")
            return
        lines = differences(expected, got) + run.failed_assertions(step)
    except STEP_ERRORS as error:
        lines = [f"not played: {type(error).__name__}: {error}"]
    if lines:
        report.fail(step["name"], [step_line(step), *lines])
    else:
        report.ok(step["name"])


def step_line(step: dict) -> str:
    """The request of a step, to print above its differences."""
    if "request" in step:
        line = step["request"]
    elif "watch" in step:
        line = f"WATCH {step['watch']}"
    else:
        line = f"events of watch {step.get('collect', '')}"
    query = "&".join(f"{k}={v}" for k, v in step.get("query", {}).items())
    return f"{line}?{query}" if query else line


# --------------------------------------------------------------------------
# kubectl and helm
# --------------------------------------------------------------------------

class CommandRun:
    """Runs the command lines of kubectl.yaml in a scratch directory."""

    def __init__(self, kit: Path, kubeconfig: Path, kubectl: str, helm: str):
        self.document = yaml.safe_load((kit / "kubectl.yaml").read_text())
        self.directory = Path(tempfile.mkdtemp(prefix="conformance-"))
        programs = self.directory / ".bin"
        programs.mkdir()
        for name, program in (("kubectl", kubectl), ("helm", helm)):
            found = shutil.which(program)
            if found:
                (programs / name).symlink_to(Path(found).resolve())
        run = random_token()
        self.variables = {"run": run, "ns": f"conf-{run}-ns", "ns2": f"conf-{run}-ns2"}
        self._copy_files(kit / "files", self.directory)
        self._copy_files(kit / "fixtures", self.directory / "fixtures")
        home = self.directory / ".home"
        home.mkdir()
        self.environment = {
            **os.environ, "PATH": f"{programs}:{os.environ['PATH']}",
            "KUBECONFIG": str(kubeconfig.resolve()), "HOME": str(home),
            "KUBECACHEDIR": str(home / "kube-cache"), "XDG_CACHE_HOME": str(home / "cache"),
            "XDG_CONFIG_HOME": str(home / "config"), "XDG_DATA_HOME": str(home / "data"),
            "TZ": "UTC", "LC_ALL": "C", "KUBECTL_EXTERNAL_DIFF": "diff -u -N", "NO_COLOR": "1",
        }
        config = yaml.safe_load(kubeconfig.read_text())
        self.servers = [c["cluster"].get("server", "") for c in config.get("clusters", [])]

    def __enter__(self) -> "CommandRun":
        self._quietly("before")
        return self

    def __exit__(self, *exception) -> None:
        self._quietly("cleanup")
        shutil.rmtree(self.directory, ignore_errors=True)

    def _copy_files(self, source: Path, target: Path) -> None:
        """Copy files/, filling in ${ns} and ${run}."""
        for path in sorted(source.rglob("*")):
            if path.is_file():
                copied = target / path.relative_to(source)
                copied.parent.mkdir(parents=True, exist_ok=True)
                text = path.read_text()
                for name, value in self.variables.items():
                    text = text.replace("${" + name + "}", value)
                copied.write_text(text)

    def _quietly(self, section: str) -> None:
        for command in self.document.get(section, []):
            self._run(command, None, 120)

    def missing_program(self, step: dict) -> str | None:
        """The program that a step needs and that is not installed."""
        for name in ("kubectl", "helm"):
            installed = (self.directory / ".bin" / name).exists()
            if re.search(rf"\b{name} ", step["run"]) and not installed:
                return name
        return None

    def steps(self) -> Iterator[dict]:
        """All steps, named by group and command line."""
        seen: set[str] = set()
        for group in self.document["groups"]:
            for step in group["steps"]:
                step = {"run": step} if isinstance(step, str) else step
                name = f"{group['group']} / {step.get('name', step['run'])}"
                if name in seen:
                    raise KitError(f"kubectl.yaml: two steps are named {name!r}")
                seen.add(name)
                yield {**step, "name": name}

    def play(self, step: dict) -> dict:
        """Run one command line; its normalized output."""
        deadline = time.monotonic() + step.get("retry", 0)
        while True:
            code, out, err = self._run(step["run"], step.get("stdin"), step.get("timeout", 180))
            if code == 0 or time.monotonic() >= deadline:
                break
            time.sleep(POLL_INTERVAL)
        result = {"exit": code, "stdout": self.text(out), "stderr": self.text(err)}
        for stream in ("stdout", "stderr"):
            for pattern, replacement in step.get("replace", []):
                result[stream] = re.sub(pattern, replacement, result[stream], flags=re.M)
            if step.get("sort"):
                result[stream] = "".join(sorted(result[stream].splitlines(keepends=True)))
            if step.get("ignore") == stream:
                result[stream] = "<ignored>"
        return result

    def _run(self, command: str, stdin: str | None, timeout: float) -> tuple[Any, str, str]:
        for name, value in self.variables.items():
            command = command.replace("${" + name + "}", value)
        process = subprocess.Popen(
            ["bash", "-c", command], cwd=self.directory, env=self.environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            start_new_session=True)
        try:
            out, err = process.communicate(stdin or "", timeout=timeout)
            return process.returncode, out, err
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            out, err = process.communicate()
            return "timeout", out, err

    def text(self, value: str) -> str:
        """Normalize the output of a command. Column widths follow the widths of masked values,
        so runs of spaces inside a line shrink to two."""
        value = value.replace(self.variables["ns2"], "${ns2}").replace(
            self.variables["ns"], "${ns}").replace(self.variables["run"], "${run}")
        value = value.replace(str(self.directory), "${dir}")
        for server in self.servers:
            if server:
                value = value.replace(server, "${server}")
                value = value.replace(server.split("//")[-1], "${server}")
        value = UUID.sub("<uid>", value)
        value = mask_recent_times(value)
        for pattern, replacement in OUTPUT_MASKS:
            value = pattern.sub(replacement, value)
        lines = [re.sub(r"(?<=\S)(?:[ \t]*\t[ \t]*| {2,})", "  ", line.rstrip())
                 for line in value.splitlines() if not IGNORED_LINE.search(line)]
        lines = sort_bullets(lines)
        return "\n".join(lines) + ("\n" if lines else "")


def sort_bullets(lines: list[str]) -> list[str]:
    """Sort the "* …" lines under one heading: the causes of an error come in any order."""
    result: list[str] = []
    for bullets, group in itertools.groupby(lines, key=lambda line: line.startswith("* ")):
        result += sorted(group) if bullets else group
    return result


# Version skew, and a log line about watches that depends on timing.
IGNORED_LINE = re.compile(r"WARNING: version difference|reflector\.go:\d+\]")

# What kubectl and helm print, with the parts that differ from run to run (or from one version
# of kubectl to the next) replaced.
OUTPUT_MASKS = [(re.compile(pattern, re.M), replacement) for pattern, replacement in [
    (r"(resourceVersion: )\"\d+\"", r'\1"<rv>"'),
    (r"(\"resourceVersion\": ?)\"\d+\"", r'\1"<rv>"'),
    (r"(Resource Version: +)\d+", r"\1<rv>"),
    (r"(?<=\s)\d+[smhdy](\d+[smhd])?(?=\s|$)", "<age>"),
    (r"(?<=\s)<invalid>(?=\s|$)", "<age>"),
    (r"(?<= over )\w+(?=\))", "<age>"),
    (r"(\" (force )?deleted) from \S+ namespace", r"\1"),
    (r"/\S*/(LIVE|MERGED)-\d+", r"<\1>"),
    (r"\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? \+0000( UTC)?", "<time>"),
    (r"\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun) \w{3} +\d+ \d\d:\d\d:\d\d( UTC)? \d{4}", "<time>"),
    (r"^[IWE]\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ ", "<klog> "),
    (IPV4.pattern, "<ip>"),
]]


def kubectl_record(run: CommandRun, kit: Path) -> int:
    """Run all command lines and write golden/kubectl.json."""
    results = []
    with run:
        for step in run.steps():
            print(f"  {step['run']}")
            results.append({"name": step["name"], "result": run.play(step)})
    write_golden(kit / "golden" / "kubectl.json", {"scenario": "kubectl", "steps": results})
    print(f"{len(results)} commands recorded")
    return 0


def kubectl_check(run: CommandRun, kit: Path, groups: list[str], report: Report) -> int:
    """Run the command lines and compare with golden/kubectl.json."""
    steps = list(run.steps())
    golden = read_golden(kit / "golden" / "kubectl.json", [step["name"] for step in steps])
    with run:
        for step in steps:
            if groups and not any(step["name"].startswith(f"{g} /") for g in groups):
                continue
            missing = run.missing_program(step)
            if missing:
                report.skip(step["name"], f"{missing} is not installed")
                continue
            expected, got = golden[step["name"]], run.play(step)
            lines = []
            if expected["exit"] != got["exit"]:
                lines.append(f"exit code: expected {expected['exit']}, got {got['exit']}")
            for stream in ("stdout", "stderr"):
                lines += list(difflib.unified_diff(
                    expected[stream].splitlines(), got[stream].splitlines(),
                    f"{stream} expected", f"{stream} got", lineterm="", n=1))
            if lines:
                report.fail(step["name"], [f"$ {step['run']}", *lines])
            else:
                report.ok(step["name"])
    return report.finish()


# --------------------------------------------------------------------------
# Command line
# --------------------------------------------------------------------------

def parse_arguments() -> argparse.Namespace:
    """The command line of this script."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--kit", type=Path, default=Path(__file__).resolve().parent,
                        help="folder with scenarios/, fixtures/, golden/ (default: this one)")
    modes = parser.add_subparsers(dest="mode", required=True)
    for name in ("record", "check"):
        mode = modes.add_parser(name)
        mode.add_argument("--server", required=True, help="URL of the API server")
        mode.add_argument("--token", help="bearer token")
        mode.add_argument("--insecure", action="store_true", help="do not verify the certificate")
        mode.add_argument("--ca-file", help="CA certificate of the server")
        mode.add_argument("--compact-command", metavar="CMD",
                          help="shell command that makes the server forget all history before "
                               "resourceVersion REV (REV in it is replaced)")
        mode.add_argument("scenarios", nargs="*", help="names or files (default: all)")
    for name in ("kubectl-record", "kubectl-check"):
        mode = modes.add_parser(name)
        mode.add_argument("--kubeconfig", required=True, type=Path)
        mode.add_argument("--kubectl", default="kubectl", help="kubectl program")
        mode.add_argument("--helm", default="helm", help="helm program")
        if name == "kubectl-check":
            mode.add_argument("groups", nargs="*", help="groups of kubectl.yaml (default: all)")
    modes.add_parser("list", help="list the scenarios")
    for name in ("check", "kubectl-check"):
        mode = modes.choices[name]
        mode.add_argument("-v", "--verbose", action="store_true", help="print passing steps too")
        mode.add_argument("--max-lines", type=int, default=25, help="lines printed per step")
    return parser.parse_args()


def main() -> int:
    """Entry point."""
    arguments = parse_arguments()
    kit = arguments.kit
    if arguments.mode == "list":
        for scenario in find_scenarios(kit, []):
            print(f"{scenario.name:24} {len(scenario.steps):4} steps  {scenario.description}")
        return 0
    if arguments.mode in ("record", "check"):
        client = Client(arguments.server, arguments.token, arguments.insecure, arguments.ca_file)
        scenarios = find_scenarios(kit, arguments.scenarios)
        if arguments.mode == "record":
            return record(client, kit, scenarios, arguments.compact_command)
        report = Report(arguments.verbose, arguments.max_lines)
        return check(client, kit, scenarios, arguments.compact_command, report)
    run = CommandRun(kit, arguments.kubeconfig, arguments.kubectl, arguments.helm)
    if arguments.mode == "kubectl-record":
        return kubectl_record(run, kit)
    report = Report(arguments.verbose, arguments.max_lines)
    return kubectl_check(run, kit, arguments.groups, report)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KitError as problem:
        sys.exit(f"replay.py: {problem}")

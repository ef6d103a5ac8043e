"""The state of a server as a file: all objects with their resourceVersions, without history."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson

from hack.sandbox.kube.store.storage import Entry, Storage

Json = dict[str, Any]


class UnreadableStateError(Exception):
    """The file is not one that `save` wrote."""


def save(storage: Storage, path: Path) -> None:
    """Write the current objects; the file is replaced atomically."""
    collections = {name: [e.obj for e in c.scan()] for name, c in storage.collections.items() if c.keys}
    temporary = path.with_name(f"{path.name}.new")
    temporary.write_bytes(orjson.dumps({"revision": storage.revision, "collections": collections}))
    temporary.replace(path)


def load(storage: Storage, path: Path) -> None:
    """Fill an empty storage. Watches can start from the saved revision, not earlier.

    Raises OSError, and UnreadableStateError for a file that holds something else.
    """
    try:
        content = _parsed(path.read_bytes())
        revision = content["revision"]
        collections = {name: [_entry(obj) for obj in objects] for name, objects in content["collections"].items()}
    except (ValueError, LookupError, TypeError, AttributeError) as exc:
        raise UnreadableStateError("it is not a state that this server saved") from exc
    storage.revision = revision
    for name, entries in collections.items():
        storage.restore(name, entries)
    storage.compact(storage.revision)


@lru_cache(maxsize=1)
def _parsed(content: bytes) -> Json:
    """The objects in a file. Servers that start from the same content share them, as nobody changes what is stored.

    So what is derived from a CRD's schema, by its identity (identity.py), is derived once for all of them.
    """
    parsed: Json = orjson.loads(content)
    return parsed


def _entry(obj: Json) -> Entry:
    meta = obj["metadata"]
    key = f"{meta['namespace']}/{meta['name']}" if meta.get("namespace") else meta["name"]
    return Entry(key, int(meta["resourceVersion"]), obj)

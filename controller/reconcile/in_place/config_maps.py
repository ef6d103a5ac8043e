"""Reads the document of a spec that is in a ConfigMap of the namespace, such as the definition of a pipeline.

By GET of the one that is named, once a minute for each object that names one. A watch would need the right to read all
ConfigMaps of the cluster, and would keep them in memory.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import structlog

from api.descriptor import KindDescriptor
from api.fields import installed
from api.meta import JsonObject, ObjectKey
from api.operator_fields import CONFIG_MAP_KEY, DATA_KEY, OBJECT_NAME
from api.references import DocumentField
from controller.kube.well_known import CONFIG_MAPS
from controller.observability.redact import shortened
from controller.reconcile import reasons
from controller.reconcile.drift.digest import digest
from controller.reconcile.in_place.document import POLL_S
from controller.reconcile.managed.local_state import DocumentRead, LocalState
from controller.reconcile.observation import Document, Problem
from controller.reconcile.ports import ObjectGetter
from controller.reconcile.status.messages import BRIEF
from controller.runtime.errors import ClassifiedError, ErrorClass

_log: Final = structlog.get_logger(__name__)

_FIRST_RETRY_S: Final = 5.0
"""After a read without a document, and twice as long after each further one, up to `POLL_S`: a ConfigMap is often
applied a moment after the object that names it."""
_KEYS_SHOWN: Final = 10
_REFUSED: Final = frozenset({ErrorClass.DENIED, ErrorClass.INVALID})


def field_to_read(descriptor: KindDescriptor, spec: Mapping[str, Any]) -> DocumentField | None:
    """Return the field of a spec with its document in a ConfigMap; None if there is none, or it has it itself."""
    field = descriptor.document
    return field if field is not None and spec.get(field.source) is not None and not spec.get(field.field) else None


def due_in_s(state: LocalState, generation: int, now: float) -> float:
    """Return after how many seconds the document is read again, even if nothing else needs it."""
    last = state.document
    if last is None or last.generation != generation:
        return 0.0
    return max(last.at + last.pause_s - now, 0.0)


def note(state: LocalState, document: Document, generation: int, now: float) -> None:
    """Keep for the next passes when the document was read, and what came of it.

    A digest only: a definition may have a megabyte.
    """
    before = state.document
    failures = 0 if document.problem is None else 1 + (before.failures if before else 0)
    pause_s = min(_FIRST_RETRY_S * 2.0 ** min(failures - 1, 10), POLL_S) if failures else POLL_S
    state.document = DocumentRead(generation, digest(str(document)), now, pause_s, failures)
    if document.problem is not None and document.problem.reason == reasons.KUBERNETES_REFUSED and failures == 1:
        _log.warning("may not read a ConfigMap", why=document.problem.message)


def is_of(state: LocalState, generation: int) -> None:
    """Note that what this pass has read is for this generation: it may have written the name into the spec since."""
    if state.document is not None:
        state.document = replace(state.document, generation=generation)


def keep(state: LocalState, content: str) -> None:
    """Keep what the spec asks for with the document that was read in this pass.

    Should the pass end before AWS has it, the next one knows that it is still to be sent.
    """
    if state.document is not None:
        state.document = replace(state.document, content=content)


def kept(state: LocalState, generation: int) -> str | None:
    """Return what an earlier pass has kept for this generation of the object; None: nothing."""
    last = state.document
    return last.content if last is not None and last.generation == generation else None


def read(getter: ObjectGetter, descriptor: KindDescriptor, namespace: str, spec: Mapping[str, Any]) -> Document:
    """Return the document that `field_to_read` names, or why there is none. Raises `ClassifiedError` if it is not
    known.
    """
    field = field_to_read(descriptor, spec)
    assert field is not None  # noqa: S101 (others are not read)
    named = _named(spec[field.source])
    if named is None:
        message = f"spec.{field.source} names no ConfigMap and key: correct its {CONFIG_MAP_KEY}"
        return _problem(reasons.INVALID_DOCUMENT, message)
    name, key = named
    what = f"ConfigMap {namespace}/{name}"
    try:
        found = getter.get(CONFIG_MAPS, ObjectKey(namespace, name))
    except ClassifiedError as error:
        if error.error_class is ErrorClass.NOT_FOUND:
            how = f"kubectl create configmap {name} -n {namespace} --from-file={key}=FILE"
            message = f"Waits for {what}, which does not exist: create it ({how}), or correct spec.{field.source}"
            return _problem(reasons.DEPENDENCY_MISSING, message)
        if error.error_class in _REFUSED:
            message = (
                f"Kubernetes does not let the operator read {what}: {error.message.rstrip('. ')}. Allow its service"
                f" account to `get` configmaps in namespace {namespace}, as the role of the release does"
            )
            return _problem(reasons.KUBERNETES_REFUSED, message)
        raise
    return _document_in(found, key, what, field, _longest(descriptor, field))


def _named(source: Any) -> tuple[str, str] | None:
    """Return the names of a ConfigMap and of a key; None where the API server could not check them."""
    named = source.get(CONFIG_MAP_KEY) if isinstance(source, Mapping) else None
    name, key = (named.get("name"), named.get("key")) if isinstance(named, Mapping) else (None, None)
    if not (isinstance(name, str) and isinstance(key, str)):
        return None
    return (name, key) if re.fullmatch(OBJECT_NAME, name) and re.fullmatch(DATA_KEY, key) else None


def _document_in(found: JsonObject, key: str, what: str, field: DocumentField, longest: int) -> Document:
    data = found.get("data") or {}
    if key in (found.get("binaryData") or {}):
        message = f"{what} has {key} as binary data: make it of a text in UTF-8"
        return _problem(reasons.INVALID_DOCUMENT, message)
    if key not in data:
        there = shortened(", ".join(sorted(data)[:_KEYS_SHOWN]), BRIEF) or "no key"
        message = f"Waits for the key {key} of {what}, which has {there}: add it, or correct spec.{field.source}"
        return _problem(reasons.DEPENDENCY_MISSING, message)
    text = str(data[key])
    if len(text) > longest:
        message = (
            f"{key} of {what} has {len(text)} characters, and SageMaker takes {longest}: shorten it, or put it in S3"
        )
        return _problem(reasons.INVALID_DOCUMENT, message)
    if fault := _fault(text):
        return _problem(reasons.INVALID_DOCUMENT, f"{key} of {what} is {fault}: correct it")
    return Document(text)


def _fault(text: str) -> str:
    """Return why a text is no document; empty if it is one. The text itself is left out."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError as exc:
        return f"no JSON ({exc})"
    except RecursionError:
        return "nested too deep"
    except ValueError:  # the parser's guard against numbers that take long
        return "JSON with a number of too many digits"
    return "" if isinstance(value, dict) else "JSON, but no object"


def _longest(descriptor: KindDescriptor, field: DocumentField) -> int:
    """Return AWS's limit."""
    (found,) = [each for each in installed(descriptor).spec.fields if each.name == field.field]
    assert found.maximum is not None  # noqa: S101 (the service model has it)
    return int(found.maximum)


def _problem(reason: str, message: str) -> Document:
    return Document(problem=Problem(reason, f"{message}. It is read again within a minute."))

"""The shell around a pass: read the store, wait for our own writes to show there, forget what is gone."""

from collections.abc import Callable
from typing import Final

import structlog

from api.meta import JsonObject, ObjectKey
from controller.aws.errors import AwsError
from controller.reconcile.context import ObjectReader
from controller.reconcile.local_state import Memories, Memory
from controller.runtime.controller import DONE, Result
from controller.runtime.errors import ClassifiedError, ErrorClass

_log: Final = structlog.get_logger(__name__)


def reconcile_one(
    key: ObjectKey,
    store: ObjectReader,
    memories: Memories,
    make_pass: Callable[[JsonObject, Memory], Result],
    forget: Callable[[ObjectKey], None] = lambda _: None,
) -> Result:
    """One pass over the object `key`, if it is there. `forget` hears of objects that are gone.

    Raises what the pass raises, but not that the object has gone meanwhile.
    """

    def gone() -> Result:
        _warn_of_orphan(memories.get(key))
        forget(key)
        memories.forget(key)
        return DONE

    obj = store.get(key)
    if obj is None:
        return gone()
    uid = obj["metadata"]["uid"]
    before = memories.get(key)
    if before is not None and before.uid != uid:
        _warn_of_orphan(before)
    memory = memories.of(key, uid)
    if obj["metadata"]["resourceVersion"] in memory.stale:
        return DONE  # the store has not seen our own write yet; its event comes and wakes the key
    memory.stale.clear()
    try:
        result = make_pass(obj, memory)
    except ClassifiedError as error:
        if error.error_class is ErrorClass.NOT_FOUND and not isinstance(error, AwsError):
            return gone()  # of a write: the object is gone
        raise
    if memory.is_blank():
        memories.forget(key)
    return result


def _warn_of_orphan(memory: Memory | None) -> None:
    """An object that went before its status could record what was created for it: somebody removed the finalizer."""
    if memory is not None and memory.recorded is not None:
        _log.warning("object gone, its resource stays at AWS", resource=memory.recorded.arn or memory.recorded.name)

"""The client: create, get, wait, logs and delete for manifests of every kind, by the `kubernetes` package."""

import time
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar, cast

import botocore.session
from urllib3.exceptions import HTTPError

from api.client import logs, waiting
from api.client.connection import connect
from api.client.errors import (
    NotFoundError,
    ObjectDeletedError,
    ObjectFailedError,
    UnreachableError,
    WaitTimeoutError,
    of_response,
)
from api.client.models import (
    BatchTransformJob,
    EndpointConfig,
    HostingAutoscalingPolicy,
    HostingDeployment,
    HyperparameterTuningJob,
    InferenceComponent,
    Model,
    ProcessingJob,
    TrainingJob,
)
from api.client.progress import Progress, shown
from api.client.waiting import Look, Outcome
from api.descriptor import KindDescriptor
from api.meta import GROUP, VERSION
from api.v1 import KINDS
from controller.runtime.clock import Clock, SystemClock
from controller.smlogs import subject
from controller.smlogs.cluster import GIVE_UP_S
from controller.smlogs.command_line.options import ALL_LINES, Options
from controller.smlogs.subject import Subject

ObjectT = TypeVar(
    "ObjectT",
    BatchTransformJob,
    EndpointConfig,
    HostingAutoscalingPolicy,
    HostingDeployment,
    HyperparameterTuningJob,
    InferenceComponent,
    Model,
    ProcessingJob,
    TrainingJob,
)
"""The kind of an object: what is created, read or waited for is of the kind that was given."""

_KINDS: Final = {kind.kind: kind for kind in KINDS}
_LOOK_S: Final = 2.0
"""Time between two looks at an object that is waited for; the operator shows changes within its poll interval."""
_REQUEST_S: Final = 30.0


class Client:
    """Acts on objects of one namespace. Safe to use from several threads.

    Without arguments it connects as kubectl does: by KUBECONFIG or ~/.kube/config with their current context, or in a
    pod by its service account; `api` is a `kubernetes.client.CustomObjectsApi` that is configured otherwise. `boto` is
    `boto3.client`, or that of a session, for logs with other credentials than those of the process. `progress` gets a
    line with each change that `wait` sees.
    """

    def __init__(
        self,
        namespace: str | None = None,
        *,
        context: str | None = None,
        kubeconfig: str | None = None,
        api: Any = None,
        boto: Any = None,
        progress: Progress | None = None,
    ) -> None:
        if api is None:
            api, found = connect(kubeconfig, context)
            namespace = namespace or found
        self.namespace = namespace or "default"
        self._api = api
        self._boto = boto or botocore.session.get_session().create_client
        self._progress = progress or shown()
        self._clock: Clock = SystemClock()
        self._pause: Callable[[float], None] = time.sleep

    def create(self, obj: ObjectT) -> ObjectT:
        """Create an object, and return it as the API server stores it. An unknown field is refused.

        Raises `AlreadyExistsError` and `RequestError`.
        """
        namespace, kind = self._namespace(obj), _KINDS[obj["kind"]]
        made = self._call("create_namespaced_custom_object", kind, namespace, body=dict(obj), field_validation="Strict")
        return cast("ObjectT", made)

    def get(self, kind: type[ObjectT], name: str) -> ObjectT:
        """Return an object of a kind, such as `client.get(TrainingJob, "my-job")`. Raises `NotFoundError`."""
        found = self._call("get_namespaced_custom_object", _KINDS[kind.__name__], self.namespace, name=name)
        return cast("ObjectT", found)

    def wait(self, obj: ObjectT, timeout_s: float = 24 * 3600.0) -> ObjectT:
        """Wait until the object is ready (a job: has completed), and return it as it is then.

        Raises `ObjectFailedError` with the object's reason as soon as waiting is of no use, `WaitTimeoutError` and
        `ObjectDeletedError`. What cannot be reached for a moment is looked at again, until the time is over.
        """
        kind, name = _KINDS[obj["kind"]], obj["metadata"]["name"]
        until, line, seen = self._clock.monotonic() + timeout_s, "", obj
        while True:
            found, seen = self._look(kind, self._namespace(obj), seen)
            if _uid(obj) not in ("", _uid(seen)):
                raise ObjectDeletedError("Replaced", f"another {kind.kind} has the name {name} now", seen)
            if found.line != line:
                line = found.line
                self._progress(f"{kind.kind} {name} is {found.outcome.value}: {line}")
            if found.outcome is Outcome.READY:
                return seen
            if found.outcome is Outcome.FAILED:
                raise ObjectFailedError(found.reason, found.message, seen)
            if self._clock.monotonic() + _LOOK_S > until:
                raise WaitTimeoutError(found.reason, f"{kind.kind} {name} was not ready in time. {found.message}", seen)
            self._pause(_LOOK_S)

    def logs(
        self, obj: ObjectT, *, follow: bool = False, since_s: float | None = None, tail: int | None = None
    ) -> Iterator[str]:
        """Yield the lines that the instances of a job or an endpoint have written, in order of time.

        Of a tuning job, those of its training jobs. `since_s`: of the last so many seconds only, `tail`: the last so
        many lines. `follow`: go on with new lines until the job has ended, after waiting for it to be created; the
        iteration of an endpoint ends with its object. While AWS or the API server does not answer, it goes on, for two
        and five minutes at most. Raises `ClientError` for kinds without a log, and for what AWS refuses.
        """
        kind, name = _KINDS[obj["kind"]], obj["metadata"]["name"]
        log_kind = logs.kind_of(kind.kind)
        options = Options(log_kind, name, follow=follow, since_s=since_s, tail=ALL_LINES if tail is None else tail)
        found = self._call("get_namespaced_custom_object", kind, self._namespace(obj), name=name)
        last, answered_s = subject.of(log_kind, found), self._clock.monotonic()

        def look() -> Subject | None:
            nonlocal last, answered_s
            try:
                found = self._call("get_namespaced_custom_object", kind, self._namespace(obj), name=name)
            except NotFoundError:
                return None
            except UnreachableError:
                if self._clock.monotonic() - answered_s > GIVE_UP_S:
                    raise
                return last
            last, answered_s = subject.of(log_kind, found), self._clock.monotonic()
            return last

        yield from logs.Log(options, self._boto, self._progress, self._clock, self._pause).lines(last, look)

    def delete(self, obj: ObjectT, timeout_s: float | None = None) -> None:
        """Delete an object: a running job is stopped, an endpoint deleted. With a time, wait until it is gone.

        Only the object that was given, if its uid is known. Raises `NotFoundError`, `RequestError`, `WaitTimeoutError`.
        """
        kind, name, namespace = _KINDS[obj["kind"]], obj["metadata"]["name"], self._namespace(obj)
        preconditions = {"preconditions": {"uid": _uid(obj)}} if _uid(obj) else {}
        self._call("delete_namespaced_custom_object", kind, namespace, name=name, body=preconditions)
        until = self._clock.monotonic() + (timeout_s or 0.0)
        while timeout_s is not None:
            try:
                found, seen = self._look(kind, namespace, obj)
            except ObjectDeletedError:
                return
            if _uid(obj) not in ("", _uid(seen)):
                return
            if self._clock.monotonic() + _LOOK_S > until:
                raise WaitTimeoutError(found.reason, f"{kind.kind} {name} was not gone in time. {found.message}", seen)
            self._pause(_LOOK_S)

    def _look(self, kind: KindDescriptor, namespace: str, last: ObjectT) -> tuple[Look, ObjectT]:
        """Return what the object says, and the object; while the API server does not answer, that, and the last one."""
        name = last["metadata"]["name"]
        try:
            seen = self._call("get_namespaced_custom_object", kind, namespace, name=name)
        except NotFoundError as error:
            raise ObjectDeletedError("Deleted", f"{kind.kind} {name} was deleted", last) from error
        except UnreachableError as error:
            return Look(Outcome.WAITING, error.reason, error.message), last
        return waiting.look(seen), cast("ObjectT", seen)

    def _namespace(self, obj: ObjectT) -> str:
        return obj["metadata"].get("namespace") or self.namespace

    def _call(self, method: str, kind: KindDescriptor, namespace: str, **arguments: Any) -> dict[str, Any]:
        """Call a method of CustomObjectsApi. Raises `ClientError`."""
        from kubernetes.client.exceptions import ApiException  # noqa: PLC0415 (loaded by `connect`, seldom before)

        place = {"group": GROUP, "version": VERSION, "namespace": namespace, "plural": kind.plural}
        try:
            answer = getattr(self._api, method)(**place, **arguments, _request_timeout=_REQUEST_S)
        except ApiException as error:
            raise of_response(error.status or 0, error.reason or "", error.body) from error
        except HTTPError as error:
            raise UnreachableError(type(error).__name__, str(error)) from error
        return cast("dict[str, Any]", answer)


def _uid(obj: ObjectT) -> str:
    return obj["metadata"].get("uid", "")

"""The Kubernetes object whose logs are wanted, looked up once or again and again."""

from collections.abc import Mapping
from typing import Final, Self

from prometheus_client import CollectorRegistry

from api.meta import ObjectKey
from controller.kube import config
from controller.kube.client import KubeClient
from controller.kube.errors import ApiError, NotFound
from controller.kube.transport import RestMetrics
from controller.runtime.clock import Clock
from controller.runtime.errors import ErrorClass
from controller.smlogs import namespace, subject
from controller.smlogs.options import Options
from controller.smlogs.subject import Subject

GIVE_UP_S: Final = 300.0
"""How long a cluster may be out of reach while a log is followed: the lines come from elsewhere."""
_LOOK_TIMEOUT_S: Final = 5.0
"""For looking again: lines must not wait long for an API server that hangs."""
_PASSING: Final = frozenset({ErrorClass.RETRYABLE, ErrorClass.THROTTLED})


class Lookup:
    """Looks up one object. Close it with its `with` block."""

    def __init__(self, client: KubeClient, options: Options, namespace: str, clock: Clock) -> None:
        self._client = client
        self._kind = options.kind
        self._clock = clock
        self._last: Subject | None = None
        self._answered_s = clock.monotonic()
        self.key = ObjectKey(namespace, options.name)

    @classmethod
    def connect(cls, options: Options, environ: Mapping[str, str], clock: Clock) -> Self:
        """For the cluster and namespace that options and environment mean. Raises `ConfigError`; asks nobody yet."""
        cluster = config.connect(clock, kubeconfig=options.kubeconfig, context=options.context, environ=environ)
        client = KubeClient.of(cluster, metrics=RestMetrics(CollectorRegistry()), clock=clock, limiter=None)
        where = options.namespace or namespace.current(
            kubeconfig=options.kubeconfig, context=options.context, environ=environ
        )
        return cls(client, options, where, clock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._client.__exit__(*exc_info)

    def first(self) -> Subject:
        """The object. Raises `ApiError`, `NotFound` where there is none."""
        return self._look(timeout_s=None)

    def again(self) -> Subject | None:
        """The object now, None where it is gone. While the cluster does not answer: as it was, for `GIVE_UP_S`."""
        try:
            return self._look(timeout_s=_LOOK_TIMEOUT_S)
        except NotFound:
            return None
        except ApiError as error:
            is_over = self._clock.monotonic() - self._answered_s > GIVE_UP_S
            if error.error_class not in _PASSING or self._last is None or is_over:
                raise
            return self._last

    def _look(self, *, timeout_s: float | None) -> Subject:
        found = subject.of(self._kind, self._client.get(self._kind.resource, self.key, timeout_s=timeout_s))
        self._last, self._answered_s = found, self._clock.monotonic()
        return found

"""Lists and watches one resource for a reflector, in one namespace or all."""

from api.meta import Resource
from controller.kube.client import KubeClient
from controller.runtime.cache.reflector import ListPage, WatchStream


class KubeListerWatcher:
    """Implements `runtime.reflector.ListerWatcher`. Closing `client` ends requests and watches."""

    def __init__(
        self,
        client: KubeClient,
        resource: Resource,
        namespace: str | None = None,
        *,
        label_selector: str = "",
        field_selector: str = "",
    ) -> None:
        self._client = client
        self._resource = resource
        self._namespace = namespace
        self._label_selector = label_selector
        self._field_selector = field_selector

    def list(self, *, resource_version: str, limit: int | None, continue_token: str | None) -> ListPage:
        """See `ListerWatcher.list`."""
        return self._client.list(
            self._resource,
            self._namespace,
            resource_version=resource_version,
            limit=limit,
            continue_token=continue_token,
            label_selector=self._label_selector,
            field_selector=self._field_selector,
        )

    def watch(self, *, resource_version: str, timeout_s: int, initial_events: bool = False) -> WatchStream:
        """See `ListerWatcher.watch`."""
        return self._client.watch(
            self._resource,
            self._namespace,
            resource_version=resource_version,
            timeout_s=timeout_s,
            initial_events=initial_events,
            label_selector=self._label_selector,
            field_selector=self._field_selector,
        )

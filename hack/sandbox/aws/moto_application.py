"""moto's WSGI application; a service that it does not know is NotImplementedError, not a failure of its own.

Importing this loads moto, which takes about a second.
"""

from typing import Any

from moto import backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app


class Application(DomainDispatcherApplication):
    """Selects moto's service for a request by the credential scope of its signature."""

    def __init__(self) -> None:
        super().__init__(create_backend_app)

    def get_backend_for_host(self, host: str | None) -> Any:
        """Return the service at `host`, or None if the request has to be looked at closer. Raises NotImplementedError.

        The parent prints a hint for its own developers, and fails later.
        """
        if host is not None and not self._is_known(host):
            raise NotImplementedError(f"no service at {host}")
        return super().get_backend_for_host(host)

    def _is_known(self, host: str) -> bool:
        is_module = host == "moto_api" or host in backends.list_of_moto_modules()
        return is_module or any(pattern.match(f"http://{host}") for _, pattern in self.backend_url_patterns)

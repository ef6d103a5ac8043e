"""The embedded API server: started and stopped as a context manager, or run in the foreground.

    with start() as server:
        kubeconfig = server.write_kubeconfig(path)

It listens on loopback, speaks plain HTTP, keeps everything in memory, and treats every client as the administrator
unless RBAC is enabled.
"""

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from hack.sandbox.kube.auth.authorization import Authorizer
from hack.sandbox.kube.builtin_kinds import builtin_resources
from hack.sandbox.kube.controllers.garbage_collector import GarbageCollector
from hack.sandbox.kube.controllers.namespace_controller import NamespaceController
from hack.sandbox.kube.crd.definitions import CrdController
from hack.sandbox.kube.http.api import Api, parse_path
from hack.sandbox.kube.http.application import Application
from hack.sandbox.kube.http.faults import Faults
from hack.sandbox.kube.resources.catalog import Catalog
from hack.sandbox.kube.store.snapshot import load, save
from hack.sandbox.kube.store.storage import Storage
from hack.sandbox.kube.verbs.calls import Body, Call
from hack.sandbox.kube.verbs.registry import NAMESPACES, Registry
from hack.sandbox.kube.wire.codec import dump_yaml
from hack.sandbox.kube.wire.options import WriteOptions
from hack.sandbox.kube.wire.release import NEWEST, Release, imitate

SYSTEM_NAMESPACES: Final = ("default", "kube-system", "kube-public", "kube-node-lease")
_START_TIMEOUT_S: Final = 30
_SHUTDOWN_S: Final = 1


class Sandbox:
    """One server without its sockets: storage, resources, controllers, the ASGI application."""

    def __init__(
        self,
        *,
        rbac: bool = False,
        state: Path | None = None,
        namespace_grace_s: float = 0.0,
        release: Release = NEWEST,
    ):
        self.release = release
        self.storage = Storage()
        if state is not None and state.exists():
            load(self.storage, state)
        self.registry = Registry(self.storage)
        self.catalog = Catalog(builtin_resources())
        self.authorizer = Authorizer(self.storage, enforced=rbac)
        self.faults = Faults(self.storage, _resource_of)
        self.app = Application(Api(self.registry, self.catalog, self.authorizer), self.faults)
        self._make_namespaces()
        self._crds = CrdController(self.registry, self.catalog)
        self._crds.sync()
        self._controllers: list[Callable[[], Coroutine[Any, Any, None]]] = [
            self._crds.run,
            GarbageCollector(self.registry, self.catalog).run,
            NamespaceController(self.registry, self.catalog, grace_s=namespace_grace_s).run,
        ]

    async def run_controllers(self) -> None:
        """Run all controllers until cancelled; if one fails, all end."""
        async with asyncio.TaskGroup() as group:
            for run in self._controllers:
                group.create_task(run())

    def _make_namespaces(self) -> None:
        namespaces = self.catalog.find("", "v1", "namespaces")
        assert namespaces is not None
        options = WriteOptions(manager="kube-apiserver")
        for name in SYSTEM_NAMESPACES:
            if self.storage.get(NAMESPACES, name) is None:
                self.registry.create(Call(namespaces, "", options=options), Body(b"", {"metadata": {"name": name}}))


def _resource_of(path: str) -> tuple[str, bool]:
    """Return the resource of a path for the request counter, and whether the path is one object's."""
    target = parse_path(path)
    if target is None:
        return "", True
    name = f"{target.plural}.{target.group}" if target.group else target.plural
    return f"{name}/{target.subresource}" if target.subresource else name, bool(target.name)


class RunningServer:
    """A server in its own thread. Leaving the context stops it; `stop()` may be called more than once."""

    def __init__(self, sandbox: Sandbox, host: str, port: int, state: Path | None):
        self._sandbox = sandbox
        self._state = state
        self._socket = _listen(host, port)
        self.url = f"http://{host}:{self._socket.getsockname()[1]}"
        import uvicorn  # noqa: PLC0415 - takes long to import, and this module is read by more than serves

        config = uvicorn.Config(
            sandbox.app,
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            date_header=False,
            timeout_graceful_shutdown=_SHUTDOWN_S,
            timeout_keep_alive=90,
        )
        self._server = uvicorn.Server(config)
        self._failure: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="kube-apiserver")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def launch(self) -> Self:
        """Start the thread, and wait until it serves."""
        self._thread.start()
        ticks = threading.Event()
        for _ in range(_START_TIMEOUT_S * 200):
            if self._server.started or not self._thread.is_alive():
                break
            ticks.wait(0.005)
        if not self._server.started:
            raise RuntimeError("the API server did not start") from self._failure
        return self

    def stop(self) -> None:
        """Stop serving, end the thread, save the state if a file for it was given."""
        if not self._thread.is_alive():
            return
        loop = self._loop
        if loop is not None:
            loop.call_soon_threadsafe(self._sandbox.faults.end_watches)
        self._server.should_exit = True
        self._thread.join()
        if self._state is not None:
            save(self._sandbox.storage, self._state)

    def write_kubeconfig(self, path: Path) -> Path:
        """Write a kubeconfig with cluster, user and context `sandbox`."""
        path.write_bytes(kubeconfig(self.url))
        return path

    def token(self, namespace: str, name: str) -> str:
        """Return a bearer token of a service account."""
        return self._sandbox.authorizer.issue(namespace, name)

    def _run(self) -> None:
        imitate(self._sandbox.release)
        try:
            asyncio.run(self._serve())
        except BaseException as exc:
            self._failure = exc
            raise

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        controllers = asyncio.create_task(self._sandbox.run_controllers(), name="controllers")
        try:
            await self._server.serve(sockets=[self._socket])
        finally:
            controllers.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await controllers


def serve_forever(
    port: int = 0,
    *,
    host: str = "127.0.0.1",
    state: Path | None = None,
    rbac: bool = False,
    on_ready: Callable[[RunningServer], None] | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM. Call from the main thread; `on_ready` receives the started server."""
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with start(port, host=host, state=state, rbac=rbac) as server:
        if on_ready is not None:
            on_ready(server)
        ended.wait()


def _listen(host: str, port: int) -> socket.socket:
    """Return a bound socket with an explicit protocol: asyncio disables Nagle's algorithm only for TCP sockets."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


def kubeconfig(url: str) -> bytes:
    """Return a kubeconfig for the server at `url`."""
    named = "sandbox"
    return dump_yaml(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": named, "cluster": {"server": url}}],
            "users": [{"name": named, "user": {}}],
            "contexts": [{"name": named, "context": {"cluster": named, "user": named, "namespace": "default"}}],
            "current-context": named,
        }
    )


def start(
    port: int = 0,
    *,
    host: str = "127.0.0.1",
    state: Path | None = None,
    rbac: bool = False,
    namespace_grace_s: float = 0.0,
    release: Release = NEWEST,
) -> RunningServer:
    """Start a server in a thread; port 0 takes a free one. `state` is loaded if it exists, and saved by `stop()`."""
    sandbox = Sandbox(rbac=rbac, state=state, namespace_grace_s=namespace_grace_s, release=release)
    return RunningServer(sandbox, host, port, state).launch()

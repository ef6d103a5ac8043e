"""API servers that serve our kinds from the start, at a fraction of what installing the CRDs costs."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from api.meta import JsonObject
from hack.sandbox.kube import server as sandbox
from tests.deadline import eventually
from tests.sandbox.apiserver import ApiServer, api_server, is_sandbox
from tests.sandbox.harness import REPOSITORY, Api

CRDS = REPOSITORY / "config" / "crd" / "bases"


@cache
def our_crds() -> list[JsonObject]:
    """The CRDs that we ship; parsed once, for they are long."""
    return [yaml.load(crd.read_text("utf-8"), Loader=yaml.CSafeLoader) for crd in sorted(CRDS.glob("*.yaml"))]


def install(api: Api) -> None:
    """Apply our CRDs and wait until their resources are served."""
    for crd in our_crds():
        path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{crd['metadata']['name']}"
        api.call("PATCH", path + "?fieldManager=tests&force=true", crd, content="application/apply-patch+yaml")
    for crd in our_crds():
        collection = api.path(plural=crd["spec"]["names"]["plural"])
        eventually(partial(api.is_served, collection), what=f"{collection} is served")


def write_state(directory: Path) -> Path:
    """Write a file from which a sandbox API server starts that serves our kinds."""
    path = directory / "kube-state.json"
    path.write_bytes(_state())
    return path


@cache
def _state() -> bytes:
    """Made once: a server that installs the CRDs validates and compiles them for half a second."""
    with TemporaryDirectory() as directory:
        path = Path(directory) / "state"
        with sandbox.start(state=path) as server:
            install(Api(server.url))
        return path.read_bytes()


@contextmanager
def server_with_crds(directory: Path) -> Iterator[ApiServer]:
    """An API server for one test that serves our kinds: the sandbox's, or the one that is chosen (apiserver.py)."""
    if is_sandbox():
        with api_server(directory, state=write_state(directory)) as server:
            yield server
    else:
        with api_server(directory) as server:
            install(Api(server.url, server.token, namespace=server.namespace))
            yield server

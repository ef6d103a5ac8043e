"""A watch is the lines of one response, decoded once, and can be ended from any thread (K1-K3)."""

import ipaddress
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from controller.kube import client as client_module
from controller.kube import errors
from controller.kube.client import KubeClient
from controller.kube.config import connect
from controller.kube.lister_watcher import KubeListerWatcher
from controller.kube.transport import RestMetrics
from controller.runtime.cache.reflector import WatchEvent
from controller.runtime.clock import SystemClock
from tests.deadline import PATIENCE_S
from tests.unit.kube.conftest import JOBS, kubeconfig
from tests.unit.kube.scripted import ScriptedServer, event, refusal, reply, silence, watch


def open_watch(client: KubeClient) -> client_module.HttpWatchStream:
    """A watch of all jobs from version 5."""
    return client.watch(JOBS, None, resource_version="5", timeout_s=300)


def test_a_watch_asks_for_bookmarks_and_a_time_limit(client: KubeClient, server: ScriptedServer) -> None:
    """R5: the server ends it, and moves our version meanwhile."""
    server.will(watch())

    with open_watch(client) as stream:
        assert list(stream) == []

    assert server.received[0].query == {
        "watch": "true",
        "allowWatchBookmarks": "true",
        "resourceVersion": "5",
        "timeoutSeconds": "300",
    }


def test_a_watch_can_begin_with_what_is_there(client: KubeClient, server: ScriptedServer) -> None:
    """R19: both parameters, or a server refuses one of them."""
    server.will(watch())

    with KubeListerWatcher(client, JOBS).watch(resource_version="", timeout_s=300, initial_events=True) as stream:
        assert list(stream) == []

    assert server.received[0].query == {
        "watch": "true",
        "allowWatchBookmarks": "true",
        "sendInitialEvents": "true",
        "resourceVersionMatch": "NotOlderThan",
        "timeoutSeconds": "300",
    }


def test_events_come_line_by_line_wherever_chunks_end(client: KubeClient, server: ScriptedServer) -> None:
    """Chunks are the transport's, lines are the API's; an ERROR event is passed on for the reflector to judge (R8)."""
    lines = event("ADDED", n=1) + event("MODIFIED", n=2) + b"\n" + event("ERROR", code=410)
    server.will(watch(lines[:10], lines[10:60], lines[60:]))

    with open_watch(client) as stream:
        events = list(stream)

    assert events == [
        WatchEvent("ADDED", {"n": 1}),
        WatchEvent("MODIFIED", {"n": 2}),
        WatchEvent("ERROR", {"code": 410}),
    ]


def test_a_large_event_arrives_whole(client: KubeClient, server: ScriptedServer) -> None:
    """Objects of a megabyte exist."""
    server.will(watch(event("ADDED", text="x" * 1_000_000)))

    with open_watch(client) as stream:
        assert len(next(stream).object["text"]) == 1_000_000


def test_a_refused_watch_raises_before_there_is_a_stream(client: KubeClient, server: ScriptedServer) -> None:
    """R9, R10 tell refusals apart."""
    server.will(refusal(410, "Expired"))

    with pytest.raises(errors.Gone):
        open_watch(client)


@pytest.mark.parametrize("line", [b"oops\n", b'{"type":"ADDED"}\n', b'{"type":1,"object":{}}\n', b"[]\n"])
def test_a_line_that_is_no_event_is_an_error(client: KubeClient, server: ScriptedServer, line: bytes) -> None:
    """K2: not skipped, not None."""
    server.will(watch(event("ADDED"), line))

    with open_watch(client) as stream:
        next(stream)
        with pytest.raises(errors.ServerError, match="not an event"):
            next(stream)


def test_a_dropped_connection_is_unreachable(client: KubeClient, server: ScriptedServer) -> None:
    """The reflector goes on from its last version (R6)."""
    server.will(watch(event("ADDED"), then="cut"))

    with open_watch(client) as stream:
        next(stream)
        with pytest.raises(errors.ConnectionFailed) as caught:
            next(stream)
    assert caught.value.code == errors.CONNECTION_BROKEN
    assert caught.value.message.endswith("the connection ended within the reply")


def test_a_stream_that_ends_within_an_event_is_broken(client: KubeClient, server: ScriptedServer) -> None:
    """The rest of the event is lost, so the end is not a normal one."""
    server.will(watch(event("ADDED"), event("MODIFIED")[:20]))

    with open_watch(client) as stream:
        next(stream)
        with pytest.raises(errors.ConnectionFailed, match="within an event"):
            next(stream)


def test_a_silent_connection_is_noticed(
    client: KubeClient, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """K3: half-open connections deliver nothing for ever; bookmarks bound the silence that is normal."""
    monkeypatch.setattr(client_module, "WATCH_SILENCE_S", 0.1)
    server.will(watch(event("ADDED"), then="silence"))

    with open_watch(client) as stream:
        next(stream)
        with pytest.raises(errors.ConnectionFailed) as caught:
            next(stream)
    assert caught.value.code == errors.TIMEOUT


def test_headers_that_do_not_come_are_noticed(
    client: KubeClient, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opening blocks for a limited time too."""
    monkeypatch.setattr(client_module, "WATCH_SILENCE_S", 0.1)
    server.will(silence())

    with pytest.raises(errors.ConnectionFailed):
        open_watch(client)


def read_in_thread(stream: client_module.HttpWatchStream) -> tuple[threading.Thread, list[object], threading.Event]:
    """Read a stream to its end in a thread; what it saw, and a flag that is set after the first event."""
    seen: list[object] = []
    first = threading.Event()

    def read() -> None:
        try:
            for each in stream:
                seen.append(each)
                first.set()
        except errors.ApiError as exc:
            seen.append(exc)

    thread = threading.Thread(target=read, name="reading")
    thread.start()
    return thread, seen, first


def test_close_wakes_a_reader_that_waits(client: KubeClient, server: ScriptedServer) -> None:
    """A stop must not wait for the next event: the stream ends as if the server had closed it."""
    server.will(watch(event("ADDED"), then="silence"))
    with open_watch(client) as stream:
        thread, seen, first = read_in_thread(stream)
        assert first.wait(PATIENCE_S)

        stream.close()
        thread.join(PATIENCE_S)

    assert not thread.is_alive()
    assert seen == [WatchEvent("ADDED", {})]


def test_closing_the_client_ends_its_watches(client: KubeClient, server: ScriptedServer) -> None:
    """With an error, since it was not the stream that was closed."""
    server.will(watch(event("ADDED"), then="silence"))
    with open_watch(client) as stream:
        thread, seen, first = read_in_thread(stream)
        assert first.wait(PATIENCE_S)

        client.close()
        thread.join(PATIENCE_S)

    assert isinstance(seen[-1], errors.ConnectionFailed | StopIteration)
    assert not thread.is_alive()


def test_events_that_were_read_already_are_not_delivered_after_close(
    client: KubeClient, server: ScriptedServer
) -> None:
    """R16: after stop nothing more reaches the store."""
    server.will(watch(event("ADDED") * 3))

    with open_watch(client) as stream:
        next(stream)
        stream.close()
        assert list(stream) == []


def test_close_after_the_end_is_harmless(client: KubeClient, server: ScriptedServer) -> None:
    """Stop and the server's own end race."""
    server.will(watch())

    with open_watch(client) as stream:
        assert list(stream) == []
        stream.close()
        stream.close()


def test_a_lister_watcher_keeps_namespace_and_selectors(client: KubeClient, server: ScriptedServer) -> None:
    """The reflector knows neither."""
    lister = KubeListerWatcher(client, JOBS, "ml", label_selector="a=b", field_selector="metadata.name=x")
    server.will(reply({"metadata": {"resourceVersion": "1"}, "items": []}), watch())

    lister.list(resource_version="0", limit=None, continue_token=None)
    with lister.watch(resource_version="1", timeout_s=300) as stream:
        assert list(stream) == []

    for request in server.received:
        assert request.path.endswith("/namespaces/ml/trainingjobs")
        assert request.query["labelSelector"] == "a=b"
        assert request.query["fieldSelector"] == "metadata.name=x"


@pytest.fixture(scope="module")
def tls_files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1 and its key."""
    from cryptography import x509  # noqa: PLC0415
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    directory = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "scripted")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = directory / "cert.pem", directory / "key.pem"
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate_file, key_file


@pytest.fixture
def tls_server(tls_files: tuple[Path, Path]) -> Iterator[ScriptedServer]:
    """The scripted server behind TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*tls_files)
    with ScriptedServer(context).running() as running:
        yield running


def tls_client(server: ScriptedServer, path: Path, **cluster: object) -> KubeClient:
    """A client of a TLS server, with these settings of the kubeconfig's cluster."""
    config = connect(SystemClock(), kubeconfig=str(kubeconfig(path, server.url, cluster=cluster)), environ={})
    return KubeClient.of(config, metrics=RestMetrics(CollectorRegistry()), clock=SystemClock(), limiter=None)


def test_close_wakes_a_reader_behind_tls(
    tls_server: ScriptedServer, tls_files: tuple[Path, Path], tmp_path: Path
) -> None:
    """The TLS layer is pulled from under the reader: it must see the end, neither an error nor ciphertext."""
    tls_server.will(watch(event("ADDED"), then="silence"))
    with (
        tls_client(tls_server, tmp_path / "config", **{"certificate-authority": str(tls_files[0])}) as client,
        open_watch(client) as stream,
    ):
        thread, seen, first = read_in_thread(stream)
        assert first.wait(PATIENCE_S)

        stream.close()
        thread.join(PATIENCE_S)

    assert not thread.is_alive()
    assert seen == [WatchEvent("ADDED", {})]


def test_a_certificate_that_is_not_trusted_is_named_as_the_problem(tls_server: ScriptedServer, tmp_path: Path) -> None:
    """The kubeconfig's TLS settings are honoured, and the message leads to them."""
    with tls_client(tls_server, tmp_path / "config") as client, pytest.raises(errors.ConnectionFailed) as caught:
        open_watch(client)
    assert caught.value.code == errors.TLS_FAILED

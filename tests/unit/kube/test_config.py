"""Which cluster, which credentials, and one readable line where there is none."""

import base64
import os
import socket
import sys
from pathlib import Path

import pytest
import urllib3
import yaml

from api.meta import ObjectKey
from controller.kube import config as config_module
from controller.kube import errors
from controller.kube.access import ConfigError
from controller.kube.client import KubeClient
from controller.kube.config import Cluster, connect
from tests.fakes import FakeClock
from tests.unit.kube.conftest import JOBS, MakeClient, kubeconfig
from tests.unit.kube.scripted import ScriptedServer, refusal, reply


def write(path: Path, **sections: object) -> Path:
    """A kubeconfig with just these sections."""
    path.write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "Config", **sections}))
    return path


def contexts(*names: str) -> dict[str, object]:
    """Sections for contexts whose clusters have addresses of the same name."""
    return {
        "clusters": [{"name": name, "cluster": {"server": f"http://{name}.example"}} for name in names],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}} for name in names],
        "users": [{"name": name, "user": {"token": f"token-of-{name}"}} for name in names],
    }


def plugin(directory: Path, *tokens: str, expires: str = "2000-01-01T00:00:00Z") -> dict[str, object]:
    """A user whose credential plugin gives out one token after the other, each expired at once."""
    script = directory / "plugin.py"
    state = directory / "calls"
    script.write_text(
        "import json, pathlib\n"
        f"state = pathlib.Path({str(state)!r})\n"
        "calls = int(state.read_text()) if state.exists() else 0\n"
        "state.write_text(str(calls + 1))\n"
        f"tokens = {list(tokens)!r}\n"
        "status = {'token': tokens[min(calls, len(tokens) - 1)], 'expirationTimestamp': " + repr(expires) + "}\n"
        "print(json.dumps({'apiVersion': 'client.authentication.k8s.io/v1', 'kind': 'ExecCredential',"
        " 'status': status}))\n"
    )
    return {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": sys.executable,
            "args": [str(script)],
            "interactiveMode": "Never",
        }
    }


POD = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}
"""What the kubelet sets in every container."""


def service_account(directory: Path, token: str = "hush") -> Path:
    """What the kubelet mounts into every container."""
    (directory / "token").write_text(f"{token}\n")
    (directory / "ca.crt").write_text("certificate")
    return directory


class TestSource:
    """Flag, environment, pod, home: in this order."""

    def test_the_flag_goes_before_the_environment(self, tmp_path: Path) -> None:
        """`--kubeconfig` is the most explicit."""
        flag = write(tmp_path / "flag", **{"current-context": "a"}, **contexts("a"))
        variable = write(tmp_path / "variable", **{"current-context": "b"}, **contexts("b"))

        cluster = connect(FakeClock(), kubeconfig=str(flag), environ={"KUBECONFIG": str(variable)})

        assert cluster.base_url == "http://a.example"
        assert cluster.authorization() == "Bearer token-of-a"

    def test_of_several_files_the_first_to_say_something_wins(self, tmp_path: Path) -> None:
        """As kubectl merges them, the current context included; files that do not exist are passed over."""
        first = write(tmp_path / "first", **{"current-context": "b"}, **contexts("a"))
        second = write(tmp_path / "second", **{"current-context": "a"}, **contexts("b"))
        paths = os.pathsep.join([str(tmp_path / "missing"), str(first), str(second)])

        assert connect(FakeClock(), environ={"KUBECONFIG": paths}).base_url == "http://b.example"

    def test_a_context_and_an_address_can_be_chosen(self, tmp_path: Path) -> None:
        """`--context` and `--master`."""
        path = str(write(tmp_path / "config", **{"current-context": "a"}, **contexts("a", "b")))

        cluster = connect(FakeClock(), kubeconfig=path, context="b", master="http://c.example", environ={})

        assert (cluster.base_url, cluster.authorization()) == ("http://c.example", "Bearer token-of-b")

    def test_home_is_looked_at_last(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """~/.kube/config, for a laptop without any setting."""
        path = write(tmp_path / "config", **{"current-context": "a"}, **contexts("a"))
        monkeypatch.setattr(config_module, "DEFAULT_KUBECONFIG", str(path))

        assert connect(FakeClock(), environ={}).base_url == "http://a.example"

    def test_a_pod_uses_its_service_account_and_follows_its_rotation(self, tmp_path: Path) -> None:
        """The kubelet replaces the token file; it is read again after a minute, and after a refusal."""
        clock, files = FakeClock(), service_account(tmp_path, "first")
        cluster = connect(clock, environ=POD, service_account=files)
        assert (cluster.base_url, cluster.authorization()) == ("https://10.0.0.1:443", "Bearer first")

        service_account(tmp_path, "second")
        clock.advance(59)
        assert cluster.authorization() == "Bearer first"
        clock.advance(1)
        assert cluster.authorization() == "Bearer second"

        service_account(tmp_path, "third")
        cluster.refused()
        assert cluster.authorization() == "Bearer third"

    def test_a_pod_trusts_the_authority_of_its_cluster_only(self, tmp_path: Path) -> None:
        """The API server's certificate is checked against `ca.crt`; idle connections are probed."""
        files = service_account(tmp_path)

        pool = connect(FakeClock(), environ=POD, service_account=files).new_pool().connection_pool_kw

        assert (pool["cert_reqs"], pool["ca_certs"]) == ("CERT_REQUIRED", str(files / "ca.crt"))
        assert (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1) in pool["socket_options"]

    def test_a_pod_of_an_ipv6_cluster_has_its_address_in_brackets(self, tmp_path: Path) -> None:
        """Else the port would be part of the address."""
        environ = {**POD, "KUBERNETES_SERVICE_HOST": "fd00::1"}

        assert connect(FakeClock(), environ=environ, service_account=service_account(tmp_path)).base_url == (
            "https://[fd00::1]:443"
        )

    def test_master_replaces_the_address_that_a_pod_is_given(self, tmp_path: Path) -> None:
        """The credentials are the pod's all the same."""
        cluster = connect(FakeClock(), master="http://b", environ=POD, service_account=service_account(tmp_path))

        assert (cluster.base_url, cluster.authorization()) == ("http://b", "Bearer hush")

    def test_behind_a_proxy_a_pod_is_the_packages(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """It knows which hosts bypass the proxy, networks included."""
        monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
        monkeypatch.setenv("NO_PROXY", "10.0.0.0/8")
        files = service_account(tmp_path)
        for name, file in (("SERVICE_TOKEN_FILENAME", "token"), ("SERVICE_CERT_FILENAME", "ca.crt")):
            monkeypatch.setattr(f"kubernetes.config.incluster_config.{name}", str(files / file))
        for name, value in POD.items():
            monkeypatch.setenv(name, value)

        cluster = connect(FakeClock(), service_account=files)

        assert (cluster.base_url, cluster.authorization()) == ("https://10.0.0.1:443", "bearer hush")
        assert type(cluster.new_pool()) is urllib3.PoolManager
        monkeypatch.delenv("NO_PROXY")
        assert type(connect(FakeClock(), service_account=files).new_pool()) is urllib3.ProxyManager

    @pytest.mark.parametrize("proxy", ["", "http://proxy.example:3128"])
    def test_an_address_alone_has_no_credentials(self, proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """`--master` without anything else: an API server on loopback, or behind an authenticating proxy."""
        monkeypatch.setattr(config_module, "DEFAULT_KUBECONFIG", "/no/such/file")
        if proxy:
            monkeypatch.setenv("HTTP_PROXY", proxy)
        cluster = connect(FakeClock(), master="http://a.example", environ={})

        assert (cluster.base_url, cluster.authorization()) == ("http://a.example", None)
        assert str(getattr(cluster.new_pool(), "proxy", None) or "") == proxy

    def test_settings_of_tls_reach_the_pool(self, tmp_path: Path) -> None:
        """insecure-skip-tls-verify, tls-server-name and proxy-url of the kubeconfig are honoured."""
        path = kubeconfig(
            tmp_path / "config",
            "https://a.example",
            cluster={
                "insecure-skip-tls-verify": True,
                "tls-server-name": "b.example",
                "proxy-url": "http://proxy.example:3128",
            },
        )

        pool = connect(FakeClock(), kubeconfig=str(path), environ={}).new_pool()

        assert pool.connection_pool_kw["cert_reqs"] == 0
        assert pool.connection_pool_kw["server_hostname"] == "b.example"
        assert str(pool.proxy) == "http://proxy.example:3128"


class TestMistakes:
    """One line that says what to do."""

    @pytest.mark.parametrize(
        ("sections", "context", "line"),
        [
            ({"current-context": "x", **contexts("a", "b")}, "", 'has no context "x"; choose one with --context: a, b'),
            (
                {"current-context": "a", **contexts("a", "b")},
                "x",
                'has no context "x"; choose one with --context: a, b',
            ),
            (contexts("a"), "", "sets no current-context; choose one with --context: a"),
            ({}, "", "sets no current-context; it has no contexts at all"),
            ({"current-context": "a", **contexts("a"), "clusters": []}, "", "cannot be used: .*clusters"),
            ({"current-context": "a", **contexts("a"), "contexts": [{}]}, "", "cannot be used: .*name"),
        ],
    )
    def test_a_kubeconfig_that_does_not_fit_says_why(
        self, tmp_path: Path, sections: dict[str, object], context: str, line: str
    ) -> None:
        """The file is named, and what could be chosen instead."""
        path = write(tmp_path / "config", **sections)

        with pytest.raises(ConfigError, match=line) as caught:
            connect(FakeClock(), kubeconfig=str(path), context=context, environ={})
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_a_missing_file_is_named(self) -> None:
        """Not ignored, as the `kubernetes` package does."""
        with pytest.raises(ConfigError, match=r"kubeconfig /no/such/file: no such file; give --kubeconfig FILE"):
            connect(FakeClock(), kubeconfig="/no/such/file", environ={})

    def test_a_file_that_is_not_yaml_is_named(self, tmp_path: Path) -> None:
        """In one line, although the parser says it in several."""
        path = tmp_path / "config"
        path.write_text("a: [")

        with pytest.raises(ConfigError, match="not readable as YAML") as caught:
            connect(FakeClock(), kubeconfig=str(path), environ={})
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize("lacks", ["token", "ca.crt"])
    @pytest.mark.parametrize("is_empty", [True, False], ids=["empty", "absent"])
    def test_a_pod_without_service_account(self, tmp_path: Path, lacks: str, is_empty: bool) -> None:
        """With the usual reason."""
        file = service_account(tmp_path) / lacks
        if is_empty:
            file.write_text("")
        else:
            file.unlink()
        with pytest.raises(ConfigError, match=f"{lacks}.*automountServiceAccountToken"):
            connect(FakeClock(), environ=POD, service_account=tmp_path)

    def test_without_any_source_all_are_named(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The first thing a new user may see."""
        monkeypatch.setattr(config_module, "DEFAULT_KUBECONFIG", str(tmp_path / "none"))

        with pytest.raises(ConfigError, match=r"give --kubeconfig FILE, set KUBECONFIG, create .*, or run in a pod"):
            connect(FakeClock(), environ={})

    def test_a_plugin_that_fails_stops_the_start(self, tmp_path: Path) -> None:
        """The package logs it and goes on without credentials, to be refused a thousand times."""
        broken = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "/no/such/plugin"}}
        path = kubeconfig(tmp_path / "config", "http://a.example", user=broken)

        with pytest.raises(ConfigError, match="'/no/such/plugin' of user 'test' gave no credentials"):
            connect(FakeClock(), kubeconfig=str(path), environ={})

    def test_a_plugin_that_hangs_stops_the_start(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The package would wait for ever, and every worker with it; children of the plugin hold nothing up either."""
        monkeypatch.setattr("controller.kube.kubeconfig.PLUGIN_TIMEOUT_S", 0.2)
        hung = {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": "/bin/sh",
            "args": ["-c", "sleep 1000 & sleep 1000"],
        }
        path = kubeconfig(tmp_path / "config", "http://a.example", user={"exec": hung})

        with pytest.raises(ConfigError, match="'/bin/sh' of user 'test' gave no credentials"):
            connect(FakeClock(), kubeconfig=str(path), environ={})


class TestCredentials:
    """They are renewed when due, and when the server refuses them."""

    def test_a_plugin_is_asked_again_when_its_token_expires(self, tmp_path: Path) -> None:
        """Through the package's refresh hook."""
        path = kubeconfig(tmp_path / "config", "http://a.example", user=plugin(tmp_path, "one", "two"))

        cluster = connect(FakeClock(), kubeconfig=str(path), environ={})

        assert cluster.authorization() == "Bearer two"

    def test_refused_credentials_are_loaded_anew_but_not_for_every_refusal(self, tmp_path: Path) -> None:
        """A token can be revoked before it expires; a plugin is a process, and refusals come in swarms."""
        far = plugin(tmp_path, "one", "two", "three", expires="2999-01-01T00:00:00Z")
        clock = FakeClock()
        cluster = connect(clock, kubeconfig=str(kubeconfig(tmp_path / "c", "http://a", user=far)), environ={})
        assert cluster.authorization() == "Bearer one"

        cluster.refused()
        assert cluster.authorization() == "Bearer one"
        clock.advance(15)
        assert cluster.authorization() == "Bearer two"
        assert cluster.authorization() == "Bearer two"

    def test_a_401_marks_the_credentials(
        self, client: KubeClient, cluster: Cluster, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The request itself is not repeated: whoever asked tries again anyway."""
        marked: list[bool] = []
        monkeypatch.setattr(cluster, "refused", lambda: marked.append(True))
        server.will(refusal(401, "Unauthorized"))

        with pytest.raises(errors.Unauthorized):
            client.get(JOBS, ObjectKey("ml", "train"))

        assert marked == [True]

    def test_user_and_password_are_sent_as_basic_authentication(
        self, tmp_path: Path, server: ScriptedServer, make_client: MakeClient
    ) -> None:
        """Old clusters, and tests."""
        path = kubeconfig(tmp_path / "basic", server.url, user={"username": "u", "password": "p"})

        cluster = connect(FakeClock(), kubeconfig=str(path), environ={})

        assert cluster.authorization() == "Basic " + base64.b64encode(b"u:p").decode()

    def test_credentials_that_cannot_be_refreshed_are_a_classified_error(
        self, client: KubeClient, cluster: Cluster, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The worker loop backs off; nothing was sent."""

        def fail() -> str:
            raise ConfigError("no token")

        monkeypatch.setattr(cluster, "authorization", fail)
        server.will(reply({}))

        with pytest.raises(errors.Unauthorized, match="no token"):
            client.get(JOBS, ObjectKey("ml", "train"))
        assert server.received == []


@pytest.mark.parametrize(
    ("pod", "lease", "home"), [("a", "b", "a"), ("a", "", "a"), ("", "b", "b"), ("", "", "")], ids=str
)
def test_the_operators_own_namespace_is_that_of_its_pod(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pod: str, lease: str, home: str
) -> None:
    """The account map is there, for the operator as for `--check-aws`, wherever the Lease is."""
    file = tmp_path / "namespace"  # of the service account
    if pod:
        file.write_text(f"{pod}\n")
    monkeypatch.setattr(config_module, "SERVICE_ACCOUNT", tmp_path)
    assert config_module.home_namespace(lease) == home

"""Verbs become requests, replies become objects or typed errors; every request has its limits and is counted."""

import threading
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from api.meta import ObjectKey, Resource
from controller.kube import errors
from controller.kube.client import KubeClient, PatchType, collection_path, object_path
from controller.kube.config import connect
from controller.kube.transport import RestMetrics
from controller.runtime.clock import SystemClock
from tests.deadline import PATIENCE_S
from tests.unit.kube.conftest import JOBS, MakeClient, kubeconfig
from tests.unit.kube.scripted import ScriptedServer, refusal, reply, short_body, silence, text, trickle

KEY = ObjectKey("ml", "train")
JOB = {"apiVersion": JOBS.api_version, "kind": "TrainingJob", "metadata": {"name": "train", "namespace": "ml"}}
JOB_PATH = "/apis/sagemaker.aws.amazon.com/v1/namespaces/ml/trainingjobs/train"
COLLECTION_PATH = "/apis/sagemaker.aws.amazon.com/v1/namespaces/ml/trainingjobs"
NODES = Resource(group="", version="v1", plural="nodes", kind="Node", namespaced=False)


class TestRequests:
    """What goes over the wire."""

    def test_get_asks_for_one_object_with_our_credentials(self, client: KubeClient, server: ScriptedServer) -> None:
        """The kubeconfig's token goes along; the agent says who asks."""
        server.will(reply(JOB))

        assert client.get(JOBS, KEY) == JOB

        (request,) = server.received
        assert (request.method, request.path, request.query) == ("GET", JOB_PATH, {})
        assert request.headers["Authorization"] == "Bearer hush"
        assert request.headers["User-Agent"].startswith("sagemaker-k8s-operator/")

    def test_list_sends_only_what_was_asked_and_gives_items_their_type(
        self, client: KubeClient, server: ScriptedServer
    ) -> None:
        """Items of built-in lists come without apiVersion and kind; `ListPage` promises both."""
        items = [{"metadata": {"name": "a"}}, {"metadata": {"name": "b"}}]
        server.will(reply({"metadata": {"resourceVersion": "7", "continue": "more"}, "items": items}))

        page = client.list(JOBS, None, resource_version="0", limit=500, label_selector="a=b")

        assert (page.resource_version, page.continue_token) == ("7", "more")
        assert [(item["kind"], item["metadata"]["name"]) for item in page.items] == [
            ("TrainingJob", "a"),
            ("TrainingJob", "b"),
        ]
        assert server.received[0].path == "/apis/sagemaker.aws.amazon.com/v1/trainingjobs"
        assert server.received[0].query == {"resourceVersion": "0", "limit": "500", "labelSelector": "a=b"}

    def test_an_empty_list_may_be_null(self, client: KubeClient, server: ScriptedServer) -> None:
        """Go writes null for an empty slice."""
        server.will(reply({"metadata": {"resourceVersion": "7"}, "items": None}))

        assert client.list(JOBS, "ml", continue_token="more").items == []
        assert server.received[0].query == {"continue": "more"}

    def test_create_posts_to_the_collection(self, client: KubeClient, server: ScriptedServer) -> None:
        """The stored object comes back."""
        server.will(reply(JOB, 201))

        assert client.create(JOBS, "ml", JOB) == JOB
        assert (server.received[0].method, server.received[0].path) == ("POST", COLLECTION_PATH)
        assert server.received[0].json == JOB

    def test_replace_puts_the_object_or_its_subresource(self, client: KubeClient, server: ScriptedServer) -> None:
        """`/status` is a path of its own."""
        server.will(reply(JOB))

        client.replace(JOBS, KEY, JOB, subresource="status")

        assert (server.received[0].method, server.received[0].path) == ("PUT", f"{JOB_PATH}/status")

    @pytest.mark.parametrize(
        ("content", "force", "query"),
        [
            (PatchType.MERGE, False, {"fieldManager": "sagemaker-operator"}),
            (PatchType.APPLY, True, {"fieldManager": "sagemaker-operator", "force": "true"}),
        ],
    )
    def test_patch_says_of_which_kind_it_is(
        self, client: KubeClient, server: ScriptedServer, content: PatchType, force: bool, query: dict[str, str]
    ) -> None:
        """The content type decides what the body means."""
        server.will(reply(JOB))

        client.patch(JOBS, KEY, {"status": {}}, content=content, subresource="status", force=force)

        assert server.received[0].headers["Content-Type"] == content.value
        assert server.received[0].query == query

    def test_delete_can_insist_on_the_very_object(self, client: KubeClient, server: ScriptedServer) -> None:
        """A namesake created meanwhile must not be deleted."""
        server.will(reply({"kind": "Status", "status": "Success"}))

        client.delete(JOBS, KEY, uid="u-1")

        assert server.received[0].json["preconditions"] == {"uid": "u-1"}
        assert server.received[0].json["propagationPolicy"] == "Background"

    def test_delete_can_insist_on_the_very_version(self, client: KubeClient, server: ScriptedServer) -> None:
        """Who has changed an object since may want to keep it."""
        server.will(reply({"kind": "Status", "status": "Success"}))

        client.delete(JOBS, KEY, uid="u-1", resource_version="7")

        assert server.received[0].json["preconditions"] == {"uid": "u-1", "resourceVersion": "7"}

    def test_paths_follow_group_and_scope(self) -> None:
        """The core group lives under /api; cluster-scoped objects have no namespace."""
        assert object_path(NODES, ObjectKey("", "a")) == "/api/v1/nodes/a"
        assert collection_path(JOBS, "") == "/apis/sagemaker.aws.amazon.com/v1/trainingjobs"

    @pytest.mark.parametrize("key", [ObjectKey("ml", ""), ObjectKey("", "train")])
    def test_a_key_without_a_name_is_refused(self, key: ObjectKey) -> None:
        """DELETE on the path of a collection deletes all of it."""
        with pytest.raises(ValueError, match="does not name one object"):
            object_path(JOBS, key)


class TestFailures:
    """What comes back instead of an object."""

    def test_a_refusal_is_raised_with_its_reason(self, client: KubeClient, server: ScriptedServer) -> None:
        """And nothing is asked twice behind the caller's back."""
        server.will(refusal(409, "Conflict", "the object has been modified"))

        with pytest.raises(errors.Conflict, match="has been modified"):
            client.replace(JOBS, KEY, JOB)
        assert len(server.received) == 1

    def test_429_is_not_retried_but_says_how_long_to_wait(self, client: KubeClient, server: ScriptedServer) -> None:
        """Whoever asked decides when to ask again."""
        server.will(refusal(429, "TooManyRequests", Retry_After="3"))

        with pytest.raises(errors.TooManyRequests) as caught:
            client.list(JOBS, None)
        assert caught.value.retry_after_s == 3.0

    def test_a_redirect_is_not_followed(self, client: KubeClient, server: ScriptedServer) -> None:
        """It would carry our token elsewhere."""
        server.will(reply({}, 302, Location=f"{server.url}/elsewhere"))

        with pytest.raises(errors.ServerError):
            client.get(JOBS, KEY)
        assert len(server.received) == 1

    @pytest.mark.parametrize("step", [text("<html>", 200), reply(["not", "an", "object"]), text("", 200)])
    def test_a_good_code_with_an_unreadable_body_is_an_error(
        self, client: KubeClient, server: ScriptedServer, step: object
    ) -> None:
        """Silence or nonsense is never an answer."""
        server.will(step)  # type: ignore[arg-type]

        with pytest.raises(errors.ServerError, match="the reply is no"):
            client.get(JOBS, KEY)

    def test_a_list_without_metadata_is_an_error(self, client: KubeClient, server: ScriptedServer) -> None:
        """An empty world read out of a wrong reply would look like deletions."""
        server.will(reply({"items": []}))

        with pytest.raises(errors.ServerError, match="no list"):
            client.list(JOBS, None)

    def test_a_body_that_ends_early_is_a_broken_connection(self, client: KubeClient, server: ScriptedServer) -> None:
        """Half a list must not pass for a list."""
        server.will(short_body())

        with pytest.raises(errors.ConnectionFailed) as caught:
            client.list(JOBS, None)
        assert caught.value.code == errors.CONNECTION_BROKEN

    def test_a_server_that_does_not_answer_times_out(self, make_client: MakeClient, server: ScriptedServer) -> None:
        """K3: every request has a read time-out."""
        server.will(silence())

        with pytest.raises(errors.ConnectionFailed) as caught:
            make_client(request_timeout_s=0.1).get(JOBS, KEY)
        assert caught.value.code == errors.TIMEOUT
        assert caught.value.__cause__ is not None

    def test_a_reply_that_trickles_in_times_out_as_a_whole(
        self, make_client: MakeClient, server: ScriptedServer
    ) -> None:
        """No single read is late, but leader election must know within its limit (E13)."""
        server.will(trickle())

        with pytest.raises(errors.ConnectionFailed) as caught:
            make_client(request_timeout_s=0.3).get(JOBS, KEY)
        assert caught.value.code == errors.TIMEOUT

    def test_nobody_listening_is_told_from_other_failures(self, tmp_path: Path, registry: CollectorRegistry) -> None:
        """A refused connection means that the request was certainly not carried out."""
        with ScriptedServer().running() as gone:
            config = kubeconfig(tmp_path / "gone", gone.url)
        cluster = connect(SystemClock(), kubeconfig=str(config), environ={})
        metrics = RestMetrics(registry)

        with (
            KubeClient.of(cluster, metrics=metrics, clock=SystemClock(), limiter=None) as client,
            pytest.raises(errors.ConnectionFailed, match=r"no connection: .*refused") as caught,
        ):
            client.get(JOBS, KEY)
        assert caught.value.code == errors.CONNECTION_REFUSED


class TestClosing:
    """K3: a blocked read sees no flag."""

    def test_close_ends_a_request_that_waits_for_its_headers(self, client: KubeClient, server: ScriptedServer) -> None:
        """Shutting the socket down wakes the thread in it."""
        asked = threading.Event()
        caught: list[errors.ApiError] = []

        def step(exchange: object) -> None:
            asked.set()
            exchange.be_silent()  # type: ignore[attr-defined]

        def ask() -> None:
            try:
                client.get(JOBS, KEY)
            except errors.ApiError as exc:
                caught.append(exc)

        server.will(step)
        thread = threading.Thread(target=ask, name="asking")
        thread.start()
        assert asked.wait(PATIENCE_S)

        client.close()
        thread.join(PATIENCE_S)

        assert [exc.code for exc in caught] == [errors.CLIENT_CLOSED]

    def test_a_closed_client_asks_nothing(self, client: KubeClient, server: ScriptedServer) -> None:
        """Closing is for good, and may be done twice."""
        client.close()
        client.close()

        with pytest.raises(errors.ConnectionFailed) as caught:
            client.get(JOBS, KEY)
        assert caught.value.code == errors.CLIENT_CLOSED
        assert server.received == []

    def test_close_ends_the_wait_for_the_rate_limit(self, make_client: MakeClient) -> None:
        """A queue of waiting writers must not outlive the process's grace."""
        client = make_client(limiter=Slow(600.0))
        threading.Timer(0.01, client.close).start()

        with pytest.raises(errors.ConnectionFailed) as caught:
            client.get(JOBS, KEY)
        assert caught.value.code == errors.CLIENT_CLOSED


class Slow:
    """A limiter that makes everybody wait."""

    def __init__(self, delay_s: float) -> None:
        self.delay_s = delay_s
        self.asked = 0

    def when(self, key: str) -> float:
        """See `RateLimiter`."""
        self.asked += 1
        return self.delay_s

    def forget(self, key: str) -> None:
        """See `RateLimiter`."""

    def num_requeues(self, key: str) -> int:
        """See `RateLimiter`."""
        return 0


class TestAccounting:
    """Limits and metrics."""

    def test_reads_and_writes_pass_the_rate_limit(self, make_client: MakeClient, server: ScriptedServer) -> None:
        """One token each, shared by the clients that share the limiter."""
        limiter = Slow(0.0)
        server.will(reply(JOB), reply(JOB))

        make_client(limiter=limiter).get(JOBS, KEY)
        make_client(limiter=limiter).patch(JOBS, KEY, {})

        assert limiter.asked == 2

    def test_requests_are_counted_by_code_method_and_host(
        self, make_client: MakeClient, server: ScriptedServer, registry: CollectorRegistry
    ) -> None:
        """rest_client_requests_total of runtime-semantics 12; no reply counts as `<error>`, as in client-go."""
        client, impatient = make_client(), make_client(request_timeout_s=0.1)
        server.will(reply(JOB), refusal(404, "NotFound"), silence())

        client.get(JOBS, KEY)
        for each, error in ((client, errors.NotFound), (impatient, errors.ConnectionFailed)):
            with pytest.raises(error):
                each.get(JOBS, KEY)

        host = server.url.removeprefix("http://")
        for code in ("200", "404", "<error>"):
            labels = {"code": code, "method": "GET", "host": host}
            assert registry.get_sample_value("rest_client_requests_total", labels) == 1.0
        durations = registry.get_sample_value(
            "rest_client_request_duration_seconds_count", {"verb": "GET", "host": host}
        )
        assert durations == 3.0

    def test_a_password_in_the_servers_address_is_no_label_of_a_metric(
        self, server: ScriptedServer, registry: CollectorRegistry, tmp_path: Path
    ) -> None:
        """`user:password@` is taken out of `host`: whoever may scrape the metrics would read it."""
        url = server.url.replace("://", "://user:fakeword@")
        cluster = connect(SystemClock(), kubeconfig=str(kubeconfig(tmp_path / "with-user", url)), environ={})
        server.will(reply(JOB))

        with KubeClient.of(cluster, metrics=RestMetrics(registry), clock=SystemClock(), limiter=None) as client:
            client.get(JOBS, KEY)

        labels = {"code": "200", "method": "GET", "host": server.url.removeprefix("http://")}
        assert registry.get_sample_value("rest_client_requests_total", labels) == 1.0

    def test_warnings_of_the_server_are_logged_once(
        self, client: KubeClient, server: ScriptedServer, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Unknown fields and old versions should reach whoever can do something about them, not every second."""
        server.will(*[reply(JOB, Warning='299 - "unknown field \\"spec.foo\\""')] * 2)

        client.get(JOBS, KEY)
        client.get(JOBS, KEY)

        assert capsys.readouterr().out.count("unknown field") == 1

"""The client of notebooks and pipelines: what it asks of the API, and what it makes of the answers."""

import copy
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import yaml
from urllib3.exceptions import MaxRetryError

from api.client import (
    AlreadyExistsError,
    Client,
    ClientError,
    HostingDeployment,
    NotFoundError,
    ObjectDeletedError,
    ObjectFailedError,
    RequestError,
    TrainingJob,
    UnreachableError,
    WaitTimeoutError,
    progress,
)
from api.client.connection import connect
from api.client.errors import of_response
from api.client.waiting import Look, Outcome, look
from api.meta import JsonObject
from controller.reconcile.status.patch import conditions, merged_conditions
from controller.reconcile.steps import Phase, StatusUpdate
from hack.crds import ROOT
from tests.documents import document
from tests.fakes.clock import FakeClock
from tests.fakes.kstatus import kstatus
from tests.fakes.refused import Refused
from tests.tables import each_row
from tests.unit.manifests.test_argocd import NOW

JOB: TrainingJob = copy.deepcopy(document(ROOT / "samples" / "xgboost-mnist-trainingjob.yaml"))


def with_status(phase: Phase, *, generation: int = 1, observed: int = 1, uid: str = "u1") -> JsonObject:
    """The job with a status as the operator writes it."""
    shown = conditions(StatusUpdate(phase, phase.name.title(), "words"), ())
    status = {"observedGeneration": observed, "conditions": merged_conditions((), shown, observed, NOW)}
    metadata = {"name": JOB["metadata"]["name"], "namespace": "here", "uid": uid, "generation": generation}
    return {**JOB, "metadata": metadata, "status": status}


OUTCOMES = {
    "InProgress": Outcome.WAITING,
    "Current": Outcome.READY,
    "Failed": Outcome.FAILED,
}


@each_row("phase", Phase)
@each_row("observed", [0, 1])
def test_an_object_is_judged_as_kstatus_does(phase: Phase, observed: int) -> None:
    """For every phase that a status can show, of the object's generation or an earlier one."""
    obj = with_status(phase, observed=observed)
    assert look(obj).outcome is OUTCOMES[kstatus(obj["status"], 1)]


def test_the_reason_of_a_failure_is_sagemakers_own_where_there_is_one() -> None:
    """Not only that the job ended."""
    obj = with_status(Phase.STUCK)
    obj["status"]["conditions"].append({"type": "Failed", "status": "True", "reason": "Failed", "message": "no data"})
    assert look(obj) == Look(Outcome.FAILED, "Failed", "no data")
    assert look({"metadata": {"generation": 1}}).outcome is Outcome.WAITING, "no status at all"


class Api:
    """CustomObjectsApi by a script: each call takes the next answer, or raises it."""

    def __init__(self, *answers: Any) -> None:
        self.calls: list[tuple[str, Mapping[str, Any]]] = []
        self._answers: Iterator[Any] = iter(answers)

    def __getattr__(self, method: str) -> Callable[..., Any]:
        def call(**arguments: Any) -> Any:
            assert arguments.pop("_request_timeout") > 0
            self.calls.append((method, arguments))
            answer = next(self._answers)
            if isinstance(answer, Refused):
                raise answer.error()
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call


CUT = MaxRetryError(None, "/apis", OSError("refused"))


class Scene:
    """A client with a scripted API, a clock that its pauses move, and what it shows."""

    def __init__(self, *answers: Any) -> None:
        self.api, self.clock, self.lines = Api(*answers), FakeClock(), list[str]()
        self.client = Client("here", api=self.api, progress=self.lines.append)
        self.client._clock, self.client._pause = self.clock, self.clock.advance


PLACE = {"group": "sagemaker.aws.amazon.com", "version": "v1", "namespace": "here", "plural": "trainingjobs"}


def test_what_is_created_is_checked_for_unknown_fields() -> None:
    """By the API server, which would drop them otherwise; the namespace of the manifest wins over the client's."""
    there: TrainingJob = {**JOB, "metadata": {"name": "a", "namespace": "there"}}
    scene = Scene({"stored": True}, {})
    assert scene.client.create(JOB) == {"stored": True}
    scene.client.create(there)
    first, second = scene.api.calls
    assert first == ("create_namespaced_custom_object", PLACE | {"body": JOB, "field_validation": "Strict"})
    assert second[1]["namespace"] == "there"


def test_objects_are_read_by_kind() -> None:
    """The type is the kind; its plural is the descriptor's."""
    scene = Scene({}, {})
    scene.client.get(TrainingJob, "a")
    scene.client.get(HostingDeployment, "b")
    assert [(call["plural"], call["name"]) for _, call in scene.api.calls] == [
        ("trainingjobs", "a"),
        ("hostingdeployments", "b"),
    ]


@each_row(
    ("status", "reason", "error", "shown"),
    [
        (404, "NotFound", NotFoundError, "NotFound: words"),
        (409, "AlreadyExists", AlreadyExistsError, "AlreadyExists: words"),
        (409, "Conflict", RequestError, "Conflict: words"),
        (422, "Invalid", RequestError, "Invalid: words"),
        (403, "Forbidden", RequestError, "Forbidden: words"),
        (401, "", RequestError, "HTTP's: HTTP status 401"),
        (429, "TooManyRequests", UnreachableError, "TooManyRequests: words"),
        (503, "", UnreachableError, "HTTP's: HTTP status 503"),
    ],
)
def test_a_refusal_is_an_exception_with_its_reason(
    status: int, reason: str, error: type[ClientError], shown: str
) -> None:
    """That of the Status; what is no Status is a proxy's."""
    with pytest.raises(ClientError) as caught:
        Scene(Refused(status, reason)).client.create(JOB)
    assert (type(caught.value), str(caught.value)) == (error, shown)
    assert type(caught.value.__cause__) is type(Refused(status).error())
    assert isinstance(of_response(status, "HTTP's", b"[1]"), error if reason != "AlreadyExists" else RequestError)


def test_who_cannot_be_reached_is_an_exception_too() -> None:
    """Not one of urllib3, which a user would have to know."""
    with pytest.raises(UnreachableError, match="MaxRetryError"):
        Scene(CUT).client.get(TrainingJob, "a")


def test_a_wait_shows_each_change_once_and_ends_when_the_object_is_ready() -> None:
    """An API server that is away for a moment is a line, and no end."""
    created = with_status(Phase.WORKING, observed=-1)
    working, ready = with_status(Phase.WORKING), with_status(Phase.DONE)
    scene = Scene(created, created, working, working, CUT, Refused(503), ready)
    done = scene.client.wait(scene.client.create(JOB))
    assert done == ready
    name = JOB["metadata"]["name"]
    assert [line.partition(":")[0] for line in scene.lines] == [
        f"TrainingJob {name} is waiting",
        f"TrainingJob {name} is waiting",
        f"TrainingJob {name} is waiting",
        f"TrainingJob {name} is waiting",
        f"TrainingJob {name} is ready",
    ]
    assert "has not seen this version" in scene.lines[0]
    assert "Working: words" in scene.lines[1]
    assert "MaxRetryError" in scene.lines[2]
    assert scene.clock.monotonic() == FakeClock().monotonic() + 2 * 5


def test_a_failure_ends_the_wait_at_once_with_the_objects_reason() -> None:
    """It is an exception that has the object, too."""
    made = with_status(Phase.WORKING)
    scene = Scene(with_status(Phase.STUCK))
    with pytest.raises(ObjectFailedError, match="Stuck: words") as caught:
        scene.client.wait(made)
    assert caught.value.reason == "Stuck"
    assert caught.value.obj == with_status(Phase.STUCK)
    assert scene.clock.monotonic() == FakeClock().monotonic()


@pytest.mark.parametrize(
    ("answer", "reason"), [(Refused(404, "NotFound"), "Deleted"), (with_status(Phase.DONE, uid="u2"), "Replaced")]
)
def test_an_object_that_is_no_more_is_not_waited_for(answer: Any, reason: str) -> None:
    """Nor taken for another one of its name, which may be ready."""
    with pytest.raises(ObjectDeletedError) as caught:
        Scene(answer).client.wait(with_status(Phase.WORKING))
    assert caught.value.reason == reason


def test_a_wait_ends_in_time_and_says_what_it_waited_for() -> None:
    """With the reason of the object; a TimeoutError, as Python has it."""
    scene = Scene(*[with_status(Phase.WORKING)] * 6)
    with pytest.raises(TimeoutError, match=r"Working.*not ready in time\. words") as caught:
        scene.client.wait(with_status(Phase.WORKING), timeout_s=10)
    assert isinstance(caught.value, WaitTimeoutError)
    assert scene.clock.monotonic() == FakeClock().monotonic() + 10


def test_only_the_object_that_was_meant_is_deleted() -> None:
    """By its uid, if it is known: another of its name may be somebody else's."""
    scene = Scene({}, {})
    scene.client.delete(JOB)
    scene.client.delete(with_status(Phase.DONE))
    assert [call["body"] for _, call in scene.api.calls] == [{}, {"preconditions": {"uid": "u1"}}]


@pytest.mark.parametrize("last", [Refused(404, "NotFound"), with_status(Phase.DONE, uid="u2")])
def test_a_deletion_is_waited_for_if_a_time_is_given(last: Any) -> None:
    """The finalizer holds it until the job has stopped; gone is also what has a successor."""
    made = with_status(Phase.WORKING)
    scene = Scene({}, made, made, last)
    scene.client.delete(made, timeout_s=60)
    assert len(scene.api.calls) == 4
    with pytest.raises(WaitTimeoutError, match="not gone in time"):
        Scene({}, made, made).client.delete(made, timeout_s=3)


def test_progress_is_one_line_in_a_notebook_and_a_line_each_elsewhere(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """IPython in a terminal has no kernel, and no display that could be replaced."""
    shown: list[tuple[str, Any]] = []

    def display(content: Any, **options: Any) -> Any:
        shown.append(("new", content["text/plain"]))
        assert options == {"raw": True, "display_id": True}
        return SimpleNamespace(update=lambda content, raw: shown.append(("update", content["text/plain"])))

    for shell, is_notebook in ((SimpleNamespace(kernel=object()), True), (SimpleNamespace(), False), (None, False)):
        ipython, shows = ModuleType("IPython"), ModuleType("IPython.display")
        ipython.get_ipython, shows.display = (lambda shell=shell: shell), display
        monkeypatch.setitem(sys.modules, "IPython", ipython)
        monkeypatch.setitem(sys.modules, "IPython.display", shows)
        shown.clear()
        show = progress.shown()
        show("a")
        show("b")
        assert shown == ([("new", "a"), ("update", "b")] if is_notebook else [])
        assert capsys.readouterr().out == ("" if is_notebook else "a\nb\n")


KUBECONFIG: JsonObject = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "a",
    "clusters": [{"name": each, "cluster": {"server": f"http://{each}:1"}} for each in ("one", "two")],
    "users": [{"name": "u", "user": {}}],
    "contexts": [
        {"name": "a", "context": {"cluster": "one", "user": "u", "namespace": "of-a"}},
        {"name": "b", "context": {"cluster": "two", "user": "u"}},
    ],
}


def test_the_cluster_is_that_of_the_context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its namespace; the package's default configuration stays what it is."""
    path = tmp_path / "config"
    path.write_text(yaml.safe_dump(KUBECONFIG))
    for context, server, namespace in ((None, "http://one:1", "of-a"), ("b", "http://two:1", "")):
        api, found = connect(str(path), context)
        assert (api.api_client.configuration.host, found) == (server, namespace)
    assert Client(kubeconfig=str(path)).namespace == "of-a"
    assert Client(kubeconfig=str(path), context="b").namespace == "default"
    assert Client("mine", kubeconfig=str(path)).namespace == "mine"
    with pytest.raises(ClientError, match="NoCluster"):
        connect(str(tmp_path / "no-such-file"), None)
    with pytest.raises(ClientError, match="NoCluster"):
        connect(str(path), "no-such-context")

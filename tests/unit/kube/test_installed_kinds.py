"""A kind without a CRD holds up nothing, is reported once, and is served when it appears."""

import pytest
from structlog.testing import capture_logs

from api.v1 import MODEL, TRAINING_JOB
from controller.kube.errors import Forbidden, NotServed
from controller.kube.installed_kinds import InstalledKinds, log_other_failure
from controller.runtime.cache.reflector import ListPage, WatchStream
from controller.runtime.errors import ClassifiedError, ErrorClass

MISSING = NotServed("404", "404 page not found", status=404)
DENIED = Forbidden("Forbidden", "models is forbidden", status=403)


class Source:
    """A `ListerWatcher` with one answer at a time."""

    def __init__(self) -> None:
        self.error: ClassifiedError | None = None

    def list(self, *, resource_version: str, limit: int | None, continue_token: str | None) -> ListPage:
        """See `ListerWatcher.list`."""
        if self.error:
            raise self.error
        return ListPage([], "1", "")

    def watch(self, *, resource_version: str, timeout_s: int, initial_events: bool = False) -> WatchStream:
        """See `ListerWatcher.watch`: always refused here, the answer to a list is enough."""
        raise self.error or AssertionError("not used")


class Scene:
    """Two kinds that are listed."""

    def __init__(self) -> None:
        self.kinds = InstalledKinds()
        self.jobs, self.models = Source(), Source()
        self._watched = {
            TRAINING_JOB: self.kinds.watched(TRAINING_JOB.resource, self.jobs),
            MODEL: self.kinds.watched(MODEL.resource, self.models),
        }

    def look(self) -> None:
        """List both kinds, as their informers do."""
        for source in self._watched.values():
            try:
                source.list(resource_version="", limit=None, continue_token=None)
            except ClassifiedError:
                continue

    def missing(self) -> list[str]:
        """The kinds that nothing waits for."""
        return [each.kind for each in self._watched if self.kinds.is_missing(each.resource)]


def test_a_missing_kind_is_reported_once_and_noted_until_it_is_there() -> None:
    """A line for each attempt would be two a minute for ever."""
    scene = Scene()
    scene.models.error = MISSING
    with capture_logs() as logs:
        scene.look()
        scene.look()
    assert scene.missing() == ["Model"]
    assert [(each["log_level"], each["crd"]) for each in logs] == [("warning", "models.sagemaker.aws.amazon.com")]
    assert "models.sagemaker.aws.amazon.com" in (scene.kinds.note() or "")

    scene.models.error = None
    with capture_logs() as logs:
        scene.look()
        scene.look()
    assert scene.missing() == []
    assert scene.kinds.note() is None
    assert [(each["event"], each["kind"]) for each in logs] == [("kind installed", "Model")]


def test_a_watch_is_an_answer_too() -> None:
    """Most servers stream what exists: a list is made only where they cannot."""
    scene = Scene()
    scene.look()
    scene.models.error = MISSING
    watched = scene.kinds.watched(MODEL.resource, scene.models)
    with pytest.raises(NotServed):
        watched.watch(resource_version="", timeout_s=1, initial_events=True)
    assert scene.missing() == ["Model"]


@pytest.mark.parametrize("error", [DENIED, ClassifiedError(ErrorClass.RETRYABLE, "500", "internal")])
def test_what_is_refused_is_not_missing(error: ClassifiedError) -> None:
    """The operator is not ready without the right to list a kind that it serves."""
    scene = Scene()
    scene.models.error = error
    scene.look()
    assert scene.missing() == []
    assert scene.kinds.note() is None


def test_without_any_crd_the_operator_is_not_ready() -> None:
    """Then they were forgotten; the process ends after a while, as before, and the log names them."""
    scene = Scene()
    scene.jobs.error = scene.models.error = MISSING
    scene.look()
    assert scene.missing() == []
    assert (scene.kinds.note() or "").count("sagemaker.aws.amazon.com") == 2


def test_other_failures_are_logged_as_ever() -> None:
    """Only the absence of a kind has a line of its own already."""
    with capture_logs() as logs:
        log_other_failure(MODEL.resource, MISSING)
        log_other_failure(MODEL.resource, DENIED)
    assert [each["event"] for each in logs] == ["list or watch refused"]

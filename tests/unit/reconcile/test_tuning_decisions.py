"""When the training jobs of a tuning job are listed, which is the best of them, and whose an object is."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.v1 import HYPERPARAMETER_TUNING_JOB, TRAINING_JOB
from controller.aws.targets import Target
from controller.reconcile import observation as o
from controller.reconcile.status.patch import RESOURCE_ANNOTATION, announced_in
from controller.reconcile.tuning.decide import (
    LIST_EVERY_S,
    PATIENCE,
    ListAction,
    Progress,
    Refusal,
    best_of,
    is_orphan,
    leaving,
    list_action,
    owner_uid,
    owns_resource,
    tuning_of,
)
from controller.reconcile.tuning.manifests import spawned
from controller.runtime.errors import ABSENT, ErrorClass
from tests.tables import each_row

NOW = datetime(2030, 1, 1, tzinfo=UTC)
ARN = "arn:aws:sagemaker:us-east-2:123456789012:hyper-parameter-tuning-job/hpo"
RECORDED = o.Recorded("hpo", "us-east-2", "aws", ARN, "123456789012", NOW)
OLD, NEW = {"completed": 0, "inProgress": 1}, {"completed": 1, "inProgress": 1}
SHOWN = Progress.of("InProgress", {"trainingJobStatusCounters": OLD})
NEWS = Progress.of("InProgress", {"trainingJobStatusCounters": NEW})


def found(value: str = "InProgress", counters: dict[str, int] | None = NEW) -> o.ExternalResource:
    """What SageMaker says."""
    fields = {} if counters is None else {"trainingJobStatusCounters": counters}
    return o.ExternalResource(o.Source.SUMMARY, value, arn=ARN, fields=fields)


def seen(**changes: Any) -> o.Observed:
    """A tuning job of ours that runs, with news."""
    base = o.Observed(
        descriptor=HYPERPARAMETER_TUNING_JOB,
        name="hpo",
        is_name_generated=True,
        is_name_persisted=True,
        has_finalizer=True,
        generation=2,
        now=NOW,
        recorded=RECORDED,
        is_recorded_in_status=True,
        shown="InProgress",
        external=found(),
    )
    return replace(base, **changes)


TABLE = [
    pytest.param(seen(), None, None, ListAction.NOW, id="news, never listed"),
    pytest.param(seen(), None, LIST_EVERY_S, ListAction.NOW, id="news, listed long ago"),
    pytest.param(seen(), None, LIST_EVERY_S - 1, ListAction.LATER, id="news, listed just now"),
    pytest.param(seen(), SHOWN, LIST_EVERY_S, ListAction.NOW, id="news since the last listing"),
    pytest.param(seen(), NEWS, 1.0, ListAction.DONE, id="listed for this, the status lags"),
    pytest.param(seen(external=found(counters=OLD)), None, None, ListAction.NONE, id="no news"),
    pytest.param(seen(external=found(counters=None)), None, None, ListAction.NONE, id="an answer without counters"),
    pytest.param(seen(external=None), None, None, ListAction.NONE, id="nothing known"),
    pytest.param(seen(external=ABSENT), None, None, ListAction.NONE, id="SageMaker does not know it"),
    *(
        pytest.param(
            seen(external=found(value, OLD)), None, 1.0, ListAction.NOW, id=f"{value}: a last listing, at once"
        )
        for value in ("Completed", "Failed", "Stopped")
    ),
    pytest.param(seen(external=found("Stopping", OLD)), None, 1.0, ListAction.LATER, id="Stopping: in its turn"),
    pytest.param(seen(external=found("Novel", NEW)), None, None, ListAction.NOW, id="a status that AWS has added"),
    pytest.param(seen(hold_s=30.0), None, None, ListAction.HELD, id="AWS refused lately"),
    pytest.param(seen(hold_s=30.0), NEWS, None, ListAction.DONE, id="AWS refused lately, but it was listed before"),
    pytest.param(seen(deleting_for_s=1.0), None, None, ListAction.NONE, id="being deleted: nothing is spawned (D-50)"),
    pytest.param(seen(is_ended=True), None, None, ListAction.NONE, id="ended"),
    pytest.param(seen(policy=o.Policy(paused=True)), None, None, ListAction.NONE, id="paused: no AWS calls"),
    pytest.param(
        seen(failure=o.Failure(o.During.CHILDREN, ErrorClass.DENIED, "c", "m")),
        None,
        None,
        ListAction.NONE,
        id="refused in this pass",
    ),
    pytest.param(
        seen(recorded=None, is_name_generated=False, owner=o.Ownership.FOREIGN),
        None,
        None,
        ListAction.NONE,
        id="somebody else's",
    ),
    pytest.param(
        seen(recorded=None, is_name_generated=False, owner=o.Ownership.UNKNOWN),
        None,
        None,
        ListAction.NONE,
        id="owner unknown",
    ),
    pytest.param(seen(edited=("spec.region",)), None, None, ListAction.NOW, id="an edited spec changes nothing"),
]


OWED = {"Synced": "SpawnFailed"}
DENIED_TABLE = [
    pytest.param(seen(), Refusal(1, 30.0), ListAction.REFUSED, id="runs: shown without"),
    pytest.param(seen(), Refusal(9, 0.0), ListAction.NOW, id="its time is over: ask again"),
    pytest.param(seen(external=found("Completed")), Refusal(1, 30.0), ListAction.PATIENT, id="ends, denied just now"),
    pytest.param(
        seen(external=found("Completed")), Refusal(PATIENCE, 30.0), ListAction.REFUSED, id="ends, denied for good"
    ),
    pytest.param(
        seen(external=found(counters=OLD), reasons=OWED), None, ListAction.NOW, id="no news, but jobs lack objects"
    ),
    pytest.param(
        seen(external=found(counters=OLD), reasons=OWED),
        Refusal(2, 30.0),
        ListAction.REFUSED,
        id="the same, denied lately",
    ),
    pytest.param(seen(is_ended=True, reasons=OWED), None, ListAction.NONE, id="ended: never again"),
    pytest.param(seen(hold_s=30.0), Refusal(1, 30.0), ListAction.HELD, id="AWS refuses everything"),
]


@each_row(("state", "refusal", "expected"), DENIED_TABLE)
def test_a_denied_list_keeps_nothing_else_from_being_shown(
    state: o.Observed, refusal: Refusal | None, expected: ListAction
) -> None:
    """The status itself tells that jobs lack objects, so that a restart forgets nothing."""
    assert list_action(state, SHOWN, None, None, refusal) is expected


@each_row(("state", "done", "ago_s", "expected"), TABLE)
def test_each_state_has_one_answer(
    state: o.Observed, done: Progress | None, ago_s: float | None, expected: ListAction
) -> None:
    """The list is asked for when the counters, or the status, say that there is something to find."""
    assert list_action(state, SHOWN, done, ago_s) is expected


@each_row(
    ("state", "expected"),
    [
        (seen(), True),
        (seen(recorded=None, is_legacy=True, is_name_generated=False), True),
        (seen(recorded=None), True),
        (seen(recorded=None, is_name_generated=False, owner=o.Ownership.OURS), True),
        (seen(recorded=None, is_name_generated=False, owner=o.Ownership.UNKNOWN), False),
        (seen(recorded=None, is_name_generated=False, owner=o.Ownership.FOREIGN), False),
        (
            seen(
                recorded=None,
                is_name_generated=False,
                owner=o.Ownership.FOREIGN,
                policy=o.Policy(adoption=o.Adoption.ADOPT),
            ),
            True,
        ),
        (seen(recorded=None, external=ABSENT), False),
    ],
    ids=["recorded", "legacy", "generated name", "tags", "unknown", "foreign", "adopted", "absent"],
)
def test_whose_the_resource_is(state: o.Observed, expected: bool) -> None:
    """D-03: what is not ours has no objects of ours, and loses none."""
    assert owns_resource(state) is expected


# --- the best job


def rated(name: str, value: float | None, **metric: Any) -> dict[str, Any]:
    """A launched job, with its objective if it has one."""
    item: dict[str, Any] = {"TrainingJobName": name, "TrainingJobStatus": "Completed"}
    if value is not None:
        item["FinalHyperParameterTuningJobObjectiveMetric"] = {"MetricName": "m", "Value": value, **metric}
        item["ObjectiveStatus"] = "Succeeded"
    return item


def best(items: list[dict[str, Any]], goal: str) -> str:
    """Name of the best."""
    field = best_of(HYPERPARAMETER_TUNING_JOB, items, goal)
    return str(field["bestTrainingJob"]["trainingJobName"]) if field else ""


@each_row(
    ("items", "goal", "expected"),
    [
        ([], "Minimize", ""),
        ([rated("a", None)], "Minimize", ""),
        ([rated("a", 0.4), rated("b", 0.3), rated("c", None)], "Minimize", "b"),
        ([rated("a", 0.4), rated("b", 0.3)], "Maximize", "a"),
        ([rated("a", 0.4, Type="Maximize"), rated("b", 0.3, Type="Maximize")], "Minimize", "a"),
        ([rated("a", 0.4), {**rated("b", 0.3), "ObjectiveStatus": "Failed"}], "Minimize", "a"),
        ([rated("a", 0.4), rated("b", 0.3, MetricName="other")], "Minimize", ""),
        ([rated("a", 0.4)], "", ""),
        ([rated("a", 0.4), rated("b", 0.4)], "Minimize", "a"),
    ],
    ids=["none", "unrated", "least", "most", "goal of the job", "failed objective", "two metrics", "no goal", "tie"],
)
def test_the_best_job_is_the_one_with_the_best_objective(items: list[dict[str, Any]], goal: str, expected: str) -> None:
    """What cannot be compared here is left to SageMaker's own answer at the end."""
    assert best(items, goal) == expected


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=8))
def test_nobody_beats_the_best(values: list[float]) -> None:
    """For both goals."""
    items = [rated(str(n), value) for n, value in enumerate(values)]
    assert values[int(best(items, "Minimize"))] == min(values)
    assert values[int(best(items, "Maximize"))] == max(values)


def test_the_value_is_text() -> None:
    """D-30: v1 has a string where AWS has a number."""
    field = best_of(HYPERPARAMETER_TUNING_JOB, [rated("a", 0.25)], "Minimize")["bestTrainingJob"]
    assert field["finalHyperParameterTuningJobObjectiveMetric"]["value"] == "0.25"


# --- objects

TUNING = {
    "apiVersion": "sagemaker.aws.amazon.com/v1",
    "kind": "HyperparameterTuningJob",
    "metadata": {"namespace": "ns", "name": "Hpo", "uid": "u1"},
    "spec": {"region": "us-east-2"},
}
DESCRIPTION = {
    "TrainingJobName": "Hpo-001-0a1b2c3d",
    "TrainingJobArn": "arn:aws:sagemaker:us-east-2:123456789012:training-job/Hpo-001-0a1b2c3d",
    "CreationTime": NOW,
}


def made(**metadata: Any) -> dict[str, Any]:
    """The object of a launched job."""
    tuning = {**TUNING, "metadata": {**TUNING["metadata"], **metadata}}  # type: ignore[dict-item]
    return spawned(TRAINING_JOB, tuning, DESCRIPTION, Target("us-east-2"), "Hpo")


def test_an_object_announces_the_identity_of_its_job() -> None:
    """So that its reconciler records it, follows it and never creates it (D-08)."""
    recorded = announced_in(made()["metadata"])
    assert recorded == o.Recorded(
        *("Hpo-001-0a1b2c3d", "us-east-2", "aws", str(DESCRIPTION["TrainingJobArn"]), "123456789012", NOW, NOW),
        is_unverified=True,
    )


@each_row("text", ["", "{", "[]", '"text"', "{}"])
def test_an_announcement_that_we_did_not_write_is_none(text: str) -> None:
    """Users can write annotations."""
    metadata = made()["metadata"]
    metadata["annotations"][RESOURCE_ANNOTATION] = text
    assert announced_in(metadata) is None


@pytest.mark.parametrize(
    "owners",
    [[{"apiVersion": "apps/v1", "controller": True}], [{"apiVersion": "sagemaker.aws.amazon.com/v1"}]],
    ids=["another kind's", "no controller"],
)
def test_an_announcement_counts_only_under_a_controller_of_ours(owners: list[dict[str, Any]]) -> None:
    """A copy of the object proves nothing (D-03)."""
    assert announced_in({**made()["metadata"], "ownerReferences": owners}) is None


@pytest.mark.parametrize(("name", "is_announced"), [("hpo-001-0a1b2c3d", True), ("copy", False)])
def test_an_announcement_counts_on_an_orphan_and_not_on_a_copy_of_another_name(
    name: str, *, is_announced: bool
) -> None:
    """`kubectl delete --cascade=orphan` takes the owner off, perhaps before the object was reconciled for once."""
    orphan = {**made()["metadata"], "ownerReferences": [], "name": name}
    assert (announced_in(orphan) is not None) is is_announced


def test_an_objects_name_is_one_that_kubernetes_allows() -> None:
    """SageMaker allows capitals, and the tuning job's name may be the user's."""
    obj = made()
    assert obj["metadata"]["name"] == "hpo-001-0a1b2c3d"
    assert obj["spec"]["trainingJobName"] == "Hpo-001-0a1b2c3d"


def test_protection_is_inherited_and_pausing_is_not() -> None:
    """What must not be touched at AWS must not be touched through the children either."""
    prefix = "sagemaker.aws.amazon.com"
    asked = {f"{prefix}/deletion-policy": "retain", f"{prefix}/read-only": "true", f"{prefix}/paused": "true", "x": "y"}
    annotations = made(annotations=asked)["metadata"]["annotations"]
    assert set(annotations) == {f"{prefix}/deletion-policy", f"{prefix}/read-only", RESOURCE_ANNOTATION}


@pytest.mark.parametrize(
    ("obj", "expected"),
    [
        (made(), ("ns/Hpo",)),
        ({"metadata": {"namespace": "ns", "name": "job"}}, ()),
        (
            {
                "metadata": {
                    "namespace": "ns",
                    "name": "old-hpo-001-0a1b2c3d",
                    "finalizers": ["sagemaker-operator-hpo-trainingjob"],
                }
            },
            ("ns/old-hpo",),
        ),
        ({"metadata": {"namespace": "ns", "name": "job", "ownerReferences": [{"kind": "Workflow"}]}}, ()),
    ],
    ids=["owned", "ordinary", "the predecessor's", "owned by others"],
)
def test_objects_are_found_by_the_tuning_job_they_belong_to(obj: dict[str, Any], expected: tuple[str, ...]) -> None:
    """By owner reference; the predecessor's by finalizer and name (D-20)."""
    assert tuning_of(obj) == expected


def test_objects_that_wait_for_the_tuning_job_are_those_being_deleted_under_its_finalizer() -> None:
    """D-19."""
    obj = made()
    assert leaving(obj) == ()
    obj["metadata"]["deletionTimestamp"] = "2030-01-01T00:00:00Z"
    assert leaving(obj) == ("ns/Hpo",)
    obj["metadata"]["finalizers"] = ["sagemaker-operator-finalizer"]
    assert leaving(obj) == ()


def test_orphans_are_told_from_the_predecessors_objects() -> None:
    """The first were set free and stay; the second never had an owner and go with their tuning job."""
    obj = made()
    assert owner_uid(obj) == "u1"
    assert not is_orphan(obj)
    del obj["metadata"]["ownerReferences"]
    assert is_orphan(obj)
    del obj["metadata"]["annotations"]
    assert not is_orphan(obj)

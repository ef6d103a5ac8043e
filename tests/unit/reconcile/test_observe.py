"""From an object and the local state of it to `Observed`."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.v1 import TRAINING_JOB
from controller.aws.errors import CallError
from controller.reconcile.managed.local_state import Hold, LocalState, LocalStates
from controller.reconcile.managed.observe_object import external_resource, hold_token, observe_object
from controller.reconcile.namespaces.settings import EffectiveSettings, NamespaceSettings, effective_settings_of
from controller.reconcile.observation import Observed, Source
from tests.fakes.job_manifests import KEY, manifest
from tests.tables import each_row

NOW = datetime(2030, 1, 1, tzinfo=UTC)
UID = "a92f5e3c-f07b-11e9-bf6c-06d6f3037abc"


def obj(**spec: object) -> dict[str, Any]:
    """A stored object."""
    stored = manifest(**spec)
    stored["metadata"] |= {"uid": UID, "resourceVersion": "1", "generation": 1}
    return stored


def seen(stored: dict[str, Any], state: LocalState | None = None, descriptor: Any = TRAINING_JOB) -> Observed:
    """What is observed at second 1000."""
    return observe_object(
        descriptor, stored, effective_settings(stored), state or LocalState(UID), now=NOW, monotonic=1000.0
    )


def effective_settings(stored: dict[str, Any], **namespace: str) -> EffectiveSettings:
    """The effective settings of an object in a namespace with these annotations."""
    return effective_settings_of(stored, NamespaceSettings("default", annotated(**namespace)))


def annotated(**texts: str) -> dict[str, str]:
    """Annotations of ours."""
    return {f"sagemaker.aws.amazon.com/{name.replace('_', '-')}": text for name, text in texts.items()}


@pytest.mark.parametrize("given", [None, ""])
def test_a_name_that_is_not_given_is_generated_and_to_be_persisted(given: str | None) -> None:
    """v1-kinds.md 4.1: absent or empty."""
    result = seen(obj(trainingJobName=given))
    assert (result.name, result.is_name_generated) == ("xgboost-a92f5e3cf07b11e9bf6c06d6f3037abc", True)
    assert not result.is_name_persisted


def test_a_given_name_proves_nothing() -> None:
    """Whoever bears it may be anybody's (D-03)."""
    result = seen(obj(trainingJobName="my-job"))
    assert (result.name, result.is_name_generated, result.is_name_persisted) == ("my-job", False, True)


def test_kinds_without_a_name_field_persist_nothing() -> None:
    """v1-kinds.md 9: a processing job's name is recomputed each time."""
    rule = replace(TRAINING_JOB.name, spec_field="noSuchField", late_initialized=False)
    assert seen(obj(), descriptor=replace(TRAINING_JOB, name=rule)).is_name_persisted


def test_the_recorded_name_wins_over_the_specs() -> None:
    """D-04."""
    stored = obj(trainingJobName="other")
    stored["status"] = {"awsResource": {"name": "job", "region": "us-east-2"}}
    result = seen(stored)
    assert result.name == "job"
    assert result.edited == ("spec.trainingJobName",)


def test_a_status_of_ours_is_never_taken_for_the_predecessors() -> None:
    """modern-expectations.md 10: the predecessor's names a job, and ours does not without recording its identity.

    Trouble that was told in conditions before AWS could be asked makes nothing ours.
    """
    stored = obj(trainingJobName="old")
    stored["status"] = {"trainingJobStatus": "InProgress", "sageMakerTrainingJobName": "old"}
    assert seen(stored).is_legacy
    stored["status"]["conditions"] = [{"type": "Reconciling", "status": "True", "reason": "AccessDenied"}]
    assert seen(stored).is_legacy
    assert not seen({**stored, "status": {**stored["status"], "sageMakerTrainingJobName": ""}}).is_legacy
    stored["status"]["awsResource"] = {"name": "old"}
    assert not seen(stored).is_legacy


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [(None, None), ("2029-12-31T23:59:30Z", 30.0), ("2030-01-01T00:00:09Z", 0.0), ("soon", 0.0)],
)
def test_the_age_of_a_deletion_is_never_negative(stamp: str | None, expected: float | None) -> None:
    """The API server's clock may be ahead of ours."""
    stored = obj()
    if stamp:
        stored["metadata"]["deletionTimestamp"] = stamp
    assert seen(stored).deleting_for_s == expected


def test_a_hold_ends_with_time_or_with_a_change_that_could_help() -> None:
    """The spec, a deletion, an annotation of ours here or on the namespace; not a label, not a status."""
    stored = obj()
    state = LocalState(UID, hold=Hold(hold_token(stored, effective_settings(stored)), 1060.0))
    assert seen(stored, state).hold_s == 60.0
    stored["metadata"]["labels"] = {"a": "b"}
    stored["status"] = {"additional": "text"}
    assert seen(stored, state).hold_s == 60.0
    for change in (
        {"generation": 2},
        {"deletionTimestamp": "2030-01-01T00:00:00Z"},
        {"annotations": {"sagemaker.aws.amazon.com/reconcile-at": "now"}},
    ):
        changed = {**stored, "metadata": {**stored["metadata"], **change}}
        assert seen(changed, state).hold_s is None
    state.hold = Hold(hold_token(stored, effective_settings(stored, paused="false")), 1060.0)
    assert seen(stored, state).hold_s is None
    state.hold = Hold(hold_token(stored, effective_settings(stored)), 999.0)
    assert seen(stored, state).hold_s is None


@each_row(
    ("text", "expected"),
    [
        ("0", 0),
        ("3600", 3600),
        ("-1", None),
        ("1h", None),
        ("", None),
        ("1.5", None),
        ("²", None),
        ("2147483648", None),
    ],
)
def test_a_time_to_live_is_a_number_of_seconds(text: str, expected: int | None) -> None:
    """batch/v1: an int32, not negative; anything else is told and has no effect."""
    stored = obj()
    stored["metadata"]["annotations"] = {"sagemaker.aws.amazon.com/ttl-seconds-after-finished": text}
    assert seen(stored).policy.ttl_s == expected


@pytest.mark.parametrize(("own", "expected"), [({}, None), ({"ttl_seconds_after_finished": "5"}, 5)])
def test_the_namespaces_time_to_live_is_for_what_users_have_made(own: dict[str, str], expected: int | None) -> None:
    """What a tuning job has launched goes with it, unless its object asks for itself."""
    stored = obj()
    stored["metadata"]["annotations"] = annotated(**own)
    of_namespace = effective_settings(stored, ttl_seconds_after_finished="60")
    assert observe_object(TRAINING_JOB, stored, of_namespace, LocalState(UID), now=NOW, monotonic=0).policy.ttl_s == (
        expected or 60
    )
    stored["metadata"]["annotations"]["sagemaker.aws.amazon.com/aws-resource"] = '{"name": "xgboost"}'
    stored["metadata"]["ownerReferences"] = [{"apiVersion": "sagemaker.aws.amazon.com/v1", "controller": True}]
    spawned = effective_settings(stored, ttl_seconds_after_finished="60")
    assert observe_object(TRAINING_JOB, stored, spawned, LocalState(UID), now=NOW, monotonic=0).policy.ttl_s == expected


@pytest.mark.parametrize("type_", ["Complete", "Failed"])
def test_the_end_counts_from_the_condition_that_tells_it(type_: str) -> None:
    """Not from the last write of the status, nor from any other condition."""
    stored = obj()
    end = {"type": type_, "status": "True", "lastTransitionTime": "2029-12-31T23:59:00Z"}
    ready = {"type": "Ready", "status": "False", "lastTransitionTime": "2029-12-31T12:00:00Z"}
    stored["status"] = {"awsResource": {"name": "job", "region": "us-east-2"}, "conditions": [ready, end]}
    assert seen(stored).ended_ago_s == 60.0
    end["status"] = "False"
    assert seen(stored).ended_ago_s is None


def test_an_answer_becomes_status_fields() -> None:
    """Status, reason and name have rules of their own; the rest is laid over the status as converted."""
    answer = {
        "TrainingJobName": "job",
        "TrainingJobArn": "arn:aws:sagemaker:us-east-2:1:training-job/job",
        "TrainingJobStatus": "Failed",
        "SecondaryStatus": "Failed",
        "FailureReason": "why",
        "ModelArtifacts": {"S3ModelArtifacts": "s3://x"},
        "CreationTime": NOW - timedelta(hours=1),
    }
    result = external_resource(TRAINING_JOB, answer, Source.DESCRIPTION)
    assert (result.value, result.secondary, result.failure_reason) == ("Failed", "Failed", "why")
    assert result.fields == {}
    assert result.created_at == NOW - timedelta(hours=1)
    completed = answer | {"TrainingJobStatus": "Completed"}
    assert external_resource(TRAINING_JOB, completed, Source.DESCRIPTION).fields == {"modelPath": "s3://x"}


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param({"TrainingJobArn": "arn:x", "TrainingJobStatus": ["odd"]}, id="a value of a wrong type"),
        pytest.param({}, id="an empty object, as a proxy may give"),
        pytest.param({"TrainingJobStatus": "Completed"}, id="whose it is remains open"),
    ],
)
def test_an_answer_that_nobody_can_read_is_an_error_of_its_own(answer: dict[str, Any]) -> None:
    """And never an observation."""
    with pytest.raises(CallError, match="UnreadableAnswer"):
        external_resource(TRAINING_JOB, answer, Source.SUMMARY)


def test_memories_end_with_their_object() -> None:
    """An object of the same name with another uid starts afresh."""
    states = LocalStates()
    states.of(KEY, "1").superseded_versions.add("7")
    assert states.of(KEY, "1").superseded_versions == {"7"}
    assert states.of(KEY, "2").superseded_versions == set()
    states.forget(KEY)
    assert len(states) == 0

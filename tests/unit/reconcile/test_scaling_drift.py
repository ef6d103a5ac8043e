"""What others change of scalable targets and their policies, and what is done about it."""

from dataclasses import replace
from typing import Any

import pytest

from api import autoscaling
from controller.reconcile import observation as o
from controller.reconcile.drift.report import Difference
from controller.reconcile.managed.local_state import Corrections
from controller.reconcile.scaling.decide import decide
from controller.reconcile.scaling.drift import changed
from tests.tables import each_row
from tests.unit.reconcile.test_scaling_decisions import seen, told

ID = "endpoint/e/variant/a"
SPEC: dict[str, Any] = {
    "region": "us-east-2",
    "policyName": "busy",
    "resourceId": [{"endpointName": "e", "variantName": "a"}],
    "minCapacity": 1,
    "maxCapacity": 4,
    "targetTrackingScalingPolicyConfiguration": {
        "targetValue": 60,
        "predefinedMetricSpecification": {"predefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
    },
}
METRIC = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
TARGET = {
    "MinCapacity": 1,
    "MaxCapacity": 4,
    "RoleARN": "arn:aws:iam::1:role/linked",
    "SuspendedState": {
        "DynamicScalingInSuspended": False,
        "DynamicScalingOutSuspended": False,
        "ScheduledScalingSuspended": False,
    },
}
TRACKING = {"TargetValue": 60.0, "PredefinedMetricSpecification": METRIC, "ScaleInCooldown": 300}
POLICY = {"PolicyType": "TargetTrackingScaling", "TargetTrackingScalingPolicyConfiguration": TRACKING, "Alarms": []}


@each_row(
    ("target", "tracking", "paths"),
    [
        pytest.param({}, {}, [], id="as applied; what AWS adds does not count"),
        pytest.param({"MaxCapacity": 9}, {}, ["maxCapacity"], id="bounds"),
        pytest.param(
            {"SuspendedState": {**TARGET["SuspendedState"], "ScheduledScalingSuspended": True}},  # type: ignore[dict-item]
            {},
            ["suspendedState.scheduledScalingSuspended"],
            id="suspended by hand",
        ),
        pytest.param(
            {}, {"TargetValue": 70.0}, ["targetTrackingScalingPolicyConfiguration.targetValue"], id="target value"
        ),
        pytest.param(
            {},
            {"DisableScaleIn": True},
            ["targetTrackingScalingPolicyConfiguration.disableScaleIn"],
            id="a default that is a default no more",
        ),
    ],
)
def test_what_differs_is_named_as_the_spec_names_it(
    target: dict[str, Any], tracking: dict[str, Any], paths: list[str]
) -> None:
    """Compared with the requests that were made last."""
    shown = {**POLICY, "TargetTrackingScalingPolicyConfiguration": {**TRACKING, **tracking}}
    found = changed(autoscaling.requests(SPEC), {ID: {**TARGET, **target}}, {ID: shown})
    assert [each.path for each in found] == [f"resourceId[{ID}].{path}" for path in paths]


DIFFERENT = {"differences": (Difference("maxCapacity", 4, 9),), "is_verified": True}
SHOWN = {"reasons": {"Drifted": "Drifted"}}
CORRECTS = {"policy": o.Policy(corrects=True)}


def decided(**changes: Any) -> str:
    """The decision in a word or two. `policy` is the object's Policy here."""
    made = seen(**{name: value for name, value in changes.items() if name != "policy"})
    policy = changes.get("policy", o.Policy())
    return told(decide(replace(made, base=replace(made.base, policy=policy))))


@each_row(
    ("changes", "expected"),
    [
        pytest.param(DIFFERENT, "Created: ready, Drifted", id="told"),
        pytest.param({**DIFFERENT, **SHOWN}, "Created: ready, Drifted", id="never without being asked"),
        pytest.param({**DIFFERENT, **CORRECTS}, "Created: ready, working, Drifted", id="told before it is corrected"),
        pytest.param({**DIFFERENT, **CORRECTS, **SHOWN}, "Apply", id="and put in place again"),
        pytest.param(
            {**DIFFERENT, **CORRECTS, **SHOWN, "correction_in_s": 9.0},
            "Created: ready, working, Drifted",
            id="not in a loop: two owners",
        ),
        pytest.param({**DIFFERENT, **CORRECTS, **SHOWN, "is_applied": True}, "Created: ready, Created", id="corrected"),
        pytest.param(SHOWN, "VerifyPolicies", id="while it is told, each pass looks"),
        pytest.param({**SHOWN, "is_verified": True}, "Created: ready, Created", id="gone again"),
        pytest.param({**DIFFERENT, "is_observed": False}, "Apply", id="an edited spec wins"),
    ],
)
def test_drift_is_told_and_corrected_where_asked_for(changes: dict[str, Any], expected: str) -> None:
    """modern-expectations.md 2 and 4."""
    assert decided(**changes) == expected


def test_two_owners_do_not_loop() -> None:
    """At once, after a minute, after two, in the end once an hour; after a long peace at once again."""
    corrections, waits = Corrections(), []
    now = 0.0
    for _ in range(9):
        now += corrections.due_in_s(now)
        corrections = corrections.after(now)
        waits.append(corrections.due_in_s(now))
    assert waits == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]
    assert corrections.after(now + 10_000).due_in_s(now + 10_000) == 60


def test_what_environments_hold_is_not_repeated() -> None:
    """Values of users' own may be secrets."""
    said = str(Difference("primaryContainer.environment.PASSWORD", "old", "new"))
    assert said == "primaryContainer.environment.PASSWORD is not what was applied"

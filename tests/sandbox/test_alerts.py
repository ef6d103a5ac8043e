"""The alerts, run by Prometheus' own promtool: each fires in time for what it is about, and not for its opposite."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from hack import tools
from tests.deadline import PATIENCE_S
from tests.documents import document
from tests.sandbox.harness import REPOSITORY

pytestmark = pytest.mark.sandbox

GROUPS = document(REPOSITORY / "config" / "prometheus" / "alerts.yaml")["spec"]["groups"]
RULES = {rule["alert"]: rule for group in GROUPS for rule in group["rules"]}
DASHBOARD = json.loads((REPOSITORY / "config" / "grafana" / "sagemaker-operator.json").read_text())
NAMESPACE = {"namespace": "ns"}
CALL = {**NAMESPACE, "service": "sagemaker", "operation": "CreateTrainingJob"}
KIND = {**NAMESPACE, "kind": "TrainingJob", "region": "us-east-2"}
CONTROLLER = {**NAMESPACE, "controller": "trainingjob"}
BUSY = "workqueue_longest_running_processor_seconds"
LEASE = {**NAMESPACE, "name": "lease"}
OBJECTS = "sagemaker_operator_objects"
STALLED = {**NAMESPACE, "kind": "Model", "reason": "InvalidSpec"}
DEPLOYMENT = {"kind": "HostingDeployment"}
WAITS = {**NAMESPACE, "reason": "Creating"}
JOBS = {**NAMESPACE, "kind": "TrainingJob"}
QUEUE = {**NAMESPACE, "queue": "status"}
LAST_MESSAGE = "sagemaker_operator_status_queue_last_message_timestamp_seconds"

Series = list[tuple[str, dict[str, str], str]]
"""Metric, labels beside `pod`, and values at minutes 0, 1, … as promtool writes them: `0+5x60` rises by 5 a minute."""

CASES: list[tuple[str, int, dict[str, str] | None, Series]] = [
    # alert, minute, labels of what fires (None: nothing), series
    ("SageMakerOperatorDown", 6, {}, []),
    ("SageMakerOperatorDown", 6, None, [("sagemaker_operator_build_info", NAMESPACE, "1x60")]),
    ("SageMakerOperatorNoLeader", 4, LEASE, [("leader_election_master_status", LEASE, "0x60")]),
    (
        "SageMakerOperatorNoLeader",
        4,
        None,
        [
            ("leader_election_master_status", LEASE, "0x60"),
            ("leader_election_master_status", {**LEASE, "pod": "leads"}, "1x60"),
        ],
    ),
    (
        "SageMakerOperatorAwsDenied",
        30,
        CALL,
        [("sagemaker_operator_aws_requests_total", {**CALL, "code": "AccessDeniedException"}, "0+1x60")],
    ),
    (
        "SageMakerOperatorAwsDenied",
        30,
        None,
        [
            ("sagemaker_operator_aws_requests_total", {**CALL, "code": "ok"}, "0+100x60"),
            ("sagemaker_operator_aws_requests_total", {**CALL, "code": "AccessDeniedException"}, "0 1 1x60"),
        ],
    ),
    (
        "SageMakerOperatorStatusStale",
        10,
        KIND,
        [
            ("sagemaker_operator_tracker_staleness_seconds", KIND, "700x60"),
            ("sagemaker_operator_tracker_followed_jobs", KIND, "2x60"),
        ],
    ),
    (
        "SageMakerOperatorStatusStale",
        10,
        None,
        [
            ("sagemaker_operator_tracker_staleness_seconds", KIND, "700x60"),
            ("sagemaker_operator_tracker_followed_jobs", KIND, "0x60"),
        ],
    ),
    ("SageMakerOperatorStatusQueueSilent", 35, QUEUE, [(LAST_MESSAGE, QUEUE, "0x60")]),
    (
        "SageMakerOperatorStatusQueueSilent",
        15,
        QUEUE,
        [("sagemaker_operator_status_queue_failing", QUEUE, "1x60"), (LAST_MESSAGE, QUEUE, "0+60x60")],
    ),
    (
        "SageMakerOperatorStatusQueueSilent",
        50,
        None,
        [("sagemaker_operator_status_queue_failing", QUEUE, "0x60"), (LAST_MESSAGE, QUEUE, "0+60x60")],
    ),
    (
        "SageMakerOperatorThrottled",
        50,
        CALL,
        [
            ("sagemaker_operator_aws_throttles_total", CALL, "0+30x60"),
            ("sagemaker_operator_aws_requests_total", {**CALL, "code": "ok"}, "0+100x60"),
            ("sagemaker_operator_aws_requests_total", {**CALL, "code": "ThrottlingException"}, "0+30x60"),
        ],
    ),
    (
        "SageMakerOperatorThrottled",
        50,
        None,
        [
            ("sagemaker_operator_aws_throttles_total", CALL, "0+30x60"),
            ("sagemaker_operator_aws_requests_total", {**CALL, "code": "ok"}, "0+1500x60"),
            ("sagemaker_operator_aws_requests_total", {**CALL, "code": "ThrottlingException"}, "0+30x60"),
        ],
    ),
    (
        "SageMakerOperatorReconcileErrors",
        50,
        CONTROLLER,
        [
            ("controller_runtime_reconcile_errors_total", CONTROLLER, "0+50x60"),
            ("controller_runtime_reconcile_total", {**CONTROLLER, "result": "error"}, "0+50x60"),
            ("controller_runtime_reconcile_total", {**CONTROLLER, "result": "success"}, "0+50x60"),
        ],
    ),
    (
        "SageMakerOperatorReconcileErrors",
        50,
        None,
        [
            ("controller_runtime_reconcile_errors_total", CONTROLLER, "0+10x60"),
            ("controller_runtime_reconcile_total", {**CONTROLLER, "result": "success"}, "0+90x60"),
        ],
    ),
    (
        "SageMakerOperatorPanic",
        5,
        CONTROLLER,
        [("controller_runtime_reconcile_panics_total", CONTROLLER, "0 0 1x60")],
    ),
    ("SageMakerOperatorPanic", 5, None, [("controller_runtime_reconcile_panics_total", CONTROLLER, "0x60")]),
    ("SageMakerOperatorQueueStuck", 10, CONTROLLER, [(BUSY, CONTROLLER, "400x60")]),
    ("SageMakerOperatorQueueStuck", 10, None, [(BUSY, CONTROLLER, "20x60")]),
    ("SageMakerObjectsStalled", 20, STALLED, [(OBJECTS, {**STALLED, "state": "Stalled"}, "1x60")]),
    (
        "SageMakerObjectsStalled",
        20,
        None,
        [
            (OBJECTS, {**STALLED, "state": "Ready"}, "1x60"),
            (OBJECTS, {**STALLED, "kind": "TrainingJob", "reason": "Failed", "state": "Stalled"}, "1x60"),
        ],
    ),
    ("SageMakerEndpointNotInService", 65, WAITS, [(OBJECTS, {**WAITS, **DEPLOYMENT, "state": "Reconciling"}, "1x99")]),
    ("SageMakerEndpointNotInService", 65, None, [(OBJECTS, {**WAITS, **DEPLOYMENT, "state": "Ready"}, "1x99")]),
    *(
        (
            "SageMakerJobsFailing",
            60,
            fires,
            [
                ("sagemaker_operator_jobs_finished_total", {**JOBS, "result": "Failed"}, "0+1x60"),
                ("sagemaker_operator_jobs_finished_total", {**JOBS, "result": "Completed"}, f"0+{completed}x60"),
            ],
        )
        for fires, completed in ((JOBS, 0), (None, 2))
    ),
    *(
        (
            "SageMakerOperatorBacklog",
            40,
            fires,
            [
                ("workqueue_queue_duration_seconds_bucket", {**CONTROLLER, "le": le}, values)
                for le, values in (("10", f"0+{quick}x60"), ("100", "0+10x60"), ("+Inf", "0+10x60"))
            ],
        )
        for fires, quick in ((CONTROLLER, 0), (None, 10))
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def promtool() -> str:
    """Its path. Where it cannot be had, the tests are skipped, but not in CI."""
    try:
        return str(tools.find("promtool"))
    except tools.ToolMissingError as missing:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(missing))


def test_every_alert_has_a_case_for_and_one_against_it() -> None:
    """So that a new one is not forgotten."""
    assert {(alert, fires is not None) for alert, _, fires, _ in CASES} == {
        (alert, fires) for alert in RULES for fires in (True, False)
    }


def test_alerts_fire_for_what_they_are_about(promtool: str, tmp_path: Path) -> None:
    """With the labels that their texts name, filled in."""
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": GROUPS}))
    tests = [
        {
            "interval": "1m",
            "input_series": [
                {"series": written(metric, labels), "values": values} for metric, labels, values in series
            ],
            "alert_rule_test": [{"eval_time": f"{minute}m", "alertname": alert, "exp_alerts": expected(alert, fires)}],
        }
        for alert, minute, fires, series in CASES
    ]
    content = {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": tests}
    (tmp_path / "tests.yaml").write_text(yaml.safe_dump(content))
    run(promtool, "test", "rules", str(tmp_path / "tests.yaml"))


def test_every_query_of_the_dashboard_is_promql(promtool: str, tmp_path: Path) -> None:
    """As recording rules, with Grafana's variables filled in."""
    queries = [target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", ())]
    filled = [query.replace("$__rate_interval", "5m").replace("$namespace", "ns") for query in queries]
    rules = [{"record": f"panel:{number}", "expr": query} for number, query in enumerate(filled)]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    assert f"{len(queries)} rules found" in run(promtool, "check", "rules", str(tmp_path / "rules.yaml"))


def written(metric: str, labels: dict[str, str]) -> str:
    """A series of one pod, as PromQL writes it."""
    return metric + "{" + ",".join(f'{name}="{value}"' for name, value in ({"pod": "a"} | labels).items()) + "}"


def expected(alert: str, labels: dict[str, str] | None) -> list[dict[str, Any]]:
    """What must fire: with the rule's own labels and its texts filled in."""
    if labels is None:
        return []
    rule = RULES[alert]
    texts = {
        name: re.sub(r"\{\{ \$labels\.(\w+) \}\}", lambda found: labels[found[1]], text)
        for name, text in rule["annotations"].items()
    }
    return [{"exp_labels": labels | rule["labels"], "exp_annotations": texts}]


def run(promtool: str, *arguments: str) -> str:
    """Its output; it must succeed."""
    done = subprocess.run([promtool, *arguments], capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout

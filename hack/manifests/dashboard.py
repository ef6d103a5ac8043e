"""Generates the Grafana dashboard from a table of panels: title, unit, queries."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

_SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
_WIDTH: Final = 8
_HEIGHT: Final = 8
_COLUMNS: Final = 24


@dataclass(frozen=True, slots=True)
class Panel:
    """One graph; `queries` are (legend, PromQL)."""

    title: str
    unit: str
    queries: tuple[tuple[str, str], ...]
    help: str = ""


_WHERE: Final = 'namespace="$namespace"'
_RATE: Final = "[$__rate_interval]"


_SILENT_S: Final = (
    f"time() - max by (queue) (sagemaker_operator_status_queue_last_message_timestamp_seconds{{{_WHERE}}})"
)
_OBJECTS: Final = f"sagemaker_operator_objects{{{_WHERE}}}"


def _sum(by: str, metric: str, more: str = "") -> str:
    return f"sum by ({by}) (rate({metric}{{{_WHERE}{more}}}{_RATE}))"


def _quantile(quantile: float, by: str, metric: str) -> str:
    return f"histogram_quantile({quantile}, {_sum(f'{by}, le', f'{metric}_bucket')})"


ROWS: Final[tuple[tuple[str, tuple[Panel, ...]], ...]] = (
    (
        "Health",
        (
            Panel("Leader", "none", (("{{pod}}", f"leader_election_master_status{{{_WHERE}}}"),), "1: this pod works"),
            Panel(
                "Version",
                "none",
                (("{{version}} {{commit}}", f"sagemaker_operator_build_info{{{_WHERE}}}"),),
                "running",
            ),
            Panel("Memory", "bytes", (("{{pod}}", f"process_resident_memory_bytes{{{_WHERE}}}"),)),
        ),
    ),
    (
        "Objects",
        (
            Panel(
                "Objects by state",
                "none",
                (("{{kind}} {{state}}", f"sum by (kind, state) (max by (kind, state, reason) ({_OBJECTS}))"),),
                "Stalled: waits for its user",
            ),
            Panel(
                "Objects that are not ready, by reason",
                "none",
                (("{{kind}} {{reason}}", f'max by (kind, reason) ({_OBJECTS[:-1]},state!="Ready"}})'),),
            ),
            Panel(
                "Ends of jobs",
                "ops",
                (("{{kind}} {{result}}", _sum("kind, result", "sagemaker_operator_jobs_finished_total")),),
            ),
            Panel(
                "From object to resource",
                "s",
                (
                    ("{{kind}} p50", _quantile(0.5, "kind", "sagemaker_operator_creation_delay_seconds")),
                    ("{{kind}} p99", _quantile(0.99, "kind", "sagemaker_operator_creation_delay_seconds")),
                ),
                "Time until AWS has accepted the creation",
            ),
        ),
    ),
    (
        "Jobs",
        (
            Panel(
                "Unfinished jobs",
                "none",
                (
                    (
                        "{{kind}} {{region}}",
                        f"max by (kind, region) (sagemaker_operator_tracker_followed_jobs{{{_WHERE}}})",
                    ),
                ),
            ),
            Panel(
                "Staleness of status",
                "s",
                (
                    (
                        "{{kind}} {{region}}",
                        f"max by (kind, region) (sagemaker_operator_tracker_staleness_seconds{{{_WHERE}}})",
                    ),
                ),
                "Age of the last complete look at the jobs of a region",
            ),
            Panel(
                "List pages",
                "reqps",
                (("{{kind}} {{code}}", _sum("kind, code", "sagemaker_operator_tracker_pages_total")),),
            ),
        ),
    ),
    (
        "Status queue and Search",
        (
            Panel(
                "Messages of the status queue",
                "ops",
                (("{{kind}} {{outcome}}", _sum("kind, outcome", "sagemaker_operator_status_messages_total")),),
            ),
            Panel(
                "Age of messages",
                "s",
                (
                    ("{{queue}} p50", _quantile(0.5, "queue", "sagemaker_operator_status_message_age_seconds")),
                    ("{{queue}} p99", _quantile(0.99, "queue", "sagemaker_operator_status_message_age_seconds")),
                ),
                "Time from a change to the receipt of its event",
            ),
            Panel(
                "Silence of the status queue",
                "s",
                (
                    (
                        "{{queue}}",
                        _SILENT_S,
                    ),
                ),
                "Seconds since the last message; a heartbeat comes every five minutes",
            ),
            Panel(
                "Relied on",
                "none",
                (
                    (
                        "{{source}} {{kind}} {{region}}",
                        f"max by (source, kind, region) (sagemaker_operator_accelerator_trusted{{{_WHERE}}})",
                    ),
                ),
                "1 while polling is rare, since the source announces what it finds",
            ),
            Panel(
                "Announced changes",
                "ops",
                (
                    (
                        "{{source}} {{outcome}}",
                        _sum("source, outcome", "sagemaker_operator_accelerator_changes_total"),
                    ),
                ),
                "missed and refuted ones end the reliance",
            ),
        ),
    ),
    (
        "Queue and reconcile",
        (
            Panel("Queue depth", "none", (("{{controller}}", f"sum by (controller) (workqueue_depth{{{_WHERE}}})"),)),
            Panel(
                "Wait in the queue",
                "s",
                (
                    ("{{controller}} p50", _quantile(0.5, "controller", "workqueue_queue_duration_seconds")),
                    ("{{controller}} p99", _quantile(0.99, "controller", "workqueue_queue_duration_seconds")),
                ),
            ),
            Panel("Retries", "ops", (("{{controller}}", _sum("controller", "workqueue_retries_total")),)),
            Panel(
                "Runs",
                "ops",
                (("{{controller}} {{result}}", _sum("controller, result", "controller_runtime_reconcile_total")),),
            ),
            Panel(
                "Length of a run",
                "s",
                (("{{controller}} p99", _quantile(0.99, "controller", "controller_runtime_reconcile_time_seconds")),),
            ),
            Panel(
                "Failures",
                "ops",
                (
                    ("{{controller}}", _sum("controller", "controller_runtime_reconcile_errors_total")),
                    (
                        "{{controller}} for good",
                        _sum("controller", "controller_runtime_terminal_reconcile_errors_total"),
                    ),
                    ("{{controller}} unforeseen", _sum("controller", "controller_runtime_reconcile_panics_total")),
                ),
            ),
        ),
    ),
    (
        "AWS",
        (
            Panel("Calls", "reqps", (("{{operation}}", _sum("operation", "sagemaker_operator_aws_requests_total")),)),
            Panel(
                "Refusals",
                "reqps",
                (
                    (
                        "{{operation}} {{code}}",
                        _sum("operation, code", "sagemaker_operator_aws_requests_total", ',code!="ok"'),
                    ),
                ),
            ),
            Panel(
                "Time until AWS answers",
                "s",
                (
                    (
                        "{{operation}} p99",
                        _quantile(0.99, "operation", "sagemaker_operator_aws_request_duration_seconds"),
                    ),
                ),
            ),
            Panel(
                "Throttled by AWS",
                "reqps",
                (("{{operation}}", _sum("operation", "sagemaker_operator_aws_throttles_total")),),
            ),
            Panel(
                "Held back by the operator's own budget",
                "reqps",
                (("{{operation}}", _sum("operation", "sagemaker_operator_aws_budget_waits_total")),),
            ),
        ),
    ),
    (
        "Kubernetes API",
        (
            Panel("Requests", "reqps", (("{{method}} {{code}}", _sum("method, code", "rest_client_requests_total")),)),
            Panel(
                "Time until the API server answers",
                "s",
                (("{{verb}} p99", _quantile(0.99, "verb", "rest_client_request_duration_seconds")),),
            ),
            Panel(
                "Held back by --kube-api-qps",
                "s",
                (("{{verb}} p99", _quantile(0.99, "verb", "rest_client_rate_limiter_duration_seconds")),),
            ),
        ),
    ),
)


def as_json() -> str:
    """Return the dashboard in Grafana's import format."""
    return json.dumps(dashboard(), indent=2) + "\n"


def dashboard() -> dict[str, Any]:
    """Return the dashboard as data."""
    return {
        "title": "SageMaker operator",
        "uid": "sagemaker-k8s-operator",
        "tags": ["sagemaker", "operator"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "templating": {"list": [_source_variable(), _namespace_variable()]},
        "panels": list(_panels()),
    }


def _panels() -> Iterator[dict[str, Any]]:
    number, top = 0, 0
    for title, panels in ROWS:
        number += 1
        yield {"id": number, "type": "row", "title": title, "gridPos": {"x": 0, "y": top, "w": _COLUMNS, "h": 1}}
        top += 1
        for position, panel in enumerate(panels):
            number += 1
            row, column = divmod(position, _COLUMNS // _WIDTH)
            place = {"x": column * _WIDTH, "y": top + row * _HEIGHT, "w": _WIDTH, "h": _HEIGHT}
            yield _graph(number, panel, place)
        top += -(-len(panels) // (_COLUMNS // _WIDTH)) * _HEIGHT


def _graph(number: int, panel: Panel, place: dict[str, int]) -> dict[str, Any]:
    return {
        "id": number,
        "type": "timeseries",
        "title": panel.title,
        "description": panel.help,
        "datasource": _SOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "targets": [
            {"refId": chr(ord("A") + index), "datasource": _SOURCE, "expr": query, "legendFormat": legend}
            for index, (legend, query) in enumerate(panel.queries)
        ],
    }


def _source_variable() -> dict[str, Any]:
    return {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus"}


def _namespace_variable() -> dict[str, Any]:
    query = "label_values(sagemaker_operator_build_info, namespace)"
    return {
        "name": "namespace",
        "label": "Namespace of the operator",
        "type": "query",
        "datasource": _SOURCE,
        "query": query,
        "refresh": 2,
    }

"""Debugger and profiler rules: evaluation jobs of a training job that end after it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hack.sandbox.aws.jobs.job import Job
from hack.sandbox.aws.records.resource import partition


@dataclass(frozen=True, slots=True)
class _Evaluation:
    status: str
    since: float
    details: str = ""


def rule_statuses(job: Job, member: str, now: float) -> list[dict[str, Any]]:
    """Return a status for each rule configured in `member` of the request, in its order."""
    return [_shown(job, rule["RuleConfigurationName"], now) for rule in job.request.get(member) or ()]


def _shown(job: Job, rule: str, now: float) -> dict[str, Any]:
    evaluation = [step for step in _evaluations(job, rule) if step.since <= now or step.status == "InProgress"][-1]
    answer = {
        "RuleConfigurationName": rule,
        "RuleEvaluationJobArn": (
            f"arn:{partition(job.region)}:sagemaker:{job.region}:{job.account}:processing-job/"
            f"{job.name.lower()[:26]}-{rule.lower()[:20]}"
        ),
        "RuleEvaluationStatus": evaluation.status,
        "LastModifiedTime": round(evaluation.since, 3),
    }
    return answer | ({"StatusDetails": evaluation.details} if evaluation.details else {})


def _evaluations(job: Job, rule: str) -> Iterator[_Evaluation]:
    """Yield the rule's statuses over time: it starts with the job and ends some time after it.

    Stopping the job stops its rules; a failed job leaves its rules without data, which they report as an error.
    """
    yield _Evaluation("InProgress", job.created_at)
    end = job.course.end
    finished_at = end.at + job.durations.rules_s
    if end.status == "Stopped":
        yield _Evaluation("Stopping", end.at)
        yield _Evaluation("Stopped", finished_at)
    elif end.status == "Failed":
        yield _Evaluation("Error", finished_at, "ClientError: No debugging data was saved by the training job.")
    elif job.markers.rule_issue in {rule, "*"}:
        details = (
            f"RuleEvaluationConditionMet: Evaluation of the rule {rule} at step 10 resulted in the condition being met"
        )
        yield _Evaluation("IssuesFound", finished_at, details)
    else:
        yield _Evaluation("NoIssuesFound", finished_at)

"""`docs/status.md`: what conditions, reasons and events mean, from the table that the operator takes names from."""

from collections.abc import Iterable, Iterator
from typing import Final

from api.meta import GROUP
from controller.reconcile import reasons
from controller.reconcile.reasons import ConditionType, EventReason, Reason

_HEADER: Final = """\
<!-- Made by `python -m hack.manifests` from controller/reconcile/reasons.py. Do not edit: change that. -->
# Conditions, reasons and events

Every object reports in `status.conditions` where it stands, and in events what happened to it. This page lists every
name that may appear there, what it means, and what to do. By symptom: [troubleshooting](troubleshooting.md).

    kubectl describe trainingjob my-job                       # conditions and events, with their messages
    kubectl events --for trainingjob/my-job                   # the events alone
    kubectl get trainingjob my-job -o yaml                    # all of it

**Read the message first**: it holds AWS's own words and names the field, permission or object in question.
`status.additional` repeats it where the v1 API has that field.
"""

_WAITING: Final = f"""\
### Waiting for a result

    kubectl wait --for=condition=Complete trainingjob/my-job --timeout=6h       # also: Failed, for the other end
    kubectl wait --for=condition=Ready hostingdeployment/my-endpoint --timeout=30m
    kubectl wait --for=jsonpath='{{.status.trainingJobStatus}}'=Completed trainingjob/my-job

`kubectl wait` watches one condition: a job that fails never becomes `Complete`, so set a time-out, or wait for
`Failed` in a second process. After an edit, the conditions describe the new spec once `status.observedGeneration`
equals `metadata.generation`; until then they describe the one before.

Tools that use [kstatus](https://github.com/kubernetes-sigs/cli-utils/tree/master/pkg/kstatus), such as Flux, understand
these conditions; Argo CD does with [our health checks](monitoring.md#argo-cd):

| conditions | kstatus | Argo CD |
| --- | --- | --- |
| `Stalled=True` | Failed | Degraded |
| `Reconciling=True` | InProgress | Healthy with `Ready=True`, else Progressing |
| `Ready=True`, neither of the two | Current | Healthy |
| none of them, as when a new object is paused | InProgress | Suspended when paused, else Progressing |

A new object has `status.observedGeneration: -1` from the API server until the operator has seen it, so such tools wait,
and `helm install --wait` (Helm 4) with them; without an operator they wait until their time-out.

### When the status is written

A change of the state that AWS reports, a condition and an end are written as soon as they are known. Three things do
not deserve a write of their own:

- *The secondary status of a training job*, such as `Downloading`, is written when it has settled: the next round of
  Lists shows it once more, or one and a half poll intervals (7.5 s) have passed since it was first seen to differ, up
  to 20 s where the Lists of a thousand jobs and more take longer than an interval. After an event of a [status
  queue](status-events.md) it is 1.5 s. What has passed by then is not shown, and with another change it is written at
  once.
- *What the object shows anyway*: AWS's creation time, and the start of a job that runs, come with the next change, or
  with `reconcile-at`.
- *A turn at AWS*: a new object shows that it waits for one if that takes 30 seconds.

`lastCheckTime` is the time of the last of these writes, and never a reason for one.

### Retrying

The operator retries what can succeed later: with back-off after transient failures, and every minute to every five
minutes where a permission, a quota or a dependency is missing. What AWS rejects for good (`Stalled`) is tried again
when the spec changes, or an annotation of the object or its namespace does, and at the resync (`--resync-period`).
To retry now, and to look at AWS now:

    kubectl annotate --overwrite trainingjob my-job {GROUP}/reconcile-at="$(date)"
"""


def page() -> str:
    """Markdown: how to read conditions, then one table each for conditions, reasons and events."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield _HEADER
    yield "## Conditions"
    yield ""
    yield from _table(
        ("condition", "kinds", "present", "healthy", "meaning"),
        (_condition(each) for each in reasons.CONDITIONS),
    )
    yield ""
    yield _WAITING
    yield "## Reasons"
    yield ""
    yield "In the column *conditions*, those that a reason explains; other conditions of the object may repeat it."
    yield "*SageMaker's* are its statuses, passed on as they are; SageMaker may add others some day."
    yield ""
    yield from _table(
        ("reason", "conditions", "kinds", "meaning", "what to do"),
        (_reason(each) for each in sorted(reasons.REASONS, key=lambda each: each.name.lower())),
    )
    yield ""
    yield "## Events"
    yield ""
    yield "Reported by `sagemaker.aws.amazon.com/operator`. Repeated events are counted, not listed again. Each is also"
    yield "a line in the operator's [log](monitoring.md#logs)."
    yield ""
    yield from _table(
        ("event", "type", "on", "meaning", "what to do"),
        (_event(each) for each in sorted(reasons.EVENTS, key=lambda each: each.name.lower())),
    )
    yield ""


def _condition(each: ConditionType) -> tuple[str, ...]:
    return (f"`{each.name}`", _kinds(each.kinds), each.presence, f"`{each.healthy}`", each.meaning)


def _reason(each: Reason) -> tuple[str, ...]:
    shows = ", ".join(f"`{shown}`" for shown in each.shows.split(", "))
    meaning = f"*SageMaker's.* {each.meaning}" if each.is_aws else each.meaning
    return (f"`{each.name}`", shows, _kinds(each.kinds), meaning, each.remedy)


def _event(each: EventReason) -> tuple[str, ...]:
    return (f"`{each.name}`", each.type, _kinds(each.kinds), each.meaning, each.remedy)


def _kinds(kinds: frozenset[str]) -> str:
    if kinds == reasons.ALL:
        return "all"
    jobs = ["jobs"] if kinds >= reasons.JOBS else []
    return ", ".join(jobs + sorted(kinds - reasons.JOBS if jobs else kinds))


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield _row(head)
    yield _row(["---"] * len(head))
    yield from (_row(row) for row in rows)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"

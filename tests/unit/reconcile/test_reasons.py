"""Every condition type, reason and event that users see is in the table, the code, and the page, under one name."""

import ast
import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from api.descriptor import KindDescriptor, LifeCycle
from api.v1 import ENDPOINT_CONFIG, HOSTING_AUTOSCALING_POLICY, HOSTING_DEPLOYMENT, KINDS, MODEL, PIPELINE_EXECUTION
from controller.reconcile import observation as o
from controller.reconcile import reasons
from controller.reconcile import steps as s
from controller.reconcile.endpoint import decide as hosting
from controller.reconcile.job import decide as job
from controller.reconcile.resource import decide as resource
from controller.reconcile.scaling import decide as scaling
from controller.reconcile.status.messages import reason_of
from controller.reconcile.status.patch import conditions
from controller.runtime.errors import ErrorClass
from controller.runtime.frozen import replace
from hack.manifests import status_page
from tests import syntax
from tests.tables import each_row
from tests.unit.reconcile import test_conditions_and_events as told
from tests.unit.reconcile import test_hosting_table as hosting_table
from tests.unit.reconcile import test_job_table as job_table
from tests.unit.reconcile import test_resource_table as resource_table
from tests.unit.reconcile import test_scaling_table as scaling_table
from tests.unit.reconcile.cells import enum

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[3]
TABLE = ROOT / "controller" / "reconcile" / "reasons.py"
PAGE = ROOT / "docs" / "status.md"
CODE = sorted(path for path in (ROOT / "controller").rglob("*.py") if path != TABLE)

TYPES = {each.name: each for each in reasons.CONDITIONS}
REASONS = {each.name: each for each in reasons.REASONS}
EVENTS = {each.name: each for each in reasons.EVENTS}
NAMES = {*TYPES, *REASONS, *EVENTS}


@cache
def trees() -> dict[str, ast.Module]:
    """The syntax of every module but the table, by path."""
    return {str(path.relative_to(ROOT / "controller")): syntax.tree(path) for path in CODE}


OTHERS = {
    "states of SageMaker's registry": ("reconcile/in_place/decide.py",),
    "endpoint states of SageMaker": ("reconcile/hosting.py", "reconcile/endpoint/perform.py"),
    "job states of SageMaker": ("reconcile/status/messages.py", "smlogs/wording.py"),
    "states of v1's status fields": ("reconcile/resource/observation.py", "reconcile/scaling/decide.py"),
    "warm pool states of SageMaker": ("reconcile/job/changes.py",),
    "states of objectives of SageMaker": ("reconcile/tuning/decide.py",),
    "endpoint states of SageMaker, for policies": ("reconcile/scaling/hosts.py",),
    "states in which SageMaker creates": ("aws/polling/hints.py",),
    "a member of SQS's answers": ("aws/events/receiver.py",),
    "reasons of the Kubernetes API": ("kube/errors.py", "runtime/cache/reflector.py", "smlogs/kubectl.py"),
    "error codes of AWS": ("smlogs/wording.py",),
    "the table takes it from there": ("runtime/record/events.py",),
}
"""Modules that spell a word which is in the table, too, and means something else there. See `WORDS` for which."""

WORDS = {
    "reconcile/hosting.py": {
        *("Creating", "Deleting", "Failed", "InService", "OutOfService"),
        *("RollingBack", "SystemUpdating", "UpdateRollbackFailed", "Updating"),
    },
    "reconcile/in_place/decide.py": {"Deleting"},
    "reconcile/endpoint/perform.py": {"InService"},
    "reconcile/job/changes.py": {"InUse"},
    "reconcile/status/messages.py": {"InProgress", "Stopping"},
    "smlogs/wording.py": {"AccessDenied", "Completed"},
    "reconcile/resource/observation.py": {"Created"},
    "reconcile/scaling/decide.py": {"Created", "Reconciling"},
    "reconcile/scaling/hosts.py": {"SystemUpdating"},
    "aws/polling/hints.py": {"Creating", "Executing", "InProgress"},
    "reconcile/tuning/decide.py": {"Succeeded"},
    "aws/events/receiver.py": {"Failed"},
    "kube/errors.py": {"AlreadyExists", "Expired", "NotFound"},
    "runtime/cache/reflector.py": {"Expired"},
    "smlogs/kubectl.py": {"NotFound"},
    "runtime/record/events.py": {"LeaderElection"},
}


# --- the code takes its names from the table


def test_no_module_spells_a_name_of_the_table() -> None:
    """A literal would go its own way when the table changes. Words of others, which happen to be equal, are listed."""
    spelt: dict[str, set[str]] = {}
    for module, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and node.value in NAMES:
                spelt.setdefault(module, set()).add(str(node.value))
    assert spelt == WORDS


def test_every_exception_says_whose_word_it_is() -> None:
    """Both ways."""
    assert {module for modules in OTHERS.values() for module in modules} == set(WORDS)


SPEAKING = {"Condition": (0, 2), "Event": (1,), "StatusUpdate": (1,), "once": (1, 2, 4), "drift_update": ()}
"""Calls that say something to users, with the places of names among their arguments."""
SPOKEN = {"reason", "synced", "type"}
"""The same for keywords; `type` is that of a condition."""


def test_no_condition_or_event_is_made_with_a_literal() -> None:
    """A name that is not in the table yet is not found by the test above."""
    found = []
    for node in itertools.chain.from_iterable(map(ast.walk, trees().values())):
        called = node.func if isinstance(node, ast.Call) else None
        name = called.id if isinstance(called, ast.Name) else called.attr if isinstance(called, ast.Attribute) else ""
        if not isinstance(node, ast.Call) or name not in SPEAKING:
            continue
        said: list[ast.expr] = [node.args[place] for place in SPEAKING[name] if place < len(node.args)]
        said += [keyword.value for keyword in node.keywords if keyword.arg in SPOKEN]
        found += [ast.unparse(node) for each in said if any(map(_is_word, _branches(each)))]
    assert found == []


def _branches(node: ast.expr) -> Iterator[ast.expr]:
    match node:
        case ast.IfExp(body=body, orelse=orelse):
            yield from (*_branches(body), *_branches(orelse))
        case ast.BoolOp(values=values):
            yield from itertools.chain.from_iterable(map(_branches, values))
        case _:
            yield node


def _is_word(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value != ""
    )


CONSTANTS = {value: name for name, value in vars(reasons).items() if isinstance(value, str) and name.isupper()}


def used() -> Iterator[str]:
    """Constants of the table that the code reads; PREPARING stands for those in it."""
    for tree in trees().values():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "reasons":
                yield node.attr
            elif isinstance(node, ast.Name) and node.id == "LEADER_ELECTION":  # a layer below takes no table from above
                yield node.id


def test_every_entry_is_used_by_the_code() -> None:
    """A reason that is not given any more must not stay on the page. SageMaker's own are checked against its model."""
    read = set(used())
    read |= {CONSTANTS[each] for each in reasons.PREPARING.values()} if "PREPARING" in read else set()
    of_aws = {each.name for each in (*reasons.REASONS, *reasons.EVENTS) if each.is_aws}
    assert [name for name in sorted(NAMES - of_aws) if CONSTANTS.get(name) not in read] == []


@each_row("entry", [each for each in (*reasons.REASONS, *reasons.EVENTS) if each.is_aws], ids=lambda entry: entry.name)
def test_what_is_called_sagemakers_is_a_state_of_one_of_its_kinds(
    entry: reasons.Reason | reasons.EventReason,
) -> None:
    """Passed on as it is, so it must be in the service model."""
    states: set[str] = set()
    in_place = (kind for kind in KINDS if kind.life_cycle is LifeCycle.IN_PLACE)
    for kind in (*told.JOBS, PIPELINE_EXECUTION, HOSTING_DEPLOYMENT, *in_place):
        if kind.kind in entry.kinds:
            states |= enum(kind.service, kind.status.member)
    assert entry.name in states


# --- the table is whole


def test_no_name_is_there_twice() -> None:
    """One meaning each; a condition type may also be a reason."""
    for entries in (reasons.CONDITIONS, reasons.REASONS, reasons.EVENTS):
        names = [each.name for each in entries]
        assert len(names) == len(set(names))


def test_reasons_explain_conditions_that_their_kinds_have() -> None:
    """`Type=Status`, and the type is there for each of the kinds, `Complete` and `Failed` of jobs included."""
    for reason in reasons.REASONS:
        for shown in reason.shows.split(", "):
            name, _, status = shown.partition("=")
            assert status in {"True", "False"}, reason
            assert TYPES[name].kinds & reason.kinds, reason


def test_what_stops_an_object_or_warns_has_a_remedy() -> None:
    """A user in trouble must learn what to do next."""
    stalled = [each for each in reasons.REASONS if "Stalled=True" in each.shows]
    warnings = [each for each in reasons.EVENTS if each.type == "Warning"]
    assert stalled
    assert warnings
    assert [each.name for each in (*stalled, *warnings) if not each.remedy] == []


def test_remedies_name_reasons_of_the_table() -> None:
    """`See the reason X` must lead somewhere."""
    text = "\n".join(each.remedy for each in reasons.EVENTS)
    named = [name for line in re.findall(r"See the reasons? (.*)", text) for name in re.findall(r"`(\w+)`", line)]
    assert len(named) > 10
    assert [name for name in named if name not in REASONS] == []


def test_the_page_is_made_from_the_table() -> None:
    """`make manifests` was run after the last change."""
    assert PAGE.read_text() == status_page.page()


# --- decisions show nothing that is not in the table

TELLING = {"Ready=True", "Reconciling=True", "Stalled=True", "Synced=False", "Complete=True", "Failed=True"}
"""Conditions whose reason the table lists them under; with these statuses they say something."""


def unknown(kind: KindDescriptor, step: object) -> Iterator[str]:
    """What a decision shows that the table does not have for the kind, or not for the condition."""
    events: Sequence[s.Event] = step.events if isinstance(step, s.Finish | s.RemoveFinalizer) else ()
    for event in events:
        entry = EVENTS.get(event.reason)
        if entry is None or kind.kind not in entry.kinds or event.type != entry.type:
            yield f"event {event.type} {event.reason}"
    status_update = step.status_update if isinstance(step, s.Finish) else None
    if status_update is None:
        return
    for each in conditions(status_update, ()):
        shown, reason = f"{each.type}={each.status}", REASONS.get(each.reason)
        if kind.kind not in TYPES[each.type].kinds:
            yield f"{each.type} is not a condition of the kind"
        elif reason is None:
            if each.reason != reason_of("Novel"):  # SageMaker may add states
                yield f"{shown}: {each.reason}"
        elif kind.kind not in reason.kinds or (
            (shown in TELLING or each.type == "Drifted") and shown not in reason.shows.split(", ")
        ):
            yield f"{shown}: {each.reason} in the table of {sorted(reason.kinds)} as {reason.shows}"


Decide = Callable[[Callable[[o.Observed], o.Observed]], Iterator[object]]


def every_cell(kind: KindDescriptor) -> Decide:
    """All decisions of the kind's table, with something changed in what is observed."""

    def decided(change: Callable[[o.Observed], o.Observed]) -> Iterator[object]:
        decide, cells = observed_cells(kind)
        for seen in cells:
            yield decide(seen.with_base(change(seen.base)))

    return decided


@cache
def observed_cells(kind: KindDescriptor) -> tuple[Callable[[Any], object], Sequence[Any]]:
    """The decision of the kind, and what is observed in each cell of its table: the tests change it in many ways."""
    if kind in told.JOBS:
        return job.decide, [job_table.observed(kind, cell) for cell in job_table.of_kind(kind).cells]
    if kind is HOSTING_DEPLOYMENT:
        return hosting.decide, [hosting_table.observed(cell) for cell in hosting_table.TABLE.cells]
    if kind is HOSTING_AUTOSCALING_POLICY:
        return scaling.decide, [
            replace(scaling_table.observed(cell), is_applied=is_applied)
            for cell, is_applied in itertools.product(scaling_table.TABLE.cells, (False, True))
        ]
    return resource.decide, [resource_table.observed(kind, cell) for cell in resource_table.TABLE.cells]


POLICIES = {
    "as it is": o.Policy(),
    "paused": o.Policy(paused=True),
    "retain": o.Policy(retain=True),
    "read-only": o.Policy(adoption=o.Adoption.ADOPT, retain=True, read_only=True),
    "adopt": o.Policy(adoption=o.Adoption.ADOPT),
    "adopt-or-create": o.Policy(adoption=o.Adoption.ADOPT_OR_CREATE),
    "correct": o.Policy(corrects=True),
    "held": o.Policy(holds_updates=True),
}


def base_with(**changes: object) -> Callable[[o.Observed], o.Observed]:
    """A change of what is observed."""
    return lambda base: replace(base, **changes)  # type: ignore[arg-type]


@each_row("policy", POLICIES)
@each_row("kind", told.ALL, ids=lambda kind: kind.kind)
def test_no_cell_shows_what_is_not_in_the_table(kind: KindDescriptor, policy: str) -> None:
    """Every cell of the kind's decision table, under every policy, with and without drift that is shown."""
    for shown in ({}, {"Drifted": "Drifted"}, {"Drifted": "Correcting"}):
        steps = every_cell(kind)(base_with(policy=POLICIES[policy], reasons=shown))
        assert {wrong for step in steps for wrong in unknown(kind, step)} == set()


FAILURES = [
    pytest.param(kind, during, id=f"{kind.kind}: {during.value}")
    for kind, during in itertools.product(told.ALL, o.During)
    if during is not o.During.UPDATE or kind is HOSTING_DEPLOYMENT  # only endpoints are updated
]


@each_row(("kind", "during"), FAILURES)
def test_no_failure_shows_what_is_not_in_the_table(kind: KindDescriptor, during: o.During) -> None:
    """Every class of error, in every step, in every cell."""
    codes = {ErrorClass.QUOTA: ("ResourceLimitExceeded", "Other"), ErrorClass.DENIED: ("ExpiredToken", "Other")}
    for error_class in ErrorClass:
        for code in codes.get(error_class, ("Other",)):
            steps = every_cell(kind)(base_with(failure=o.Failure(during, error_class, code, "some message")))
            assert {wrong for step in steps for wrong in unknown(kind, step)} == set()


SITUATIONS = [
    pytest.param(kind, row[2], id=f"{kind.kind}: {row[0]}")
    for rows in (told.CONDITIONS, told.EVENTS)
    for row in rows
    for kind in row[1]
]


@each_row(("kind", "decided"), SITUATIONS)
def test_no_situation_that_is_specified_shows_what_is_not_in_the_table(
    kind: KindDescriptor, decided: told.Decided
) -> None:
    """Those of the tests of conditions and events: steps that were taken in the same pass, adoption, rules."""
    assert list(unknown(kind, decided(kind))) == []


def test_a_name_that_is_not_in_the_table_is_found() -> None:
    """The check itself."""
    odd = s.Finish(s.StatusUpdate(s.Phase.STUCK, "Odd", synced="Strange"), events=(s.Event("Normal", "Peculiar", ""),))
    assert list(unknown(MODEL, odd)) == [
        *("event Normal Peculiar", "Ready=False: Odd", "Synced=False: Strange"),
        *("Reconciling=False: Odd", "Stalled=True: Odd"),
    ]
    ended = s.Finish(s.StatusUpdate(s.Phase.ENDED, "Failed"), events=(s.Event("Normal", "Failed", ""),))
    assert "Failed is not a condition of the kind" in list(unknown(ENDPOINT_CONFIG, ended))
    assert "event Normal Failed" in list(unknown(told.JOBS[0], ended))

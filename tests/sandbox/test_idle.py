"""What an operator costs that has nothing to do."""

import json
import re
import urllib.request
from collections import Counter

import pytest

from api.v1 import KINDS
from tests.deadline import eventually
from tests.sandbox.apiserver import open_url
from tests.sandbox.conftest import World
from tests.sandbox.interceptor import Request
from tests.sandbox.multitude import Copies, rest

pytestmark = pytest.mark.sandbox

ASKED, PAGE = 100, 10
"""How many the operator asks of a List call, which is the most that SageMaker gives, and how many this account gives:
so a tenth of the objects fills as many pages."""
EACH = 14
"""More than a page holds, and by so many that a page more costs less than describing them."""
POLLS = 3
PASSES = r'^controller_runtime_reconcile_total\{controller="(\w+)",result="\w+"\} ([\d.]+)'
FURTHER = {
    "ListTrainingJobs": 2,  # as many as there are objects were launched by the tuning jobs, and stand among them
    **dict.fromkeys(("ListHyperParameterTuningJobs", "ListTransformJobs", "ListProcessingJobs", "ListEndpoints"), 1),
    "ListInferenceComponents": 1,
}
"""The List calls, and the pages of a sweep after the first."""
RARELY = ("ListEndpoints", "ListInferenceComponents")
"""Those of what is listed more rarely while all of it serves."""


def test_objects_of_each_kind_cost_a_page_for_each_pageful_a_kind_and_interval(world: World) -> None:
    """DESIGN 4.5, 4.8: no Kubernetes write, no Describe; what stands on the pages of a List is what is followed.

    The operator starts anew with objects that it created earlier: jobs that run, endpoints in service, policies in
    place. Each is looked at, and none is created again or written. The Lease of its election is no object of a user.
    """
    world.aws.lists.set(longest_page=PAGE)
    rest(world)
    copies = Copies(world)
    for _ in range(EACH - 1):
        copies.add()
    copies.settle()
    world.to_aws.forget()
    world.to_kube.forget()

    # Without Search, which would take the place of most sweeps: here it is about what these cost.
    metrics = world.electing_operator("--status-search=false").until_ready().url("metrics")

    def are_all_looked_at() -> bool:
        """Whether each object has had its pass."""
        looked = passes(metrics)
        # Executions are polled by Describe: `tests/faults/test_executions.py` counts what that costs.
        return all(looked[each.controller_name] >= EACH for each in KINDS if not each.operations.list_of)

    eventually(are_all_looked_at, what="a pass for each object")
    # A sweep that began while only some were followed may take those further down for out of reach, and have them
    # described. From the next one on, all are at rest.
    world.to_aws.forget()
    eventually(lambda: have_polled(world, FURTHER["ListEndpoints"] + 2), what="sweeps that know all objects")

    world.to_aws.forget()
    eventually(lambda: have_polled(world, 1), what=f"{POLLS} polls")
    asked = [(each.operation, "NextToken" in json.loads(each.body)) for each in world.to_aws.requests]
    for operation, most in FURTHER.items():
        sweeps, further = asked.count((operation, False)), asked.count((operation, True))
        assert further <= most * (sweeps + 1), f"{operation}: a sweep may be under way"
    assert {request.operation for request in world.to_aws.requests} == FURTHER.keys()
    sizes = {json.loads(each.body)["MaxResults"] for each in world.to_aws.requests}
    assert sizes == {ASKED}
    writes = [f"{each.method} {each.path} {each.body!r}" for each in world.to_kube.requests if is_write(each)]
    assert writes == []


def have_polled(world: World, endpoints: int) -> bool:
    """Whether endpoints and components, which are listed more rarely, were so often, and the jobs several times."""
    listed = Counter(request.operation for request in world.to_aws.requests)
    return all(listed[each] >= endpoints for each in RARELY) and all(
        listed[each] >= POLLS for each in FURTHER if each not in RARELY
    )


def is_write(request: Request) -> bool:
    """Whether it writes anything but the Lease."""
    return request.is_write and "/leases" not in request.path


def passes(metrics: str) -> Counter[str]:
    """Passes by kind, as the operator's metrics count them."""
    text = open_url(urllib.request.Request(metrics + "/metrics")).decode()
    counted: Counter[str] = Counter()
    for controller, count in re.findall(PASSES, text, re.MULTILINE):
        counted[controller] += int(float(count))
    return counted

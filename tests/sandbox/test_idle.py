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

EACH = 110
"""More than a page of a List call holds, which is 100."""
POLLS = 3
PASSES = r'^controller_runtime_reconcile_total\{controller="(\w+)",result="\w+"\} ([\d.]+)'
LISTS = {
    *("ListTrainingJobs", "ListHyperParameterTuningJobs", "ListTransformJobs", "ListProcessingJobs", "ListEndpoints"),
}


def test_objects_of_each_kind_cost_a_page_for_each_hundred_a_kind_and_interval(world: World) -> None:
    """DESIGN 4.5, 4.8: no Kubernetes write, no Describe; what stands on the pages of a List is what is followed.

    The operator starts anew with objects that it created earlier: jobs that run, endpoints in service, policies in
    place. Each is looked at, and none is created again or written. The Lease of its election is no object of a user.
    """
    rest(world)
    copies = Copies(world)
    for _ in range(EACH - 1):
        copies.add()
    copies.settle()
    world.to_aws.forget()
    world.to_kube.forget()

    metrics = world.electing_operator().until_ready().url("metrics")

    def are_all_looked_at() -> bool:
        """Whether each object has had its pass."""
        looked = passes(metrics)
        return all(looked[each.controller_name] >= EACH for each in KINDS)

    eventually(are_all_looked_at, what="a pass for each object")

    world.to_aws.forget()
    eventually(lambda: have_polled(world), what=f"{POLLS} polls")
    asked = [(each.operation, "NextToken" in json.loads(each.body)) for each in world.to_aws.requests]
    for operation in LISTS:
        sweeps, further = asked.count((operation, False)), asked.count((operation, True))
        assert further <= sweeps + 1, f"{operation}: {EACH} objects stand on two pages; a sweep may be under way"
    # Where a sweep is longer than a page, Search is tried as its substitute: one call an interval, no Describe.
    assert {request.operation for request in world.to_aws.requests} - {"Search"} == LISTS
    assert [f"{each.method} {each.path}" for each in world.to_kube.requests if is_write(each)] == []


def have_polled(world: World) -> bool:
    """Whether endpoints, which are asked about more rarely while all serve, were listed, and the jobs several times."""
    listed = Counter(request.operation for request in world.to_aws.requests)
    return listed["ListEndpoints"] >= 1 and all(listed[each] >= POLLS for each in LISTS - {"ListEndpoints"})


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

"""`make hostile`: a story for each thing that a hostile SageMaker does, alone (docs/design/hostile-sagemaker.md).

A story plays one behaviour, so that its failure on another build (OPERATOR_CHECKOUT) says what that build cannot bear.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

import pytest

from api.meta import GROUP, JsonObject
from hack.sandbox.aws.lists import FILTERS
from hack.sandbox.aws.records.timeline import Durations
from tests.deadline import NeverError, eventually
from tests.sandbox.account import Left, manifest, marked
from tests.sandbox.conftest import SPEED, World
from tests.sandbox.harness import PLURALS, SLOW, SLOW_S, Operator, aws_call, condition, raw_call, until_gone
from tests.sandbox.hosting_scene import DEPLOYMENTS, POLICIES, configurations, deployment, replace_spec, sample, until
from tests.sandbox.hosting_scene import marked as with_environment
from tests.sandbox.lost_answers import READ_TIMEOUT
from tests.sandbox.multitude import MERGE

pytestmark = pytest.mark.sandbox

_LONG: Final = {"SANDBOX_SECONDS": "86400"}
_JOB: Final = PLURALS["TrainingJob"]
_HANG_S: Final = 1.5
"""Longer than the operator waits for an answer."""
_PAST: Final = 20_000
_UNHEARD: Final = "What is asked for is not to be had at the moment."
"""In no list of wordings."""
_PAGES: Final = {
    200: "CreationUnconfirmed",
    302: "RequestRefused",
    401: "CredentialsError",
    403: "AccessDenied",
    405: "RequestRefused",
    407: "CredentialsError",
    413: "RequestRefused",
}
"""HTTP statuses of what stands between the operator and AWS, and the reason that an object shows for each."""


def _job(name: str, *, markers: Mapping[str, str] = _LONG, **spec: Any) -> JsonObject:
    return marked(manifest("TrainingJob", name, **spec), **markers)


def _edit_of(version: str) -> JsonObject:
    return with_environment(deployment("hosted"), VERSION=version)


def _until_job(world: World, name: str, value: str) -> JsonObject:
    return until(world.api, name, value, plural=_JOB, field="trainingJobStatus", observed=False)


def _look_again(world: World, name: str, plural: str = _JOB) -> None:
    """Have the operator try now what it would try again in minutes: the user has cured the cause."""
    body = {"metadata": {"annotations": {f"{GROUP}/reconcile-at": "cured"}}}
    world.api.call("PATCH", world.api.path(name, plural=plural), body, content=MERGE)


def _is_served(world: World, generation: int) -> bool:
    obj = world.api.get("hosted", plural=DEPLOYMENTS) or {}
    ready, synced = condition(obj, "Ready"), condition(obj, "Synced")
    is_new = (obj.get("status") or {}).get("observedGeneration") == generation
    return bool(is_new and ready.get("reason") == "InService" and synced.get("status") == "True")


# --- faults of calls that change something, over a life


def _live(world: World) -> None:
    """A job that is stopped, one that ends, and an endpoint that is updated and deleted; each is judged."""
    for each in (_job("stopped"), _job("ends", markers={})):
        world.api.create(each, plural=_JOB)
    world.api.create(_edit_of("1"), plural=DEPLOYMENTS)
    _until_job(world, "ends", "Completed")
    _until_job(world, "stopped", "InProgress")
    until(world.api, "hosted", "InService")
    generation = replace_spec(world.api, _edit_of("2"))["metadata"]["generation"]
    _shown(world, lambda: _is_served(world, generation), "the edit is served")
    eventually(lambda: len(configurations(world)) == 1, what="nothing of the old version is left")
    for name, plural in (("stopped", _JOB), ("ends", _JOB), ("hosted", DEPLOYMENTS)):
        world.api.delete(name, plural=plural)
    for name, plural in (("stopped", _JOB), ("ends", _JOB), ("hosted", DEPLOYMENTS)):
        until_gone(world.api, name, plural=plural)
    left = Left.of(world)
    assert not left.others
    assert sorted(left.jobs.values()) == ["Completed", "Stopped"]
    made = Counter((each.operation, each.name) for each in world.aws.effects.all() if "Create" in each.operation)
    assert set(made.values()) == {1}, f"made twice: {made}"


def _shown(world: World, look: Callable[[], Any], what: str) -> None:
    try:
        eventually(look, what=what)
    except NeverError as never:
        seen = json.dumps((world.api.get("hosted", plural=DEPLOYMENTS) or {}).get("status"), indent=1)
        raise NeverError(f"{never}; its status: {seen}") from None


_CHANGES: Final = (
    *("CreateTrainingJob", "StopTrainingJob", "CreateModel", "CreateEndpointConfig", "CreateEndpoint"),
    *("UpdateEndpoint", "DeleteEndpoint", "DeleteEndpointConfig", "DeleteModel"),
)
_READS: Final = ("DescribeTrainingJob", "DescribeEndpoint", "DescribeModel", "ListTags", "ListTrainingJobs")


@pytest.mark.parametrize(
    ("fault", "details"),
    [
        pytest.param("cut-before", {}, id="cut-before"),
        pytest.param("cut-after", {}, id="cut-after"),
        pytest.param("cut-within", {}, id="cut-within"),
        pytest.param("hang-before", {"delay_s": _HANG_S}, id="hang-before"),
        pytest.param("hang-after", {"delay_s": _HANG_S}, id="hang-after"),
        pytest.param("slow", {"delay_s": _HANG_S}, id="slow"),
        pytest.param("error", {}, id="error"),
        pytest.param("error-after", {}, id="error-after"),
        pytest.param("unavailable", {}, id="unavailable"),
        pytest.param("html-after", {}, id="html-after"),
        pytest.param("html", {}, id="html"),
        pytest.param("throttle", {}, id="throttle"),
        pytest.param("too-many", {}, id="too-many"),
        pytest.param("unavailable", {"retry_after_s": 1}, id="retry-after"),
        pytest.param("too-many", {"retry_after_s": 2, "retry_after_is_date": True}, id="retry-after-date"),
        pytest.param("refused", {"message": _UNHEARD}, id="refused"),
    ],
)
def test_each_change_meets_it(world: World, fault: str, details: Mapping[str, Any]) -> None:
    """A change is made once, whatever its first answer is, and nothing is left."""
    for operation in _CHANGES:
        world.aws.faults.add(operation, fault, **details)
    world.operator(*READ_TIMEOUT).until_ready()
    _live(world)
    struck = {operation for _, operation in world.aws.faults.struck()}
    assert struck == set(_CHANGES)


@pytest.mark.parametrize(
    ("fault", "details"),
    [
        pytest.param("cut-within", {}, id="cut-within"),
        pytest.param("cut-after", {}, id="cut-after"),
        pytest.param("error", {}, id="error"),
        pytest.param("html", {}, id="html"),
        pytest.param("html", {"status": 200}, id="html-200"),
    ],
)
def test_each_read_meets_it(world: World, fault: str, details: Mapping[str, Any]) -> None:
    """What is not known is asked for again: it is neither absent nor a stranger's."""
    for operation in _READS:
        world.aws.faults.add(operation, fault, **details)
    world.operator(*READ_TIMEOUT).until_ready()
    _live(world)


@pytest.mark.parametrize("operation", ["ListTags", "DescribeTrainingJob"])
def test_half_an_answer_makes_nobody_a_stranger(world: World, operation: str) -> None:
    """The creation's answer is lost, and the next read ends in the middle: what is ours would have no tags."""
    world.aws.faults.add("CreateTrainingJob", "cut-after")
    world.aws.faults.add(operation, "cut-within")
    world.operator(*READ_TIMEOUT).until_ready()
    world.api.create(_job("job", trainingJobName="mine"), plural=_JOB)
    _until_job(world, "job", "InProgress")
    assert world.aws.faults.pending() == []


# --- calls that are never answered


@pytest.mark.parametrize(
    "about",
    [
        pytest.param({"larger_than": 8_000}, id="big requests"),
        pytest.param({"region": "us-west-2"}, id="a region"),
        pytest.param({"contains": "picked-on"}, id="names"),
    ],
)
def test_what_is_never_answered_holds_up_no_other(world: World, about: Mapping[str, Any]) -> None:
    """A dozen objects wait for an answer for ever, in the number of threads that the operator has by default."""
    world.aws.faults.add("CreateTrainingJob", "hang-before", None, delay_s=86_400.0, **about)
    _as_shipped(world, "--aws-read-timeout", "1h")
    region = about.get("region", "us-east-2")
    for number in range(12):
        obj = _job(f"hung-{number}", trainingJobName=f"picked-on-{number}", region=region)
        obj = marked(obj, **{f"NOTE_{n}": "x" * 2_000 for n in range(5 * ("larger_than" in about))})
        world.api.create(obj, plural=_JOB)
    eventually(lambda: world.aws.faults.struck().total() >= _LEAST_HUNG, what="calls hang")
    world.api.create(_job("plain", markers={}), plural=_JOB)
    _until_job(world, "plain", "Completed")


_LEAST_HUNG: Final = 4


def _as_shipped(world: World, *flags: str) -> Operator:
    """Start an operator that has as many threads as it has by default."""
    started = Operator(
        world.kubeconfig, world.to_aws.url, world.directory / "as-shipped.log", "--poll-interval", "200ms", *flags
    )
    world.operators.append(started)
    return started.until_ready()


# --- refusals


def test_a_role_that_was_just_made_is_refused_in_three_ways(world: World) -> None:
    """IAM is eventually consistent: none of its words is the last one."""
    world.aws.roles.set(lag_s=86_400.0)
    world.operator().until_ready()
    names = [f"job-{number}" for number in range(3)]
    for name in names:
        world.api.create(_job(name, markers={}), plural=_JOB)
    eventually(lambda: world.aws.roles.refused() >= len(names), what="refusals in all words")
    world.aws.roles.set(lag_s=0.0)
    for name in names:
        _until_job(world, name, "Completed")


_CURED: Final = {
    "IncompleteSignatureException": "CredentialsError",
    "MissingAuthenticationTokenException": "CredentialsError",
    "NotAuthorizedException": "AccessDenied",
    "SubscriptionRequiredException": "AccessDenied",
    "OptInRequired": "AccessDenied",
    "KMSAccessDeniedException": "AccessDenied",
    "KMSInvalidStateException": "AccessDenied",
    "KMSDisabledException": "AccessDenied",
}
"""The reason that an object shows, by code: it says who can cure it."""
_PASSING: Final = (
    "EC2ThrottledException",
    "ProvisionedThroughputExceededException",
    "RequestThrottledException",
    "PriorRequestNotComplete",
    "BandwidthLimitExceeded",
    "SlowDown",
    "RequestLimitExceeded",
)


@pytest.mark.parametrize(
    ("operation", "fault", "details", "reason"),
    [
        pytest.param("CreateTrainingJob", "deny", {}, "AccessDenied", id="deny"),
        pytest.param("CreateTrainingJob", "expired", {}, "CredentialsError", id="expired"),
        pytest.param("*", "expired", {}, "CredentialsError", id="expired-for-all"),
        pytest.param("CreateTrainingJob", "quota", {}, "QuotaExceeded", id="quota"),
        *(
            pytest.param("CreateTrainingJob", "error", {"code": code, "status": 400}, reason, id=code)
            for code, reason in _CURED.items()
        ),
        *(
            pytest.param("CreateTrainingJob", "html", {"status": status}, reason, id=f"html-{status}")
            for status, reason in _PAGES.items()
        ),
    ],
)
def test_what_people_cure_is_not_final(
    world: World, operation: str, fault: str, details: Mapping[str, Any], reason: str
) -> None:
    """Rights, credentials, quotas and keys: the object says what is missing, and goes on once it is there."""
    world.aws.faults.add(operation, fault, None, **details)
    world.operator().until_ready()
    world.api.create(_job("job", markers={}), plural=_JOB)

    def is_said() -> bool:
        ready = condition(world.api.get("job") or {}, "Ready")
        return ready.get("reason") == reason and _words(world, "job", details.get("code", ""))

    eventually(is_said, what=f"{reason} is shown")
    assert condition(world.api.get("job") or {}, "Stalled").get("status") != "True"
    world.aws.faults.clear()
    _look_again(world, "job")
    _until_job(world, "job", "Completed")


@pytest.mark.parametrize("code", _PASSING)
def test_what_passes_by_itself_needs_nobody(world: World, code: str) -> None:
    """Throttling has many names: each is tried again by itself, and soon."""
    world.aws.faults.add("CreateTrainingJob", "throttle", 3, code=code)
    world.operator().until_ready()
    world.api.create(_job("job", markers={}), plural=_JOB)
    _until_job(world, "job", "Completed")


def _words(world: World, name: str, word: str, plural: str = _JOB) -> bool:
    """Whether a condition that is not as it should be has that word."""
    obj = world.api.get(name, plural=plural) or {}
    is_refused = condition(obj, "Synced").get("status") == "False"
    return is_refused and any(word in each["message"] for each in obj["status"]["conditions"])


def test_a_key_that_the_caller_must_not_grant_is_a_matter_of_rights(world: World) -> None:
    """`kms:CreateGrant` of the caller: CreateEndpoint is denied, not the endpoint's configuration."""
    message = "User: operator is not authorized to perform: kms:CreateGrant on resource: arn:aws:kms:us-east-2:1:key/k"
    world.aws.faults.add("CreateEndpoint", "deny", None, message=message)
    world.operator().until_ready()
    world.api.create(_edit_of("1"), plural=DEPLOYMENTS)

    eventually(
        lambda: _words(world, "hosted", "kms:CreateGrant", DEPLOYMENTS), what="the right that is missing is named"
    )
    world.aws.faults.clear()
    _look_again(world, "hosted", DEPLOYMENTS)
    until(world.api, "hosted", "InService")


def test_a_request_that_can_never_succeed_is_sent_once(world: World) -> None:
    """AWS checks it against the service model; the object says that it is final, and costs nothing more."""
    world.aws.faults.add("CreateTrainingJob", "invalid", None)
    world.operator().until_ready()
    world.api.create(_job("job"), plural=_JOB)
    eventually(lambda: condition(world.api.get("job") or {}, "Stalled").get("status") == "True", what="it is final")
    world.api.create(_job("other", trainingJobName="other"), plural=_JOB)
    eventually(lambda: world.aws.faults.struck().total() >= 2, what="the other is tried as well")
    world.api.delete("job")
    until_gone(world.api, "job")
    assert world.aws.faults.struck()["invalid", "CreateTrainingJob"] == 2
    assert world.aws.requests.count("StopTrainingJob") == 0


def test_names_that_are_throttled_for_ever_throttle_no_other(world: World) -> None:
    """Throttling of one resource says nothing about the account: the others are not slower for it."""
    world.aws.faults.add("*", "throttle", None, contains="picked-on")
    world.operator().until_ready()
    for number in range(_PICKED):
        world.api.create(_job(f"job-{number}", trainingJobName=f"picked-on-{number}"), plural=_JOB)
    eventually(lambda: world.aws.faults.struck().total() >= _PICKED, what="each is throttled")
    before = world.aws.faults.struck().total()
    others = [f"other-{number}" for number in range(10)]
    for name in others:
        world.api.create(_job(name, markers={}), plural=_JOB)
    for name in others:
        _until_job(world, name, "Completed")
    assert world.aws.faults.struck().total() < before + _MEANWHILE, "nothing but these was asked for meanwhile"


_PICKED: Final = 12
_MEANWHILE: Final = 40
"""Refusals while ten jobs live: those that are picked on are tried less and less often."""


def test_two_lists_a_second_are_enough_and_no_more_are_sent_for_long(world: World) -> None:
    """The account's quota is other programs' as well: half of it is already much."""
    world.aws.quota.set(2.0, 2.0, "List*")
    world.operator().until_ready()
    names = [f"job-{number}" for number in range(20)]
    for name in names:
        world.api.create(_job(name, markers=SLOW), plural=_JOB)
    for name in names:
        _until_job(world, name, "InProgress")
    _poll(world, times=10)
    refused, sent = _refused_lists(world), len(_lists_sent(world))
    _poll(world, times=20)
    assert _refused_lists(world) - refused <= (len(_lists_sent(world)) - sent) / 4
    world.aws.clock.advance(SLOW_S)
    for name in names:
        _until_job(world, name, "Completed")


def _refused_lists(world: World) -> int:
    return world.aws.requests.errors("ListTrainingJobs", "ThrottlingException")


def _lists_sent(world: World) -> list[JsonObject]:
    return [json.loads(each.body) for each in world.to_aws.requests if each.operation == "ListTrainingJobs"]


def _poll(world: World, *, times: int, operation: str = "ListTrainingJobs") -> None:
    before = world.aws.requests.count(operation)
    eventually(lambda: world.aws.requests.count(operation) >= before + times, what=f"{times} polls")


# --- Lists


@pytest.mark.parametrize(
    "flaws",
    [
        pytest.param({}, id="pages are cut before they are filtered"),
        pytest.param({"ignored": sorted(FILTERS)}, id="filters are ignored"),
    ],
)
def test_the_past_of_an_account_costs_nothing(world: World, flaws: Mapping[str, Any]) -> None:
    """What is followed bounds a sweep, whatever the filters do."""
    world.aws.past.add(_PAST, until=world.aws.clock.now())
    world.aws.lists.set(**flaws)
    world.operator().until_ready()
    names = [f"job-{number}" for number in range(3)]
    for name in names:
        world.api.create(_job(name, markers=SLOW), plural=_JOB)
    for name in names:
        _until_job(world, name, "InProgress")
    world.to_aws.forget()
    _poll(world, times=5)
    world.aws.clock.advance(SLOW_S)
    for name in names:
        _until_job(world, name, "Completed")
    assert not any("NextToken" in each for each in _lists_sent(world))


@pytest.mark.parametrize(
    "flaws",
    [
        pytest.param({"longest_page": 2}, id="short pages"),
        pytest.param({"longest_page": 2, "token_life_s": 0.0}, id="tokens that expire at once"),
    ],
)
def test_pages_that_are_shorter_than_asked_for_lose_no_end(world: World, flaws: Mapping[str, Any]) -> None:
    """A dozen jobs on six pages, of which all but the first may be out of reach."""
    world.aws.lists.set(**flaws)
    world.operator().until_ready()
    names = [f"job-{number}" for number in range(12)]
    for name in names:
        world.api.create(_job(name, markers=SLOW), plural=_JOB)
    for name in names:
        _until_job(world, name, "InProgress")
    _poll(world, times=3)
    eventually(lambda: any("NextToken" in each for each in _lists_sent(world)), what="a page is not taken for the last")
    world.aws.clock.advance(SLOW_S)
    for name in names:
        _until_job(world, name, "Completed")


def test_a_list_that_is_older_than_the_one_before_takes_no_progress_back(world: World) -> None:
    """What a List shows of a job is believed without a Describe, so another copy's older answer must not be."""
    durations = Durations().scaled(1 / SPEED)
    before_s = durations.starting_s + durations.downloading_s
    with world.time.stopped():
        world.operator().until_ready()
        world.api.create(_job("job", markers=SLOW), plural=_JOB)
        _until_job(world, "job", "InProgress")
        world.aws.clock.advance(1.5 * before_s)
        until(world.api, "job", "Training", plural=_JOB, field="secondaryStatus", observed=False)
        world.aws.lists.set(jitter_s=1.4 * before_s)
        seen = set()
        for _ in range(20):
            _poll(world, times=1)
            seen.add(world.api.status("job")["secondaryStatus"])
    assert seen == {"Training"}


def test_a_list_that_is_older_than_the_one_before_takes_nothing_back(world: World) -> None:
    """Another copy answers: the endpoint is in service, and some Lists say Creating."""
    world.operator().until_ready()
    world.api.create(with_environment(deployment("hosted"), **SLOW), plural=DEPLOYMENTS)
    until(world.api, "hosted", "Creating")
    world.aws.clock.advance(SLOW_S)
    until(world.api, "hosted", "InService")
    world.aws.lists.set(jitter_s=2 * SLOW_S)
    seen = set()
    for _ in range(20):
        _poll(world, times=1, operation="ListEndpoints")
        seen.add(world.api.status("hosted", plural=DEPLOYMENTS)["endpointStatus"])
    assert seen == {"InService"}


# --- names and configurations


def test_a_name_that_others_take_first_is_theirs(world: World) -> None:
    """Between the look and the creation: it is refused, said, and left alone."""
    world.aws.faults.add("Create*", "taken", None)
    world.operator().until_ready()
    world.api.create(_job("job", trainingJobName="job"), plural=_JOB)
    world.api.create(deployment("hosted", endpointName="hosted"), plural=DEPLOYMENTS)
    for name, plural in (("job", _JOB), ("hosted", DEPLOYMENTS)):
        _until_stalled(world, name, plural, "AlreadyExists")
        world.api.delete(name, plural=plural)
        until_gone(world.api, name, plural=plural)
    assert aws_call(world.aws.url, "DescribeTrainingJob", TrainingJobName="job")["TrainingJobStatus"] == "InProgress"
    assert aws_call(world.aws.url, "DescribeEndpoint", EndpointName="hosted")["EndpointStatus"]
    assert world.aws.requests.count("StopTrainingJob") + world.aws.requests.count("DeleteEndpoint") == 0


@pytest.mark.parametrize("resource", ["TrainingJob", "Endpoint"])
def test_a_name_that_others_take_over_is_theirs(world: World, resource: str) -> None:
    """They delete what is ours, and create their own under its name, while the operator looks."""
    world.operator().until_ready()
    if resource == "TrainingJob":
        plural, obj = _JOB, _job("ours", trainingJobName="ours")
    else:
        plural, obj = DEPLOYMENTS, deployment("ours", endpointName="ours")
    world.api.create(obj, plural=plural)
    field = "trainingJobStatus" if resource == "TrainingJob" else "endpointStatus"
    until(world.api, "ours", "InProgress" if plural == _JOB else "InService", plural=plural, field=field)
    _poll(world, times=3, operation=f"List{resource}s")
    world.aws.take_over(resource, "ours", "us-east-2")
    _until_stalled(world, "ours", plural, "ForeignResource")
    before = aws_call(world.aws.url, f"Describe{resource}", **{f"{resource}Name": "ours"})
    world.api.delete("ours", plural=plural)
    until_gone(world.api, "ours", plural=plural)
    after = aws_call(world.aws.url, f"Describe{resource}", **{f"{resource}Name": "ours"})
    assert after["CreationTime"] == before["CreationTime"]
    assert after[f"{resource}Status"] == before[f"{resource}Status"]


def _until_stalled(world: World, name: str, plural: str, reason: str) -> None:
    def look() -> bool:
        return condition(world.api.get(name, plural=plural) or {}, "Stalled").get("reason") == reason

    eventually(look, what=f"{name} is {reason}")


@pytest.mark.parametrize("fault", ["cut-after", "hang-after", "html-after", "cut-within"])
def test_an_update_without_an_answer_that_is_taken_back_keeps_its_configurations(world: World, fault: str) -> None:
    """Who deletes a configuration on a view from before the last change breaks the endpoint for good."""
    operator = world.operator(*READ_TIMEOUT).until_ready()
    world.api.create(_edit_of("1"), plural=DEPLOYMENTS)
    until(world.api, "hosted", "InService")
    world.aws.lists.set(lag_s=86_400.0)
    world.aws.faults.add("UpdateEndpoint", fault, delay_s=_HANG_S)
    replace_spec(world.api, with_environment(deployment("hosted"), VERSION="2", **SLOW))
    eventually(lambda: world.aws.requests.count("UpdateEndpoint"), what="an update")
    replace_spec(world.api, _edit_of("1"))
    operator.kill()
    world.operator(*READ_TIMEOUT).until_ready()
    _poll(world, times=2, operation="DescribeEndpoint")
    world.aws.clock.advance(SLOW_S)
    world.aws.lists.set()
    generation = (world.api.get("hosted", plural=DEPLOYMENTS) or {})["metadata"]["generation"]
    _shown(world, lambda: _is_served(world, generation), "the first version is served again")
    generation = replace_spec(world.api, _edit_of("3"))["metadata"]["generation"]
    _shown(world, lambda: _is_served(world, generation), "the endpoint can still be updated")
    eventually(lambda: len(configurations(world)) == 1, what="nothing of the old versions is left")


@pytest.mark.parametrize("what", ["weight", "configuration", "target", "policy"])
def test_what_others_change_is_said_and_put_back_where_that_is_asked_for(world: World, what: str) -> None:
    """By their own calls, of which the operator sees no more than the outcome."""
    world.operator().until_ready()
    world.api.create(deployment("hosted", endpointName="hosted"), plural=DEPLOYMENTS)
    until(world.api, "hosted", "InService")
    eventually(lambda: _is_noted(world), what="it is written down what the endpoint serves")
    name, plural = ("scaled", POLICIES) if what in {"target", "policy"} else ("hosted", DEPLOYMENTS)
    if plural == POLICIES:
        scaled = sample("hap-predefined-metric")
        scaled["metadata"]["name"] = name
        scaled["spec"]["resourceId"] = [{"endpointName": "hosted", "variantName": _VARIANT}]
        world.api.create(scaled, plural=POLICIES)
        until(world.api, name, "Created", plural=POLICIES, field="hostingAutoscalingPolicyStatus")
    applied = _applied(world, what)
    _change(world, what)
    eventually(lambda: _applied(world, what) != applied, what="the change is in force")
    changed = _applied(world, what)
    if plural == POLICIES:
        _look_again(world, name, plural)

    def is_found() -> bool:
        return condition(world.api.get(name, plural=plural) or {}, "Drifted").get("status") == "True"

    eventually(is_found, what="the change is found")
    assert _applied(world, what) == changed
    body = {"metadata": {"annotations": {f"{GROUP}/drift-policy": "correct"}}}
    world.api.call("PATCH", world.api.path(name, plural=plural), body, content=MERGE)
    eventually(lambda: _applied(world, what) == applied, what="what was applied is back")
    eventually(lambda: not is_found(), what="nothing is drifted")


_VARIANT: Final = "all-traffic"
_SCALED: Final = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": f"endpoint/hosted/variant/{_VARIANT}",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}


def _is_noted(world: World) -> bool:
    annotations = (world.api.get("hosted", plural=DEPLOYMENTS) or {})["metadata"].get("annotations") or {}
    return '"isServed":true' in annotations.get(f"{GROUP}/last-update-attempt", "")


def _applied(world: World, what: str) -> Any:
    """Return what is in force at AWS."""
    if what == "target":
        (target,) = _scaling(world, "DescribeScalableTargets")["ScalableTargets"]
        return target["MinCapacity"], target["MaxCapacity"]
    if what == "policy":
        (policy,) = _scaling(world, "DescribeScalingPolicies")["ScalingPolicies"]
        return policy["TargetTrackingScalingPolicyConfiguration"]
    described = aws_call(world.aws.url, "DescribeEndpoint", EndpointName="hosted")
    if what == "weight":
        return [each["DesiredWeight"] for each in described["ProductionVariants"]]
    return described["EndpointConfigName"]


def _change(world: World, what: str) -> None:
    """Change it as others do."""
    if what == "target":
        _scaling(world, "RegisterScalableTarget", **_SCALED, MinCapacity=1, MaxCapacity=9)
    elif what == "policy":
        (policy,) = _scaling(world, "DescribeScalingPolicies")["ScalingPolicies"]
        tracking = policy["TargetTrackingScalingPolicyConfiguration"] | {"TargetValue": 1.5}
        named = {name: policy[name] for name in ("PolicyName", "PolicyType")}
        _scaling(world, "PutScalingPolicy", **_SCALED, **named, TargetTrackingScalingPolicyConfiguration=tracking)
    elif what == "weight":
        wanted = [{"VariantName": _VARIANT, "DesiredWeight": 0.3}]
        aws_call(
            world.aws.url,
            "UpdateEndpointWeightsAndCapacities",
            EndpointName="hosted",
            DesiredWeightsAndCapacities=wanted,
        )
    else:
        (ours,) = configurations(world)
        described = aws_call(world.aws.url, "DescribeEndpointConfig", EndpointConfigName=ours["EndpointConfigName"])
        variants = [each | {"InstanceType": "ml.m5.4xlarge"} for each in described["ProductionVariants"]]
        aws_call(world.aws.url, "CreateEndpointConfig", EndpointConfigName="elsewhere", ProductionVariants=variants)
        aws_call(world.aws.url, "UpdateEndpoint", EndpointName="hosted", EndpointConfigName="elsewhere")


def _scaling(world: World, operation: str, **members: Any) -> JsonObject:
    return raw_call(world.aws.url, operation, json.dumps({"ServiceNamespace": "sagemaker", **members}))

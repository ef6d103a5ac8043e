"""The boundary to AWS over a real botocore client against loopback: headers, time-outs, metrics, clients, targets."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

import boto3.session
import botocore.exceptions as sdk
import pytest
from prometheus_client import CollectorRegistry

from api.descriptor import LifeCycle
from api.meta import GROUP, ObjectKey
from api.v1 import KINDS, TRAINING_JOB
from controller.aws.clients import MOST_CLIENTS, AwsApi, Clients, ClientSettings, default_session, new_session
from controller.aws.console import log_url, partition_of
from controller.aws.errors import CallError
from controller.aws.limits.budgets import Budgets
from controller.aws.ownership_tags import TAG_LIMIT, OwnerTags, merged_tags, tags_fault
from controller.aws.polling.search_state import MOST_PAGES
from controller.aws.sagemaker import SageMaker
from controller.aws.targets import BASE_IDENTITY, Identity, Target, TargetDefaults
from controller.runtime.errors import ABSENT, Absent, ErrorClass
from tests.deadline import PATIENCE_S, eventually
from tests.fakes import FakeClock
from tests.tables import each_row

DATE = "Wed, 02 Jan 2030 03:04:05 GMT"


class Server:
    """SageMaker's JSON protocol on loopback: answers by operation, remembers requests."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, Any]] = {}
        """Status and body by operation: text is HTML, bytes are a plain text, all else is JSON."""
        self.missing = 0
        """Bytes that are promised at the end of each body, and do not come."""
        self.headers: dict[str, str] = {}
        self.requests: list[tuple[str, dict[str, Any], str]] = []
        self.silence = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                operation = self.headers["X-Amz-Target"].partition(".")[2]
                outer.requests.append((operation, body, self.headers["User-Agent"]))
                if operation in {"StopTrainingJob", "ReceiveMessage"}:
                    outer.silence.wait(PATIENCE_S)
                status, answer = outer.answers.get(operation, (200, {}))
                kinds = {str: "text/html", bytes: "text/plain"}
                data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                if isinstance(answer, str):
                    data = answer.encode()
                self.send_response_only(status)
                self.send_header("Date", DATE)
                self.send_header("Content-Type", kinds.get(type(answer), "application/x-amz-json-1.1"))
                for name, value in outer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data[: len(data) - outer.missing])
                self.close_connection = True

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Quiet."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"


@pytest.fixture
def server() -> Iterator[Server]:
    """A server that runs, and is gone afterwards."""
    server = Server()
    thread = threading.Thread(target=server.http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.silence.set()
    server.http.shutdown()
    server.http.server_close()
    thread.join()


def session(_: Target | None = None) -> Any:
    """Return the operator's session, with credentials that need no look-up."""
    keys = {"aws_access_key_id": "key", "aws_secret_access_key": "secret"}
    return boto3.session.Session(**keys, botocore_session=new_session())


class Bench:
    """The whole AWS side over loopback."""

    def __init__(self, server: Server, read_timeout_s: float = PATIENCE_S) -> None:
        self.registry = CollectorRegistry()
        self.clock = FakeClock()
        settings = ClientSettings(version="9.9", connect_timeout_s=PATIENCE_S, read_timeout_s=read_timeout_s)
        self.clients = Clients(settings, session)
        api = self.api = AwsApi(self.clients, Budgets(self.clock, self.registry), self.clock, self.registry)
        self.jobs = SageMaker(api)
        self.target = Target("us-east-2", server.url)
        self.key = ObjectKey("ns", "x")

    def requests_total(self, operation: str, code: str) -> float | None:
        """The counter."""
        labels = {"service": "sagemaker", "operation": operation, "code": code}
        return self.registry.get_sample_value("sagemaker_operator_aws_requests_total", labels)


REQUEST = {
    "TrainingJobName": "x",
    "RoleArn": "arn:aws:iam::123456789012:role/x",
    "OutputDataConfig": {"S3OutputPath": "s3://x"},
    "AlgorithmSpecification": {"TrainingImage": "i", "TrainingInputMode": "File"},
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
    "StoppingCondition": {"MaxRuntimeInSeconds": 60},
}


def test_an_answer_to_create_that_names_no_arn_is_no_creation(server: Server) -> None:
    """Something between us and SageMaker has answered: the job may be there or not, so it is looked for (D-08)."""
    bench = Bench(server)
    server.answers["CreateTrainingJob"] = (200, {})
    with pytest.raises(CallError) as raised:
        bench.jobs.create(TRAINING_JOB, bench.target, REQUEST, caller=bench.key)
    assert (raised.value.error_class, raised.value.ambiguous) == (ErrorClass.RETRYABLE, True)


def test_create_sends_the_request_under_our_name_and_returns_the_arn(server: Server) -> None:
    """v1-kinds.md 10: the user agent says who calls."""
    bench = Bench(server)
    server.answers["CreateTrainingJob"] = (200, {"TrainingJobArn": "arn:x"})
    assert bench.jobs.create(TRAINING_JOB, bench.target, REQUEST, caller=bench.key) == "arn:x"
    (operation, body, agent) = server.requests[0]
    assert (operation, body["TrainingJobName"]) == ("CreateTrainingJob", "x")
    assert "sagemaker-on-kubernetes/9.9" in agent
    assert bench.requests_total("CreateTrainingJob", "ok") == 1


def test_not_found_is_a_value_and_other_errors_raise(server: Server) -> None:
    """Code and wording: a bad request is no missing job (D-10)."""
    bench = Bench(server)
    ask = lambda: bench.jobs.describe(  # noqa: E731
        TRAINING_JOB, bench.target, "x", caller=bench.key, background=False
    )
    server.answers["DescribeTrainingJob"] = (
        400,
        {"__type": "ValidationException", "message": "Requested resource not found."},
    )
    assert ask() is ABSENT
    server.answers["DescribeTrainingJob"] = (400, {"__type": "ValidationException", "message": "too long"})
    with pytest.raises(CallError, match="too long"):
        ask()
    server.answers["DescribeTrainingJob"] = (200, {"TrainingJobName": "x", "TrainingJobStatus": "InProgress"})
    assert ask() == {"TrainingJobName": "x", "TrainingJobStatus": "InProgress"}


def test_throttling_is_counted_and_slows_the_budget(server: Server) -> None:
    """The SDK makes one attempt; waiting is ours."""
    bench = Bench(server)
    server.answers["DescribeTrainingJob"] = (400, {"__type": "ThrottlingException", "message": "Rate exceeded"})
    with pytest.raises(CallError) as caught:
        bench.jobs.describe(TRAINING_JOB, bench.target, "x", caller=bench.key, background=False)
    assert caught.value.error_class is ErrorClass.THROTTLED
    assert len(server.requests) == 1
    labels = {"service": "sagemaker", "operation": "DescribeTrainingJob"}
    assert bench.registry.get_sample_value("sagemaker_operator_aws_throttles_total", labels) == 1
    with pytest.raises(CallError) as again:
        bench.jobs.describe(TRAINING_JOB, bench.target, "x", caller=bench.key, background=False)
    assert again.value.code == "BudgetExhausted"
    assert len(server.requests) == 1


def test_a_silent_server_costs_one_read_timeout_and_leaves_doubt(server: Server) -> None:
    """The request may have taken effect."""
    bench = Bench(server, read_timeout_s=0.5)
    with pytest.raises(CallError) as caught:
        bench.jobs.stop(TRAINING_JOB, bench.target, "x", caller=bench.key)
    assert caught.value.ambiguous
    assert caught.value.code == "ReadTimeout"
    assert [operation for operation, _, _ in server.requests] == ["StopTrainingJob"]


HTML = "<html><body>Please log in</body></html>"


@pytest.mark.parametrize("operation", ["CreateTrainingJob", "DescribeTrainingJob", "ListTrainingJobs", "ListTags"])
@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        pytest.param(200, HTML, (ErrorClass.RETRYABLE, "UnreadableAnswer"), id="a login page"),
        pytest.param(200, b"ok", (ErrorClass.RETRYABLE, "UnreadableAnswer"), id="a text"),
        pytest.param(200, [1, 2], (ErrorClass.RETRYABLE, "UnreadableAnswer"), id="a list"),
        pytest.param(401, HTML, (ErrorClass.DENIED, "HTTP401"), id="401"),
        pytest.param(403, HTML, (ErrorClass.DENIED, "HTTP403"), id="403"),
        pytest.param(407, HTML, (ErrorClass.DENIED, "HTTP407"), id="407"),
        pytest.param(413, HTML, (ErrorClass.REFUSED, "HTTP413"), id="413"),
        pytest.param(302, HTML, (ErrorClass.REFUSED, "HTTP302"), id="a redirect"),
        pytest.param(503, HTML, (ErrorClass.RETRYABLE, "HTTP503"), id="503"),
    ],
)
def test_what_stands_in_between_answers_for_aws(
    server: Server, operation: str, status: int, body: Any, expected: tuple[ErrorClass, str]
) -> None:
    """Proxies, firewalls and captive portals: never taken for an empty list, a missing job or a bad spec."""
    bench = Bench(server)
    server.answers[operation] = (status, body)
    request = {"CreateTrainingJob": REQUEST, "DescribeTrainingJob": {"TrainingJobName": "x"}}.get(operation, {})
    if operation == "ListTags":
        request = {"ResourceArn": "arn:aws:sagemaker:us-east-2:1:training-job/x"}
    with pytest.raises(CallError) as caught:
        bench.api.call(bench.target, "sagemaker", operation, request, caller="x")
    assert (caught.value.error_class, caught.value.code) == expected
    assert caught.value.is_sent


@pytest.mark.parametrize("status", [200, 400, 503])
@pytest.mark.parametrize("operation", ["CreateTrainingJob", "ListTrainingJobs", "ListTags", "DescribeTrainingJob"])
def test_an_answer_that_ends_in_the_middle_is_none(server: Server, operation: str, status: int) -> None:
    """botocore takes what came for an answer in which all is missing: a resource without tags, that is, a foreign one.

    It may end where an inner object does, and look like JSON.
    """
    bench = Bench(server)
    inner = {"TrainingJobSummaries": [], "Tags": {}, "__type": "ValidationException", "last": {}}
    server.answers[operation], server.missing = (status, inner), 1
    request = {"CreateTrainingJob": REQUEST, "DescribeTrainingJob": {"TrainingJobName": "x"}}.get(operation, {})
    if operation == "ListTags":
        request = {"ResourceArn": "arn:aws:sagemaker:us-east-2:1:training-job/x"}
    with pytest.raises(CallError) as caught:
        bench.api.call(bench.target, "sagemaker", operation, request, caller="x")
    assert (caught.value.error_class, caught.value.code) == (ErrorClass.RETRYABLE, "UnreadableAnswer")
    assert caught.value.ambiguous
    assert "cut off" in caught.value.message


@pytest.mark.parametrize("time", [1_700_000_000.5, "2023-11-14T22:13:20.5Z", "2023-11-15T00:13:20.5+02:00"])
def test_times_are_read_in_either_form(server: Server, time: object) -> None:
    """SageMaker sends seconds since 1970, what stands in between may send text."""
    bench = Bench(server)
    server.answers["DescribeTrainingJob"] = (200, {"TrainingJobName": "x", "CreationTime": time})
    answer = bench.jobs.describe(TRAINING_JOB, bench.target, "x", caller="x", background=False)
    assert not isinstance(answer, Absent)
    assert answer["CreationTime"] == datetime(2023, 11, 14, 22, 13, 20, 500_000, UTC)


def test_a_time_that_cannot_be_parsed_was_sent_by_somebody(server: Server) -> None:
    """botocore raises a ValueError, as it does for an endpoint that is no URL: but this request had an effect."""
    bench = Bench(server)
    answer = {"TrainingJobName": "x", "CreationTime": "yesterday"}
    server.answers["DescribeTrainingJob"] = (200, answer)
    with pytest.raises(CallError) as caught:
        bench.jobs.describe(TRAINING_JOB, bench.target, "x", caller="x", background=False)
    assert (caught.value.code, caught.value.is_sent, caught.value.ambiguous) == ("UnreadableAnswer", True, True)


@pytest.mark.parametrize(("status", "error_class"), [(429, ErrorClass.THROTTLED), (503, ErrorClass.RETRYABLE)])
def test_retry_after_reaches_the_caller(server: Server, status: int, error_class: ErrorClass) -> None:
    """From the header of the answer."""
    bench = Bench(server)
    server.answers["DescribeTrainingJob"], server.headers = (status, {}), {"Retry-After": "17"}
    with pytest.raises(CallError) as caught:
        bench.jobs.describe(TRAINING_JOB, bench.target, "x", caller="x", background=False)
    assert (caught.value.error_class, caught.value.retry_after_s) == (error_class, 17.0)


def test_an_unreachable_endpoint_leaves_no_doubt(server: Server) -> None:
    """Nothing was sent."""
    bench = Bench(server)
    with pytest.raises(CallError) as caught:
        bench.jobs.stop(TRAINING_JOB, Target("us-east-2", "http://127.0.0.1:1"), "x", caller=bench.key)
    assert (caught.value.error_class, caught.value.ambiguous) == (ErrorClass.RETRYABLE, False)


@pytest.mark.parametrize("target", [Target("us east"), Target("us-east-2", "nonsense")])
def test_a_target_that_cannot_be_called_is_the_users_to_change(server: Server, target: Target) -> None:
    """INVALID, and known not to have been sent."""
    with pytest.raises(CallError) as caught:
        Bench(server).jobs.stop(TRAINING_JOB, target, "x", caller="x")
    assert (caught.value.error_class, caught.value.is_sent) == (ErrorClass.INVALID, False)


@pytest.mark.parametrize(
    ("region", "told"),
    [
        ("us-eat-2", " (no region us-eat-2 is known, is us-east-2 meant?)"),
        ("moon", " (no region moon is known)"),
        ("us-east-2", ""),
    ],
)
def test_a_region_that_does_not_answer_may_be_a_typo(
    server: Server, region: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """botocore makes an address of any name; the message says what can be done, without refusing new regions."""
    bench, url = Bench(server), f"https://api.sagemaker.{region}.amazonaws.com/"

    def unreachable(**_request: Any) -> None:
        raise sdk.EndpointConnectionError(endpoint_url=url)

    target = Target(region)
    monkeypatch.setattr(bench.clients.get("sagemaker", target), "describe_training_job", unreachable)
    with pytest.raises(CallError) as caught:
        bench.jobs.describe(TRAINING_JOB, target, "x", caller=bench.key, background=False)
    assert caught.value.message == f'Could not connect to the endpoint URL: "{url}"{told}'
    assert caught.value.error_class is ErrorClass.RETRYABLE


@pytest.mark.parametrize(
    ("region", "end", "error_class"),
    [
        ("us-eat-2", " (no region us-eat-2 is known, is us-east-2 meant?)", ErrorClass.INVALID),
        ("us-east-2", ".", ErrorClass.DENIED),
    ],
)
def test_a_region_that_an_endpoint_of_the_users_refuses_may_be_a_typo(
    server: Server, region: str, end: str, error_class: ErrorClass
) -> None:
    """An endpoint that was set answers for any region, so that a typo is a refused signature, not a missing address."""
    text = f"Credential should be scoped to a valid region, not '{region}'"
    server.answers["DescribeTrainingJob"] = (403, {"__type": "InvalidSignatureException", "message": f"{text}. "})
    bench = Bench(server)
    target = Target(region, bench.target.endpoint)
    with pytest.raises(CallError) as caught:
        bench.jobs.describe(TRAINING_JOB, target, "x", caller=bench.key, background=False)
    assert caught.value.message == f"{text}{end}"
    assert caught.value.error_class is error_class


@pytest.mark.parametrize("token", [{}, {"NextToken": "u"}], ids=["first page", "next page"])
def test_a_list_page_is_asked_for_newest_first_and_without_filters(server: Server, token: dict[str, str]) -> None:
    """Filters apply after a page was cut: they would bring short and empty pages through the account's past."""
    bench = Bench(server)
    server.answers["ListTrainingJobs"] = (200, {"TrainingJobSummaries": [{"TrainingJobName": "x"}], "NextToken": "t"})
    page = bench.jobs.list_page(TRAINING_JOB, bench.target, next_token=token.get("NextToken", ""))
    assert (page.next_token, page.items[0]["TrainingJobName"]) == ("t", "x")
    assert server.requests[0][1] == {"SortBy": "CreationTime", "SortOrder": "Descending", "MaxResults": 100, **token}


SEARCHED = [each for each in KINDS if each.operations.search]


@pytest.mark.parametrize("descriptor", SEARCHED, ids=lambda each: each.kind)
@pytest.mark.parametrize("token", [{}, {"NextToken": "u"}], ids=["first page", "next page"])
def test_a_search_is_for_the_latest_modifications(server: Server, descriptor: Any, token: dict[str, str]) -> None:
    """Records come wrapped in a member called like the resource; those of other resources are skipped."""
    bench = Bench(server)
    resource, name = descriptor.operations.search, descriptor.name.member
    server.answers["Search"] = (200, {"Results": [{resource: {name: "x"}}, {"Experiment": {}}], "NextToken": "t"})
    page = bench.jobs.search_page(descriptor, bench.target, next_token=token.get("NextToken", ""))
    assert (page.next_token, page.items) == ("t", ({name: "x"},))
    order = {"SortBy": "LastModifiedTime", "SortOrder": "Descending", "MaxResults": 100}
    assert server.requests[0][1] == {"Resource": resource, **order, **token}


def test_the_pages_of_a_round_of_searches_need_not_wait_for_each_other(server: Server) -> None:
    """A burst of changes fills ten: at one a second, the last change would show ten seconds late."""
    bench = Bench(server)
    server.answers["Search"] = (200, {"Results": []})
    for _ in range(MOST_PAGES):
        bench.jobs.search_page(TRAINING_JOB, bench.target, next_token="")
    with pytest.raises(CallError, match="waits for its turn"):
        bench.jobs.search_page(TRAINING_JOB, bench.target, next_token="")


@pytest.mark.parametrize("descriptor", SEARCHED, ids=lambda each: each.kind)
def test_a_search_record_has_what_a_summary_has(descriptor: Any) -> None:
    """The tracker compares both by these members."""
    model = session().client(descriptor.service, region_name="us-east-2").meta.service_model
    record = model.operation_model("Search").output_shape.members["Results"].member
    rule = descriptor.status
    compared = {descriptor.name.member, rule.member, rule.arn_member, rule.secondary_member, rule.progress_member}
    shown = set(record.members[descriptor.operations.search].members)
    assert {*filter(None, compared), "CreationTime", "LastModifiedTime"} <= shown


def test_search_serves_training_tuning_and_endpoints_only() -> None:
    """SageMaker's Search has no processing and no transform jobs."""
    assert {each.kind for each in SEARCHED} == {"TrainingJob", "HyperparameterTuningJob", "HostingDeployment"}


@pytest.mark.parametrize(
    ("code", "error_class"),
    [
        pytest.param("AccessDeniedException", ErrorClass.DENIED, id="no right"),
        pytest.param("ThrottlingException", ErrorClass.THROTTLED, id="throttled"),
        pytest.param("UnknownOperationException", ErrorClass.INVALID, id="an endpoint without Search"),
        pytest.param("ValidationException", ErrorClass.INVALID, id="a token that expired"),
        pytest.param("InternalFailure", ErrorClass.RETRYABLE, id="broken"),
    ],
)
def test_a_refused_search_is_classified(server: Server, code: str, error_class: ErrorClass) -> None:
    """As every call; what follows from the class is the poller's matter."""
    bench = Bench(server)
    server.answers["Search"] = (400, {"__type": code, "message": "no"})
    with pytest.raises(CallError) as raised:
        bench.jobs.search_page(TRAINING_JOB, bench.target, next_token="")
    assert raised.value.error_class is error_class


@each_row("descriptor", [each for each in KINDS if each.life_cycle is LifeCycle.JOB], ids=lambda each: each.kind)
def test_every_kind_can_be_listed_by_creation_time(descriptor: Any) -> None:
    """The tracker's request exists for each job kind in the service model."""
    model = session().client(descriptor.service, region_name="us-east-2").meta.service_model
    listing = model.operation_model(descriptor.operations.list)
    assert {"NextToken", "SortBy", "SortOrder", "MaxResults"} <= set(listing.input_shape.members)
    if descriptor.operations.list_of:  # there are no sweeps of what needs a parent
        assert descriptor.operations.list_of in listing.input_shape.required_members
        return
    item = listing.output_shape.members[descriptor.operations.list_items].member
    assert {descriptor.name.member, descriptor.status.member, "LastModifiedTime"} <= set(item.members)


def test_tags_are_read_over_all_pages(server: Server) -> None:
    """Ownership must not depend on which page the tag is on."""
    bench = Bench(server)
    server.answers["ListTags"] = (200, {"Tags": [{"Key": "a", "Value": "1"}]})
    assert bench.jobs.tags(bench.target, "arn:aws:sagemaker:us-east-2:1:x", caller=bench.key) == {"a": "1"}


def test_a_client_is_made_once_however_many_threads_ask(server: Server) -> None:
    """K9: sessions are not shared, clients are."""
    made: list[Identity] = []

    def counting(target: Target) -> Any:
        made.append(target.identity)
        return session()

    clients = Clients(ClientSettings(version="1"), counting)
    barrier, seen = threading.Barrier(8), []

    def ask() -> None:
        barrier.wait()
        seen.append(clients.get("sagemaker", Target("us-east-2", server.url)))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [BASE_IDENTITY]
    assert len(set(map(id, seen))) == 1


def test_the_endpoint_override_is_for_sagemaker_only(server: Server) -> None:
    """v1-kinds.md 10."""
    clients = Clients(ClientSettings(version="1"), session)
    target = Target("us-east-2", server.url)
    assert clients.get("sagemaker", target).meta.endpoint_url == server.url
    assert "amazonaws.com" in clients.get("application-autoscaling", target).meta.endpoint_url


def test_an_identity_that_is_not_configured_is_denied() -> None:
    """Never fall back to the process's own rights."""
    with pytest.raises(CallError) as caught:
        default_session(Target("us-east-2", identity=Identity("arn:aws:iam::1:role/x")))
    assert caught.value.error_class is ErrorClass.DENIED


# --- targets


@pytest.mark.parametrize(
    ("spec", "environment", "setting", "expected"),
    [
        ({"sageMakerEndpoint": "https://o"}, {"AWS_DEFAULT_SAGEMAKER_ENDPOINT": "https://e"}, "https://s", "https://o"),
        ({"sageMakerEndpoint": ""}, {"AWS_DEFAULT_SAGEMAKER_ENDPOINT": "https://e"}, "https://s", "https://e"),
        ({}, {"AWS_DEFAULT_SAGEMAKER_ENDPOINT": ""}, "https://s", "https://s"),
        ({}, {}, "", ""),
    ],
)
def test_the_endpoint_is_the_first_that_is_given(
    spec: dict[str, str], environment: dict[str, str], setting: str, expected: str
) -> None:
    """Object, then environment, then setting, then the SDK."""
    defaults = TargetDefaults.of(aws_region="r", aws_endpoint_url=setting, environment=environment)
    assert defaults.resolve(spec).endpoint == expected


@each_row(
    ("spec", "recorded", "setting", "environment", "expected"),
    [
        ({"region": "a"}, "b", "c", {"AWS_REGION": "d"}, "b"),
        ({"region": "a"}, "", "c", {"AWS_REGION": "d"}, "a"),
        ({}, "", "c", {"AWS_REGION": "d"}, "c"),
        ({}, "", "", {"AWS_REGION": "d"}, "d"),
        ({}, "", "", {"AWS_DEFAULT_REGION": "e"}, "e"),
    ],
)
def test_the_region_is_the_recorded_one_or_the_first_that_is_given(
    spec: dict[str, str], recorded: str, setting: str, environment: dict[str, str], expected: str
) -> None:
    """D-04: what was created decides, whatever the spec says later."""
    defaults = TargetDefaults.of(aws_region=setting, aws_endpoint_url="", environment=environment)
    assert defaults.resolve(spec, recorded_region=recorded).region == expected


def test_no_region_anywhere_is_the_users_to_change() -> None:
    """With the ways to set one."""
    with pytest.raises(CallError, match=r"spec\.region") as caught:
        TargetDefaults().resolve({})
    assert caught.value.error_class is ErrorClass.INVALID


# --- tags and links

OWNER = OwnerTags("cluster-1", "TrainingJob", ObjectKey("ns", "x"), "uid-1", "operator/1")


@pytest.mark.parametrize(
    ("changed", "value", "is_proved"),
    [("uid", "0a-1b", True), ("uid", "0a-1c", False), ("cluster", "other", False), ("namespace", "other", False)],
)
def test_a_namesake_is_of_this_cluster_and_namespace(changed: str, value: str, is_proved: bool) -> None:
    """What a child takes over has the tags of the child with its uid in the name."""
    theirs = replace(OWNER, uid="0a-1b").tags() | {f"sagemaker.aws.amazon.com/{changed}": value}

    assert OWNER.are_of_namesake(theirs, "web-1234-0a1b") is is_proved


FAMILY = "0123456789abcdef0123456789abcdef"


@each_row(
    ("changed", "value", "is_proved"),
    [
        ("uid", "any", True),
        ("uid", "", False),
        ("name", f"another-{FAMILY}", True),
        ("name", f"another-{FAMILY[1:]}0", False),
        ("name", FAMILY, False),
        ("kind", "EndpointConfig", False),
        ("cluster", "other", False),
        ("namespace", "other", False),
    ],
)
def test_a_sibling_is_a_child_of_the_same_deployment(changed: str, value: str, is_proved: bool) -> None:
    """Its uid is the end of their names; other objects have no family."""
    child = replace(OWNER, kind="Model", key=ObjectKey("ns", f"x-{FAMILY}"))
    theirs = replace(child, key=ObjectKey("ns", f"y-{FAMILY}"), uid="0a-1b").tags()
    theirs |= {f"sagemaker.aws.amazon.com/{changed}": value}

    assert child.are_of_sibling(theirs) is is_proved
    assert not replace(child, key=ObjectKey("ns", "x")).are_of_sibling(theirs)


def test_ownership_is_proved_by_uid_and_cluster_together() -> None:
    """modern-expectations.md 5."""
    tags = OWNER.tags()
    assert OWNER.is_proved_by(tags)
    assert not OWNER.is_proved_by({**tags, "sagemaker.aws.amazon.com/cluster": "cluster-2"})
    assert not OWNER.is_proved_by({**tags, "sagemaker.aws.amazon.com/uid": "uid-2"})
    assert not OWNER.is_proved_by({})


@pytest.mark.parametrize(
    ("count", "left"),
    [
        (44, "team"),
        (47, "sagemaker.aws.amazon.com/name, sagemaker.aws.amazon.com/kind, sagemaker.aws.amazon.com/managed-by, team"),
        (50, ", ".join([*OWNER.tags(), "team"])),
    ],
)
def test_the_users_tags_come_first_then_those_that_prove_ownership(count: int, left: str) -> None:
    """AWS allows 50, and all of them to users; what does not fit is told."""
    user = [{"Key": f"user-{n}", "Value": "u"} for n in range(count)] + [
        {"Key": "sagemaker.aws.amazon.com/uid", "Value": "forged"}
    ]
    tags, dropped = merged_tags(OWNER, user, {"user-0": "default", "team": "t"})
    found = {tag["Key"]: tag["Value"] for tag in tags}
    assert len(tags) == TAG_LIMIT
    assert {f"user-{n}" for n in range(count)} <= set(found)
    assert found["user-0"] == "u"
    assert found.get("sagemaker.aws.amazon.com/uid", "uid-1") == "uid-1"
    assert OWNER.is_proved_by(found) == (count <= 47)
    assert dropped == (
        "the tag 'sagemaker.aws.amazon.com/uid': the prefix sagemaker.aws.amazon.com/ is the operator's",
        f"no room for tags of the operator, as AWS allows 50 on a resource: {left}",
    )


@each_row(
    ("keys", "fault"),
    [
        ([f"t{n}" for n in range(50)], ""),
        ([f"t{n}" for n in range(51)], "51 tags, and AWS allows 50 on a resource"),
        (["team", "other", "team"], "a key is given more than once: team"),
        (["team", "Team"], ""),
        ([f"{GROUP}/x", f"{GROUP}/x"], ""),
    ],
    ids=["as many as AWS allows", "one more", "a key twice", "keys differ by case", "the operator's are not counted"],
)
def test_what_aws_refuses_of_tags_is_known_before_it_is_asked(keys: list[str], fault: str) -> None:
    """What is left out silently is missed in the bill."""
    assert tags_fault({"Key": key, "Value": "x"} for key in keys) == fault


@pytest.mark.parametrize("owner", [OWNER, None])
def test_the_operators_keys_cannot_be_set_by_users(owner: OwnerTags | None) -> None:
    """Also where it sets none: they would prove an ownership that nobody has."""
    tags, dropped = merged_tags(owner, [{"Key": f"{GROUP}/other", "Value": "x"}], {})
    assert f"{GROUP}/other" not in {tag["Key"] for tag in tags}
    assert len(dropped) == 1


def test_a_value_is_never_cut() -> None:
    """AWS refuses one that is too long, and says so; half of it would be another value."""
    long = {"Key": "team", "Value": "v" * 257}
    assert merged_tags(None, [long], {}) == ([long], ())


def test_without_ownership_tags_only_the_users_are_sent() -> None:
    """`--ownership-tags=false`."""
    assert merged_tags(None, [{"Key": "a", "Value": "1"}], {}) == ([{"Key": "a", "Value": "1"}], ())


@pytest.mark.parametrize(
    ("region", "start"),
    [
        ("us-east-2", "https://us-east-2.console.aws.amazon.com/cloudwatch/home?region=us-east-2#logStream:group=/g;"),
        ("cn-north-1", "https://cn-north-1.console.amazonaws.cn/"),
        ("us-gov-west-1", "https://us-gov-west-1.console.amazonaws-us-gov.com/"),
    ],
)
def test_log_links_fit_the_partition(region: str, start: str) -> None:
    """D-33."""
    link = log_url(region, "/g", "job")
    assert link is not None
    assert link.startswith(start)
    assert link.endswith("prefix=job;streamFilter=typeLogStreamPrefix")


def test_partitions_without_a_public_console_get_no_link() -> None:
    """Better none than a wrong one."""
    assert partition_of("us-iso-east-1") == "aws-iso"
    assert log_url("us-iso-east-1", "/g", "job") is None


def test_clients_of_regions_that_users_make_up_do_not_add_up() -> None:
    """A bad object hurts nobody else: a client takes a megabyte, and a region is what somebody writes into a spec."""
    made: list[str] = []

    class Session:
        def client(self, service: str, *, region_name: str, **_: Any) -> SimpleNamespace:
            made.append(region_name)
            return SimpleNamespace(region=region_name, _endpoint=SimpleNamespace(http_session=None))

    clients = Clients(ClientSettings(version="1"), lambda _: Session())
    for number in range(MOST_CLIENTS + 10):
        clients.get("sagemaker", Target(f"region-{number}"))
        assert clients.get("sagemaker", Target("us-east-2")).region == "us-east-2"
    assert len(clients) == MOST_CLIENTS
    assert made.count("us-east-2") == 1, "what is in use stays"


def test_what_an_unknown_server_calls_its_errors_is_no_label(server: Server) -> None:
    """`spec.sageMakerEndpoint` may name anything: labels of metrics stay bounded."""
    bench = Bench(server)
    server.answers["DescribeTrainingJob"] = (400, {"__type": "Surprise8151", "message": "?"})
    with pytest.raises(CallError):
        bench.jobs.describe(TRAINING_JOB, bench.target, "x", caller=bench.key, background=False)
    assert bench.requests_total("DescribeTrainingJob", "unknown") == 1
    assert bench.requests_total("DescribeTrainingJob", "Surprise8151") is None


def test_a_call_that_waits_for_messages_is_ended_by_an_interrupt(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end of the process does not wait for a long poll; calls of other services go on."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", server.url)
    bench = Bench(server)
    errors: list[CallError] = []

    def receive() -> None:
        try:
            bench.api.call(Target("us-east-2"), "sqs", "ReceiveMessage", {"QueueUrl": server.url}, caller="queue")
        except CallError as error:
            errors.append(error)

    thread = threading.Thread(target=receive)
    thread.start()
    eventually(lambda: [each for each in server.requests if each[0] == "ReceiveMessage"], what="SQS was called")
    bench.api.interrupt()
    thread.join(PATIENCE_S)
    assert not thread.is_alive()
    assert [error.error_class for error in errors] == [ErrorClass.RETRYABLE]
    receive()
    assert len(errors) == 2, "calls to come end, too"
    assert bench.api.call(bench.target, "sagemaker", "ListTrainingJobs", {}, caller="tracker") is not None

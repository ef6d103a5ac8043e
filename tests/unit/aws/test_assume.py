"""Sessions under assumed roles, over real botocore clients, with a stubbed STS and nothing sent."""

import io
import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import botocore.session
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError, ReadTimeoutError
from prometheus_client import CollectorRegistry

from controller.aws.accounts import Accounts
from controller.aws.assume_role import RoleSessions, request_of
from controller.aws.clients import AwsApi, Clients, ClientSettings
from controller.aws.errors import AwsError, CallError
from controller.aws.limits.budgets import Budgets
from controller.aws.targets import Identity, Target
from controller.runtime.errors import ErrorClass
from tests.deadline import PATIENCE_S, eventually
from tests.fakes import FakeClock
from tests.tables import each_row

TEAM = Identity("arn:aws:iam::111111111111:role/team", "secret-word", "team-a")
OTHER = Identity("arn:aws:iam::222222222222:role/other", "", "team-b")


@cache
def loader() -> Any:
    """One for all sessions: reading the model of SageMaker takes its time."""
    return botocore.session.Session().get_component("data_loader")


class Sts:
    """Answers AssumeRole with keys that tell the role, or refuses."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.refuses: dict[str, Exception] = {}
        self.lifetime = timedelta(hours=1)

    def assume_role(self, **request: Any) -> dict[str, Any]:
        """As the operation."""
        self.asked.append(request)
        role = request["RoleArn"]
        if role in self.refuses:
            raise self.refuses[role]
        account = role.split(":")[4]
        return {
            "Credentials": {
                "AccessKeyId": f"KEY{account}",
                "SecretAccessKey": "assumed",
                "SessionToken": f"token-{len(self.asked)}",
                "Expiration": datetime.now(UTC) + self.lifetime,
            },
            "AssumedRoleUser": {"Arn": f"arn:aws:sts::{account}:assumed-role/x/y"},
        }


class Bench:
    """The AWS side with a stubbed STS; requests to SageMaker are caught before they are sent."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.sts = Sts()
        self.regions: list[str] = []
        self.sent: list[tuple[str, str]] = []
        base = botocore.session.Session()
        base.set_credentials("BASEKEY", "secret")
        base.register_component("data_loader", loader())
        base.create_client = self._sts  # the only client that the base session makes here
        sessions = RoleSessions(Config(), self.clock, lambda: "cluster-1", base=lambda: base)
        self.clients = Clients(ClientSettings(version="1"), sessions)
        self.api = AwsApi(self.clients, Budgets(self.clock, CollectorRegistry()), self.clock, CollectorRegistry())

    def _sts(self, service: str, region_name: str, **_: Any) -> Sts:
        assert service == "sts"
        self.regions.append(region_name)
        return self.sts

    def describe(self, identity: Identity, region: str = "us-east-2") -> dict[str, Any]:
        """One call to SageMaker, answered at the door."""
        target = Target(region, identity=identity)
        events = self.clients.get("sagemaker", target).meta.events
        events.register("before-send.sagemaker.*", self._catch, unique_id="catch")
        return self.api.call(target, "sagemaker", "DescribeTrainingJob", {"TrainingJobName": "x"}, caller="x")

    def _catch(self, request: Any, **_: Any) -> AWSResponse:
        key = request.headers["Authorization"].decode().partition("Credential=")[2].partition("/")[0]
        self.sent.append((key, request.headers.get("X-Amz-Security-Token", b"").decode()))
        return AWSResponse(request.url, 200, {}, _Raw(b'{"TrainingJobName": "x"}'))


class _Raw(io.BytesIO):
    def stream(self, **_: Any) -> Any:
        """As urllib3's."""
        return iter([self.read()])


def denied(code: str = "AccessDenied", message: str = "is not authorized to perform: sts:AssumeRole") -> ClientError:
    """A refusal of STS."""
    return ClientError({"Error": {"Code": code, "Message": message}}, "AssumeRole")


def test_calls_are_made_under_the_role_of_their_target() -> None:
    """Each identity has credentials of its own, and the process's own never stand in."""
    bench = Bench()
    for identity in (TEAM, OTHER, TEAM):
        bench.describe(identity)
    assert [key for key, _ in bench.sent] == ["KEY111111111111", "KEY222222222222", "KEY111111111111"]
    assert len(bench.sts.asked) == 2, "credentials are kept until shortly before they expire"


def test_the_session_says_who_calls_and_brings_what_the_trust_policy_asks_for() -> None:
    """CloudTrail shows the name (modern-expectations.md 6)."""
    bench = Bench()
    bench.describe(TEAM)
    assert bench.sts.asked == [
        {"RoleArn": TEAM.role, "RoleSessionName": "team-a@cluster-1", "ExternalId": "secret-word"}
    ]
    assert bench.regions == ["us-east-2"], "STS of the region, not the global one"


def test_external_id_and_tags_make_another_identity() -> None:
    """Credentials got with one external id are not for those who name another, or none (confused deputy)."""
    bench = Bench()
    role = TEAM.role
    identities = [TEAM, Identity(role, "other", "team-a"), Identity(role, "", "team-a"), Identity(role, "", "team-b")]
    for identity in [*identities, *identities]:
        bench.describe(identity)
    assert [each.get("ExternalId") for each in bench.sts.asked] == ["secret-word", "other", None, None]


def test_tags_tell_namespaces_apart() -> None:
    """`session-tags: "true"`; the keys are those of the ownership tags."""
    request = request_of(Identity(TEAM.role, "", "team-a", is_tagged=True), "cluster-1")
    assert request["Tags"] == [
        {"Key": "sagemaker.aws.amazon.com/cluster", "Value": "cluster-1"},
        {"Key": "sagemaker.aws.amazon.com/namespace", "Value": "team-a"},
    ]


@pytest.mark.parametrize(
    ("namespace", "cluster", "name"),
    [
        ("team-a", "prod eu/1", "team-a@prod-eu-1"),
        ("n" * 63, "a92f5e3c-f07b-11e9-bf6c-06d6f3037abc", f"{'n' * 63}@"),
        ("", "c1", "sagemaker-operator@c1"),
    ],
)
def test_names_of_sessions_fit(namespace: str, cluster: str, name: str) -> None:
    """STS takes 2 to 64 letters, digits and some signs."""
    assert request_of(Identity(TEAM.role, "", namespace), cluster)["RoleSessionName"] == name


@each_row(
    ("raised", "error_class"),
    [
        pytest.param(denied(), ErrorClass.DENIED, id="the trust policy does not know us"),
        pytest.param(denied("ValidationError", "is invalid"), ErrorClass.DENIED, id="no such role"),
        pytest.param(denied("RegionDisabledException"), ErrorClass.DENIED, id="STS is off in this region"),
        pytest.param(denied("Throttling"), ErrorClass.RETRYABLE, id="throttled by STS, not by SageMaker"),
        pytest.param(ReadTimeoutError(endpoint_url="https://sts"), ErrorClass.RETRYABLE, id="no answer"),
    ],
)
def test_a_role_that_is_not_had_leaves_no_doubt_about_the_call(raised: Exception, error_class: ErrorClass) -> None:
    """Nothing was sent to SageMaker; a bad role is never the object's own fault (no INVALID)."""
    bench = Bench()
    bench.sts.refuses[TEAM.role] = raised
    with pytest.raises(CallError, match=f"cannot assume {TEAM.role}") as caught:
        bench.describe(TEAM)
    error = caught.value
    assert (error.error_class, error.is_sent, error.ambiguous) == (error_class, False, False)
    assert bench.sent == []


def test_a_refused_role_is_asked_for_once_in_a_while_and_hurts_nobody_else() -> None:
    """STS has one quota for the account; a thousand objects of one namespace must not use it up."""
    bench = Bench()
    bench.sts.refuses[TEAM.role] = denied()
    for _ in range(5):
        with pytest.raises(CallError):
            bench.describe(TEAM)
    assert len(bench.sts.asked) == 1
    assert bench.describe(OTHER)["TrainingJobName"] == "x"
    bench.sts.refuses.clear()
    bench.clock.advance(61)
    assert bench.describe(TEAM)["TrainingJobName"] == "x"


def test_no_message_and_no_representation_holds_the_external_id() -> None:
    """It goes into logs, events and conditions (DESIGN 5: no secret in them)."""
    bench = Bench()
    bench.sts.refuses[TEAM.role] = denied()
    with pytest.raises(CallError) as caught:
        bench.describe(TEAM)
    assert "secret-word" not in str(caught.value)
    assert "secret-word" not in repr(Target("us-east-2", identity=TEAM))


def test_credentials_are_renewed_before_they_expire() -> None:
    """By botocore: here they are due from the start, as they last ten minutes only."""
    bench = Bench()
    bench.sts.lifetime = timedelta(minutes=5)
    bench.describe(TEAM)
    first = len(bench.sts.asked)
    bench.describe(TEAM)
    assert len(bench.sts.asked) > first
    assert bench.sent[0][1] != bench.sent[-1][1]


def test_threads_that_want_one_role_ask_once() -> None:
    """The others wait for the answer."""
    bench = Bench()
    barrier = threading.Barrier(4)

    def describe() -> None:
        barrier.wait()
        bench.describe(TEAM)

    threads = [threading.Thread(target=describe) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(bench.sts.asked) == 1
    assert len(bench.sent) == 4


# --- who shares what


def test_lists_are_asked_for_once_for_all_namespaces_of_a_role() -> None:
    """The cost of polling must not grow with the number of namespaces (DESIGN 4.5)."""
    here = Target("us-east-2", identity=Identity(TEAM.role, "", "team-a"))
    there = Target("us-east-2", identity=Identity(TEAM.role, "", "team-b"))
    assert here != there
    assert here.shared == there.shared


def test_objects_with_the_credentials_of_the_process_have_one_target_each() -> None:
    """That of their Lists is the same one: thousands of objects keep theirs."""
    here = Target("us-east-2")
    assert here.shared is here


def test_tagged_sessions_are_not_shared() -> None:
    """Their rights may differ by tag."""
    here = Target("us-east-2", identity=Identity(TEAM.role, "", "team-a", is_tagged=True))
    assert here.shared == here


def test_budgets_are_the_accounts() -> None:
    """AWS counts by account and region, whichever role calls."""
    one = Target("us-east-2", identity=Identity("arn:aws:iam::111111111111:role/a", "", "a"))
    two = Target("us-east-2", identity=Identity("arn:aws:iam::111111111111:role/b", "", "b"))
    other = Target("us-east-2", identity=OTHER)
    assert one.quota == two.quota
    assert len({one.quota, other.quota, Target("us-east-2").quota, Target("eu-west-1").quota}) == 4


# --- accounts


class StsApi:
    """`sagemaker.Api` that tells who calls."""

    def __init__(self) -> None:
        self.calls = 0
        self.error: CallError | None = None

    def call(self, target: Target, service: str, operation: str, request: Any, **_: Any) -> dict[str, Any]:
        """See `Api.call`."""
        self.calls += 1
        assert (service, operation) == ("sts", "GetCallerIdentity")
        if self.error is not None:
            raise self.error
        return {"Account": "999999999999"}


def test_the_account_of_a_role_stands_in_its_arn() -> None:
    """Nobody is asked."""
    api = StsApi()
    assert Accounts(api, FakeClock()).of(Target("us-east-2", identity=TEAM)) == "111111111111"
    assert api.calls == 0


def test_the_processs_own_account_is_asked_for_once() -> None:
    """It cannot change while the process lives."""
    api = StsApi()
    accounts = Accounts(api, FakeClock())
    assert [accounts.of(Target("us-east-2")), accounts.of(Target("eu-west-1"))] == ["999999999999"] * 2
    assert api.calls == 1


def test_all_that_need_the_account_at_once_wait_for_one_look_up() -> None:
    """As thousands of objects do when the operator starts: refused, each would make a pass in vain."""
    callers, released = 8, threading.Event()
    looks = itertools.count(1)

    class Looked(FakeClock):
        looked = 0

        def monotonic(self) -> float:
            """Count those that have seen that the account is unknown."""
            self.looked = next(looks)
            return super().monotonic()

    class Slow(StsApi):
        def call(self, *each: Any, **others: Any) -> dict[str, Any]:
            """Answer when all have come."""
            assert released.wait(PATIENCE_S)
            return super().call(*each, **others)

    api, clock = Slow(), Looked()
    accounts = Accounts(api, clock)
    with ThreadPoolExecutor(callers) as pool:
        answers = [pool.submit(accounts.of, Target("us-east-2")) for _ in range(callers)]
        eventually(lambda: clock.looked >= callers, what="all have come")
        released.set()
        assert {each.result() for each in answers} == {"999999999999"}
    assert api.calls == 1


def test_what_the_process_makes_tells_its_account() -> None:
    """Then nobody is asked."""
    api = StsApi()
    accounts = Accounts(api, FakeClock())
    accounts.learn(Target("us-east-2", identity=TEAM), "111111111111")
    accounts.learn(Target("us-east-2"), "333333333333")
    assert accounts.of(Target("eu-west-1")) == "333333333333"
    assert api.calls == 0


def test_an_sts_out_of_reach_costs_the_safeguard_only() -> None:
    """Private networks may have an endpoint for SageMaker and none for STS."""
    api, clock = StsApi(), FakeClock()
    api.error = AwsError(ErrorClass.RETRYABLE, "ConnectTimeout", "no answer")
    accounts = Accounts(api, clock)
    assert [accounts.of(Target("us-east-2")), accounts.of(Target("us-east-2"))] == ["", ""]
    assert api.calls == 1
    api.error = None
    clock.advance(301)
    assert accounts.of(Target("us-east-2")) == "999999999999"

"""Operators for single namespaces beside each other: each works in its own, by its own rights, and none elsewhere."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from api.meta import JsonObject
from api.schema.structural import NOT_SEEN
from hack.sandbox.aws import server as aws_server
from tests.deadline import eventually
from tests.sandbox.apiserver import write_kubeconfig
from tests.sandbox.harness import Operator, aws_call, jobs, named, until_gone, until_status
from tests.sandbox.installation import ACCOUNT, NAMESPACED, cluster, for_namespace
from tests.sandbox.interceptor import interceptor

pytestmark = pytest.mark.sandbox

TEAMS = ("team-a", "team-b")


def test_two_operators_share_a_cluster_and_an_account(tmp_path: Path, manifest: JsonObject) -> None:
    """B-13, D-57: jobs of one name do not meet, a third namespace is nobody's, and one operator may leave."""
    with ExitStack() as stack:
        home = stack.enter_context(cluster(tmp_path))
        aws = stack.enter_context(aws_server.start(speed=20.0))
        home.put(NAMESPACED / "crd.yaml")
        operators, seen = {}, {}
        for team in TEAMS:
            home.put_namespaces(team)
            home.put(for_namespace(team, tmp_path))
            kubeconfig = tmp_path / f"kubeconfig-{team}"
            seen[team] = stack.enter_context(interceptor(home.server.url, token=home.server.token(team, ACCOUNT)))
            write_kubeconfig(kubeconfig, seen[team].url)
            election = ("--enable-leader-election", "--leader-election-namespace", team)
            flags = (f"--namespace={team}", "--poll-interval", "200ms", *election)
            log = tmp_path / f"{team}.log"
            operators[team] = Operator(kubeconfig, aws.url, log, *flags)
            stack.callback(operators[team].kill)
        for operator in operators.values():
            operator.until_ready()
        home.put_namespaces("nobodys")
        for namespace in (*TEAMS, "nobodys"):
            home.api.create(named(manifest, "same-name"), namespace=namespace)

        for team in TEAMS:
            until_status(home.api, "same-name", "Completed", namespace=team)
        assert home.api.status("same-name", namespace="nobodys") == NOT_SEEN
        owners = {tags(aws.url, each["TrainingJobArn"])["namespace"] for each in jobs(aws.url)}
        assert (len(jobs(aws.url)), owners) == (2, set(TEAMS)), "one job for each"
        for team in TEAMS:
            outside = [each.path for each in seen[team].requests if f"/namespaces/{team}" not in each.path]
            assert [path for path in outside if "sagemaker" in path] == [], "asked for in its own namespace only"

        assert operators["team-a"].terminate() == 0
        home.kubectl("delete", "-f", str(for_namespace("team-a", tmp_path)))
        home.api.delete("same-name", namespace="team-b")
        until_gone(home.api, "same-name", namespace="team-b")
        home.api.delete("same-name", namespace="team-a")
        eventually(lambda: home.api.get("same-name", namespace="team-a"), what="it waits for its own operator")


def tags(url: str, arn: str) -> dict[str, str]:
    """Our tags of a resource, without the prefix."""
    listed = aws_call(url, "ListTags", ResourceArn=arn)["Tags"]
    return {each["Key"].removeprefix("sagemaker.aws.amazon.com/"): each["Value"] for each in listed}

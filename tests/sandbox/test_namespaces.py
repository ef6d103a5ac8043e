"""Teams of one cluster, end to end: each in its account, under its role, and nobody hurt by another's trouble."""

from typing import Any

import pytest

from api.meta import JsonObject
from tests.deadline import eventually
from tests.sandbox.conftest import World
from tests.sandbox.harness import LONG, condition, for_any_region, marked, named, until_gone, until_status

pytestmark = pytest.mark.sandbox

OURS = "sagemaker.aws.amazon.com"


def team(world: World, name: str, account: str, **annotations: str) -> None:
    """A namespace with a role of its own."""
    said = {"role-arn": f"arn:aws:iam::{account}:role/{name}", **annotations}
    metadata = {"name": name, "annotations": annotated(said)}
    world.api.call("POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})


def annotated(texts: dict[str, str]) -> dict[str, str]:
    """Annotations of ours."""
    return {f"{OURS}/{name.replace('_', '-')}": text for name, text in texts.items()}


def job_of(manifest: JsonObject, namespace: str, **spec: Any) -> JsonObject:
    """The job `same-name` of a team, without a region."""
    job = marked(named(for_any_region(manifest), "job", trainingJobName="same-name", **spec), **LONG)
    job["metadata"]["namespace"] = namespace
    del job["spec"]["region"]
    return job


def test_teams_have_accounts_of_their_own(world: World, manifest: JsonObject) -> None:
    """Same name, no clash; a role that STS refuses hurts its own namespace only, and is told there."""
    if not world.kube.is_ours:
        pytest.skip("needs an operator that serves all namespaces")
    team(world, "team-a", "111111111111", default_region="eu-west-1", default_tags="team=a")
    team(world, "team-b", "222222222222", default_region="us-west-2", external_id="shared-word")
    team(world, "team-c", "333333333333", default_region="us-west-2")
    world.aws.faults.add(
        "AssumeRole", "deny", None, contains="role%2Fteam-c", message="is not authorized to perform: sts:AssumeRole"
    )
    world.operator().until_ready()
    stolen = job_of(manifest, "team-a")
    stolen["metadata"]["annotations"] = annotated({"role_arn": "arn:aws:iam::222222222222:role/team-b"})
    for job in (stolen, job_of(manifest, "team-b"), job_of(manifest, "team-c")):
        world.api.create(job, namespace=job["metadata"]["namespace"])

    shown = {name: until_status(world.api, "job", "InProgress", namespace=name) for name in ("team-a", "team-b")}
    assert {name: obj["status"]["awsResource"]["accountId"] for name, obj in shown.items()} == {
        "team-a": "111111111111",
        "team-b": "222222222222",
    }
    created = [each for each in world.aws.effects.all() if each.operation == "CreateTrainingJob"]
    assert {(each.account, each.region, each.name, each.tags.get("team")) for each in created} == {
        ("111111111111", "eu-west-1", "same-name", "a"),
        ("222222222222", "us-west-2", "same-name", None),
    }
    ignored = eventually(lambda: told(world, "team-a", "AnnotationIgnored"), what="the object chose no role")
    assert ignored["message"] == "role-arn: has an effect on namespaces only"

    denied = eventually(lambda: told(world, "team-c", "Reconciling", "AccessDenied"), what="the refusal is told")
    assert "cannot assume arn:aws:iam::333333333333:role/team-c" in denied["message"]
    log = "".join(each.log.read_text() for each in world.operators)
    assert "shared-word" not in log

    # The cure is a change of the namespace: its objects are woken at once, whatever they were waiting for.
    cure = {"metadata": {"annotations": annotated({"role_arn": "arn:aws:iam::333333333333:role/other"})}}
    world.api.call("PATCH", "/api/v1/namespaces/team-c", cure, "application/merge-patch+json")
    until_status(world.api, "job", "InProgress", namespace="team-c")

    world.api.delete("job", namespace="team-a")
    until_gone(world.api, "job", namespace="team-a")
    stopped = [each.account for each in world.aws.effects.all() if each.operation == "StopTrainingJob"]
    assert stopped == ["111111111111"]


def told(world: World, namespace: str, kind: str, reason: str = "") -> JsonObject:
    """A condition of a team's job, empty until it is there for that reason."""
    found = condition(world.api.get("job", namespace=namespace) or {}, kind)
    return found if not reason or found.get("reason") == reason else {}

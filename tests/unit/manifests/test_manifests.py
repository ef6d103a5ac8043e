"""Rules for the manifests that no API server checks."""

import ast
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import NoCredentialsError
from prometheus_client import CollectorRegistry

from api.descriptor import LifeCycle
from api.v1 import ENDPOINT_CONFIG, KINDS, MODEL
from controller.app import _Metrics
from controller.aws.clients import AwsMetrics
from controller.aws.errors import TABLE, classify
from controller.aws.events.receiver import StatusQueueMetrics
from controller.aws.limits.budgets import Budgets
from controller.observability.registry import new_registry
from controller.runtime.clock import SystemClock
from controller.runtime.election.leader_election import ElectionMetrics
from controller.runtime.errors import ErrorClass
from controller.settings import parse
from hack.manifests.__main__ import main as generate
from tests.documents import document, documents
from tests.syntax import tree
from tests.tables import each_row

ROOT = Path(__file__).resolve().parents[3]
RELEASE = ROOT / "release" / "rolebased"
INSTALLERS = {"cluster-wide": RELEASE / "installer.yaml", "namespaced": RELEASE / "namespaced" / "operator.yaml"}
POLICIES = ROOT / "docs" / "iam"
ALERTS = document(ROOT / "config" / "prometheus" / "alerts.yaml")["spec"]["groups"][0]["rules"]
PAGES = [*(ROOT / "docs" / "runbooks").glob("*.md"), ROOT / "docs" / "monitoring.md"]
DASHBOARD = json.loads((ROOT / "config" / "grafana" / "sagemaker-operator.json").read_text())


def deployment(scope: str) -> dict[str, Any]:
    """The Deployment of an installer."""
    objects = documents(INSTALLERS[scope])
    found: dict[str, Any] = next(each for each in objects if each["kind"] == "Deployment")
    return found


def test_what_is_generated_is_checked_in(capsys: pytest.CaptureFixture[str]) -> None:
    """`make manifests` was run after the last change."""
    assert generate(["--check"]) == 0, capsys.readouterr().out


@pytest.mark.parametrize("scope", INSTALLERS)
def test_pods_meet_the_restricted_pod_security_level(scope: str) -> None:
    """D-41. https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted"""
    pod = deployment(scope)["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
    for container in pod["containers"]:
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert context["readOnlyRootFilesystem"]
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}
        assert "memory" in container["resources"]["limits"]
        assert "livenessProbe" in container


@pytest.mark.parametrize("scope", INSTALLERS)
def test_the_manager_understands_its_flags_and_has_time_to_end(scope: str) -> None:
    """Flags parse; SIGKILL comes later than the shutdown and a lease that cannot be renewed."""
    spec = deployment(scope)["spec"]
    (manager,) = [each for each in spec["template"]["spec"]["containers"] if each["name"] == "manager"]
    settings = parse([each.replace("PLACEHOLDER-NAMESPACE", "x") for each in manager["args"]], environ={})
    assert settings.enable_leader_election
    assert settings.leader_election_id == "sagemaker-k8s-operator-leader"
    assert settings.metrics_addr == ("127.0.0.1", 8080)
    assert settings.health_addr == ("", 8081)
    assert settings.namespaces == (("x",) if scope == "namespaced" else ())
    grace_s = spec["template"]["spec"]["terminationGracePeriodSeconds"]
    assert grace_s > settings.shutdown_timeout_s + settings.leader_election_renew_deadline_s
    assert spec["replicas"] == 2


def test_the_namespaced_installer_has_nothing_outside_its_namespace() -> None:
    """D-57: every object names the placeholder as its namespace; neither Namespace nor cluster roles are shipped."""
    for each in documents(INSTALLERS["namespaced"]):
        assert each["metadata"]["namespace"] == "PLACEHOLDER-NAMESPACE", each["kind"]
        assert not each["kind"].startswith("Cluster")


@cache
def exposed() -> dict[str, set[str]]:
    """Names of all series that the code exposes, each with its labels."""
    registry = new_registry()
    _Metrics.on(registry)
    ElectionMetrics(registry, "lease")
    AwsMetrics(registry)
    Budgets(SystemClock(), registry)
    StatusQueueMetrics(registry)
    return dict(series(registry))


def series(registry: CollectorRegistry) -> Iterator[tuple[str, set[str]]]:
    """Names with the suffixes that the text format adds, and the labels that each was declared with."""
    suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}
    declared = registry._names_to_collectors
    for family in registry.collect():
        labels = {*getattr(declared[family.name], "_labelnames", ()), *getattr(family, "_labelnames", ())}
        for suffix in suffixes.get(family.type, ("",)):
            yield family.name + suffix, labels | ({"le"} if suffix == "_bucket" else set())


QUERIES = [
    *((rule["alert"], rule["expr"]) for rule in ALERTS),
    *((panel["title"], target["expr"]) for panel in DASHBOARD["panels"] for target in panel.get("targets", ())),
    *((each["name"], each["query"]) for each in DASHBOARD["templating"]["list"] if each["type"] == "query"),
]


METRIC = re.compile(
    r"\b(?:[a-z]+_)+(?:total|bucket|seconds|depth|status|info|jobs|objects|bytes|trusted)\b(?=[{\[,) ]|$)"
)


@each_row(("name", "query"), QUERIES, ids=[name for name, _ in QUERIES])
def test_alerts_and_panels_ask_for_metrics_that_exist(name: str, query: str) -> None:
    """A renamed metric would leave them silent."""
    asked = set(METRIC.findall(query))
    assert asked, f"{name} asks for nothing"
    assert asked <= exposed().keys()


@each_row(("name", "query"), QUERIES, ids=[name for name, _ in QUERIES])
def test_alerts_and_panels_group_and_choose_by_labels_that_exist(name: str, query: str) -> None:
    """A label that no series has makes one group of all of them; `namespace` is the scraper's."""
    grouped = [re.split(r",\s*", labels) for labels in re.findall(r"\b(?:by|on) \(([^)]*)\)", query)]
    chosen = re.findall(r"[{,](\w+)(?:=~?|!=|!~)", query)
    wanted = {*chosen, *(label for labels in grouped for label in labels)} - {"namespace"}
    series = exposed()
    for metric in METRIC.findall(query):
        assert wanted <= series[metric], f"{name}: {metric}"


def test_the_alert_about_denied_calls_knows_all_codes_of_denial() -> None:
    """Ours for credentials that cannot be had is one of them; what only STS says of roles is shown by objects."""
    (rule,) = (each for each in ALERTS if each["alert"] == "SageMakerOperatorAwsDenied")
    (pattern,) = re.findall(r'code=~"([^"]+)"', rule["expr"])
    denied = [row for row in TABLE if row.error_class is ErrorClass.DENIED and not row.operations and not row.text]
    bare = {code for row in denied for code in row.codes}
    codes = bare | {f"{code}Exception" for code in bare} | {classify("Any", NoCredentialsError()).label}
    codes |= {f"HTTP{status}" for status in (401, 403, 407)}
    assert len(codes) > 10
    assert [code for code in sorted(codes) if not re.fullmatch(pattern, code)] == []


@each_row("page", PAGES, ids=lambda path: path.stem)
def test_pages_name_metrics_that_exist(page: Path) -> None:
    """Runbooks send people to look at them; the name of the family does, too."""
    named = set(
        re.findall(r"\b(?:sagemaker_operator|workqueue|controller_runtime|rest_client)_[a-z_]+\b", page.read_text())
    )
    known = {re.sub(r"_(?:total|bucket|sum|count)$", "", name) for name in exposed()} | exposed().keys()
    assert named <= known


@each_row("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_every_alert_has_a_runbook(rule: dict[str, Any]) -> None:
    """The page that its annotation names says what it means and what to do."""
    page = (ROOT / rule["annotations"]["runbook_url"]).read_text()
    assert page.startswith(f"# {rule['alert']}\n")
    assert "## What to do" in page
    assert rule["labels"]["severity"] in {"critical", "warning"}


def actions(name: str) -> set[str]:
    """What a policy allows."""
    policy = json.loads((POLICIES / f"{name}.json").read_text())
    return {action for statement in policy["Statement"] for action in statement["Action"]}


@cache
def called() -> set[str]:
    """Operations that the operator's code names, as IAM actions: descriptors, and literals in controller/."""
    session = botocore.session.get_session()
    services = {
        operation: service
        for service in ("application-autoscaling", "sagemaker", "sqs")
        for operation in session.get_service_model(service).operation_names
    }
    files = [path for package in ("aws", "reconcile") for path in (ROOT / "controller" / package).rglob("*.py")]
    words = {
        node.value
        for path in files
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    for kind in KINDS:
        names = kind.operations
        words |= {*names.sending, names.describe, names.stop, names.delete}
        words |= {names.list} if kind.is_listed else set()
        words |= {kind.update.operation} if kind.update else set()
    found = {f"{services[word]}:{word}" for word in words if word in services}
    return {action.removesuffix("Batch") if action.startswith("sqs:") else action for action in found}


def test_the_operators_policy_allows_what_the_code_calls() -> None:
    """And nothing of SageMaker besides."""
    allowed = actions("operator")
    of_queues = {action for action in called() if action.startswith("sqs:")}
    assert called() - of_queues <= allowed
    ours = {each for each in allowed if each.startswith(("sagemaker:", "application-autoscaling:"))}
    assert ours - called() == set()
    assert actions("status-queue") == of_queues


def test_the_policy_for_all_kinds_is_the_sum_of_theirs() -> None:
    """No kind needs more than the whole operator."""
    assert actions("operator") == set().union(*(actions(kind.singular) for kind in KINDS))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.operations.search], ids=lambda kind: kind.kind)
def test_the_right_to_search_is_a_statement_of_its_own_that_may_be_left_out(kind: Any) -> None:
    """Search shows what Describe rights would not: who does not want that deletes the statement."""
    policy = json.loads((POLICIES / f"{kind.singular}.json").read_text())
    allowing = [each for each in policy["Statement"] if "sagemaker:Search" in each["Action"]]
    assert [(each["Sid"], each["Action"]) for each in allowing] == [("OptionalSearch", ["sagemaker:Search"])]


def statements(name: str, action: str) -> list[Any]:
    """The statements of a policy that allow an action."""
    policy = json.loads((POLICIES / f"{name}.json").read_text())
    return [statement for statement in policy["Statement"] if action in statement["Action"]]


@cache
def members(kind: Any) -> set[str]:
    """The names of all members of the requests that create or update a kind, its children's included, at any depth."""
    parts = (kind, MODEL, ENDPOINT_CONFIG) if kind.life_cycle is LifeCycle.ENDPOINT else (kind,)
    found: set[str] = set()
    for part in parts:
        model = botocore.session.get_session().get_service_model(part.service)
        open_shapes = [model.operation_model(each).input_shape for each in part.operations.sending]
        seen: set[str] = set()
        while open_shapes:
            shape = open_shapes.pop()
            if shape.name in seen:
                continue
            seen.add(shape.name)
            below = getattr(shape, "members", None) or {}
            found |= {f"{shape.name}.{member}" for member in below}
            open_shapes += [*below.values(), *([shape.member] if shape.type_name == "list" else [])]
    return found


@each_row("kind", KINDS, ids=lambda kind: kind.kind)
def test_a_kind_with_a_role_in_its_requests_may_pass_it(kind: Any) -> None:
    """API reference, RoleArn and ExecutionRoleArn: the caller must have iam:PassRole."""
    roles = {each for each in members(kind) if each.endswith((".RoleArn", ".ExecutionRoleArn", ".ValidationRole"))}

    assert bool(statements(kind.singular, "iam:PassRole")) == bool(roles)


@each_row("kind", KINDS, ids=lambda kind: kind.kind)
def test_a_kind_with_encrypted_volumes_may_make_grants_for_them(kind: Any) -> None:
    """Developer guide, API permissions: kms:CreateGrant, of the caller, if a volume has a customer's key.

    An endpoint's key is in its configuration, and counts when the endpoint is created or updated.
    """
    keys = {each for each in members(kind) if each.endswith(".VolumeKmsKeyId")}
    is_encrypting = bool(keys) or kind.life_cycle is LifeCycle.ENDPOINT

    assert bool(statements(kind.singular, "kms:CreateGrant")) == is_encrypting
    assert bool(statements(kind.singular, "kms:DescribeKey")) == is_encrypting


@each_row("policy", sorted(path.stem for path in POLICIES.glob("*.json")))
def test_keys_are_used_through_sagemaker_only(policy: str) -> None:
    """Otherwise the operator's role could grant keys to anybody."""
    via = {"kms:ViaService": "sagemaker.*.amazonaws.com*"}
    for statement in statements(policy, "kms:CreateGrant"):
        assert statement["Action"] == ["kms:CreateGrant"]
        assert statement["Condition"] == {"StringLike": via, "Bool": {"kms:GrantIsForAWSResource": "true"}}
    for statement in statements(policy, "kms:DescribeKey"):
        assert (statement["Action"], statement["Condition"]) == (["kms:DescribeKey"], {"StringLike": via})


def test_who_registers_a_variant_for_scaling_may_look_at_its_endpoint_and_change_its_numbers() -> None:
    """Developer guide, auto scaling prerequisites: Application Auto Scaling calls these with the caller's rights."""
    assert {each for each in actions("hostingautoscalingpolicy") if each.startswith("sagemaker:")} == {
        "sagemaker:DescribeEndpoint",
        "sagemaker:DescribeEndpointConfig",
        "sagemaker:DescribeInferenceComponent",
        "sagemaker:UpdateEndpointWeightsAndCapacities",
        "sagemaker:UpdateInferenceComponentRuntimeConfig",
    }


@each_row("policy", sorted(path.stem for path in POLICIES.glob("*.json")) or ["operator"])
def test_roles_are_passed_to_sagemaker_only(policy: str) -> None:
    """Without the condition a role could be handed to any service."""
    for statement in json.loads((POLICIES / f"{policy}.json").read_text())["Statement"]:
        if "iam:PassRole" in statement["Action"]:
            assert statement["Condition"] == {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
        assert not any("*" in action for action in statement["Action"])

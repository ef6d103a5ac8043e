"""`--kinds`: what is accepted, what is added, and that flag, RBAC and IAM agree on it."""

import json

import pytest

from api.descriptor import KindDescriptor
from api.v1 import KINDS
from controller.controllers import CONTROLLERS
from controller.kinds import parse_kinds, selected
from controller.rights.probes import UNCHECKED, probes
from hack.manifests import iam
from hack.manifests.roles import kind_rules, manager_role
from tests.tables import each_row

EACH = each_row("kind", KINDS, ids=lambda kind: kind.kind)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ()),
        (" , ", ()),
        ("Model", ("Model",)),
        ("models,trainingjob, TRAININGJOBS", ("TrainingJob", "Model")),
    ],
)
def test_kinds_are_named_as_in_kubectl(text: str, names: tuple[str, ...]) -> None:
    """Kind, singular or plural in any case, each once, in the order in which they start."""
    assert parse_kinds(text) == names


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Modle", r"'Modle' \(did you mean Model\?\); there are TrainingJob, "),
        ("hyperparamtertuningjobs", r"did you mean HyperparameterTuningJob\?"),
        ("Model,Deployment.apps", r"not 'Deployment.apps'"),
        ("nothingLikeIt", r"not 'nothingLikeIt'; there are"),
    ],
)
def test_what_is_no_kind_is_refused_with_what_may_be_meant(text: str, words: str) -> None:
    """A kind left out silently would be one that nobody serves."""
    with pytest.raises(ValueError, match=words):
        parse_kinds(text)


def test_kinds_of_created_objects_are_added() -> None:
    """A deployment without the kinds of its children could only wait for ever."""
    assert selected(()) == KINDS
    assert [kind.kind for kind in selected(("HostingDeployment",))] == ["Model", "EndpointConfig", "HostingDeployment"]
    assert [kind.kind for kind in selected(("HyperparameterTuningJob",))] == ["TrainingJob", "HyperparameterTuningJob"]
    assert [kind.kind for kind in selected(("Model",))] == ["Model"]


@EACH
def test_an_operator_of_one_kind_may_not_touch_others(kind: KindDescriptor) -> None:
    """Neither their objects nor their statuses; ConfigMaps are read one by one, where a kind names them."""
    kinds = selected((kind.kind,))
    mine = {each.plural for each in kinds}
    read = {("configmaps", "get")} if kind.document else set()
    core = [rule for rule in kind_rules(kinds) if rule["apiGroups"] == [""]]
    assert {(name, verb) for rule in core for name in rule["resources"] for verb in rule["verbs"]} == read
    mine |= {resource for resource, _ in read}
    named = {name.partition("/")[0] for rule in kind_rules(kinds) for name in rule["resources"]}
    assert named == mine
    assert all(rule in manager_role(kinds)["rules"] for rule in kind_rules(kinds))


@EACH
def test_what_is_checked_is_what_the_policy_of_the_kind_allows(kind: KindDescriptor) -> None:
    """`--check-aws --kinds=X` complains neither about what X does not need, nor leaves out what it does."""
    kinds = selected((kind.kind,))
    allowed = {action for each in json.loads(iam.policy(kinds))["Statement"] for action in each["Action"]}
    checked = {probe.action for probe in probes("123456789012", "eu-west-1", "0a1b", kinds)}
    assert checked <= allowed
    assert allowed - checked <= set(UNCHECKED)


def test_list_is_a_right_of_what_is_polled_or_found_again_alone() -> None:
    """No policy grants, and no check asks for, a List that is never called."""
    called = {each.kind for each in KINDS if CONTROLLERS.of(each).is_tracked or each.name.among}
    assert {each.kind for each in KINDS if each.is_listed} == called
    granted = set(json.loads(iam.policy(KINDS))["Statement"][0]["Action"])
    for kind in KINDS:
        if kind.operations.list:
            assert (f"sagemaker:{kind.operations.list}" in granted) is kind.is_listed, kind.kind

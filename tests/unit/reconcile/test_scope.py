"""What holds for an object: its own word before its namespace's, and what only the namespace may say."""

import pytest

from api.annotations import ADOPTION_POLICY, DELETION_POLICY, PAUSED
from api.meta import GROUP
from controller.reconcile.plan import Adoption, Policy
from controller.reconcile.scope import NamespaceSettings, Scope


def scope(own: dict[str, str] | None = None, namespace: dict[str, str] | None = None) -> Scope:
    """A scope of annotations without our prefix."""
    return Scope(annotated(own or {}), NamespaceSettings("team", annotated(namespace or {})))


def annotated(texts: dict[str, str]) -> dict[str, str]:
    """Annotations of ours."""
    return {f"{GROUP}/{name}": text for name, text in texts.items()}


@pytest.mark.parametrize(
    ("annotations", "adoption", "retain", "paused"),
    [
        ({}, Adoption.REFUSE, False, False),
        ({"adoption-policy": "adopt"}, Adoption.ADOPT, False, False),
        ({"adoption-policy": "adopt-or-create"}, Adoption.ADOPT_OR_CREATE, False, False),
        ({"adoption-policy": "steal"}, Adoption.REFUSE, False, False),
        ({"deletion-policy": "retain"}, Adoption.REFUSE, True, False),
        ({"deletion-policy": "delete"}, Adoption.REFUSE, False, False),
        ({"read-only": "true"}, Adoption.ADOPT, True, False),
        ({"paused": "true"}, Adoption.REFUSE, False, True),
        ({"paused": "yes"}, Adoption.REFUSE, False, False),
    ],
)
def test_annotations_steer(annotations: dict[str, str], adoption: Adoption, retain: bool, paused: bool) -> None:
    """modern-expectations.md 4; what is not understood changes nothing."""
    policy = scope(annotations).policy()
    assert (policy.adoption, policy.retain, policy.paused) == (adoption, retain, paused)


@pytest.mark.parametrize(
    ("own", "namespace", "policy"),
    [
        pytest.param({}, {}, Policy(), id="nobody says anything: the built-in"),
        pytest.param({}, {"deletion-policy": "retain"}, Policy(retain=True), id="the namespace says it for all"),
        pytest.param(
            {"deletion-policy": "delete"}, {"deletion-policy": "retain"}, Policy(), id="the object knows better"
        ),
        pytest.param(
            {"deletion-policy": "Delete"},
            {"deletion-policy": "retain"},
            Policy(retain=True),
            id="what cannot be read on the object leaves the namespace's word",
        ),
        pytest.param({"paused": "false"}, {"paused": "true"}, Policy(), id="one object goes on in a paused namespace"),
        pytest.param({}, {"paused": "true"}, Policy(paused=True), id="a paused namespace"),
        pytest.param(
            {}, {"read-only": "true"}, Policy(Adoption.ADOPT, retain=True, read_only=True), id="a read-only namespace"
        ),
        pytest.param({}, {"adoption-policy": "adopt"}, Policy(), id="adoption is asked for object by object"),
    ],
)
def test_the_object_goes_before_its_namespace(own: dict[str, str], namespace: dict[str, str], policy: Policy) -> None:
    """Precedence everywhere: object, namespace, built-in (modern-expectations.md 4)."""
    assert scope(own, namespace).policy() == policy


def test_each_annotation_is_heard_only_where_it_may_stand() -> None:
    """The table of `api.annotations` decides, nothing else."""
    both = scope({"paused": "false"}, {"paused": "true", "adoption-policy": "adopt", "deletion-policy": "retain"})
    assert both.says(PAUSED) is False
    assert both.says(ADOPTION_POLICY) is None
    assert both.says(DELETION_POLICY) == "retain"

"""What holds for an object: its own word before its namespace's, and what only the namespace may say."""

import pytest

from api.annotations import ADOPTION_POLICY, DELETION_POLICY, KNOWN, PAUSED, Place, ignored
from api.meta import GROUP
from controller.aws.errors import CallError
from controller.aws.targets import BASE_IDENTITY, Identity, Target, TargetDefaults
from controller.reconcile.namespaces.settings import EffectiveSettings, NamespaceSettings
from controller.reconcile.observation import Adoption, Policy
from controller.runtime.errors import ErrorClass
from tests.tables import each_row


def effective_settings(own: dict[str, str] | None = None, namespace: dict[str, str] | None = None) -> EffectiveSettings:
    """Settings by annotations, given without our prefix."""
    return EffectiveSettings(annotated(own or {}), NamespaceSettings("team", annotated(namespace or {})))


def annotated(texts: dict[str, str]) -> dict[str, str]:
    """Annotations of ours."""
    return {f"{GROUP}/{name}": text for name, text in texts.items()}


@each_row(
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
    policy = effective_settings(annotations).policy()
    assert (policy.adoption, policy.retain, policy.paused) == (adoption, retain, paused)


@each_row(
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
    assert effective_settings(own, namespace).policy() == policy


def test_each_annotation_is_heard_only_where_it_may_stand() -> None:
    """The table of `api.annotations` decides, nothing else."""
    both = effective_settings(
        {"paused": "false"}, {"paused": "true", "adoption-policy": "adopt", "deletion-policy": "retain"}
    )
    assert both.says(PAUSED) is False
    assert both.says(ADOPTION_POLICY) is None
    assert both.says(DELETION_POLICY) == "retain"


# --- where calls go, and as whom

ROLE = "arn:aws:iam::111111111111:role/team"
FLAGS = TargetDefaults(region="us-east-1", endpoint="https://flag")


@pytest.mark.parametrize(
    ("spec", "recorded", "namespace", "region", "endpoint"),
    [
        pytest.param({}, "", {}, "us-east-1", "https://flag", id="the process's"),
        pytest.param(
            {},
            "",
            {"default-region": "eu-west-1", "endpoint-url": "https://ns"},
            "eu-west-1",
            "https://ns",
            id="the namespace's before the process's",
        ),
        pytest.param(
            {"region": "us-west-2", "sageMakerEndpoint": "https://spec"},
            "",
            {"default-region": "eu-west-1", "endpoint-url": "https://ns"},
            "us-west-2",
            "https://spec",
            id="the object's before the namespace's",
        ),
        pytest.param(
            {},
            "ap-south-1",
            {"default-region": "eu-west-1"},
            "ap-south-1",
            "https://flag",
            id="where it was created, whatever the default has become",
        ),
    ],
)
def test_places_are_the_first_that_are_given(
    spec: dict[str, str], recorded: str, namespace: dict[str, str], region: str, endpoint: str
) -> None:
    """Object, namespace, environment, built-in; a recorded region wins (D-04)."""
    target = effective_settings({}, namespace).target(spec, recorded, FLAGS)
    assert (target.region, target.endpoint, target.identity) == (region, endpoint, BASE_IDENTITY)


@each_row(
    ("namespace", "identity"),
    [
        pytest.param({}, BASE_IDENTITY, id="the process's own"),
        pytest.param({"session-tags": "false"}, BASE_IDENTITY, id="a switch that is off asks for nothing"),
        pytest.param({"role-arn": ROLE}, Identity(ROLE, "", "team"), id="a role"),
        pytest.param(
            {"role-arn": ROLE, "external-id": "word", "session-tags": "true"},
            Identity(ROLE, "word", "team", is_tagged=True),
            id="with all that belongs to it",
        ),
        pytest.param({"owner-account-id": "111111111111"}, Identity(ROLE, "", "team"), id="by the account map"),
        pytest.param(
            {"owner-account-id": "111111111111", "role-arn": f"{ROLE}2"},
            Identity(f"{ROLE}2", "", "team"),
            id="a named role goes before the map",
        ),
    ],
)
def test_the_namespace_says_as_whom_aws_is_called(namespace: dict[str, str], identity: Identity) -> None:
    """modern-expectations.md 4 and 6."""
    settings = NamespaceSettings("team", annotated(namespace), mapped_role=ROLE)
    assert EffectiveSettings({}, settings).identity() == identity


def test_an_object_cannot_choose_credentials_or_where_they_are_sent() -> None:
    """The privilege boundary: who may write objects may not choose the role."""
    own = {
        "role-arn": "arn:aws:iam::999999999999:role/admin",
        "external-id": "stolen",
        "session-tags": "true",
        "owner-account-id": "999999999999",
        "endpoint-url": "https://evil",
        "default-region": "eu-west-1",
        "default-tags": "team=other",
        "status-queue": "https://sqs.us-east-1.amazonaws.com/999999999999/evil",
    }
    assert effective_settings(own).target({}, "", FLAGS) == Target("us-east-1", "https://flag")
    assert effective_settings(own).tags({}) == {}
    assert set(own) == {name for name, each in KNOWN.items() if each.places == {Place.NAMESPACE}}


@each_row(
    ("namespace", "mapped_role", "told"),
    [
        pytest.param({"role-arn": "team"}, "", "annotation role-arn that is not the ARN of an IAM role", id="no ARN"),
        pytest.param({"role-arn": ""}, "", "annotation role-arn that is not", id="empty is not absent"),
        pytest.param({"role-arn": "arn:aws:iam::111111111111:user/x"}, "", "role-arn that is not", id="a user"),
        pytest.param({"role-arn": f"{ROLE}\n"}, "", "role-arn that is not", id="a line break"),
        pytest.param({"role-arn": ROLE, "external-id": "?"}, "", "annotation external-id that is not", id="bad id"),
        pytest.param({"role-arn": ROLE, "session-tags": "yes"}, "", "session-tags that is not", id="bad switch"),
        pytest.param({"external-id": "word"}, "", "how to assume a role and names none", id="an id without a role"),
        pytest.param({"owner-account-id": "111"}, ROLE, "owner-account-id that is not", id="no account"),
        pytest.param({"owner-account-id": "111111111111"}, "", "the account map names no role", id="not on the map"),
        pytest.param({"owner-account-id": "111111111111"}, "x", "the account map names no role's ARN", id="bad map"),
        pytest.param(
            {"owner-account-id": "222222222222"},
            ROLE,
            "its role is of account 111111111111",
            id="wrong line of the map",
        ),
        pytest.param(
            {"owner-account-id": "222222222222", "role-arn": ROLE}, "", "is of account 111111111111", id="contradiction"
        ),
        pytest.param({"default-region": "Ohio"}, "", "default-region that is not", id="no region"),
        pytest.param({"endpoint-url": "ftp://x"}, "", "endpoint-url that is not", id="no URL"),
    ],
)
def test_what_cannot_be_followed_is_never_replaced_by_a_default(
    namespace: dict[str, str], mapped_role: str, told: str
) -> None:
    """It would be another account, or another place; DENIED: slow retry, and others are not hurt."""
    settings = NamespaceSettings("team", annotated(namespace), mapped_role)
    with pytest.raises(CallError, match=told) as caught:
        EffectiveSettings({}, settings).target({}, "", FLAGS)
    assert (caught.value.error_class, caught.value.is_sent) == (ErrorClass.DENIED, False)
    assert "namespace team" in str(caught.value)


def test_no_message_repeats_an_external_id() -> None:
    """Messages go into conditions and events."""
    bad = annotated({"external-id": "se cret"})
    with pytest.raises(CallError) as caught:
        EffectiveSettings({}, NamespaceSettings("team", bad)).identity()
    assert "se cret" not in str(caught.value)
    assert "se cret" not in str(ignored(bad, Place.NAMESPACE))


def test_tags_of_the_namespace_go_before_those_of_the_process() -> None:
    """And the process's are the first to go where there are too many (modern-expectations.md 5)."""
    tags = effective_settings({}, {"default-tags": "team=a, cost=1"}).tags({"cost": "2", "org": "x"})
    assert list(tags.items()) == [("team", "a"), ("cost", "1"), ("org", "x")]


def test_tags_that_cannot_be_read_are_not_left_out_in_silence() -> None:
    """They are how costs are told apart."""
    with pytest.raises(CallError, match="default-tags"):
        effective_settings({}, {"default-tags": "team"}).tags({})


def test_the_facts_change_with_all_that_is_said() -> None:
    """They end a hold: the object's word, the namespace's, and the account map's."""
    facts = effective_settings({"paused": "true"}, {"role-arn": ROLE}).facts()
    assert effective_settings({"paused": "true"}, {"role-arn": ROLE}).facts() == facts
    assert effective_settings({}, {"role-arn": ROLE}).facts() != facts
    assert effective_settings({"paused": "true"}, {}).facts() != facts
    assert (
        EffectiveSettings({}, NamespaceSettings("team", {}, ROLE)).facts()
        != EffectiveSettings({}, NamespaceSettings("team")).facts()
    )

"""Built-in kinds take a round trip through Go structs, as clients of a real API server see it."""

import pytest

from hack.sandbox.kube.builtin.defaults import DEFAULTERS
from hack.sandbox.kube.builtin.schemas import schema_of
from hack.sandbox.kube.wire.typed import DecodeError, decode, quantity
from tests.tables import each_row

EVENT = schema_of("io.k8s.api.core.v1.Event")
DEPLOYMENT = schema_of("io.k8s.api.apps.v1.Deployment")
LEASE = schema_of("io.k8s.api.coordination.v1.Lease")


def test_zero_values_vanish_or_appear_as_the_struct_tags_say() -> None:
    """`omitempty` drops, its absence shows; pointers keep what was sent."""
    event, unknown = decode(EVENT, {"metadata": {"name": "e", "labels": {}}, "count": 0, "message": "", "odd": 1})

    assert event == {
        "metadata": {"name": "e"},
        "involvedObject": {},
        "source": {},
        "eventTime": None,
        "firstTimestamp": None,
        "lastTimestamp": None,
        "reportingComponent": "",
        "reportingInstance": "",
    }
    assert unknown == ["odd"]
    assert decode(LEASE, {"spec": {"holderIdentity": ""}})[0]["spec"] == {"holderIdentity": ""}


@pytest.mark.parametrize(
    ("obj", "message"),
    [
        ({"spec": {"replicas": "x"}}, "string into Go struct field DeploymentSpec.spec.replicas of type int32"),
        ({"metadata": {"labels": {"a": 1}}}, "number into Go struct field ObjectMeta.metadata.labels of type string"),
        (
            {"spec": {"template": {"spec": {"containers": [{"ports": "x"}]}}}},
            "string into Go struct field Container.spec.template.spec.containers.ports of type []v1.ContainerPort",
        ),
    ],
)
def test_a_value_of_the_wrong_type_fails_in_the_words_of_encoding_json(obj: dict, message: str) -> None:
    """The struct is the innermost one, the path the whole one."""
    with pytest.raises(DecodeError, match=r"^json: cannot unmarshal ") as failed:
        decode(DEPLOYMENT, obj)
    assert str(failed.value) == f"json: cannot unmarshal {message}"


def test_defaults_reach_into_lists_of_structs() -> None:
    """A container's defaults are the same wherever it stands."""
    spec = {"template": {"spec": {"containers": [{"name": "c", "image": "repo:5000/x"}]}}}
    decoded, _ = decode(DEPLOYMENT, {"spec": spec}, DEFAULTERS)

    container = decoded["spec"]["template"]["spec"]["containers"][0]
    assert container["imagePullPolicy"] == "Always"
    assert decoded["spec"]["replicas"] == 1


@each_row(
    ("given", "canonical"),
    [
        ("0.5", "500m"),
        (0.5, "500m"),
        ("1024Mi", "1Gi"),
        ("1500Mi", "1500Mi"),
        ("1000", "1k"),
        ("0", "0"),
        ("1e3", "1k"),
    ],
)
def test_quantities_take_their_canonical_form(given: object, canonical: str) -> None:
    """No fraction, and the largest suffix that fits."""
    assert quantity(given) == canonical


def test_a_micro_time_needs_its_fraction_and_becomes_utc() -> None:
    """Leases are refused with whole seconds: the format demands six digits."""
    decoded, _ = decode(LEASE, {"spec": {"renewTime": "2024-01-02T03:04:05.123456+02:00"}})
    assert decoded["spec"]["renewTime"] == "2024-01-02T01:04:05.123456Z"

    with pytest.raises(DecodeError, match="cannot parse"):
        decode(LEASE, {"spec": {"renewTime": "2024-01-02T03:04:05Z"}})

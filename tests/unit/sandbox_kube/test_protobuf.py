"""The protobuf form in which kubectl sends built-in kinds becomes the JSON it stands for."""

import pytest

from hack.sandbox.kube.http.protobuf import MAGIC, parse_protobuf
from hack.sandbox.kube.wire.codec import ParseError


def field(number: int, value: bytes | int) -> bytes:
    """One field on the wire; numbers and lengths here are below 128."""
    if isinstance(value, int):
        return bytes([number << 3, value])
    return bytes([number << 3 | 2, len(value)]) + value


def envelope(api_version: str, kind: str, raw: bytes) -> bytes:
    """The message around an object."""
    return MAGIC + field(1, field(1, api_version.encode()) + field(2, kind.encode())) + field(2, raw)


def test_strings_maps_and_bytes_are_read() -> None:
    """A Secret: metadata (1) with its name (1), data (2) as map entries, type (3)."""
    entry = field(1, b"password") + field(2, b"\x00\x01")
    raw = field(1, field(1, b"s")) + field(2, entry) + field(3, b"Opaque")

    assert parse_protobuf(envelope("v1", "Secret", raw)) == {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s"},
        "data": {"password": "AAE="},
        "type": "Opaque",
    }


def test_inlined_structs_are_messages_on_the_wire() -> None:
    """A volume's source is field 2 of the volume; in JSON its members stand beside the name."""
    secret = field(6, field(1, b"token"))
    volume = field(1, b"v") + field(2, secret)
    raw = field(2, field(1, volume))

    assert parse_protobuf(envelope("v1", "Pod", raw))["spec"]["volumes"] == [
        {"name": "v", "secret": {"secretName": "token"}}
    ]


def test_int_or_string_is_what_its_type_says() -> None:
    """A service's target port by number and by name."""
    by_number, by_name = field(1, 0) + field(2, 80) + field(3, b""), field(1, 1) + field(2, 0) + field(3, b"web")
    ports = b"".join(field(1, field(3, 80) + field(4, target)) for target in (by_number, by_name))

    found = parse_protobuf(envelope("v1", "Service", field(2, ports)))["spec"]["ports"]

    assert [port["targetPort"] for port in found] == [80, "web"]


@pytest.mark.parametrize("api_version", ["v1", "apps/v1", "meta.k8s.io/v1"])
def test_delete_options_are_read_in_any_group_version(api_version: str) -> None:
    """Typed clients in Go name the group version of the object that they delete."""
    raw = field(4, b"Foreground")
    expected = {"apiVersion": api_version, "kind": "DeleteOptions", "propagationPolicy": "Foreground"}

    assert parse_protobuf(envelope(api_version, "DeleteOptions", raw)) == expected


@pytest.mark.parametrize("data", [b"{}", MAGIC + b"\xff", envelope("v1", "Nothing", b"")])
def test_what_is_no_such_message_is_refused(data: bytes) -> None:
    """A wrong prefix, a cut message, an unknown kind."""
    with pytest.raises(ParseError):
        parse_protobuf(data)

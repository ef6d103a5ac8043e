"""Builds the Create request of an object: its spec, converted, with a name and tags."""

import hashlib
from collections.abc import Mapping
from typing import Any

from api.annotations import ADOPTION_POLICY, READ_ONLY
from api.convert import ConversionError, to_request
from api.descriptor import KindDescriptor
from api.meta import JsonObject
from controller.aws.errors import CallError, LocalRefusal
from controller.reconcile.managed.aws_identity import AwsIdentity
from controller.runtime.errors import ErrorClass


def create_request(descriptor: KindDescriptor, spec: Mapping[str, Any], name: str, identity: AwsIdentity) -> JsonObject:
    """Return the Create request of the spec, with tags. Raises `CallError` INVALID, not sent.

    It has the name `name`, or the one that the spec has chosen, but for what AWS names.
    """
    rule = descriptor.name
    if rule.by_aws and spec.get(rule.spec_field):
        raise invalid(
            f"spec.{rule.spec_field} names a {descriptor.kind} that exists at AWS already, and none is created beside"
            f" it. To take that over, set the annotation {ADOPTION_POLICY.key}=adopt; to show it, {READ_ONLY.key}=true;"
            f" to create one, delete this object and apply it without spec.{rule.spec_field}"
        )
    try:
        request = to_request(descriptor, spec)
    except ConversionError as exc:
        raise invalid(exc) from exc
    given = request.get("Tags", ())
    if not all(tag.get("Key") for tag in given):
        raise invalid("spec.tags: each tag needs a key")
    if identity.tags_fault:
        raise invalid(f"spec.tags: {identity.tags_fault}")
    if tags := identity.tagged(given):
        request["Tags"] = tags
    if not rule.by_aws:
        request[rule.member] = name
    elif chosen := spec.get(rule.chosen_by):
        request[rule.member] = chosen
    return request


def creation_token(obj: JsonObject) -> str:
    """Return what makes repetitions of a Create one request: 36 characters, as many as every operation takes.

    It is another one after what was created has gone, and is to be created again.
    """
    before = (obj.get("status") or {}).get("awsResource") or {}
    return hashlib.sha256(f"{obj['metadata']['uid']} {before.get('createdAt', '')}".encode()).hexdigest()[:36]


def invalid(reason: ConversionError | str) -> CallError:
    """Return the error of a spec of which no request can be made."""
    return LocalRefusal(ErrorClass.INVALID, "InvalidField", str(reason))

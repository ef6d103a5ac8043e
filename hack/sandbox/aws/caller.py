"""Reads who calls, and from where, from the credential scope of a request's signature.

The server stands for the endpoints of every region, so what a real client finds when it resolves a name that does not
exist, it finds here when its signature names that region.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from hack.sandbox.aws.regions import dns_suffixes
from hack.sandbox.aws.wire import ApiError, HttpRequest, Protocol

_SCOPE = re.compile(r"Credential=([^/,\s]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")
_UNSIGNED_REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class Caller:
    """The account and region of a request, and the service that it was signed for, or nothing if it is unsigned."""

    account: str
    region: str
    service: str


def caller_of(request: HttpRequest, account_of: Callable[[str], str], default_account: str) -> Caller:
    """Return the caller of a request; signatures themselves are not checked."""
    scope = _SCOPE.search(request.headers.get("authorization", ""))
    if scope is None:
        return Caller(default_account, _UNSIGNED_REGION, "")
    access_key, region, service = scope.groups()
    return Caller(account_of(access_key), region, service)


def check_region(region: str, protocol: Protocol) -> None:
    """Raise the error of a signature for a region that no partition has."""
    if region not in dns_suffixes():
        code = "SignatureDoesNotMatch" if protocol is Protocol.QUERY else "InvalidSignatureException"
        raise ApiError(code, f"Credential should be scoped to a valid region, not '{region}'. ", status=403)

"""TokenRequest: the `token` subresource of a service account."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from hack.sandbox.kube.auth.authorization import Authorizer
from hack.sandbox.kube.auth.reviews import AUDIENCE
from hack.sandbox.kube.builtin.schemas import schema_of
from hack.sandbox.kube.resources.object_meta import timestamp
from hack.sandbox.kube.verbs.calls import Body, Call
from hack.sandbox.kube.verbs.registry import Registry
from hack.sandbox.kube.wire import errors, typed
from hack.sandbox.kube.wire.causes import invalid

Json = dict[str, Any]

_SHAPE: Final = "io.k8s.api.authentication.v1.TokenRequest"
_DEFAULT_EXPIRY_S: Final = 3600
_MIN_EXPIRY_S: Final = 600


def request_token(registry: Registry, authorizer: Authorizer, call: Call, body: Body) -> Json:
    """Issue a token for the service account of the path. Raises StatusError."""
    account = registry.entry(call).obj
    value = body.value if isinstance(body.value, dict) else {}
    try:
        asked, _ = typed.decode(schema_of(_SHAPE), value)
    except typed.DecodeError as exc:
        why = f'TokenRequest in version "v1" cannot be handled as a TokenRequest: {exc}'
        raise errors.bad_request(why) from exc
    spec = asked["spec"]
    expiry_s = spec.get("expirationSeconds")
    if expiry_s is None:  # clients in Go send null
        expiry_s = _DEFAULT_EXPIRY_S
    if expiry_s < _MIN_EXPIRY_S:
        cause = invalid("spec.expirationSeconds", expiry_s, "may not specify a duration less than 10 minutes")
        raise errors.invalid("authentication.k8s.io", "TokenRequest", "", [cause])
    expires = (datetime.now(UTC) + timedelta(seconds=expiry_s)).strftime("%Y-%m-%dT%H:%M:%SZ")
    meta = account["metadata"]
    return {
        "kind": "TokenRequest",
        "apiVersion": "authentication.k8s.io/v1",
        "metadata": {"name": meta["name"], "namespace": meta["namespace"], "creationTimestamp": timestamp()},
        "spec": {
            "audiences": spec.get("audiences") or [AUDIENCE],
            "expirationSeconds": expiry_s,
            "boundObjectRef": spec.get("boundObjectRef"),
        },
        "status": {"token": authorizer.issue(meta["namespace"], meta["name"]), "expirationTimestamp": expires},
    }

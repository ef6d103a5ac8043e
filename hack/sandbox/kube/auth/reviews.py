"""Answers access and token reviews, which are POSTed but never stored."""

from collections.abc import Callable
from typing import Any, Final

from hack.sandbox.kube.auth.authorization import Authorizer, Request, User
from hack.sandbox.kube.resources.field_manager import record_update
from hack.sandbox.kube.verbs.calls import Body, Call
from hack.sandbox.kube.verbs.registry import Registry
from hack.sandbox.kube.wire import errors
from hack.sandbox.kube.wire.causes import Cause, invalid
from hack.sandbox.kube.wire.release import V1_37, imitated

Json = dict[str, Any]


class Reviews:
    """Answers the review kinds."""

    def __init__(self, registry: Registry, authorizer: Authorizer):
        self._registry = registry
        self._authorizer = authorizer
        self._answers: dict[str, Callable[[Json, User], Json]] = {
            "SelfSubjectAccessReview": self._self_access,
            "SubjectAccessReview": self._access,
            "LocalSubjectAccessReview": self._local_access,
            "SelfSubjectRulesReview": self._rules,
            "TokenReview": self._token,
            "SelfSubjectReview": self._self,
        }

    def answer(self, call: Call, body: Body, user: User) -> Json:
        """Return the review with its status. Raises StatusError."""
        review = self._registry.decode(call, body)
        self._registry.check_namespace(call, review)
        status = self._answers[call.resource.kind](review, user)
        return record_update(call.resource, None, review, call.options.manager, "") | {"status": status}

    def _self_access(self, review: Json, user: User) -> Json:
        return self._decide(review["spec"], user)

    def _local_access(self, review: Json, user: User) -> Json:
        spec = review["spec"]
        attributes = spec.get("resourceAttributes")
        namespace = (attributes or {}).get("namespace", "")
        causes = _access_causes(spec)
        if attributes is not None and namespace != review["metadata"].get("namespace", ""):
            causes.append(invalid("spec.resourceAttributes.namespace", namespace, "must match metadata.namespace"))
        if (path := spec.get("nonResourceAttributes")) is not None:
            causes.append(invalid("spec.nonResourceAttributes", _as_struct(path), "disallowed on this kind of request"))
        if causes:
            raise _refused("authorization.k8s.io", causes)
        return self._access(review, user)

    def _access(self, review: Json, user: User) -> Json:  # noqa: ARG002 - one signature for all kinds
        spec = review["spec"]
        if causes := _access_causes(spec):
            raise _refused("authorization.k8s.io", causes)
        return self._decide(spec, User(spec.get("user", ""), tuple(spec.get("groups") or ())))

    def _decide(self, spec: Json, user: User) -> Json:
        causes = _attribute_causes(spec)
        if causes:
            raise _refused("authorization.k8s.io", causes)
        allowed, reason = self._authorizer.allows(user, _request(spec))
        return {"allowed": allowed, "reason": reason} if reason else {"allowed": allowed}

    def _rules(self, review: Json, user: User) -> Json:
        resource, paths = self._authorizer.rules(user, review["spec"].get("namespace", ""))
        return {"resourceRules": resource, "nonResourceRules": paths, "incomplete": False}

    def _token(self, review: Json, user: User) -> Json:  # noqa: ARG002 - one signature for all kinds
        token = review["spec"].get("token")
        if not token:
            raise errors.bad_request("token is required for TokenReview in authentication")
        owner = self._authorizer.user_of(token)
        if owner is None:
            return {"user": {}, "error": "invalid bearer token"}
        audiences = review["spec"].get("audiences") or [AUDIENCE]
        return {"authenticated": True, "user": owner.as_info(), "audiences": audiences}

    def _self(self, review: Json, user: User) -> Json:  # noqa: ARG002 - one signature for all kinds
        return {"userInfo": user.as_info()}


AUDIENCE: Final = "https://kubernetes.default.svc"


def _attribute_causes(spec: Json) -> list[Cause]:
    resource, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    rule = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
    if resource is None and path is None:
        return [invalid("spec.resourceAttributes" if imitated() < V1_37 else "spec", None, rule)]
    if resource is not None and path is not None:
        if imitated() >= V1_37:
            return [invalid("spec", _as_struct(path), rule)]
        why = "cannot be specified in combination with resourceAttributes"
        return [invalid("spec.nonResourceAttributes", _as_struct(path), why)]
    return []


def _access_causes(spec: Json) -> list[Cause]:
    causes = _attribute_causes(spec)
    if not spec.get("user") and not spec.get("groups"):
        causes.append(invalid("spec.user", "", "at least one of user or group must be specified"))
    return causes


def _as_struct(path: Json) -> Json:
    """Return the attributes as the server prints its own type, which has no names of JSON."""
    return {"Path": path.get("path", ""), "Verb": path.get("verb", "")}


def _refused(group: str, causes: list[Cause]) -> errors.StatusError:
    """Return the error, without a kind in its message, as in the API server."""
    return errors.invalid(group, "", "", causes)


def _request(spec: Json) -> Request:
    attributes = spec.get("resourceAttributes")
    if attributes is None:
        path = spec["nonResourceAttributes"]
        return Request(path.get("verb", ""), path=path.get("path", ""))
    return Request(
        attributes.get("verb", ""),
        attributes.get("group", ""),
        attributes.get("resource", ""),
        attributes.get("subresource", ""),
        attributes.get("namespace", ""),
        attributes.get("name", ""),
    )

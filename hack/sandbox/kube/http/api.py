"""Answers requests: maps a path to a resource, and a method to a verb.

Source: k8s.io/apiserver pkg/endpoints/request/requestinfo.go and pkg/endpoints/installer.go.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from hack.sandbox.kube.auth.authorization import ADMIN, Authorizer, User
from hack.sandbox.kube.auth.authorization import Request as AccessRequest
from hack.sandbox.kube.auth.reviews import Reviews
from hack.sandbox.kube.auth.tokens import request_token
from hack.sandbox.kube.builtin.schemas import schema_of
from hack.sandbox.kube.crd import scale
from hack.sandbox.kube.http import discovery
from hack.sandbox.kube.http.documents import Documents
from hack.sandbox.kube.http.messages import PLAIN, Request, Response
from hack.sandbox.kube.resources.catalog import Catalog
from hack.sandbox.kube.resources.resource import Resource, Subresource
from hack.sandbox.kube.resources.table import check_include, partial, table
from hack.sandbox.kube.store.storage import Entry
from hack.sandbox.kube.verbs import deletion, patching
from hack.sandbox.kube.verbs.calls import Body, Call, Page
from hack.sandbox.kube.verbs.registry import Registry, type_meta_problem
from hack.sandbox.kube.verbs.watch import Watch
from hack.sandbox.kube.wire import errors, typed
from hack.sandbox.kube.wire.codec import dump_json
from hack.sandbox.kube.wire.errors import NoRouteError, StatusError
from hack.sandbox.kube.wire.negotiation import JSON, STREAMED, Form, negotiate
from hack.sandbox.kube.wire.options import WriteOptions, delete_options, list_options, wants_watch, write_options
from hack.sandbox.kube.wire.release import imitated
from hack.sandbox.kube.wire.selectors import parse_field_selector

Json = dict[str, Any]

_HEALTH: Final = ("/healthz", "/livez", "/readyz")
_HEALTH_CHECKS: Final = {*_HEALTH, *(f"{path}/{check}" for path in _HEALTH for check in ("etcd", "log", "ping"))}
_OPTIONS_OF: Final = {"POST": "CreateOptions", "PUT": "UpdateOptions", "PATCH": "PatchOptions"}
_DELETE_OPTIONS: Final = "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions"
_VERBS: Final = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete", "GET": "get", "HEAD": "get"}


@dataclass(frozen=True, slots=True)
class Target:
    """The target of a resource path."""

    group: str
    version: str
    plural: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    watch: bool = False
    is_deeper: bool = False
    """Whether the path continues below the subresource."""


def parse_path(path: str) -> Target | None:
    """Return the target of `/api/v1/…` and `/apis/GROUP/VERSION/…`, or None if the path names no resource."""
    match path.strip("/").split("/"):
        case ["api", version, *rest] if rest:
            group = ""
        case ["apis", group, version, *rest] if rest:
            pass
        case _:
            return None
    watch = rest[0] == "watch" and len(rest) > 1
    if watch:
        rest = rest[1:]
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2 and rest[2] not in ("status", "finalize"):
        namespace, rest = rest[1], rest[2:]
    plural, name, subresource = [*rest, "", ""][:3]
    return Target(group, version, plural, namespace, name, subresource, watch, is_deeper=len(rest) > 3)


class Api:
    """Answers requests from the registry and the catalog."""

    def __init__(self, registry: Registry, catalog: Catalog, authorizer: Authorizer):
        self._registry = registry
        self._catalog = catalog
        self._authorizer = authorizer
        self._reviews = Reviews(registry, authorizer)
        self._documents = Documents(catalog)

    def respond(self, request: Request) -> Response | Watch:
        """Answer a request. Raises StatusError, NoRouteError."""
        request.user = self._authenticate(request)
        target = parse_path(request.path)
        if target is None:
            self._authorize(request, AccessRequest(_VERBS.get(request.method, "get").lower(), path=request.path))
            return self._document(request)
        return self._resource(request, target)

    # -- users ------------------------------------------------------------------

    def _authenticate(self, request: Request) -> User:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            return ADMIN
        user = self._authorizer.user_of(token.strip())
        if user is None and self._authorizer.enforced:
            raise StatusError(401, "Unauthorized", "Unauthorized")
        return user or ADMIN

    def _authorize(self, request: Request, wanted: AccessRequest) -> None:
        allowed, reason = self._authorizer.allows(request.user, wanted)
        if allowed:
            return
        because = f": {reason}" if reason else ""
        who = f'User "{request.user.name}" cannot {wanted.verb}'
        if wanted.path:
            raise StatusError(403, "Forbidden", f'forbidden: {who} path "{wanted.path}"{because}', {})
        resource = f"{wanted.resource}/{wanted.subresource}" if wanted.subresource else wanted.resource
        where = f'in the namespace "{wanted.namespace}"' if wanted.namespace else "at the cluster scope"
        why = f'{who} resource "{resource}" in API group "{wanted.group}" {where}{because}'
        raise errors.forbidden(wanted.group, wanted.resource, wanted.name, why)

    # -- documents --------------------------------------------------------------

    def _document(self, request: Request) -> Response:
        """Return a document other than a resource: health, version, discovery, OpenAPI."""
        path = request.path.rstrip("/") or "/"
        if path in _HEALTH_CHECKS:
            return Response(200, b"ok", PLAIN)
        if path == "/version":
            return Response(200, imitated().document())
        if path.startswith("/openapi/"):
            return self._documents.openapi(path, request.accept)
        if path in ("/api", "/apis") and discovery.wants_aggregated(request.accept):
            return Response(200, discovery.aggregated(self._catalog, core=path == "/api"), discovery.AGGREGATED)
        body: Json | None = None
        match path.strip("/").split("/"):
            case [""]:
                body = {"paths": self._paths()}
            case ["api"]:
                body = discovery.api_versions()
            case ["apis"]:
                body = discovery.group_list(self._catalog)
            case ["api", version]:
                body = discovery.resource_list(self._catalog, "", version)
                if body is None:
                    raise errors.no_such_resource()
            case ["apis", group]:
                body = discovery.group(self._catalog, group)
            case ["apis", group, version]:
                body = discovery.resource_list(self._catalog, group, version)
                if body is None and group in self._catalog.builtin_groups:
                    raise errors.no_such_resource()
        if body is None:
            raise NoRouteError
        return Response(200, body)

    def _paths(self) -> list[str]:
        groups = self._catalog.groups()
        versions = [f"/apis/{group}/{version}" for group, found in groups.items() for version in found]
        return sorted(["/api", "/api/v1", "/apis", *(f"/apis/{g}" for g in groups), *versions, *_HEALTH, "/version"])

    # -- resources --------------------------------------------------------------

    def _resource(self, request: Request, target: Target) -> Response | Watch:
        resource = self._catalog.find(target.group, target.version, target.plural)
        if resource is None or (target.namespace and not resource.namespaced):
            raise self._absent(target.group)
        if resource.deprecation:
            request.warnings.append(resource.deprecation)
        if resource.builtin and target.is_deeper:
            raise errors.no_such_resource()
        verb = self._verb(request, target, resource)
        name, namespace = target.name, target.namespace
        group, plural, subresource = resource.group, resource.plural, target.subresource
        # A namespace counts as part of itself, so that a Role there can allow reading it (apiserver requestinfo.go).
        scope = name if plural == "namespaces" and not group else namespace
        asked = name or (_selected_name(request) if verb in ("list", "watch") else "")
        self._authorize(request, AccessRequest(verb, group, plural, subresource, scope, asked))
        if resource.namespaced and not namespace and (name or verb not in ("list", "watch")):
            # For instance, reviews of a namespace can only be created there.
            raise self._no_such_method(resource, has_path=not name)
        if verb in ("list", "watch"):
            return self._read_many(request, target, resource, watch=verb == "watch")
        call = Call(resource, namespace, name, subresource, warnings=request.warnings)
        if subresource:
            return self._subresource(request, call, verb)
        if verb == "get":
            self._form(request)
            entry = self._registry.get(call, (request.query.get("resourceVersion") or [""])[0])
            return self._one(request, resource, self._registry.served(resource, entry), entry)
        if verb == "deletecollection":
            return self._delete_many(request, call)
        if verb == "delete":
            return self._delete(request, call)
        return self._write(request, call, verb)

    def _verb(self, request: Request, target: Target, resource: Resource) -> str:
        verb = _VERBS.get(request.method, "")
        if not target.name and verb == "get":
            verb = "watch" if target.watch or wants_watch(request.query) else "list"
        elif not target.name and verb == "delete":
            verb = "deletecollection"
        elif target.watch:
            verb = "watch"
        if request.method == "HEAD" and resource.builtin:
            raise errors.method_not_allowed()
        known = verb in resource.verbs if not target.subresource else True
        needs_name = verb in ("update", "patch") and not target.name
        if needs_name and not resource.builtin:
            if resource.namespaced and not target.namespace:
                raise NoRouteError
            if verb == "patch":
                self._check_patch_type(request, resource)
            raise errors.bad_request("name must be provided")
        named_create = verb == "create" and target.name and not target.subresource and resource.builtin
        if not known or needs_name or named_create:
            raise self._wrong_method(resource, verb)
        return verb

    @staticmethod
    def _wrong_method(resource: Resource, verb: str) -> StatusError:
        if resource.builtin:
            return errors.method_not_allowed()
        return errors.method_not_supported(resource.group, resource.plural, verb)

    def _absent(self, group: str) -> Exception:
        return errors.no_such_resource() if group in self._catalog.builtin_groups else NoRouteError()

    @staticmethod
    def _no_such_method(resource: Resource, *, has_path: bool) -> Exception:
        if not resource.builtin:
            return NoRouteError()
        return errors.method_not_allowed() if has_path else errors.no_such_resource()

    # -- reading ----------------------------------------------------------------

    def _form(self, request: Request) -> tuple[Form, str]:
        form = negotiate(request.accept)
        include = (request.query.get("includeObject") or [""])[0]
        if form.target == "Table":
            check_include(include)
        return form, include

    def _read_many(self, request: Request, target: Target, resource: Resource, *, watch: bool) -> Response | Watch:
        form, include = self._form(request)
        options = list_options({**request.query, "watch": ["true"]} if watch else request.query)
        if watch:
            if form.media_type != JSON:
                raise errors.not_acceptable(STREAMED)
            current = self._catalog.is_current
            return Watch(self._registry, resource, target.namespace, options, form, include, current, target.name)
        return self._page(resource, self._registry.list_page(resource, target.namespace, options), form, include)

    def _page(self, resource: Resource, page: Page, form: Form, include: str = "") -> Response:
        meta: Json = {"resourceVersion": str(page.revision)}
        if page.token:
            meta["continue"] = page.token
        if page.remaining:
            meta["remainingItemCount"] = page.remaining
        if form.target == "Table":
            objects = (self._registry.served(resource, entry) for entry in page.entries)
            body = table(resource, objects, meta, include=include, version=form.version)
            return Response(200, body, form.media_type)
        if form.target == "PartialObjectMetadata":
            why = f"you requested PartialObjectMetadata, but the requested object is a list ({_go_type(resource)}List)"
            raise StatusError(406, "NotAcceptable", why)
        if form.target:
            items = [partial(self._registry.served(resource, e), form.version) for e in page.entries]
            kind, version = "PartialObjectMetadataList", f"meta.k8s.io/{form.version}"
            return Response(
                200, {"kind": kind, "apiVersion": version, "metadata": meta, "items": items}, form.media_type
            )
        head: Json = {"kind": resource.list_kind, "apiVersion": resource.api_version}
        if not resource.strategy.typed:
            meta.setdefault("continue", "")
        if form.media_type != JSON:
            listed = [_item(resource, self._registry.served(resource, entry)) for entry in page.entries]
            return Response(200, {**head, "metadata": meta, "items": listed}, form.media_type)
        encode = self._registry.encode_item if resource.strategy.typed else self._registry.encode
        parts = b",".join(encode(resource, entry) for entry in page.entries)
        start = dump_json({**head, "metadata": meta})[:-1]
        return Response(200, b'%s,"items":[%s]}' % (start, parts), form.media_type)

    def _one(
        self, request: Request, resource: Resource, obj: Json, entry: Entry | None = None, status: int = 200
    ) -> Response:
        """Return one served object in the form that the client accepts."""
        form, include = self._form(request)
        if form.target == "Table":
            meta = {"resourceVersion": obj["metadata"].get("resourceVersion", "")}
            return Response(
                status, table(resource, [obj], meta, include=include, version=form.version), form.media_type
            )
        if form.target == "PartialObjectMetadata":
            return Response(status, partial(obj, form.version), form.media_type)
        if form.target:
            raise errors.internal("content is not a list")
        if entry is not None and form.media_type == JSON:
            return Response(status, self._registry.encode(resource, entry), JSON)
        return Response(status, obj, form.media_type)

    # -- writing ----------------------------------------------------------------

    def _write(self, request: Request, call: Call, verb: str) -> Response:
        negotiate(request.accept)
        if verb == "create" and call.resource.verbs == ("create",):
            call.options = self._write_options(request)
            return Response(201, self._reviews.answer(call, request.body(), request.user))
        if verb == "patch":
            return self._patch(request, call)
        body = request.body()
        call.options = self._write_options(request)
        if verb == "create":
            self._refuse_orphans_of_crd(call, body)
            return self._one(request, call.resource, self._registry.create(call, body), status=201)
        obj, created = self._registry.update(call, body)
        return self._one(request, call.resource, obj, status=201 if created else 200)

    def _refuse_orphans_of_crd(self, call: Call, body: Body) -> None:
        """Refuse new objects of a CRD that is being deleted."""
        if call.resource.builtin:
            return
        crd = self._registry.storage.get(deletion.CRDS, f"{call.resource.plural}.{call.resource.group}")
        if crd is not None and "deletionTimestamp" in crd.obj["metadata"]:
            value = body.value if isinstance(body.value, dict) else {}
            name = (value.get("metadata") or {}).get("name", "")
            why = "create not allowed while custom resource definition is terminating"
            raise errors.forbidden(call.resource.group, call.resource.plural, name, why)

    def _write_options(self, request: Request) -> WriteOptions:
        kind = _OPTIONS_OF[request.method]
        return write_options(request.query, request.user_agent, kind, patch_type=request.content_type)

    def _patch(self, request: Request, call: Call) -> Response:
        self._check_patch_type(request, call.resource)
        call.options = self._write_options(request)
        obj, created = patching.patch(self._registry, call, request.content_type, request.body())
        return self._one(request, call.resource, obj, status=201 if created else 200)

    @staticmethod
    def _check_patch_type(request: Request, resource: Resource) -> None:
        accepted: Sequence[str] = resource.strategy.patch_types
        if request.content_type not in accepted:
            if resource.builtin:
                raise StatusError(415, "UnsupportedMediaType", "415: Unsupported Media Type", {})
            raise errors.unsupported_media_type(accepted)

    def _subresource(self, request: Request, call: Call, verb: str) -> Response:
        endpoint: Subresource | None = call.resource.subresource(call.subresource)
        if endpoint is None:
            raise errors.no_such_resource() if call.resource.builtin else call.missing()
        if verb not in endpoint.verbs:
            raise self._wrong_method(call.resource, verb)
        if endpoint.name == "token":
            return Response(201, request_token(self._registry, self._authorizer, call, request.body()))
        if endpoint.name == "scale":
            return Response(200, self._scale(request, call, verb))
        if verb == "get":
            entry = self._registry.get(call)
            return self._one(request, call.resource, self._registry.served(call.resource, entry), entry)
        return self._write(request, call, verb)

    def _scale(self, request: Request, call: Call, verb: str) -> Json:
        if verb == "get":
            return scale.read(self._registry, call)
        if verb == "patch":
            self._check_patch_type(request, call.resource)
        call.options = self._write_options(request)
        if verb == "patch":
            return scale.patch(self._registry, call, request.content_type, request.body())
        return scale.replace(self._registry, call, request.body())

    # -- deleting ---------------------------------------------------------------

    def _delete(self, request: Request, call: Call) -> Response:
        form, _ = self._form(request)
        status, body = deletion.delete(self._registry, call, delete_options(request.query, _options_body(request)))
        if body.get("kind") == "Status":
            return Response(status, body, form.media_type)
        return self._one(request, call.resource, body, status=status)

    def _delete_many(self, request: Request, call: Call) -> Response:
        form, include = self._form(request)
        options = delete_options(request.query, _options_body(request))
        page = deletion.delete_collection(self._registry, call, list_options(request.query), options)
        return self._page(call.resource, page, form, include)


def _go_type(resource: Resource) -> str:
    """Return the Go type for messages."""
    if resource.strategy.typed:
        return f"*{resource.group.partition('.')[0] or 'core'}.{resource.kind}"
    return "*unstructured.Unstructured"


def _item(resource: Resource, obj: Json) -> Json:
    if not resource.strategy.typed:
        return obj
    return {k: v for k, v in obj.items() if k not in ("kind", "apiVersion")}


def _options_body(request: Request) -> Json | None:
    """Return the DeleteOptions of a request, if it has a body. Raises 400."""
    if not request.data:
        return None
    body = request.body()
    if why := body.error or type_meta_problem(body.value):
        raise errors.bad_request(f"couldn't get version/kind; json parse error: {why}")
    value: Json = body.value or {}
    kind = value.get("kind", "DeleteOptions")
    version = value.get("apiVersion", "v1")
    if kind != "DeleteOptions":
        scheme = "k8s.io/apimachinery/pkg/apis/meta/internalversion/scheme/register.go:29"
        raise errors.bad_request(f'no kind "{kind}" is registered for version "{version}" in scheme "{scheme}"')
    try:
        decoded, _ = typed.decode(schema_of(_DELETE_OPTIONS), {"kind": kind, "apiVersion": version, **value})
    except typed.DecodeError as exc:
        raise errors.bad_request(str(exc)) from exc
    options: Json = decoded
    return options


def _selected_name(request: Request) -> str:
    """Return the only object that a list or watch selects, so that a rule with `resourceNames` can allow it.

    Source: apiserver requestinfo.go. An invalid selector is refused later, with the right message.
    """
    try:
        selector = parse_field_selector((request.query.get("fieldSelector") or [""])[0], str)
    except StatusError:
        return ""
    return selector.exact("metadata.name") or ""

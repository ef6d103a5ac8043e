"""The route `/metrics` of the front end: reviews the caller, then passes the request to the manager on loopback."""

import http.client
import urllib.error
import urllib.request
from http import HTTPStatus
from typing import Final

import structlog

from controller.kube.errors import ApiError
from controller.metricsproxy.reviews import PATH, Review, Verdict
from controller.observability.server import Answer, Query, Route

log = structlog.get_logger(__name__)

_UPSTREAM_TIMEOUT_S: Final = 20.0
_TOKEN_LIMIT: Final = 16_384
_MESSAGES: Final = {
    Verdict.UNKNOWN: "a bearer token that the API server accepts is needed\n",
    Verdict.DENIED: f"this user may not `get` the path {PATH}; bind it to the role metrics-reader\n",
}
_ASKED_FOR: Final = ("Accept", "Accept-Encoding")
"""Headers that are passed on: the manager chooses the format and compresses, once."""
_PASSED_BACK: Final = ("Content-Encoding",)


def metrics_routes(review: Review, upstream: str) -> dict[str, Route]:
    """Return the route of the metrics at the URL `upstream`, for callers that pass the review."""

    def metrics(query: Query) -> Answer:
        token = _bearer(query.headers.get("Authorization", ""))
        try:
            verdict = review.judge(token) if token else Verdict.UNKNOWN
        except ApiError as exc:
            log.warning("caller could not be judged", error=str(exc))
            return _said(HTTPStatus.SERVICE_UNAVAILABLE, "the API server could not be asked who you are\n")
        if verdict is Verdict.ALLOWED:
            return _passed_on(query, upstream)
        challenge = (("WWW-Authenticate", "Bearer"),) if verdict is Verdict.UNKNOWN else ()
        return Answer(_MESSAGES[verdict].encode(), HTTPStatus(verdict.value), headers=challenge)

    return {PATH: metrics}


def _passed_on(query: Query, upstream: str) -> Answer:
    url = f"{upstream}?{query.text}" if query.text else upstream
    headers = {name: query.headers[name] for name in _ASKED_FOR if name in query.headers}
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 (checked at start)
    try:
        with urllib.request.urlopen(request, timeout=_UPSTREAM_TIMEOUT_S) as answer:  # noqa: S310
            back = tuple((name, answer.headers[name]) for name in _PASSED_BACK if name in answer.headers)
            content_type = answer.headers.get("Content-Type", "text/plain")
            return Answer(answer.read(), HTTPStatus(answer.status), content_type, back)
    except urllib.error.HTTPError as refused:
        with refused:
            return _said(HTTPStatus.BAD_GATEWAY, f"the manager answered {refused.code}\n")
    except (http.client.InvalidURL, ValueError):
        return _said(HTTPStatus.BAD_REQUEST, "the query or a header has characters that cannot be passed on\n")
    except (OSError, http.client.HTTPException) as exc:  # not reachable, gone in the middle, or no HTTP
        log.warning("manager's metrics are not reachable", error=str(exc))
        return _said(HTTPStatus.BAD_GATEWAY, "the manager's metrics are not reachable\n")


def _said(status: HTTPStatus, text: str) -> Answer:
    return Answer(text.encode(), status)


def _bearer(header: str) -> str:
    """Return the token of an Authorization header, empty if it has none."""
    scheme, _, token = header.partition(" ")
    token = token.strip()
    is_plausible = scheme.lower() == "bearer" and len(token) <= _TOKEN_LIMIT and token.isascii() and token.isprintable()
    return token if is_plausible and " " not in token else ""

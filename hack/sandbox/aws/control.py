"""The sandbox's own endpoints under /sandbox/: faults, request counts, clock, and how hostile the account is.

GET    /sandbox/health     {"status": "ok"}
GET    /sandbox/faults     the orders in force       POST: add one (fields of `Fault`)     DELETE: withdraw all
GET    /sandbox/requests   counts by operation       DELETE: count from zero
GET    /sandbox/effects    what changed, in order: operation, name, region, tags
GET    /sandbox/clock      {"now": epoch seconds}    POST {"advance_s": n}: move time forward
POST   /sandbox/quota      {"calls_per_second": n, "operations": "List*"}   0 lifts it; without pattern: all reads
POST   /sandbox/lists      {"lag_s": n, "late": ["Endpoint"], "jitter_s": n, "token_life_s": n, "longest_page": n,
                           "ignored": ["StatusEquals"]}: show changes late, some Lists later than others, expire page
                           tokens, cut pages, ignore filters
POST   /sandbox/past       {"count": n}: finished jobs of each kind that the account has had; more are added to them
POST   /sandbox/search     {"lag_s": n, "gap": n}    how late Search shows changes, which share it never shows
POST   /sandbox/roles      {"lag_s": n}: refuse what is created with a role that was first named less long ago
POST   /sandbox/takeovers  {"resource": "Model", "name": "n", "region": "r"}: others delete it, and create their own
POST   /sandbox/events     {"lag_s": n, "repeats": n, "lost": n, "is_reversed": true}: send state changes late, more
                           than once, not at all, in the opposite order
POST   /sandbox/reset      forget everything
"""

import json
from dataclasses import asdict
from typing import Any

from hack.sandbox.aws.records.search import Flaws
from hack.sandbox.aws.service import AwsService
from hack.sandbox.aws.state_changes import EventFlaws
from hack.sandbox.aws.wire import ApiError, HttpRequest, HttpResponse

PREFIX = "/sandbox/"


def answer(service: AwsService, request: HttpRequest) -> HttpResponse:
    """Answer a control request; 400 explains an invalid one, 404 means an unknown endpoint."""
    try:
        body = json.loads(request.body or b"{}")
        if not isinstance(body, dict):
            return _json({"error": "a JSON object is expected"}, 400)
        return _routed(service, f"{request.method} {request.path.removeprefix(PREFIX)}", body)
    except (ValueError, TypeError, KeyError, ApiError) as exc:
        return _json({"error": str(exc)}, 400)


def _routed(service: AwsService, route: str, body: dict[str, Any]) -> HttpResponse:
    match route:
        case "GET health":
            return _json({"status": "ok"})
        case "GET faults":
            return _json({"faults": service.faults.pending()})
        case "POST faults":
            service.faults.add(**body)
            return _json({"faults": service.faults.pending()}, 201)
        case "DELETE faults":
            service.faults.clear()
            return _json({"faults": []})
        case "GET requests":
            return _json(service.requests.report())
        case "DELETE requests":
            service.requests.reset()
            return _json(service.requests.report())
        case "GET effects":
            return _json({"effects": [asdict(each) for each in service.effects.all()]})
        case "GET clock":
            return _json({"now": service.clock.now()})
        case "POST clock":
            return _json({"now": service.clock.advance(float(body["advance_s"]))})
        case "POST quota":
            service.quota.set(**body)
            return _json(body)
        case "POST search":
            service.search.flaws = Flaws(**body)
            return _json(asdict(service.search.flaws))
        case "POST lists":
            return _json(service.lists.set(**body))
        case "POST past":
            service.past.add(**({"until": service.clock.now()} | body))
            return _json(body, 201)
        case "POST roles":
            return _json(service.roles.set(**body))
        case "POST takeovers":
            return _json(service.take_over(**body), 201)
        case "POST events":
            service.publisher.flaws = EventFlaws(**body)
            return _json(asdict(service.publisher.flaws))
        case "POST reset":
            service.reset()
            return _json({"status": "ok"})
        case _:
            return _json({"error": f"no such endpoint: {route}"}, 404)


def _json(value: Any, status: int = 200) -> HttpResponse:
    return HttpResponse(status, json.dumps(value).encode(), (("Content-Type", "application/json"),))

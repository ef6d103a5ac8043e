#!/bin/sh
# kr8s 0.20.15: `wait` raises at once, instead of waiting, while what it waits for is absent.
#
# A new object has no status until its controller writes one. `wait("condition=Ready")` after `create()` raises KeyError then;
# with any other status it waits. A wait for a JSONPath raises ValueError as long as the path leads nowhere. `kubectl wait`
# waits in all of these cases.
#
# Source: kr8s/_objects.py, _test_conditions; kr8s's documentation of wait ("Wait for conditions to be met", and pod.wait of a
# new Pod, to which the API server gives a status); kubectl's reference of `wait`.
# Here: the CRDs give every new object a status, and docs/status.md waits for conditions first.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
install() {
  if command -v uv >/dev/null; then
    uv pip install --quiet --python "$dir/venv/bin/python" "$@"
  else
    "$dir/venv/bin/pip" install --quiet --disable-pip-version-check "$@"
  fi
}
install kr8s==0.20.15
"$dir/venv/bin/python" - <<'PYTHON'
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version

import kr8s
from kr8s.objects import new_class

NEW = {
    "apiVersion": "example.com/v1",
    "kind": "Thing",
    "metadata": {"name": "a", "namespace": "default", "resourceVersion": "1"},
}
WITH_OTHER_STATUS = NEW | {"status": {"observedGeneration": 1}}
WELL = NEW | {"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}}
GROUP = {"groupVersion": "example.com/v1", "version": "v1"}
THINGS = {"name": "things", "singularName": "thing", "kind": "Thing", "namespaced": True, "verbs": ["get", "list", "watch"]}
DISCOVERY = {
    "/version": {"major": "1", "minor": "35", "gitVersion": "v1.35.0"},
    "/api": {"versions": ["v1"]},
    "/api/v1": {"groupVersion": "v1", "resources": []},
    "/apis": {"groups": [{"name": "example.com", "versions": [GROUP], "preferredVersion": GROUP}]},
    "/apis/example.com/v1": {"groupVersion": "example.com/v1", "resources": [THINGS]},
}


class ApiServer(BaseHTTPRequestHandler):
    """Has one object; a watch of it says that all is well with it now."""

    protocol_version = "HTTP/1.1"
    thing = NEW

    def do_GET(self):
        path = self.path.partition("?")[0].rstrip("/")
        answer = DISCOVERY.get(path) or {"metadata": {}, "items": [self.thing]}
        if path.endswith("/things/a"):
            answer = self.thing
        if "watch=true" in self.path.lower():
            answer = {"type": "MODIFIED", "object": WELL}
        body = json.dumps(answer).encode() + b"\n"
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


def outcome(thing: dict[str, object], condition: str) -> str:
    ApiServer.thing = thing
    try:
        Thing(json.loads(json.dumps(thing)), api=api).wait(condition, timeout=20)
    except (KeyError, ValueError, TimeoutError) as error:
        return f"raises {'KeyError' if isinstance(error, KeyError) else type(error).__name__}"
    return "waits"


server = ThreadingHTTPServer(("127.0.0.1", 0), ApiServer)
threading.Thread(target=server.serve_forever, daemon=True).start()
Thing = new_class(kind="Thing", version="example.com/v1", namespaced=True)
api = kr8s.api(url=f"http://127.0.0.1:{server.server_port}")
print("kr8s", version("kr8s"))
seen = {}
for status, thing in {"no status": NEW, "another status": WITH_OTHER_STATUS}.items():
    for condition in ("condition=Ready", "jsonpath='{.status.phase}'=Running"):
        seen[status, condition] = outcome(thing, condition)
        print(f"{condition} with {status}: {seen[status, condition]}")
server.shutdown()
expected = ["raises KeyError", "raises ValueError", "waits", "raises ValueError"]
sys.exit(0 if list(seen.values()) == expected else 1)
PYTHON

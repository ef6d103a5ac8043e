#!/bin/sh
# kubernetes (Python client) 37.0.1: a JSON Patch of a custom object is sent as a merge patch.
#
# A list as the body of `patch_namespaced_config_map` goes out as application/json-patch+json. The same list, to
# `patch_namespaced_custom_object`, goes out as application/merge-patch+json, which the API server refuses, or takes for something
# else; `_content_type=` has to be given. The same was seen with 30.1.0, 33.1.0 and 35.0.0.
#
# Source: kubernetes/client/api/custom_objects_api.py and core_v1_api.py (the lists of content types), api_client.py
# (select_header_content_type).
# Here: requests are made without the generated APIs, and name their content type.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check kubernetes==37.0.1
"$dir/venv/bin/python" - <<'PYTHON'
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import kubernetes
from kubernetes import client

PATCH = [{"op": "replace", "path": "/data/a", "value": "1"}]
types = []


class ApiServer(BaseHTTPRequestHandler):
    def do_PATCH(self):
        types.append(self.headers["Content-Type"])
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *arguments):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), ApiServer)
threading.Thread(target=server.serve_forever, daemon=True).start()
configuration = client.Configuration()
configuration.host = f"http://127.0.0.1:{server.server_port}"
api = client.ApiClient(configuration)
client.CoreV1Api(api).patch_namespaced_config_map("name", "default", PATCH)
client.CustomObjectsApi(api).patch_namespaced_custom_object("example.com", "v1", "default", "things", "name", PATCH)
server.shutdown()
print("kubernetes", kubernetes.__version__)
print(f"a list as patch of a ConfigMap: {types[0]}; of a custom object: {types[1]}")
sys.exit(0 if types == ["application/json-patch+json", "application/merge-patch+json"] else 1)
PYTHON

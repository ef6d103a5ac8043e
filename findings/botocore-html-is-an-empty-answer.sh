#!/bin/sh
# botocore 1.44.8: an HTML page with status 200 is a successful, empty answer.
#
# For services with the JSON protocol (SageMaker, ECS, DynamoDB ...), a body that is no JSON is no error: a proxy's login page
# or a captive portal reads as a List without items, or a Create without an ARN. Nothing is raised.
#
# Source: botocore/parsers.py, BaseJSONParser._parse_body_as_json ("if the body cannot be parsed, include the literal
# string as the message").
# Here: an answer counts only with the members that it must have, and anything raised after sending is ambiguous.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check boto3==1.44.8 botocore==1.44.8
"$dir/venv/bin/python" - <<'PYTHON'
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
import botocore
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

BODIES = {"HTML": b"<html><body>Please log in</body></html>", "text": b"ok"}


class Proxy(BaseHTTPRequestHandler):
    body = b""

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *arguments):
        pass


def call(url, operation, **request):
    client = boto3.client(
        "sagemaker",
        region_name="us-east-2",
        endpoint_url=url,
        aws_access_key_id="fake",
        aws_secret_access_key="fake",
        config=Config(retries={"total_max_attempts": 1}),
    )
    try:
        answer = getattr(client, operation)(**request)
    except (ClientError, BotoCoreError) as error:
        return f"an error of botocore's: {error}"
    answer.pop("ResponseMetadata")
    return f"success: {answer}"


server = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}"
print("botocore", botocore.__version__)
seen = {}
for name, body in BODIES.items():
    Proxy.body = body
    seen[name] = (
        call(url, "list_training_jobs"),
        call(url, "create_endpoint", EndpointName="e", EndpointConfigName="c"),
    )
    print(f"{name} with status 200: ListTrainingJobs {seen[name][0]}; CreateEndpoint {seen[name][1]}")
server.shutdown()
is_as_described = seen["HTML"] == seen["text"] == ("success: {}", "success: {}")
sys.exit(0 if is_as_described else 1)
PYTHON

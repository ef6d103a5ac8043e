#!/bin/sh
# botocore 1.44.8: `Retry-After` is ignored in all three retry modes.
#
# A 429 with `Retry-After: 20` is retried after its own back-off of at most some seconds, in the modes legacy, standard and adaptive
# alike. The header is in the error's ResponseMetadata for callers that want to honour it.
#
# Source: botocore/retries/standard.py (ExponentialBackoff), botocore/retryhandler.py; the AWS SDK reference guide, "Retry
# behavior", names no Retry-After for these modes.
# Here: the SDK makes one attempt, and the operator retries.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check boto3==1.44.8 botocore==1.44.8
"$dir/venv/bin/python" - <<'PYTHON'
import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
import botocore
from botocore.config import Config
from botocore.exceptions import ClientError

RETRY_AFTER_S = 20
BODY = json.dumps({"__type": "ThrottlingException", "message": "Rate exceeded"}).encode()
arrivals = []


class Throttling(BaseHTTPRequestHandler):
    def do_POST(self):
        arrivals.append(time.monotonic())
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(429)
        self.send_header("Retry-After", str(RETRY_AFTER_S))
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, *arguments):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Throttling)
threading.Thread(target=server.serve_forever, daemon=True).start()
print("botocore", botocore.__version__)
pauses = {}
for mode in ("legacy", "standard", "adaptive"):
    arrivals.clear()
    client = boto3.client(
        "sagemaker",
        region_name="us-east-2",
        endpoint_url=f"http://127.0.0.1:{server.server_port}",
        aws_access_key_id="fake",
        aws_secret_access_key="fake",
        config=Config(retries={"total_max_attempts": 2, "mode": mode}),
    )
    try:
        client.list_training_jobs()
    except ClientError as error:
        headers = error.response["ResponseMetadata"]["HTTPHeaders"]
    pauses[mode] = [later - earlier for earlier, later in zip(arrivals, arrivals[1:])]
    text = ", ".join(f"{pause:.1f} s" for pause in pauses[mode])
    print(f"{mode}: asked to wait {headers['retry-after']} s, tried again after {text}")
server.shutdown()
is_ignored = all(len(each) == 1 and each[0] < RETRY_AFTER_S / 2 for each in pauses.values())
sys.exit(0 if is_ignored else 1)
PYTHON

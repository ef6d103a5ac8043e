"""A stand-in for the operator, for tests of the command line: serves /readyz and moves statuses, without SageMaker.

Its first argument says how it behaves: `well`, `fails` (jobs end as Failed), `dies` (exit code 3 once it was ready),
`stubborn` (never ready) or `stuck` (jobs stay InProgress).
"""

import argparse
import json
import os
import sys
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import yaml

JOBS = "/apis/sagemaker.aws.amazon.com/v1/namespaces/default/trainingjobs"
END = {"well": "Completed", "fails": "Failed", "stuck": "InProgress"}


class Ready(BaseHTTPRequestHandler):
    """Answers every GET with 200."""

    def do_GET(self) -> None:
        """Say that the operator is ready."""
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def request(url: str, method: str = "GET", body: object = None) -> dict[str, list[dict[str, dict[str, str]]]]:
    """One request to the API server."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/merge-patch+json"}
    with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method), timeout=180) as answer:
        decoded: dict[str, list[dict[str, dict[str, str]]]] = json.load(answer)
        return decoded


def main() -> None:
    """Behave as asked until SIGTERM."""
    parser = argparse.ArgumentParser()
    parser.add_argument("behaviour")
    parser.add_argument("--kubeconfig", type=Path)
    parser.add_argument("--health-addr")
    known, _ = parser.parse_known_args()
    server = yaml.safe_load(known.kubeconfig.read_text())["clusters"][0]["cluster"]["server"]
    print(f"stand-in operator, {known.behaviour}, as process {os.getpid()}", flush=True)
    if known.behaviour != "stubborn":
        host, port = known.health_addr.split(":")
        health = ThreadingHTTPServer((host, int(port)), Ready)
        print(json.dumps({"event": "serving", "server": "health", "port": health.server_port}), flush=True)
        threading.Thread(target=health.serve_forever, daemon=True).start()
    while True:
        jobs = request(server + JOBS)["items"]
        if jobs and known.behaviour == "dies":
            print("the stand-in gives up", flush=True)
            sys.exit(3)
        for job in jobs:
            before = job.get("status", {}).get("trainingJobStatus")
            after = "InProgress" if before is None else END.get(known.behaviour, "InProgress")
            if before != after:
                status = {"trainingJobStatus": after, "additional": "made so" if after == "Failed" else ""}
                request(f"{server}{JOBS}/{job['metadata']['name']}/status", "PATCH", {"status": status})
        time.sleep(0.05)


if __name__ == "__main__":
    main()

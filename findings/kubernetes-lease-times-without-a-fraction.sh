#!/bin/sh
# kubernetes (Python client) 37.0.1: one in a million renewals of a Lease is sent in a form that no API server takes.
#
# `renewTime` is a MicroTime, which has exactly six digits after the point: kube-apiserver refuses any other number of them.
# The client writes a datetime by isoformat(), which leaves the fraction out when it is zero. So a time of the clock passes
# but for one in a million, and a time made in a test, or rounded to seconds, never does.
#
# Source: k8s.io/apimachinery pkg/apis/meta/v1/micro_time.go (RFC3339Micro, "2006-01-02T15:04:05.000000Z07:00");
# kubernetes/client/api_client.py, sanitize_for_serialization.
# Here: the lease's times are formatted by hand.
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
install kubernetes==37.0.1
"$dir/venv/bin/python" - <<'PYTHON'
import re
import sys
from datetime import datetime, timezone

import kubernetes
from kubernetes import client

MICRO_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[+-]\d\d:\d\d)")
TIMES = {
    "some microseconds": datetime(2026, 1, 1, 0, 0, 0, 5, tzinfo=timezone.utc),
    "no microseconds": datetime(2026, 1, 1, tzinfo=timezone.utc),
}
print("kubernetes", kubernetes.__version__)
is_micro_time = {}
for name, time in TIMES.items():
    lease = client.V1Lease(spec=client.V1LeaseSpec(renew_time=time))
    sent = client.ApiClient().sanitize_for_serialization(lease)["spec"]["renewTime"]
    is_micro_time[name] = bool(MICRO_TIME.fullmatch(sent))
    print(f"{name}: {sent}, a MicroTime: {is_micro_time[name]}")
sys.exit(0 if is_micro_time == {"some microseconds": True, "no microseconds": False} else 1)
PYTHON

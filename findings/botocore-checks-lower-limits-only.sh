#!/bin/sh
# botocore 1.44.8: its parameter validation checks types, required members and lower limits, and nothing else.
#
# The service model has `max`, `pattern` and `enum` as well, and the same validator refuses a MaxResults of 0. But 100000 where
# 100 is the most, a name that no pattern allows, and a value that is not in the list are sent. So passing the client's validation
# says little about a request.
#
# Source: botocore/validate.py, range_check.
# Here: the CRDs check what the model says, before an object is stored.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check botocore==1.44.8
"$dir/venv/bin/python" - <<'PYTHON'
import sys

import botocore
import botocore.session
from botocore.validate import ParamValidator

model = botocore.session.get_session().get_service_model("sagemaker")
CASES = {
    "below min": ("ListTrainingJobs", {"MaxResults": 0}),
    "above max": ("ListTrainingJobs", {"MaxResults": 100_000}),
    "against pattern": ("DescribeEndpoint", {"EndpointName": "-- no name! --"}),
    "longer than max": ("DescribeEndpoint", {"EndpointName": "x" * 1000}),
    "not in enum": ("ListTrainingJobs", {"SortOrder": "Sideways"}),
}
print("botocore", botocore.__version__)
refused = set()
for name, (operation, request) in CASES.items():
    report = ParamValidator().validate(request, model.operation_model(operation).input_shape)
    if report.has_errors():
        refused.add(name)
    print(f"{name}: {report.generate_report() or 'accepted'}")
sys.exit(0 if refused == {"below min"} else 1)
PYTHON

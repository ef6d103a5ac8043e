#!/bin/sh
# moto 5.2.5: `Input` and `InputPath` of an EventBridge target are accepted, shown again, and ignored.
#
# A rule that sends `$.detail` of an event, or a constant, to a queue delivers the whole event. `InputTransformer`, the
# third of the three, is applied. So code that was tested with moto reads `detail` in a message that at AWS is the detail.
#
# Source: moto/events/models.py, send_to_targets; EventBridge API reference of Target: "Input: Valid JSON text passed to the
# target. In this case, nothing from the event itself is passed to the target", "InputPath: The value of the JSONPath that is
# used for extracting part of the matched event".
# Here: the template sends whole events, and the queue's reader takes nothing else.
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
install 'moto[events,sqs]==5.2.5' boto3==1.44.8
"$dir/venv/bin/python" - <<'PYTHON'
import json
import sys

import boto3
import moto
from moto import mock_aws

KEYS = {"region_name": "us-east-2", "aws_access_key_id": "fake", "aws_secret_access_key": "fake"}
TARGETS = {
    "Input": {"Input": '{"constant": true}'},
    "InputPath": {"InputPath": "$.detail"},
    "InputTransformer": {
        "InputTransformer": {"InputPathsMap": {"s": "$.detail.status"}, "InputTemplate": '{"status": "<s>"}'}
    },
}
DETAIL = {"status": "Completed"}
AT_AWS = {"Input": {"constant": True}, "InputPath": DETAIL, "InputTransformer": DETAIL}


def delivered(name: str) -> tuple[object, bool]:
    """Return what the queue gets, and whether the target shows its setting."""
    with mock_aws():
        events, sqs = boto3.client("events", **KEYS), boto3.client("sqs", **KEYS)
        queue = sqs.create_queue(QueueName="queue")["QueueUrl"]
        events.put_rule(Name="rule", EventPattern=json.dumps({"source": ["example"]}))
        target = {"Id": "queue", "Arn": "arn:aws:sqs:us-east-2:123456789012:queue", **TARGETS[name]}
        events.put_targets(Rule="rule", Targets=[target])
        events.put_events(Entries=[{"Source": "example", "DetailType": "Change", "Detail": json.dumps(DETAIL)}])
        (shown,) = events.list_targets_by_rule(Rule="rule")["Targets"]
        (message,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    return json.loads(message["Body"]), shown.items() >= TARGETS[name].items()


print("moto", moto.__version__)
applied = {}
for name in TARGETS:
    body, is_shown = delivered(name)
    applied[name] = body == AT_AWS[name]
    print(f"{name} (shown by ListTargetsByRule: {is_shown}): the queue gets {json.dumps(body)}")
sys.exit(0 if applied == {"Input": False, "InputPath": False, "InputTransformer": True} else 1)
PYTHON

"""Executions of pipelines in a soak: what they run, and what must hold of them. A mark says whose they are."""

import json
import re
from collections import Counter
from typing import Any, Final

from hack.sandbox.aws.server import RunningServer
from hack.sandbox.samples import PIPELINE
from tests.sandbox.soak.manifests import ENDLESS, REGIONS, SHORT
from tests.sandbox.soak.scene import Scene

_MARK: Final = re.compile(r"\[Kubernetes \S+ ([0-9a-f-]{36})\]$")
_ENDS: Final = frozenset({"Succeeded", "Failed", "Stopped"})


def seed(aws: RunningServer, region: str) -> None:
    """Create the pipelines that objects name."""
    definition = json.loads(PIPELINE.read_text("utf-8"))
    aws.create_pipeline(SHORT, json.dumps(definition), region)
    training = definition["Steps"][1]["Arguments"]
    training["HyperParameters"]["SANDBOX_SECONDS"] = "86400"
    training["StoppingCondition"]["MaxRuntimeInSeconds"] = 86_400
    aws.create_pipeline(ENDLESS, json.dumps(definition), region)


def complaints(scene: Scene) -> list[str]:
    """No object has started two, and none runs of an object that is gone and does not protect it."""
    started: Counter[str] = Counter()
    found = []
    kept = scene.ledger.retained | scene.ledger.undecided
    for region in REGIONS:
        for each in _executions(scene, region):
            mark = _MARK.search(each["PipelineExecutionDescription"])
            arn, state = each["PipelineExecutionArn"], each["PipelineExecutionStatus"]
            if mark is None:
                found.append(f"{arn} has no mark")
                continue
            started[mark[1]] += 1
            if state not in _ENDS and mark[1] not in kept:
                found.append(f"{arn} of {mark[1]} is left ({state})\n{scene.ledger.story(mark[1])}")
    return found + [
        f"object {uid} has started {number} executions\n{scene.ledger.story(uid)}"
        for uid, number in started.items()
        if number > 1
    ]


def _executions(scene: Scene, region: str) -> list[Any]:
    found: list[Any] = []
    for pipeline in (SHORT, ENDLESS):
        token: dict[str, str] = {}
        while True:
            members = {"PipelineName": pipeline, "MaxResults": 100, **token}
            answer = scene.ask("ListPipelineExecutions", region, **members)
            assert answer is not None, f"{pipeline} cannot be listed"
            found += answer["PipelineExecutionSummaries"]
            if not answer.get("NextToken"):
                break
            token = {"NextToken": answer["NextToken"]}
    return found

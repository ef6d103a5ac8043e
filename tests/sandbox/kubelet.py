"""What a cluster makes of a Deployment, as far as kubectl tells of its pods and their logs: the sandbox runs none."""

from urllib.parse import parse_qs

from api.meta import JsonObject
from tests.sandbox.harness import Api
from tests.sandbox.interceptor import Answered, Phase, Request

STARTED = "2026-01-01T00:00:00Z"


def run_pod(api: Api, namespace: str, deployment: str) -> str:
    """A pod as Deployment, ReplicaSet and kubelet would make it, with all containers ready; returns its name."""
    template = api.call("GET", f"/apis/apps/v1/namespaces/{namespace}/deployments/{deployment}")["spec"]["template"]
    name = f"{deployment}-5cd7df4d74-wh22z"
    pods = f"/api/v1/namespaces/{namespace}/pods"
    labels = template["metadata"].get("labels", {})
    pod: JsonObject = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels}}
    api.call("POST", pods, pod | {"spec": template["spec"]})
    containers = [
        {
            "name": each["name"],
            "image": each["image"],
            "imageID": each["image"],
            "ready": True,
            "started": True,
            "restartCount": 0,
            "state": {"running": {"startedAt": STARTED}},
        }
        for each in template["spec"]["containers"]
    ]
    status = {
        "phase": "Running",
        "startTime": STARTED,
        "conditions": [{"type": each, "status": "True"} for each in ("Initialized", "Ready", "ContainersReady")],
        "containerStatuses": containers,
    }
    api.call("PATCH", f"{pods}/{name}/status", {"status": status}, content="application/merge-patch+json")
    return name


def answer_logs(request: Request, phase: Phase) -> None:
    """Hook of a proxy before the API server: answers what a kubelet would, logs of containers before their restart."""
    if phase is Phase.RECEIVED and request.path.endswith("/log"):
        asked = parse_qs(request.query)
        assert asked["previous"] == ["true"]
        raise Answered(f"the log of {asked['container'][0]} before its restart\n")

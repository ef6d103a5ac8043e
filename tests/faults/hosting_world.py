"""Operators for deployments, models and configurations over in-memory Kubernetes and SageMaker."""

from typing import Any

from api.meta import JsonObject, ObjectKey
from api.v1 import ENDPOINT_CONFIG, HOSTING_DEPLOYMENT, MODEL
from tests.fakes.sagemaker.arns import REGION
from tests.fakes.world import World

KEY = ObjectKey("default", "host")


def manifest(*, version: str = "1", count: int = 1, **spec: Any) -> JsonObject:
    """A deployment with one model, whose container has `version` in its environment."""
    container = {"containerHostname": "c", "image": "image", "environment": [{"name": "VERSION", "value": version}]}
    variant = {"variantName": "a", "modelName": "m", "initialInstanceCount": count, "instanceType": "ml.c5.large"}
    return {
        "apiVersion": "sagemaker.aws.amazon.com/v1",
        "kind": "HostingDeployment",
        "metadata": {"namespace": KEY.namespace, "name": KEY.name},
        "spec": {
            "region": REGION,
            "models": [{"name": "m", "executionRoleArn": "arn:aws:iam::1:role/r", "containers": [container]}],
            "productionVariants": [variant],
            **spec,
        },
    }


class HostingWorld(World):
    """A world of deployments, and of the models and configurations that they are made of."""

    def __init__(self) -> None:
        super().__init__(HOSTING_DEPLOYMENT, MODEL, ENDPOINT_CONFIG, key=KEY)

    def apply(self, obj: JsonObject) -> None:
        """`kubectl apply` of the deployment."""
        self.cluster.apply(obj)

    def delete(self) -> None:
        """`kubectl delete` of the deployment."""
        self.cluster.delete(KEY)

    def is_at_rest(self) -> bool:
        """In service with the newest spec, and told so; nothing superfluous is left."""
        return self.is_ready() and len(self.aws.left) == 3

    def is_ready(self) -> bool:
        """In service with the newest spec, and told so."""
        obj, status = self.cluster.peek(KEY), self.status
        ready = {each["type"]: each["status"] for each in status.get("conditions", ())}
        return (
            obj is not None
            and status.get("endpointStatus") == "InService"
            and status.get("observedGeneration") == obj["metadata"]["generation"]
            and (ready.get("Ready"), ready.get("Reconciling"), ready.get("Stalled")) == ("True", "False", "False")
        )

    def is_gone(self) -> bool:
        """No object of any kind, and nothing at SageMaker."""
        return not self.aws.left and not any(cluster.keys() for cluster in self.clusters.values())

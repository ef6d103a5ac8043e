"""An operator for autoscaling policies over in-memory Kubernetes and AWS."""

from api.annotations import ADOPTION_POLICY
from api.meta import JsonObject, ObjectKey
from api.v1 import HOSTING_AUTOSCALING_POLICY, HOSTING_DEPLOYMENT
from tests.fakes.world import World

KEY = ObjectKey("default", "scale")
A, B, C = (f"endpoint/e/variant/{variant}" for variant in "abc")
"""Resource ids of variants."""


def manifest(variants: str, maximum: int = 4, name: str = "scale") -> JsonObject:
    """A policy on these variants of one endpoint."""
    return {
        "apiVersion": "sagemaker.aws.amazon.com/v1",
        "kind": "HostingAutoscalingPolicy",
        "metadata": {"namespace": "default", "name": name},
        "spec": {
            "region": "us-east-2",
            "policyName": "busy",
            "resourceId": [{"endpointName": "e", "variantName": variant} for variant in variants],
            "minCapacity": 1,
            "maxCapacity": maximum,
            "targetTrackingScalingPolicyConfiguration": {
                "targetValue": 60,
                "predefinedMetricSpecification": {"predefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
            },
        },
    }


def adopting(obj: JsonObject) -> JsonObject:
    """The same object, which may take over what is there."""
    annotations = {**obj["metadata"].get("annotations", {}), ADOPTION_POLICY.key: "adopt-or-create"}
    return {**obj, "metadata": {**obj["metadata"], "annotations": annotations}}


class ScalingWorld(World):
    """A world of policies, and of the deployments that they scale."""

    def __init__(self) -> None:
        super().__init__(HOSTING_AUTOSCALING_POLICY, HOSTING_DEPLOYMENT, key=KEY)
        self.deployments = self.clusters[HOSTING_DEPLOYMENT.kind]

    def edit(self, obj: JsonObject) -> None:
        """Change the spec, and nothing else."""
        there = self.cluster.get(ObjectKey.of(obj)) or {}
        self.cluster.apply({**there, "spec": obj["spec"]})

"""Operators for inference components, and for what they name, over in-memory Kubernetes and SageMaker."""

from typing import Any

from api.descriptor import KindDescriptor
from api.meta import JsonObject, ObjectKey
from api.v1 import INFERENCE_COMPONENT
from tests.fakes.sagemaker.arns import REGION
from tests.fakes.sagemaker.components import Component, image_of
from tests.fakes.sagemaker.hosting import Endpoint
from tests.fakes.world import World

KEY = ObjectKey("default", "llm")
ROLE = "arn:aws:iam::1:role/r"


def manifest(*, image: str = "image:1", copies: int | None = 1, endpoint: str = "e", **spec: Any) -> JsonObject:
    """A component with one container."""
    specification = {"container": {"image": image}, "computeResourceRequirements": {"minMemoryRequiredInMb": 1024}}
    runtime = {} if copies is None else {"runtimeConfig": {"copyCount": copies}}
    return {
        "apiVersion": "sagemaker.aws.amazon.com/v1",
        "kind": "InferenceComponent",
        "metadata": {"namespace": KEY.namespace, "name": KEY.name},
        "spec": {"region": REGION, "endpointName": endpoint, "specification": specification, **runtime, **spec},
    }


def deployment(name: str = "host", **spec: Any) -> JsonObject:
    """A deployment without models, for components to run on."""
    variant = {"variantName": "all", "initialInstanceCount": 1, "instanceType": "ml.c5.large"}
    return {
        "apiVersion": "sagemaker.aws.amazon.com/v1",
        "kind": "HostingDeployment",
        "metadata": {"namespace": KEY.namespace, "name": name},
        "spec": {"region": REGION, "executionRoleArn": ROLE, "productionVariants": [variant], **spec},
    }


class ComponentWorld(World):
    """A world of components, on the endpoint `e` of others unless it has deployments."""

    def __init__(self, *others: KindDescriptor) -> None:
        super().__init__(INFERENCE_COMPONENT, *others, key=KEY)
        self.endpoint("e")

    def endpoint(self, name: str, value: str = "InService") -> None:
        """Let others have an endpoint."""
        now = self.clock.utcnow()
        variant = {"VariantName": "all", "InitialInstanceCount": 1}
        self.sagemaker.hosting.endpoints[name] = Endpoint({}, "theirs", now, now, value, variants=(variant,))

    def apply(self, obj: JsonObject) -> None:
        """`kubectl apply` of a component."""
        self.cluster.apply(obj)

    def delete(self) -> None:
        """`kubectl delete` of the component."""
        self.cluster.delete(KEY)

    @property
    def component(self) -> Component:
        """The only one at SageMaker."""
        (component,) = self.sagemaker.components.components.values()
        return component

    def is_ready(self) -> bool:
        """In service with the newest spec, and shown so."""
        obj, status = self.cluster.peek(KEY), self.status
        ready = {each["type"]: each["status"] for each in status.get("conditions", ())}
        return (
            obj is not None
            and status.get("inferenceComponentStatus") == "InService"
            and status.get("observedGeneration") == obj["metadata"]["generation"]
            and (ready.get("Ready"), ready.get("Reconciling"), ready.get("Stalled")) == ("True", "False", "False")
            and ready.get("Synced") == "True"
        )

    def serves(self, image: str, copies: int = 1) -> None:
        """Wait until the only component runs this, and nothing moves any more."""
        self.until(self.is_ready)
        self.run(60, step_s=10)
        assert self.is_ready()
        assert (image_of(self.component.specification), self.component.copies) == (image, copies)

    def is_gone(self) -> bool:
        """No object, and nothing at SageMaker."""
        return self.obj is None and not self.sagemaker.components.components

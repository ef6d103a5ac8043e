"""InferenceComponent: CreateInferenceComponent, and its Describe, Update, Delete and List.

A model, or a container, with a share of the instances of an endpoint without models of its own.
"""

from types import MappingProxyType
from typing import Final

from api.compat import V1, Compat, Exclusive, Rule, StatusField
from api.descriptor import KindDescriptor, LifeCycle, NameRule, Operations, PrinterColumn, StatusRule
from api.form import Form
from api.references import ITEMS, Reference

IN_SERVICE: Final = frozenset({"InService"})
UPDATE: Final = "UpdateInferenceComponent"
"""Changes all that can be changed: the specification, and the number of copies with it."""

_MODEL: Final = (
    "The model to deploy: the name of a Model object in the same namespace, which is waited for and followed when it is"
    " replaced; if there is none, the name of a model at AWS."
)
_BASE: Final = (
    "For an adapter: the component that loads it. The name of an InferenceComponent object in the same namespace, which"
    " is waited for until it is in service; if there is none, the name of a component at AWS."
)
_SPECIFICATIONS: Final[tuple[tuple[str, ...], ...]] = (("specification",), ("specifications", ITEMS))
_PATHS: Final = ("specification", "specifications[]")

_COMPAT: Final = Compat(
    # Names of objects may have forms that AWS's names have not; of tags AWS's own words say what is wrong.
    fields=MappingProxyType(
        {
            "spec.endpointName": V1(required=True, minimum=1),
            **{f"spec.{each}.modelName": V1() for each in _PATHS},
            **{f"spec.{each}.baseInferenceComponentName": V1() for each in _PATHS},
            "spec.tags": V1(),
            "spec.tags[].key": V1(required=True, minimum=1),
            "spec.tags[].value": V1(required=True),
        }
    ),
    exclusive=(Exclusive("spec", "specifications", ("specification",)),),
    rules=(
        Rule(
            "spec",
            "has(self.specification) || has(self.specifications)",
            "one of specification and specifications is required",
        ),
    ),
    # AWS changes neither endpoint nor variant of a component.
    identity=frozenset({"region", "sageMakerEndpoint", "inferenceComponentName", "endpointName", "variantName"}),
    descriptions=MappingProxyType(
        {
            "spec.endpointName": "The endpoint that runs the component: the name of a HostingDeployment object in the"
            " same namespace, which is waited for until it is in service; if there is none, the name of an endpoint at"
            " AWS. Its variants must have no models of their own.",
            "spec.deploymentConfig": "How an update of the specification is rolled out, and when it is rolled back."
            " A change of this field alone changes nothing at AWS until the next update.",
            "spec.runtimeConfig.copyCount": "How many copies run. While autoscaling has the component as a target, the"
            " count is its own: this value counts when the component is created, and again when it is no target.",
            **{f"spec.{each}.modelName": _MODEL for each in _PATHS},
            **{f"spec.{each}.baseInferenceComponentName": _BASE for each in _PATHS},
        }
    ),
    status=(
        StatusField("additional", description="What keeps the operator from doing its work, or why an update failed."),
        StatusField("creationTime", "CreationTime"),
        StatusField("deployedImage", "Specification.Container.DeployedImage"),
        StatusField("endpointArn", "EndpointArn"),
        StatusField("endpointName", "EndpointName", description="Name of the endpoint at AWS."),
        StatusField("failureReason", "FailureReason"),
        StatusField("inferenceComponentArn", "InferenceComponentArn"),
        StatusField("inferenceComponentName", "InferenceComponentName", description="Name of the component at AWS."),
        StatusField(
            "inferenceComponentStatus",
            "InferenceComponentStatus",
            description="State of the component as AWS reports it; SynchronizingK8sJobWithSageMaker before the operator"
            " has processed the object, ReconcilingInferenceComponent while it waits for what it needs.",
        ),
        StatusField("lastCheckTime", form=Form.TIME, description="When this status was last compared with AWS."),
        StatusField("lastDeploymentConfig", "LastDeploymentConfig"),
        StatusField("lastModifiedTime", "LastModifiedTime"),
        StatusField(
            "modelNames",
            form=Form.PAIRS,
            description="Models that the spec names by their objects: name of the object, value at AWS.",
        ),
        StatusField("runtimeConfig", "RuntimeConfig"),
        StatusField("variantName", "VariantName"),
    ),
)

INFERENCE_COMPONENT: Final = KindDescriptor(
    kind="InferenceComponent",
    plural="inferencecomponents",
    singular="inferencecomponent",
    life_cycle=LifeCycle.COMPONENT,
    operations=Operations(
        create="CreateInferenceComponent",
        describe="DescribeInferenceComponent",
        list="ListInferenceComponents",
        stop="",
        list_items="InferenceComponents",
        delete="DeleteInferenceComponent",
        further=(UPDATE,),
    ),
    name=NameRule(
        member="InferenceComponentName",
        spec_field="inferenceComponentName",
        status_field="inferenceComponentName",
        max_length=63,
        late_initialized=False,
    ),
    status=StatusRule(
        member="InferenceComponentStatus",
        field="inferenceComponentStatus",
        reconciling="ReconcilingInferenceComponent",
        arn_member="InferenceComponentArn",
        terminal=frozenset(),
    ),
    printer_columns=(
        PrinterColumn("Status", ".status.inferenceComponentStatus"),
        PrinterColumn("Copies", ".status.runtimeConfig.currentCopyCount", type="integer"),
        PrinterColumn("Desired", ".status.runtimeConfig.desiredCopyCount", type="integer"),
        PrinterColumn("Endpoint", ".status.endpointName"),
        PrinterColumn("Creation-Time", ".metadata.creationTimestamp", format="date"),
    ),
    log_group="/aws/sagemaker/InferenceComponents",
    compat=_COMPAT,
    references=(
        Reference(("endpointName",), "HostingDeployment", states=IN_SERVICE),
        *(Reference((*each, "modelName"), "Model") for each in _SPECIFICATIONS),
        *(
            Reference((*each, "baseInferenceComponentName"), "InferenceComponent", states=IN_SERVICE)
            for each in _SPECIFICATIONS
        ),
    ),
)

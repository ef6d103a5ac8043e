"""EndpointConfig: CreateEndpointConfig, DescribeEndpointConfig, DeleteEndpointConfig, ListEndpointConfigs."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from api.compat import V1, Compat, Exclusive, RequiredUnless, Rule, StatusField
from api.descriptor import KindDescriptor, LifeCycle, NameRule, Operations, PrinterColumn, StatusRule
from api.form import Form
from api.references import ITEMS, Reference

# initialVariantWeight was an integer in v1; AWS's float is wider and kept as it is.
_FIELDS: Final[Mapping[str, V1]] = MappingProxyType(
    {
        "spec.kmsKeyId": V1(),
        "spec.productionVariants": V1(required=True, minimum=1),
        "spec.productionVariants[].acceleratorType": V1(),
        "spec.productionVariants[].initialInstanceCount": V1(minimum=1),
        "spec.productionVariants[].initialVariantWeight": V1(),
        "spec.productionVariants[].instanceType": V1(),
        "spec.productionVariants[].modelName": V1(minimum=1),
        "spec.productionVariants[].variantName": V1(required=True, minimum=1),
        "spec.region": V1(required=True),
        "spec.sageMakerEndpoint": V1(),
        "spec.tags": V1(),
        "spec.tags[].key": V1(required=True, minimum=1),
        "spec.tags[].value": V1(required=True),
        "status.additional": V1(),
        "status.endpointConfigArn": V1(),
        "status.lastUpdateTime": V1(),
        "status.sageMakerEndpointConfigName": V1(),
        "status.status": V1(),
    }
)

VARIANT: Final = "spec.productionVariants[]"

ONE_SHADOW_VARIANT: Final = Rule(
    "spec",
    "!has(self.shadowProductionVariants)"
    " || size(self.shadowProductionVariants) == 1 && size(self.productionVariants) == 1",
    "with shadowProductionVariants there must be one of these and one of productionVariants",
)

_VARIANTS: Final = ("productionVariants", "shadowProductionVariants")
_MODEL_NAME: Final = (
    "The model to serve: the name of a Model object in the same namespace, which is waited for and followed when it is"
    " replaced; if there is none, the name of a model at AWS."
)

_COMPAT: Final = Compat(
    fields=_FIELDS,
    # v1 has no field for the name: it is always the generated one.
    omitted=frozenset({"spec.endpointConfigName"}),
    # All of these were required. AWS has since added alternatives: variants without instances of their own, pools of
    # instances, and endpoints with inference components as models, which need a role in the configuration.
    required_unless=(
        RequiredUnless("spec", "productionVariants[].modelName", ("executionRoleArn",)),
        RequiredUnless(VARIANT, "initialInstanceCount", ("serverlessConfig",)),
        RequiredUnless(VARIANT, "instanceType", ("serverlessConfig", "instancePools")),
    ),
    exclusive=(Exclusive(VARIANT, "serverlessConfig", ("instanceType", "initialInstanceCount")),),
    rules=(ONE_SHADOW_VARIANT,),
    list_keys=MappingProxyType(
        {"spec.productionVariants": "variantName", "spec.shadowProductionVariants": "variantName"}
    ),
    descriptions=MappingProxyType({f"spec.{each}[].modelName": _MODEL_NAME for each in _VARIANTS}),
    status=(
        StatusField("additional", description="What keeps the operator from doing its work."),
        StatusField(
            "endpointConfigArn",
            "EndpointConfigArn",
            description="Amazon Resource Name of the endpoint configuration.",
        ),
        StatusField("lastUpdateTime", form=Form.TIME, description="When this status was last compared with AWS."),
        StatusField(
            "modelNames",
            form=Form.PAIRS,
            description="Models that the spec names by their objects: name of the object, value at AWS.",
        ),
        StatusField(
            "sageMakerEndpointConfigName",
            "EndpointConfigName",
            description="Name of the endpoint configuration at AWS.",
        ),
        StatusField(
            "status",
            description="SynchronizingK8sJobWithSageMaker before the operator has processed the object, then Created,"
            " Error, or Deleted for a moment before the object goes.",
        ),
    ),
)

ENDPOINT_CONFIG: Final = KindDescriptor(
    kind="EndpointConfig",
    plural="endpointconfigs",
    singular="endpointconfig",
    life_cycle=LifeCycle.RESOURCE,
    operations=Operations(
        create="CreateEndpointConfig",
        describe="DescribeEndpointConfig",
        list="ListEndpointConfigs",
        stop="",
        list_items="EndpointConfigs",
        delete="DeleteEndpointConfig",
    ),
    name=NameRule(
        member="EndpointConfigName",
        spec_field="",
        status_field="sageMakerEndpointConfigName",
        max_length=63,
        late_initialized=False,
    ),
    status=StatusRule(
        member="", field="status", reconciling="Error", arn_member="EndpointConfigArn", terminal=frozenset()
    ),
    printer_columns=(
        PrinterColumn("Status", ".status.status"),
        PrinterColumn("Sage-Maker-EndpointConfig-Name", ".status.sageMakerEndpointConfigName"),
    ),
    compat=_COMPAT,
    references=tuple(Reference((each, ITEMS, "modelName"), "Model") for each in _VARIANTS),
)

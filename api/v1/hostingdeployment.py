"""HostingDeployment: an endpoint, with the models and the configuration behind it.

Composed of requests to CreateModel, CreateEndpointConfig, CreateEndpoint and UpdateEndpoint: their members are the
fields of one spec. `api/hosting.py` splits it again.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from api.compat import V1, Compat, Exclusive, RequiredUnless, StatusField
from api.descriptor import KindDescriptor, LifeCycle, NameRule, Operations, PrinterColumn, StatusRule
from api.form import Form
from api.operator_fields import OperatorField
from api.v1.endpointconfig import ONE_SHADOW_VARIANT, VARIANT

_MODE: Final = ("SingleModel", "MultiModel")

# initialVariantWeight and the weights of the status were integers in v1; AWS's float is wider and kept as it is.
_FIELDS: Final[Mapping[str, V1]] = MappingProxyType(
    {
        "spec.containers": V1(),
        "spec.containers[].containerHostname": V1(),
        "spec.containers[].environment": V1(),
        "spec.containers[].environment[].name": V1(),
        "spec.containers[].environment[].value": V1(),
        "spec.containers[].image": V1(),
        "spec.containers[].mode": V1(enum=_MODE),
        "spec.containers[].modelDataUrl": V1(),
        "spec.containers[].modelPackageName": V1(),
        "spec.endpointName": V1(maximum=63),
        "spec.excludeRetainedVariantProperties": V1(),
        "spec.excludeRetainedVariantProperties[].variantPropertyType": V1(
            required=True,
            enum=(
                "DesiredInstanceCount",
                "DesiredWeight",
                "DataCaptureConfig",
            ),
        ),
        "spec.kmsKeyId": V1(),
        "spec.models": V1(),
        "spec.models[].containers": V1(minimum=1),
        "spec.models[].containers[].containerHostname": V1(),
        "spec.models[].containers[].environment": V1(),
        "spec.models[].containers[].environment[].name": V1(),
        "spec.models[].containers[].environment[].value": V1(),
        "spec.models[].containers[].image": V1(),
        "spec.models[].containers[].mode": V1(enum=_MODE),
        "spec.models[].containers[].modelDataUrl": V1(),
        "spec.models[].containers[].modelPackageName": V1(),
        "spec.models[].enableNetworkIsolation": V1(),
        "spec.models[].executionRoleArn": V1(required=True, minimum=20),
        "spec.models[].name": V1(required=True),
        "spec.models[].primaryContainer": V1(),
        "spec.models[].vpcConfig": V1(),
        "spec.models[].vpcConfig.securityGroupIds": V1(required=True, minimum=1, maximum=5),
        "spec.models[].vpcConfig.securityGroupIds[]": V1(),
        "spec.models[].vpcConfig.subnets": V1(required=True, minimum=1, maximum=16),
        "spec.models[].vpcConfig.subnets[]": V1(),
        "spec.productionVariants": V1(required=True, minimum=1),
        "spec.productionVariants[].acceleratorType": V1(),
        "spec.productionVariants[].initialInstanceCount": V1(minimum=1),
        "spec.productionVariants[].initialVariantWeight": V1(),
        "spec.productionVariants[].instanceType": V1(),
        "spec.productionVariants[].modelName": V1(minimum=1),
        "spec.productionVariants[].variantName": V1(required=True, minimum=1),
        "spec.region": V1(required=True, minimum=1),
        "spec.retainAllVariantProperties": V1(),
        "spec.sageMakerEndpoint": V1(pattern="^(https|http)://.*$"),
        "spec.tags": V1(),
        "spec.tags[].key": V1(required=True, minimum=1),
        "spec.tags[].value": V1(required=True),
        "status.additional": V1(),
        "status.creationTime": V1(),
        "status.endpointArn": V1(),
        "status.endpointConfigName": V1(),
        "status.endpointName": V1(),
        "status.endpointStatus": V1(),
        "status.endpointUrl": V1(),
        "status.failureReason": V1(),
        "status.lastCheckTime": V1(),
        "status.lastModifiedTime": V1(),
        "status.modelNames": V1(),
        "status.modelNames[].name": V1(),
        "status.modelNames[].value": V1(),
        "status.productionVariants": V1(),
        "status.productionVariants[].currentInstanceCount": V1(),
        "status.productionVariants[].currentWeight": V1(),
        "status.productionVariants[].deployedImages": V1(),
        "status.productionVariants[].deployedImages[].resolutionTime": V1(),
        "status.productionVariants[].deployedImages[].resolvedImage": V1(),
        "status.productionVariants[].deployedImages[].specifiedImage": V1(),
        "status.productionVariants[].desiredInstanceCount": V1(),
        "status.productionVariants[].desiredWeight": V1(),
        "status.productionVariants[].variantName": V1(),
    }
)

_OWN: Final = (
    OperatorField(
        "containers",
        Form.LIST,
        "Definitions of containers that models refer to by containerHostname. Leave it out where models define their"
        " containers themselves.",
        like="CreateModel.Containers",
    ),
    OperatorField(
        "models",
        Form.LIST,
        "The models to serve. The operator creates one Model object for each.",
        list_key="name",
        item=OperatorField(
            "",
            Form.STRUCTURE,
            "A model and its containers.",
            like="CreateModel",
            fields=(
                OperatorField("name", Form.STRING, "What productionVariants[].modelName refers to; not a name at AWS."),
                OperatorField(
                    "primaryContainer",
                    Form.STRING,
                    "The containerHostname of the container that serves requests. May be left out, and says nothing"
                    " where there are several, which are called in order.",
                ),
            ),
        ),
    ),
)


_COMPAT: Final = Compat(
    fields=_FIELDS,
    own=_OWN,
    or_text=frozenset({"spec.models[].containers[]"}),
    descriptions=MappingProxyType(
        {
            "spec.containers[].containerHostname": "Name by which models refer to the container; unique in the list.",
            "spec.models[].containers": "The model's containers: either names of entries of spec.containers, or"
            " definitions. One container serves alone, several are called in order or directly.",
            "spec.models[].containers[].containerHostname": "Name of the container, unique in its model.",
            "spec.productionVariants[].modelName": "Name of the entry of spec.models that the variant serves.",
            "spec.shadowProductionVariants[].modelName": "Name of the entry of spec.models that the variant serves.",
        }
    ),
    identity=frozenset({"region", "sageMakerEndpoint", "endpointName"}),
    omitted=frozenset(
        {
            # Set by the operator.
            "spec.endpointConfigName",
            "spec.models[].modelName",
            # In v1 it is a name, see _OWN.
            "spec.models[].primaryContainer",
            # The deployment's tags are set on each of its resources.
            "spec.models[].tags",
        }
    ),
    # All of these were required. AWS has since added alternatives: variants without instances of their own, pools of
    # instances, and endpoints with inference components as models, which need a role in the configuration.
    required_unless=(
        RequiredUnless("spec", "models", ("executionRoleArn",)),
        RequiredUnless("spec", "productionVariants[].modelName", ("executionRoleArn",)),
        RequiredUnless(VARIANT, "initialInstanceCount", ("serverlessConfig",)),
        RequiredUnless(VARIANT, "instanceType", ("serverlessConfig", "instancePools")),
    ),
    exclusive=(
        Exclusive("spec.deploymentConfig", "blueGreenUpdatePolicy", ("rollingUpdatePolicy",)),
        Exclusive(VARIANT, "serverlessConfig", ("instanceType", "initialInstanceCount")),
    ),
    rules=(ONE_SHADOW_VARIANT,),
    # They are written in another form than AWS's, and a model without any cannot be made.
    own_limits=frozenset({"spec.models[].containers"}),
    list_keys=MappingProxyType(
        {"spec.productionVariants": "variantName", "spec.shadowProductionVariants": "variantName"}
    ),
    status=(
        StatusField("additional", description="What keeps the operator from doing its work."),
        StatusField("creationTime", "CreationTime"),
        StatusField("endpointArn", "EndpointArn", description="Amazon Resource Name of the endpoint."),
        StatusField(
            "endpointConfigName",
            "EndpointConfigName",
            description="Name of the endpoint configuration at AWS.",
        ),
        StatusField("endpointName", "EndpointName", description="Name of the endpoint at AWS."),
        StatusField(
            "endpointStatus",
            "EndpointStatus",
            description="State of the endpoint as AWS reports it; SynchronizingK8sJobWithSageMaker before the operator"
            " has processed the object, ReconcilingEndpoint while models and configuration are being prepared.",
        ),
        StatusField("endpointUrl", description="URL for requests to the endpoint."),
        StatusField("failureReason", "FailureReason"),
        StatusField("lastCheckTime", form=Form.TIME, description="When this status was last compared with AWS."),
        StatusField("lastModifiedTime", "LastModifiedTime"),
        StatusField(
            "modelNames", form=Form.PAIRS, description="Names of the models: name in this object, value at AWS."
        ),
        StatusField("productionVariants", "ProductionVariants"),
    ),
)

HOSTING_DEPLOYMENT: Final = KindDescriptor(
    kind="HostingDeployment",
    plural="hostingdeployments",
    singular="hostingdeployment",
    life_cycle=LifeCycle.ENDPOINT,
    operations=Operations(
        create="CreateEndpoint",
        describe="DescribeEndpoint",
        list="ListEndpoints",
        stop="",
        list_items="Endpoints",
        search="Endpoint",
        delete="DeleteEndpoint",
        further=("UpdateEndpoint", "CreateEndpointConfig"),
    ),
    name=NameRule(
        member="EndpointName",
        spec_field="endpointName",
        status_field="endpointName",
        max_length=63,
        late_initialized=False,
    ),
    status=StatusRule(
        member="EndpointStatus",
        field="endpointStatus",
        reconciling="ReconcilingEndpoint",
        arn_member="EndpointArn",
        event="SageMaker Endpoint State Change",
        terminal=frozenset(),
    ),
    printer_columns=(
        PrinterColumn("Status", ".status.endpointStatus"),
        PrinterColumn("Sagemaker-endpoint-name", ".status.endpointName"),
    ),
    log_group="/aws/sagemaker/Endpoints",
    compat=_COMPAT,
    children=("Model", "EndpointConfig"),
)

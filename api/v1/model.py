"""Model: CreateModel, DescribeModel, DeleteModel, ListModels."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from api.compat import V1, Compat, StatusField
from api.descriptor import KindDescriptor, LifeCycle, NameRule, Operations, PrinterColumn, StatusRule
from api.form import Form
from api.references import ITEMS, Reference

_FIELDS: Final[Mapping[str, V1]] = MappingProxyType(
    {
        "spec.containers": V1(),
        "spec.containers[].containerHostname": V1(),
        "spec.containers[].environment": V1(),
        "spec.containers[].environment[].name": V1(),
        "spec.containers[].environment[].value": V1(),
        "spec.containers[].image": V1(),
        "spec.containers[].mode": V1(
            enum=(
                "SingleModel",
                "MultiModel",
            )
        ),
        "spec.containers[].modelDataUrl": V1(),
        "spec.containers[].modelPackageName": V1(),
        "spec.enableNetworkIsolation": V1(),
        "spec.executionRoleArn": V1(required=True),
        "spec.primaryContainer": V1(),
        "spec.primaryContainer.containerHostname": V1(),
        "spec.primaryContainer.environment": V1(),
        "spec.primaryContainer.environment[].name": V1(),
        "spec.primaryContainer.environment[].value": V1(),
        "spec.primaryContainer.image": V1(),
        "spec.primaryContainer.mode": V1(
            enum=(
                "SingleModel",
                "MultiModel",
            )
        ),
        "spec.primaryContainer.modelDataUrl": V1(),
        "spec.primaryContainer.modelPackageName": V1(),
        "spec.region": V1(required=True),
        "spec.sageMakerEndpoint": V1(),
        "spec.tags": V1(),
        "spec.tags[].key": V1(required=True, minimum=1),
        "spec.tags[].value": V1(required=True),
        "spec.vpcConfig": V1(),
        "spec.vpcConfig.securityGroupIds": V1(required=True, minimum=1, maximum=5),
        "spec.vpcConfig.securityGroupIds[]": V1(),
        "spec.vpcConfig.subnets": V1(required=True, minimum=1, maximum=16),
        "spec.vpcConfig.subnets[]": V1(),
        "status.additional": V1(),
        "status.lastUpdateTime": V1(),
        "status.modelArn": V1(),
        "status.sageMakerModelName": V1(),
        "status.status": V1(),
    }
)

_COMPAT: Final = Compat(
    fields=_FIELDS,
    # v1 has no field for the name: it is always the generated one.
    omitted=frozenset({"spec.modelName"}),
    status=(
        StatusField("additional", description="What keeps the operator from doing its work."),
        StatusField("lastUpdateTime", form=Form.TIME, description="When this status was last compared with AWS."),
        StatusField(
            "modelPackageNames",
            form=Form.PAIRS,
            description="What the names of ModelPackage objects in the spec stand for: name of the object, ARN at AWS.",
        ),
        StatusField("modelArn", "ModelArn", description="Amazon Resource Name of the model."),
        StatusField("sageMakerModelName", "ModelName", description="Name of the model at AWS."),
        StatusField(
            "status",
            description="SynchronizingK8sJobWithSageMaker before the operator has processed the object, then Created,"
            " Error, or Deleted for a moment before the object goes.",
        ),
    ),
)

MODEL: Final = KindDescriptor(
    kind="Model",
    plural="models",
    singular="model",
    life_cycle=LifeCycle.RESOURCE,
    operations=Operations(
        create="CreateModel",
        describe="DescribeModel",
        list="ListModels",
        stop="",
        list_items="Models",
        delete="DeleteModel",
    ),
    name=NameRule(
        member="ModelName",
        spec_field="",
        status_field="sageMakerModelName",
        max_length=63,
        late_initialized=False,
    ),
    status=StatusRule(member="", field="status", reconciling="Error", arn_member="ModelArn", terminal=frozenset()),
    printer_columns=(
        PrinterColumn("Status", ".status.status"),
        PrinterColumn("Sage-Maker-Model-Name", ".status.sageMakerModelName"),
    ),
    compat=_COMPAT,
    references=(
        Reference(("containers", ITEMS, "modelPackageName"), "ModelPackage", is_passed_on=True),
        Reference(("primaryContainer", "modelPackageName"), "ModelPackage", is_passed_on=True),
    ),
)

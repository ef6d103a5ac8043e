"""ModelPackage: CreateModelPackage, and its Describe, Update, Delete and List. AWS numbers the versions of a group."""

from types import MappingProxyType
from typing import Final

from api.compat import Compat, Exclusive, RequiredUnless, StatusField
from api.descriptor import (
    KindDescriptor,
    LifeCycle,
    NameRule,
    Operations,
    PrinterColumn,
    ResourceUpdate,
    StatusRule,
)
from api.form import Form
from api.references import Reference

MODEL_PACKAGE: Final = KindDescriptor(
    kind="ModelPackage",
    plural="modelpackages",
    singular="modelpackage",
    life_cycle=LifeCycle.IN_PLACE,
    operations=Operations(
        create="CreateModelPackage",
        describe="DescribeModelPackage",
        list="ListModelPackages",
        stop="",
        list_items="ModelPackageSummaryList",
        delete="DeleteModelPackage",
        further=("UpdateModelPackage",),
    ),
    name=NameRule(
        member="ModelPackageName",
        spec_field="modelPackageArn",
        status_field="modelPackageArn",
        max_length=63,
        late_initialized=False,
        token="ClientToken",  # noqa: S106 (no password)
        by_aws=True,
        chosen_by="modelPackageName",
        among="ModelPackageGroupName",
        mark="ModelPackageDescription",
    ),
    status=StatusRule(
        member="ModelPackageStatus",
        field="modelPackageStatus",
        reconciling="ReconcilingModelPackage",
        synchronizing="SynchronizingK8sObjectWithSageMaker",
        secondary_member="ModelApprovalStatus",
        arn_member="ModelPackageArn",
        event="SageMaker Model Package State Change",
        terminal=frozenset({"Completed", "Failed"}),
    ),
    resource_update=ResourceUpdate(
        operation="UpdateModelPackage",
        name_member="ModelPackageArn",
        absent=MappingProxyType({"ApprovalDescription": ""}),
        dropped=MappingProxyType({"CustomerMetadataProperties": "CustomerMetadataPropertiesToRemove"}),
        is_shared=True,
    ),
    is_retained=True,
    references=(Reference(("modelPackageGroupName",), "ModelPackageGroup"),),
    printer_columns=(
        PrinterColumn("Status", ".status.modelPackageStatus"),
        PrinterColumn("Version", ".status.modelPackageVersion", type="integer"),
        PrinterColumn("Approval", ".status.modelApprovalStatus"),
        PrinterColumn("Creation-Time", ".metadata.creationTimestamp", format="date"),
    ),
    compat=Compat(
        spec_required=True,
        omitted=frozenset(
            {
                "spec.clientToken",
                # Of these, an Update only adds or removes: what is wanted is in the fields of the same name.
                "spec.additionalInferenceSpecificationsToAdd",
                "spec.customerMetadataPropertiesToRemove",
            }
        ),
        identity=frozenset({"modelPackageArn", "region", "sageMakerEndpoint"}),
        exclusive=(
            Exclusive("spec", "modelPackageGroupName", ("modelPackageName",)),
            # A version has the tags of its group.
            Exclusive("spec", "tags", ("modelPackageGroupName",)),
        ),
        required_unless=(RequiredUnless("spec", "modelPackageGroupName", ("modelPackageName", "modelPackageArn")),),
        descriptions=MappingProxyType(
            {
                "spec.modelPackageDescription": "Description of the package. To that of a version the operator adds the"
                " namespace, the name and the uid of the object, by which it finds the version again; what is too long"
                " with that is cut off.",
            }
        ),
        status=(
            StatusField("additional", description="What keeps the package from being used, or as the spec wants it."),
            StatusField("lastCheckTime", form=Form.TIME, description="When this status was last compared with AWS."),
            StatusField("approvalDescription", "ApprovalDescription"),
            StatusField("createdBy", "CreatedBy"),
            StatusField("creationTime", "CreationTime"),
            StatusField("lastModifiedBy", "LastModifiedBy"),
            StatusField("lastModifiedTime", "LastModifiedTime"),
            StatusField("modelApprovalStatus", "ModelApprovalStatus"),
            StatusField("modelPackageArn", "ModelPackageArn"),
            StatusField("modelPackageGroupName", "ModelPackageGroupName"),
            StatusField("modelPackageStatus", "ModelPackageStatus"),
            StatusField("modelPackageStatusDetails", "ModelPackageStatusDetails"),
            StatusField("modelPackageVersion", "ModelPackageVersion"),
        ),
    ),
)

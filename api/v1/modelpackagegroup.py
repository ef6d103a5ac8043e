"""ModelPackageGroup: CreateModelPackageGroup, and its Describe, Delete and List. AWS has no Update."""

from typing import Final

from api.compat import Compat, StatusField
from api.descriptor import KindDescriptor, LifeCycle, NameRule, Operations, PrinterColumn, StatusRule
from api.form import Form

MODEL_PACKAGE_GROUP: Final = KindDescriptor(
    kind="ModelPackageGroup",
    plural="modelpackagegroups",
    singular="modelpackagegroup",
    life_cycle=LifeCycle.IN_PLACE,
    operations=Operations(
        create="CreateModelPackageGroup",
        describe="DescribeModelPackageGroup",
        list="ListModelPackageGroups",
        stop="",
        list_items="ModelPackageGroupSummaryList",
        delete="DeleteModelPackageGroup",
    ),
    name=NameRule(
        member="ModelPackageGroupName",
        spec_field="modelPackageGroupName",
        status_field="sageMakerModelPackageGroupName",
        max_length=63,
        late_initialized=True,
    ),
    status=StatusRule(
        member="ModelPackageGroupStatus",
        field="modelPackageGroupStatus",
        reconciling="ReconcilingModelPackageGroup",
        synchronizing="SynchronizingK8sObjectWithSageMaker",
        arn_member="ModelPackageGroupArn",
        terminal=frozenset({"Completed", "Failed", "DeleteFailed"}),
    ),
    printer_columns=(
        PrinterColumn("Status", ".status.modelPackageGroupStatus"),
        PrinterColumn("Creation-Time", ".metadata.creationTimestamp", format="date"),
        PrinterColumn("Sagemaker-Name", ".status.sageMakerModelPackageGroupName"),
    ),
    compat=Compat(
        spec_required=True,
        status=(
            StatusField("additional", description="What keeps the group from being used."),
            StatusField("lastCheckTime", form=Form.TIME, description="When this status was last compared with AWS."),
            StatusField("createdBy", "CreatedBy"),
            StatusField("creationTime", "CreationTime"),
            StatusField("modelPackageGroupArn", "ModelPackageGroupArn"),
            StatusField("modelPackageGroupStatus", "ModelPackageGroupStatus"),
            StatusField("sageMakerModelPackageGroupName", "ModelPackageGroupName", description="Name at AWS."),
        ),
    ),
)

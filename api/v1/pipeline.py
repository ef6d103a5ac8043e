"""Pipeline: CreatePipeline, and its Describe, Update, Delete and List."""

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
from api.operator_fields import config_map_source
from api.references import DocumentField

PIPELINE: Final = KindDescriptor(
    kind="Pipeline",
    plural="pipelines",
    singular="pipeline",
    life_cycle=LifeCycle.IN_PLACE,
    operations=Operations(
        create="CreatePipeline",
        describe="DescribePipeline",
        list="ListPipelines",
        stop="",
        list_items="PipelineSummaries",
        delete="DeletePipeline",
        further=("UpdatePipeline",),
    ),
    name=NameRule(
        member="PipelineName",
        spec_field="pipelineName",
        status_field="sageMakerPipelineName",
        max_length=256,
        late_initialized=True,
        token="ClientRequestToken",  # noqa: S106 (no password)
    ),
    status=StatusRule(
        member="PipelineStatus",
        field="pipelineStatus",
        reconciling="ReconcilingPipeline",
        synchronizing="SynchronizingK8sObjectWithSageMaker",
        arn_member="PipelineArn",
        terminal=frozenset({"Active"}),
        completed="Active",
    ),
    resource_update=ResourceUpdate(
        operation="UpdatePipeline",
        name_member="PipelineName",
        # A display name and a parallelism cannot be removed: what the spec does not have stays as it is at AWS.
        absent=MappingProxyType({"PipelineDescription": ""}),
    ),
    document=DocumentField("pipelineDefinition", source="pipelineDefinitionFrom"),
    printer_columns=(
        PrinterColumn("Status", ".status.pipelineStatus"),
        PrinterColumn("Creation-Time", ".metadata.creationTimestamp", format="date"),
        PrinterColumn("Last-Run", ".status.lastRunTime", format="date"),
        PrinterColumn("Sagemaker-Name", ".status.sageMakerPipelineName"),
    ),
    compat=Compat(
        spec_required=True,
        omitted=frozenset({"spec.clientRequestToken"}),
        own=(config_map_source("pipelineDefinitionFrom", "the definition"),),
        exclusive=(
            Exclusive("spec", "pipelineDefinition", ("pipelineDefinitionS3Location", "pipelineDefinitionFrom")),
            Exclusive("spec", "pipelineDefinitionS3Location", ("pipelineDefinitionFrom",)),
        ),
        required_unless=(
            RequiredUnless("spec", "pipelineDefinition", ("pipelineDefinitionS3Location", "pipelineDefinitionFrom")),
        ),
        status=(
            StatusField("additional", description="What keeps the pipeline from being as the spec wants it."),
            StatusField("lastCheckTime", form=Form.TIME, description="When this status was last compared with AWS."),
            StatusField("createdBy", "CreatedBy"),
            StatusField("creationTime", "CreationTime"),
            StatusField("lastModifiedBy", "LastModifiedBy"),
            StatusField("lastModifiedTime", "LastModifiedTime"),
            StatusField("lastRunTime", "LastRunTime"),
            StatusField("pipelineArn", "PipelineArn"),
            StatusField("pipelineStatus", "PipelineStatus"),
            StatusField("sageMakerPipelineName", "PipelineName", description="Name at AWS."),
        ),
    ),
)

"""PipelineExecution: StartPipelineExecution, DescribePipelineExecution, StopPipelineExecution."""

from typing import Final

from api.compat import Compat, Exclusive, StatusField
from api.descriptor import KindDescriptor, LifeCycle, NameRule, Operations, PrinterColumn, StatusRule
from api.form import Form
from api.operator_fields import OperatorField
from api.references import Reference

_STEP: Final = OperatorField(
    "",
    Form.STRUCTURE,
    "One step.",
    fields=(
        OperatorField("arn", Form.STRING, "ARN of the job, or of what else the step has made at AWS."),
        OperatorField("endTime", Form.TIME, "When it ended."),
        OperatorField("iteration", Form.INTEGER, "Number of the iteration, of a step in a loop."),
        OperatorField("name", Form.STRING, "Name of the step in the pipeline."),
        OperatorField("reason", Form.STRING, "Why it failed, cut off after 300 characters."),
        OperatorField("startTime", Form.TIME, "When it began."),
        OperatorField("status", Form.STRING, "State as AWS reports it, such as Executing, Succeeded or Failed."),
        OperatorField("type", Form.STRING, "What it makes at AWS, such as TrainingJob or Model, once that is known."),
    ),
)

_COMPAT: Final = Compat(
    spec_required=True,
    exclusive=(Exclusive("spec", "pipelineVersionId", ("pipelineVersionAlias",)),),
    own_status=(
        OperatorField("stepCount", Form.INTEGER, "How many steps have begun."),
        OperatorField(
            "steps", Form.LIST, "The steps that have begun, oldest first; of more than 50, the last 50.", item=_STEP
        ),
    ),
    omitted=frozenset({"spec.clientRequestToken"}),  # made of the object's uid
    descriptions={
        "spec.pipelineExecutionDescription": "Description of the execution. The operator adds the namespace, the name"
        " and the uid of the object, by which it finds the execution again; what is too long with that is cut off.",
        "spec.pipelineName": "The pipeline to run: the name of a Pipeline object in the same namespace, which is waited"
        " for; if there is none, the name or the ARN of a pipeline at AWS.",
        "spec.pipelineExecutionDisplayName": "Name that AWS shows for the execution. If it is left out, that of the"
        " object. It identifies nothing: AWS chooses the ARN.",
    },
    status=(
        StatusField(
            "additional",
            "FailureReason",
            description="Why the execution failed, or what keeps the operator from doing its work.",
        ),
        StatusField("lastCheckTime", form=Form.TIME, description="When this status was last compared with AWS."),
        StatusField(
            "lastModifiedTime",
            "LastModifiedTime",
            description="When the execution was last modified, once it has ended.",
            of_ended=True,
        ),
        StatusField("pipelineArn", "PipelineArn", description="ARN of the pipeline."),
        StatusField("pipelineExecutionArn", "PipelineExecutionArn", description="ARN of the execution."),
        StatusField("pipelineExecutionDisplayName", "PipelineExecutionDisplayName"),
        StatusField(
            "pipelineExecutionStatus",
            "PipelineExecutionStatus",
            description="State of the execution as AWS reports it; SynchronizingK8sJobWithSageMaker before the operator"
            " has processed the object, ReconcilingPipelineExecution while it cannot.",
        ),
        StatusField("pipelineVersionId", "PipelineVersionId", description="Version of the pipeline that runs."),
        StatusField("startTime", "CreationTime", description="When the execution was started."),
    ),
)

PIPELINE_EXECUTION: Final = KindDescriptor(
    kind="PipelineExecution",
    plural="pipelineexecutions",
    singular="pipelineexecution",
    life_cycle=LifeCycle.JOB,
    operations=Operations(
        create="StartPipelineExecution",
        describe="DescribePipelineExecution",
        list="ListPipelineExecutions",
        stop="StopPipelineExecution",
        list_items="PipelineExecutionSummaries",
        list_of="PipelineName",
        reads=("ListPipelineExecutionSteps",),
    ),
    name=NameRule(
        member="PipelineExecutionArn",
        spec_field="",
        status_field="pipelineExecutionArn",
        max_length=2048,
        late_initialized=False,
        token="ClientRequestToken",  # noqa: S106 (no password)
        by_aws=True,
        among="PipelineName",
        mark="PipelineExecutionDescription",
    ),
    status=StatusRule(
        member="PipelineExecutionStatus",
        field="pipelineExecutionStatus",
        reconciling="ReconcilingPipelineExecution",
        arn_member="PipelineExecutionArn",
        event="SageMaker Model Building Pipeline Execution Status Change",
        part_event="SageMaker Model Building Pipeline Execution Step Status Change",
        terminal=frozenset({"Succeeded", "CompletedWithFailures", "Failed", "Stopped"}),
        running="Executing",
        completed="Succeeded",
    ),
    printer_columns=(
        PrinterColumn("Status", ".status.pipelineExecutionStatus"),
        PrinterColumn("Creation-Time", ".metadata.creationTimestamp", format="date"),
        PrinterColumn("Pipeline", ".spec.pipelineName"),
        PrinterColumn("Steps", ".status.stepCount", type="number", format="int64"),
    ),
    compat=_COMPAT,
    references=(Reference(("pipelineName",), "Pipeline"),),
)

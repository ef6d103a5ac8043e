"""TrainingJob: CreateTrainingJob, DescribeTrainingJob, StopTrainingJob, ListTrainingJobs."""

from typing import Final

from api.descriptor import KindDescriptor, LifeCycle, NameRule, Operations, PrinterColumn, StatusRule

TRAINING_JOB: Final = KindDescriptor(
    kind="TrainingJob",
    plural="trainingjobs",
    singular="trainingjob",
    life_cycle=LifeCycle.JOB,
    operations=Operations(
        create="CreateTrainingJob",
        describe="DescribeTrainingJob",
        list="ListTrainingJobs",
        stop="StopTrainingJob",
        list_items="TrainingJobSummaries",
    ),
    name=NameRule(
        member="TrainingJobName",
        spec_field="trainingJobName",
        status_field="sageMakerTrainingJobName",
        max_length=63,
        late_initialized=True,
    ),
    status=StatusRule(
        member="TrainingJobStatus",
        field="trainingJobStatus",
        reconciling="ReconcilingTrainingJob",
        secondary_member="SecondaryStatus",
        secondary_field="secondaryStatus",
        arn_member="TrainingJobArn",
    ),
    printer_columns=(
        PrinterColumn("Status", ".status.trainingJobStatus"),
        PrinterColumn("Secondary-Status", ".status.secondaryStatus"),
        PrinterColumn("Creation-Time", ".metadata.creationTimestamp", format="date"),
        PrinterColumn("Sagemaker-Job-Name", ".status.sageMakerTrainingJobName"),
    ),
    log_group="/aws/sagemaker/TrainingJobs",
)

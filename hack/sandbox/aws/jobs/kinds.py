"""The kinds of jobs in the sandbox, as data."""

from hack.sandbox.aws.jobs import training, training_answers, transform_and_processing, transform_and_processing_answers
from hack.sandbox.aws.jobs.job import JobKind
from hack.sandbox.aws.jobs.warm_pool import has_training_plan, has_warm_pool_status, updated
from hack.sandbox.aws.records.resource import ErrorText

TRAINING = JobKind(
    resource="TrainingJob",
    arn_segment="training-job",
    items_member="TrainingJobSummaries",
    log_group="/aws/sagemaker/TrainingJobs",
    not_found=ErrorText("ValidationException", "Requested resource not found."),
    exists=ErrorText(
        "ResourceInUse",
        "Training job names must be unique within an AWS account and region, and a training job with this name already"
        " exists ({arn})",
    ),
    wrong_state=ErrorText(
        "ValidationException", "The request was rejected because the training job is in status {status}."
    ),
    check=training.check,
    plan=training.plan,
    stop=training.stop,
    describe=training_answers.describe,
    summary=training_answers.summary,
    log_lines=training_answers.log_lines,
    is_deletable=True,
    update=updated,
    filters={"WarmPoolStatusEquals": has_warm_pool_status, "TrainingPlanArnEquals": has_training_plan},
)
_JOB_NOT_FOUND = ErrorText("ValidationException", "Could not find requested job with name: {name}")
_JOB_EXISTS = ErrorText(
    "ResourceInUse",
    "Job names must be unique within an AWS account and region, and a job with this name already exists ({arn})",
)
TRANSFORM = JobKind(
    resource="TransformJob",
    arn_segment="transform-job",
    items_member="TransformJobSummaries",
    log_group="/aws/sagemaker/TransformJobs",
    not_found=_JOB_NOT_FOUND,
    exists=_JOB_EXISTS,
    wrong_state=ErrorText(
        "ValidationException", "The request was rejected because the transform job is in status {status}."
    ),
    check=transform_and_processing.check_transform,
    plan=transform_and_processing.plan_transform,
    stop=transform_and_processing.stop,
    describe=transform_and_processing_answers.describe_transform,
    summary=transform_and_processing_answers.summarize_transform,
    log_lines=transform_and_processing_answers.transform_log,
)
PROCESSING = JobKind(
    resource="ProcessingJob",
    arn_segment="processing-job",
    items_member="ProcessingJobSummaries",
    log_group="/aws/sagemaker/ProcessingJobs",
    not_found=_JOB_NOT_FOUND,
    exists=_JOB_EXISTS,
    wrong_state=ErrorText(
        "ValidationException", "The request was rejected because the processing job is in status {status}."
    ),
    check=transform_and_processing.check_processing,
    plan=transform_and_processing.plan_processing,
    stop=transform_and_processing.stop,
    describe=transform_and_processing_answers.describe_processing,
    summary=transform_and_processing_answers.summarize_processing,
    log_lines=transform_and_processing_answers.processing_log,
    is_deletable=True,
)
KINDS: tuple[JobKind, ...] = (TRAINING, TRANSFORM, PROCESSING)

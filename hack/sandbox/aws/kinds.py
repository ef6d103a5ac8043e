"""The kinds of jobs the sandbox knows, as data."""

from hack.sandbox.aws import training, training_answers, working, working_answers
from hack.sandbox.aws.jobs import JobKind
from hack.sandbox.aws.resources import ErrorText
from hack.sandbox.aws.warm_pool import has_training_plan, has_warm_pool_status

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
    check=working.check_transform,
    plan=working.plan_transform,
    stop=working.stop,
    describe=working_answers.describe_transform,
    summary=working_answers.summarize_transform,
    log_lines=working_answers.transform_log,
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
    check=working.check_processing,
    plan=working.plan_processing,
    stop=working.stop,
    describe=working_answers.describe_processing,
    summary=working_answers.summarize_processing,
    log_lines=working_answers.processing_log,
    is_deletable=True,
)
KINDS: tuple[JobKind, ...] = (TRAINING, TRANSFORM, PROCESSING)

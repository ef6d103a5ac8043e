"""The kinds of jobs the sandbox knows, as data."""

from hack.sandbox.aws import training, training_answers
from hack.sandbox.aws.jobs import ErrorText, JobKind
from hack.sandbox.aws.warm_pool import has_training_plan, has_warm_pool_status

TRAINING = JobKind(
    resource="TrainingJob",
    arn_segment="training-job",
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

KINDS: tuple[JobKind, ...] = (TRAINING,)

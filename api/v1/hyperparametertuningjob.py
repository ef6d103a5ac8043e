"""HyperparameterTuningJob: CreateHyperParameterTuningJob, and its Describe, Stop and List.

The kind's capitalisation is v1's; AWS, and the fields, write HyperParameter.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from api.compat import S3_URI, V1, Compat, Exclusive, RequiredUnless, StatusField, Sum
from api.descriptor import KindDescriptor, LifeCycle, NameRule, Operations, PrinterColumn, StatusRule
from api.form import Form
from api.references import ITEMS, Reference

_FIELDS: Final[Mapping[str, V1]] = MappingProxyType(
    {
        "spec.hyperParameterTuningJobConfig": V1(required=True),
        "spec.hyperParameterTuningJobConfig.hyperParameterTuningJobObjective": V1(),
        "spec.hyperParameterTuningJobConfig.hyperParameterTuningJobObjective.metricName": V1(required=True, minimum=1),
        "spec.hyperParameterTuningJobConfig.hyperParameterTuningJobObjective.type": V1(required=True),
        "spec.hyperParameterTuningJobConfig.parameterRanges": V1(),
        "spec.hyperParameterTuningJobConfig.parameterRanges.categoricalParameterRanges": V1(),
        "spec.hyperParameterTuningJobConfig.parameterRanges.categoricalParameterRanges[].name": V1(required=True),
        "spec.hyperParameterTuningJobConfig.parameterRanges.categoricalParameterRanges[].values": V1(
            required=True, minimum=1
        ),
        "spec.hyperParameterTuningJobConfig.parameterRanges.categoricalParameterRanges[].values[]": V1(),
        "spec.hyperParameterTuningJobConfig.parameterRanges.continuousParameterRanges": V1(),
        "spec.hyperParameterTuningJobConfig.parameterRanges.continuousParameterRanges[].maxValue": V1(required=True),
        "spec.hyperParameterTuningJobConfig.parameterRanges.continuousParameterRanges[].minValue": V1(required=True),
        "spec.hyperParameterTuningJobConfig.parameterRanges.continuousParameterRanges[].name": V1(required=True),
        "spec.hyperParameterTuningJobConfig.parameterRanges.continuousParameterRanges[].scalingType": V1(required=True),
        "spec.hyperParameterTuningJobConfig.parameterRanges.integerParameterRanges": V1(),
        "spec.hyperParameterTuningJobConfig.parameterRanges.integerParameterRanges[].maxValue": V1(required=True),
        "spec.hyperParameterTuningJobConfig.parameterRanges.integerParameterRanges[].minValue": V1(required=True),
        "spec.hyperParameterTuningJobConfig.parameterRanges.integerParameterRanges[].name": V1(required=True),
        "spec.hyperParameterTuningJobConfig.parameterRanges.integerParameterRanges[].scalingType": V1(required=True),
        "spec.hyperParameterTuningJobConfig.resourceLimits": V1(required=True),
        "spec.hyperParameterTuningJobConfig.resourceLimits.maxNumberOfTrainingJobs": V1(minimum=1),
        "spec.hyperParameterTuningJobConfig.resourceLimits.maxParallelTrainingJobs": V1(required=True, minimum=1),
        "spec.hyperParameterTuningJobConfig.strategy": V1(required=True),
        "spec.hyperParameterTuningJobConfig.trainingJobEarlyStoppingType": V1(),
        "spec.hyperParameterTuningJobName": V1(),
        "spec.region": V1(required=True, minimum=1),
        "spec.sageMakerEndpoint": V1(pattern="^(https|http)://.*$"),
        "spec.tags": V1(),
        "spec.tags[].key": V1(required=True, minimum=1),
        "spec.tags[].value": V1(required=True),
        "spec.trainingJobDefinition": V1(),
        "spec.trainingJobDefinition.algorithmSpecification": V1(required=True),
        "spec.trainingJobDefinition.algorithmSpecification.algorithmName": V1(minimum=1),
        "spec.trainingJobDefinition.algorithmSpecification.metricDefinitions": V1(),
        "spec.trainingJobDefinition.algorithmSpecification.metricDefinitions[].name": V1(required=True, minimum=1),
        "spec.trainingJobDefinition.algorithmSpecification.metricDefinitions[].regex": V1(required=True, minimum=1),
        "spec.trainingJobDefinition.algorithmSpecification.trainingImage": V1(),
        "spec.trainingJobDefinition.algorithmSpecification.trainingInputMode": V1(
            required=True,
            enum=(
                "File",
                "Pipe",
            ),
        ),
        "spec.trainingJobDefinition.checkpointConfig": V1(),
        "spec.trainingJobDefinition.checkpointConfig.localPath": V1(),
        "spec.trainingJobDefinition.checkpointConfig.s3Uri": V1(required=True, pattern=S3_URI),
        "spec.trainingJobDefinition.enableInterContainerTrafficEncryption": V1(),
        "spec.trainingJobDefinition.enableManagedSpotTraining": V1(),
        "spec.trainingJobDefinition.enableNetworkIsolation": V1(),
        "spec.trainingJobDefinition.inputDataConfig": V1(minimum=1),
        "spec.trainingJobDefinition.inputDataConfig[].channelName": V1(
            required=True, minimum=1, pattern=r"[A-Za-z0-9\.\-_]+"
        ),
        "spec.trainingJobDefinition.inputDataConfig[].compressionType": V1(
            enum=(
                "None",
                "Gzip",
            )
        ),
        "spec.trainingJobDefinition.inputDataConfig[].contentType": V1(),
        "spec.trainingJobDefinition.inputDataConfig[].dataSource": V1(required=True),
        "spec.trainingJobDefinition.inputDataConfig[].dataSource.fileSystemDataSource": V1(),
        "spec.trainingJobDefinition.inputDataConfig[].dataSource.fileSystemDataSource.directoryPath": V1(required=True),
        "spec.trainingJobDefinition.inputDataConfig[].dataSource.fileSystemDataSource.fileSystemAccessMode": V1(
            required=True
        ),
        "spec.trainingJobDefinition.inputDataConfig[].dataSource.fileSystemDataSource.fileSystemId": V1(required=True),
        "spec.trainingJobDefinition.inputDataConfig[].dataSource.fileSystemDataSource.fileSystemType": V1(
            required=True
        ),
        "spec.trainingJobDefinition.inputDataConfig[].dataSource.s3DataSource": V1(),
        "spec.trainingJobDefinition.inputDataConfig[].dataSource.s3DataSource.attributeNames": V1(),
        "spec.trainingJobDefinition.inputDataConfig[].dataSource.s3DataSource.attributeNames[]": V1(),
        "spec.trainingJobDefinition.inputDataConfig[].dataSource.s3DataSource.s3DataDistributionType": V1(
            enum=(
                "FullyReplicated",
                "ShardedByS3Key",
            )
        ),
        "spec.trainingJobDefinition.inputDataConfig[].dataSource.s3DataSource.s3DataType": V1(
            required=True,
            enum=(
                "S3Prefix",
                "ManifestFile",
                "AugmentedManifestFile",
            ),
        ),
        "spec.trainingJobDefinition.inputDataConfig[].dataSource.s3DataSource.s3Uri": V1(required=True, pattern=S3_URI),
        "spec.trainingJobDefinition.inputDataConfig[].inputMode": V1(
            enum=(
                "Pipe",
                "File",
            )
        ),
        "spec.trainingJobDefinition.inputDataConfig[].recordWrapperType": V1(),
        "spec.trainingJobDefinition.inputDataConfig[].shuffleConfig": V1(),
        "spec.trainingJobDefinition.inputDataConfig[].shuffleConfig.seed": V1(required=True),
        "spec.trainingJobDefinition.outputDataConfig": V1(required=True),
        "spec.trainingJobDefinition.outputDataConfig.kmsKeyId": V1(),
        "spec.trainingJobDefinition.outputDataConfig.s3OutputPath": V1(required=True, pattern=S3_URI),
        "spec.trainingJobDefinition.resourceConfig": V1(),
        "spec.trainingJobDefinition.resourceConfig.instanceCount": V1(minimum=1),
        "spec.trainingJobDefinition.resourceConfig.instanceType": V1(minimum=1),
        "spec.trainingJobDefinition.resourceConfig.volumeKmsKeyId": V1(),
        "spec.trainingJobDefinition.resourceConfig.volumeSizeInGB": V1(minimum=1),
        "spec.trainingJobDefinition.roleArn": V1(required=True, minimum=20),
        "spec.trainingJobDefinition.staticHyperParameters": V1(),
        "spec.trainingJobDefinition.staticHyperParameters[].name": V1(),
        "spec.trainingJobDefinition.staticHyperParameters[].value": V1(),
        "spec.trainingJobDefinition.stoppingCondition": V1(required=True),
        "spec.trainingJobDefinition.stoppingCondition.maxRuntimeInSeconds": V1(minimum=1),
        "spec.trainingJobDefinition.stoppingCondition.maxWaitTimeInSeconds": V1(minimum=1),
        "spec.trainingJobDefinition.vpcConfig": V1(),
        "spec.trainingJobDefinition.vpcConfig.securityGroupIds": V1(required=True, minimum=1, maximum=5),
        "spec.trainingJobDefinition.vpcConfig.securityGroupIds[]": V1(),
        "spec.trainingJobDefinition.vpcConfig.subnets": V1(required=True, minimum=1, maximum=16),
        "spec.trainingJobDefinition.vpcConfig.subnets[]": V1(),
        "spec.warmStartConfig": V1(),
        "spec.warmStartConfig.parentHyperParameterTuningJobs": V1(required=True, minimum=1),
        "spec.warmStartConfig.parentHyperParameterTuningJobs[].hyperParameterTuningJobName": V1(minimum=1),
        "spec.warmStartConfig.warmStartType": V1(required=True),
        "status.additional": V1(),
        "status.bestTrainingJob": V1(),
        "status.bestTrainingJob.creationTime": V1(),
        "status.bestTrainingJob.failureReason": V1(),
        "status.bestTrainingJob.finalHyperParameterTuningJobObjectiveMetric": V1(),
        "status.bestTrainingJob.finalHyperParameterTuningJobObjectiveMetric.metricName": V1(),
        "status.bestTrainingJob.finalHyperParameterTuningJobObjectiveMetric.type": V1(),
        "status.bestTrainingJob.finalHyperParameterTuningJobObjectiveMetric.value": V1(),
        "status.bestTrainingJob.objectiveStatus": V1(),
        "status.bestTrainingJob.trainingEndTime": V1(),
        "status.bestTrainingJob.trainingJobArn": V1(),
        "status.bestTrainingJob.trainingJobName": V1(),
        "status.bestTrainingJob.trainingJobStatus": V1(),
        "status.bestTrainingJob.trainingStartTime": V1(),
        "status.bestTrainingJob.tunedHyperParameters": V1(),
        "status.bestTrainingJob.tunedHyperParameters[].name": V1(),
        "status.bestTrainingJob.tunedHyperParameters[].value": V1(),
        "status.bestTrainingJob.tuningJobName": V1(),
        "status.hyperParameterTuningJobStatus": V1(),
        "status.lastCheckTime": V1(),
        "status.sageMakerHyperParameterTuningJobName": V1(),
        "status.trainingJobStatusCounters": V1(),
        "status.trainingJobStatusCounters.completed": V1(),
        "status.trainingJobStatusCounters.inProgress": V1(),
        "status.trainingJobStatusCounters.nonRetryableError": V1(),
        "status.trainingJobStatusCounters.retryableError": V1(),
        "status.trainingJobStatusCounters.stopped": V1(),
        "status.trainingJobStatusCounters.totalError": V1(),
    }
)

_RESOURCES: Final = "spec.trainingJobDefinition.resourceConfig"

_COUNTED: Final = ("Completed", "InProgress", "RetryableError", "NonRetryableError", "Stopped")
_PARENTS: Final = ("warmStartConfig", "parentHyperParameterTuningJobs", ITEMS, "hyperParameterTuningJobName")

_COMPAT: Final = Compat(
    fields=_FIELDS,
    forms=MappingProxyType(
        {
            # D-30: a float at AWS; the guides show it empty, because the predecessor could not decode it.
            "status.bestTrainingJob.finalHyperParameterTuningJobObjectiveMetric.value": Form.STRING,
        }
    ),
    sums=MappingProxyType(
        {
            "status.trainingJobStatusCounters": Sum(
                "totalError",
                of=("NonRetryableError", "RetryableError"),
                description="The number of training jobs that failed, retryable or not.",
            ),
        }
    ),
    # Read-only: AWS returns them and refuses them in requests.
    omitted=frozenset(
        {
            f"spec.{definition}.resourceConfig.{member}"
            for definition in ("trainingJobDefinition", "trainingJobDefinitions[]")
            for member in ("selectedInstanceCount", "selectedInstanceType")
        }
    ),
    closed_enums=frozenset(
        {
            "spec.trainingJobDefinition.outputDataConfig.compressionType",
            "spec.trainingJobDefinitions[].outputDataConfig.compressionType",
        }
    ),
    # All of these were required. AWS has since added other ways to specify instances.
    required_unless=(
        RequiredUnless("spec.trainingJobDefinition", "resourceConfig", ("hyperParameterTuningResourceConfig",)),
        RequiredUnless(_RESOURCES, "instanceCount", ("instanceGroups", "instancePreferences")),
        RequiredUnless(_RESOURCES, "instanceType", ("instanceGroups", "instancePreferences")),
        RequiredUnless(_RESOURCES, "volumeSizeInGB", ("instanceGroups", "instancePreferences")),
    ),
    exclusive=(
        Exclusive("spec", "trainingJobDefinitions", ("trainingJobDefinition",)),
        Exclusive(_RESOURCES, "instanceGroups", ("instanceType", "instanceCount")),
        Exclusive(_RESOURCES, "instancePreferences", ("instanceType", "instanceGroups", "instancePlacementConfig")),
    ),
    descriptions=MappingProxyType(
        {
            ".".join(("spec", *_PARENTS)).replace(".[]", "[]"): "The tuning job to go on from: the name of a"
            " HyperparameterTuningJob object in the same namespace, which has to end first; if there is none, the name"
            " of a tuning job at AWS."
        }
    ),
    status=(
        StatusField(
            "additional",
            "FailureReason",
            description="Why the job failed, or what keeps the operator from doing its work.",
        ),
        StatusField("bestTrainingJob", "BestTrainingJob"),
        StatusField(
            "cloudWatchLogUrl", description="Link to the logs of the launched training jobs in the CloudWatch console."
        ),
        StatusField(
            "consumedResources",
            "ConsumedResources",
            description="What the launched training jobs have used in all, once the job has ended.",
            of_ended=True,
        ),
        StatusField("hyperParameterTuningEndTime", "HyperParameterTuningEndTime", description="When the job ended."),
        StatusField(
            "hyperParameterTuningJobStatus",
            "HyperParameterTuningJobStatus",
            description="State of the tuning job as AWS reports it; SynchronizingK8sJobWithSageMaker before the"
            " operator has processed the object, ReconcilingTuningJob while it cannot.",
        ),
        StatusField("lastCheckTime", form=Form.TIME, description="When this status was last compared with AWS."),
        StatusField(
            "removedTrainingJobs",
            form=Form.LIST,
            description="Training jobs of this tuning job whose TrainingJob objects were deleted: they are not shown"
            " again.",
        ),
        StatusField(
            "sageMakerHyperParameterTuningJobName",
            "HyperParameterTuningJobName",
            description="Name of the tuning job at AWS.",
        ),
        StatusField("trainingJobStatusCounters", "TrainingJobStatusCounters"),
    ),
)

HYPERPARAMETER_TUNING_JOB: Final = KindDescriptor(
    kind="HyperparameterTuningJob",
    plural="hyperparametertuningjobs",
    singular="hyperparametertuningjob",
    life_cycle=LifeCycle.JOB,
    operations=Operations(
        create="CreateHyperParameterTuningJob",
        describe="DescribeHyperParameterTuningJob",
        list="ListHyperParameterTuningJobs",
        stop="StopHyperParameterTuningJob",
        list_items="HyperParameterTuningJobSummaries",
        search="HyperParameterTuningJob",
    ),
    name=NameRule(
        member="HyperParameterTuningJobName",
        spec_field="hyperParameterTuningJobName",
        status_field="sageMakerHyperParameterTuningJobName",
        max_length=32,
        late_initialized=True,
    ),
    status=StatusRule(
        member="HyperParameterTuningJobStatus",
        field="hyperParameterTuningJobStatus",
        reconciling="ReconcilingTuningJob",
        arn_member="HyperParameterTuningJobArn",
        event="SageMaker HyperParameter Tuning Job State Change",
        initial=MappingProxyType({"TrainingJobStatusCounters": dict.fromkeys(_COUNTED, 0)}),
        progress_member="TrainingJobStatusCounters",
        # Only a finished job can be deleted at AWS: if that failed, nothing runs, and there is nothing to wait for.
        terminal=frozenset({"Completed", "Failed", "Stopped", "DeleteFailed"}),
    ),
    printer_columns=(
        PrinterColumn("Status", ".status.hyperParameterTuningJobStatus"),
        PrinterColumn("Creation-Time", ".metadata.creationTimestamp", format="date"),
        PrinterColumn("Completed", ".status.trainingJobStatusCounters.completed", type="number", format="int64"),
        PrinterColumn("InProgress", ".status.trainingJobStatusCounters.inProgress", type="number", format="int64"),
        PrinterColumn("Errors", ".status.trainingJobStatusCounters.totalError", type="number", format="int64"),
        PrinterColumn("Stopped", ".status.trainingJobStatusCounters.stopped", type="number", format="int64"),
        PrinterColumn("Best-Training-Job", ".status.bestTrainingJob.trainingJobName"),
        PrinterColumn("Sagemaker-Job-Name", ".status.sageMakerHyperParameterTuningJobName"),
    ),
    log_group="/aws/sagemaker/TrainingJobs",
    compat=_COMPAT,
    children=("TrainingJob",),
    references=(Reference(_PARENTS, "HyperparameterTuningJob", must_have_ended=True),),
)

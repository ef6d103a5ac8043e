"""TrainingJob: CreateTrainingJob, DescribeTrainingJob, StopTrainingJob, ListTrainingJobs."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from api.compat import S3_URI, V1, Compat, Exclusive, RequiredUnless, StatusField
from api.descriptor import JobUpdate, KindDescriptor, LifeCycle, NameRule, Operations, PrinterColumn, StatusRule
from api.form import Form

# v1 shipped roleArn with a pattern in one of its three installers only (D-58): the looser two count.
_FIELDS: Final[Mapping[str, V1]] = MappingProxyType(
    {
        "spec.algorithmSpecification": V1(),
        "spec.algorithmSpecification.algorithmName": V1(minimum=1),
        "spec.algorithmSpecification.metricDefinitions": V1(),
        "spec.algorithmSpecification.metricDefinitions[].name": V1(required=True, minimum=1),
        "spec.algorithmSpecification.metricDefinitions[].regex": V1(required=True, minimum=1),
        "spec.algorithmSpecification.trainingImage": V1(minimum=1),
        "spec.algorithmSpecification.trainingInputMode": V1(
            required=True,
            enum=(
                "File",
                "Pipe",
            ),
        ),
        "spec.checkpointConfig": V1(),
        "spec.checkpointConfig.localPath": V1(),
        "spec.checkpointConfig.s3Uri": V1(required=True, pattern=S3_URI),
        "spec.debugHookConfig": V1(),
        "spec.debugHookConfig.collectionConfigurations": V1(),
        "spec.debugHookConfig.collectionConfigurations[].collectionName": V1(),
        "spec.debugHookConfig.collectionConfigurations[].collectionParameters": V1(),
        "spec.debugHookConfig.collectionConfigurations[].collectionParameters[].name": V1(),
        "spec.debugHookConfig.collectionConfigurations[].collectionParameters[].value": V1(),
        "spec.debugHookConfig.localPath": V1(),
        "spec.debugHookConfig.ruleParameters": V1(),
        "spec.debugHookConfig.ruleParameters[].name": V1(),
        "spec.debugHookConfig.ruleParameters[].value": V1(),
        "spec.debugHookConfig.s3OutputPath": V1(required=True, pattern=S3_URI),
        "spec.debugRuleConfigurations": V1(),
        "spec.debugRuleConfigurations[].instanceType": V1(),
        "spec.debugRuleConfigurations[].localPath": V1(),
        "spec.debugRuleConfigurations[].ruleConfigurationName": V1(required=True),
        "spec.debugRuleConfigurations[].ruleEvaluatorImage": V1(required=True),
        "spec.debugRuleConfigurations[].ruleParameters": V1(),
        "spec.debugRuleConfigurations[].ruleParameters[].name": V1(),
        "spec.debugRuleConfigurations[].ruleParameters[].value": V1(),
        "spec.debugRuleConfigurations[].s3OutputPath": V1(pattern=S3_URI),
        "spec.debugRuleConfigurations[].volumeSizeInGB": V1(minimum=1),
        "spec.enableInterContainerTrafficEncryption": V1(),
        "spec.enableManagedSpotTraining": V1(),
        "spec.enableNetworkIsolation": V1(),
        "spec.hyperParameters": V1(),
        "spec.hyperParameters[].name": V1(),
        "spec.hyperParameters[].value": V1(),
        "spec.inputDataConfig": V1(minimum=1),
        "spec.inputDataConfig[].channelName": V1(required=True, minimum=1, pattern=r"[A-Za-z0-9\.\-_]+"),
        "spec.inputDataConfig[].compressionType": V1(
            enum=(
                "None",
                "Gzip",
            )
        ),
        "spec.inputDataConfig[].contentType": V1(),
        "spec.inputDataConfig[].dataSource": V1(required=True),
        "spec.inputDataConfig[].dataSource.fileSystemDataSource": V1(),
        "spec.inputDataConfig[].dataSource.fileSystemDataSource.directoryPath": V1(required=True),
        "spec.inputDataConfig[].dataSource.fileSystemDataSource.fileSystemAccessMode": V1(required=True),
        "spec.inputDataConfig[].dataSource.fileSystemDataSource.fileSystemId": V1(required=True),
        "spec.inputDataConfig[].dataSource.fileSystemDataSource.fileSystemType": V1(required=True),
        "spec.inputDataConfig[].dataSource.s3DataSource": V1(),
        "spec.inputDataConfig[].dataSource.s3DataSource.attributeNames": V1(),
        "spec.inputDataConfig[].dataSource.s3DataSource.attributeNames[]": V1(),
        "spec.inputDataConfig[].dataSource.s3DataSource.s3DataDistributionType": V1(
            enum=(
                "FullyReplicated",
                "ShardedByS3Key",
            )
        ),
        "spec.inputDataConfig[].dataSource.s3DataSource.s3DataType": V1(
            required=True,
            enum=(
                "S3Prefix",
                "ManifestFile",
                "AugmentedManifestFile",
            ),
        ),
        "spec.inputDataConfig[].dataSource.s3DataSource.s3Uri": V1(required=True, pattern=S3_URI),
        "spec.inputDataConfig[].inputMode": V1(
            enum=(
                "Pipe",
                "File",
            )
        ),
        "spec.inputDataConfig[].recordWrapperType": V1(),
        "spec.inputDataConfig[].shuffleConfig": V1(),
        "spec.inputDataConfig[].shuffleConfig.seed": V1(required=True),
        "spec.outputDataConfig": V1(required=True),
        "spec.outputDataConfig.kmsKeyId": V1(),
        "spec.outputDataConfig.s3OutputPath": V1(required=True, pattern=S3_URI),
        "spec.region": V1(required=True, minimum=1),
        "spec.resourceConfig": V1(),
        "spec.resourceConfig.instanceCount": V1(minimum=1),
        "spec.resourceConfig.instanceType": V1(minimum=1),
        "spec.resourceConfig.volumeKmsKeyId": V1(),
        "spec.resourceConfig.volumeSizeInGB": V1(minimum=1),
        "spec.roleArn": V1(required=True, minimum=20),
        "spec.sageMakerEndpoint": V1(pattern="^(https|http)://.*$"),
        "spec.stoppingCondition": V1(),
        "spec.stoppingCondition.maxRuntimeInSeconds": V1(minimum=1),
        "spec.stoppingCondition.maxWaitTimeInSeconds": V1(minimum=1),
        "spec.tags": V1(),
        "spec.tags[].key": V1(required=True, minimum=1),
        "spec.tags[].value": V1(required=True),
        "spec.tensorBoardOutputConfig": V1(),
        "spec.tensorBoardOutputConfig.localPath": V1(),
        "spec.tensorBoardOutputConfig.s3OutputPath": V1(required=True, pattern=S3_URI),
        "spec.trainingJobName": V1(maximum=63),
        "spec.vpcConfig": V1(),
        "spec.vpcConfig.securityGroupIds": V1(required=True, minimum=1, maximum=5),
        "spec.vpcConfig.securityGroupIds[]": V1(),
        "spec.vpcConfig.subnets": V1(required=True, minimum=1, maximum=16),
        "spec.vpcConfig.subnets[]": V1(),
        "status.additional": V1(),
        "status.cloudWatchLogUrl": V1(),
        "status.debugRuleEvaluationStatuses": V1(),
        "status.debugRuleEvaluationStatuses[].lastModifiedTime": V1(),
        "status.debugRuleEvaluationStatuses[].ruleConfigurationName": V1(),
        "status.debugRuleEvaluationStatuses[].ruleEvaluationJobArn": V1(),
        "status.debugRuleEvaluationStatuses[].ruleEvaluationStatus": V1(),
        "status.debugRuleEvaluationStatuses[].statusDetail": V1(),
        "status.lastCheckTime": V1(),
        "status.modelPath": V1(),
        "status.sageMakerTrainingJobName": V1(),
        "status.secondaryStatus": V1(),
        "status.trainingJobStatus": V1(),
    }
)

_COMPAT: Final = Compat(
    spec_required=True,
    fields=_FIELDS,
    renamed=MappingProxyType(
        {
            "spec.debugHookConfig.hookParameters": "ruleParameters",
            "status.debugRuleEvaluationStatuses[].statusDetails": "statusDetail",
        }
    ),
    # Read-only: AWS returns them and refuses them in requests.
    omitted=frozenset({"spec.resourceConfig.selectedInstanceCount", "spec.resourceConfig.selectedInstanceType"}),
    closed_enums=frozenset(
        {
            "spec.algorithmSpecification.trainingImageConfig.trainingRepositoryAccessMode",
            "spec.outputDataConfig.compressionType",
        }
    ),
    # All of these were required. AWS has since added alternatives: jobs without instances, and groups of instances.
    required_unless=(
        RequiredUnless("spec", "algorithmSpecification", ("serverlessJobConfig",)),
        RequiredUnless("spec", "resourceConfig", ("serverlessJobConfig",)),
        RequiredUnless("spec", "stoppingCondition", ("serverlessJobConfig",)),
        RequiredUnless("spec.resourceConfig", "instanceCount", ("instanceGroups", "instancePreferences")),
        RequiredUnless("spec.resourceConfig", "instanceType", ("instanceGroups", "instancePreferences")),
        RequiredUnless("spec.resourceConfig", "volumeSizeInGB", ("instanceGroups", "instancePreferences")),
    ),
    exclusive=(
        Exclusive("spec.resourceConfig", "instanceGroups", ("instanceType", "instanceCount")),
        Exclusive(
            "spec.resourceConfig", "instancePreferences", ("instanceType", "instanceGroups", "instancePlacementConfig")
        ),
    ),
    status=(
        StatusField(
            "additional",
            "FailureReason",
            description="Why the job failed, or what keeps the operator from doing its work.",
        ),
        StatusField(
            "billableTimeInSeconds",
            "BillableTimeInSeconds",
            description="Seconds that are billed, once the job has ended: with spot training, fewer than"
            " trainingTimeInSeconds.",
            of_ended=True,
        ),
        StatusField("cloudWatchLogUrl", description="Link to the job's logs in the CloudWatch console."),
        StatusField("debugRuleEvaluationStatuses", "DebugRuleEvaluationStatuses"),
        StatusField(
            "finalMetricDataList",
            "FinalMetricDataList",
            description="Last values of the metrics that the algorithm reported, once the job has completed.",
            of_completed=True,
        ),
        StatusField("lastCheckTime", form=Form.TIME, description="When this status was last compared with AWS."),
        StatusField(
            "modelPath",
            "ModelArtifacts.S3ModelArtifacts",
            description="S3 path of the trained model, once the job has completed.",
            of_completed=True,
        ),
        StatusField("sageMakerTrainingJobName", "TrainingJobName", description="Name of the training job at AWS."),
        StatusField(
            "secondaryStatus", "SecondaryStatus", description="Finer state of the training job, as AWS reports it."
        ),
        StatusField("trainingEndTime", "TrainingEndTime", description="When the job ended."),
        StatusField(
            "trainingJobStatus",
            "TrainingJobStatus",
            description="State of the training job as AWS reports it; SynchronizingK8sJobWithSageMaker before the"
            " operator has processed the object, ReconcilingTrainingJob while it cannot.",
        ),
        StatusField(
            "trainingStartTime",
            "TrainingStartTime",
            description="When the training itself began, once AWS has described the job.",
        ),
        StatusField(
            "trainingTimeInSeconds",
            "TrainingTimeInSeconds",
            description="Seconds that the training took, once the job has ended.",
            of_ended=True,
        ),
        StatusField(
            "warmPoolStatus",
            "WarmPoolStatus",
            description="The warm pool that the completed job has left, as of lastCheckTime.",
            of_completed=True,
        ),
    ),
)

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
        search="TrainingJob",
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
        initial=MappingProxyType({"SecondaryStatus": "Starting"}),
        secondary_member="SecondaryStatus",
        secondary_field="secondaryStatus",
        arn_member="TrainingJobArn",
        event="SageMaker Training Job State Change",
    ),
    printer_columns=(
        PrinterColumn("Status", ".status.trainingJobStatus"),
        PrinterColumn("Secondary-Status", ".status.secondaryStatus"),
        PrinterColumn("Creation-Time", ".metadata.creationTimestamp", format="date"),
        PrinterColumn("Sagemaker-Job-Name", ".status.sageMakerTrainingJobName"),
    ),
    log_group="/aws/sagemaker/TrainingJobs",
    compat=_COMPAT,
    update=JobUpdate(
        operation="UpdateTrainingJob",
        absent=MappingProxyType(
            {
                "ResourceConfig.KeepAlivePeriodInSeconds": 0,
                "ProfilerConfig": {"DisableProfiler": True},
                "ProfilerRuleConfigurations": [],
                "RemoteDebugConfig": {"EnableRemoteDebug": False},
            }
        ),
        after_end=frozenset({"ResourceConfig.KeepAlivePeriodInSeconds"}),
    ),
)

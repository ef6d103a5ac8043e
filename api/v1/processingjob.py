"""ProcessingJob: CreateProcessingJob, DescribeProcessingJob, StopProcessingJob, ListProcessingJobs."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from api.compat import S3_URI, V1, Compat, Exclusive, RequiredUnless, StatusField
from api.descriptor import KindDescriptor, LifeCycle, NameRule, Operations, PrinterColumn, StatusRule
from api.form import Form

_FIELDS: Final[Mapping[str, V1]] = MappingProxyType(
    {
        "spec.appSpecification": V1(required=True),
        "spec.appSpecification.containerArguments": V1(),
        "spec.appSpecification.containerArguments[]": V1(),
        "spec.appSpecification.containerEntrypoint": V1(),
        "spec.appSpecification.containerEntrypoint[]": V1(),
        "spec.appSpecification.imageUri": V1(),
        "spec.environment": V1(maximum=100),
        "spec.environment[].name": V1(),
        "spec.environment[].value": V1(),
        "spec.networkConfig": V1(),
        "spec.networkConfig.enableInterContainerTrafficEncryption": V1(),
        "spec.networkConfig.enableNetworkIsolation": V1(),
        "spec.networkConfig.vpcConfig": V1(),
        "spec.networkConfig.vpcConfig.securityGroupIds": V1(required=True, minimum=1, maximum=5),
        "spec.networkConfig.vpcConfig.securityGroupIds[]": V1(),
        "spec.networkConfig.vpcConfig.subnets": V1(required=True, minimum=1, maximum=16),
        "spec.networkConfig.vpcConfig.subnets[]": V1(),
        "spec.processingInputs": V1(maximum=10),
        "spec.processingInputs[].inputName": V1(required=True),
        "spec.processingInputs[].s3Input": V1(),
        "spec.processingInputs[].s3Input.localPath": V1(maximum=256),
        "spec.processingInputs[].s3Input.s3CompressionType": V1(
            enum=(
                "None",
                "Gzip",
            )
        ),
        "spec.processingInputs[].s3Input.s3DataDistributionType": V1(
            enum=(
                "FullyReplicated",
                "ShardedByS3Key",
            )
        ),
        "spec.processingInputs[].s3Input.s3DataType": V1(
            required=True,
            enum=(
                "S3Prefix",
                "ManifestFile",
            ),
        ),
        "spec.processingInputs[].s3Input.s3InputMode": V1(
            enum=(
                "File",
                "Pipe",
            )
        ),
        "spec.processingInputs[].s3Input.s3Uri": V1(required=True, pattern=S3_URI),
        "spec.processingOutputConfig": V1(),
        "spec.processingOutputConfig.kmsKeyId": V1(maximum=1024),
        "spec.processingOutputConfig.outputs": V1(required=True, maximum=10),
        "spec.processingOutputConfig.outputs[].outputName": V1(required=True),
        "spec.processingOutputConfig.outputs[].s3Output": V1(),
        "spec.processingOutputConfig.outputs[].s3Output.localPath": V1(maximum=256),
        "spec.processingOutputConfig.outputs[].s3Output.s3UploadMode": V1(
            required=True,
            enum=(
                "Continuous",
                "EndOfJob",
            ),
        ),
        "spec.processingOutputConfig.outputs[].s3Output.s3Uri": V1(required=True, pattern=S3_URI),
        "spec.processingResources": V1(required=True),
        "spec.processingResources.clusterConfig": V1(required=True),
        "spec.processingResources.clusterConfig.instanceCount": V1(minimum=1),
        "spec.processingResources.clusterConfig.instanceType": V1(minimum=1),
        "spec.processingResources.clusterConfig.volumeKmsKeyId": V1(),
        "spec.processingResources.clusterConfig.volumeSizeInGB": V1(required=True, minimum=1),
        "spec.region": V1(required=True, minimum=1),
        "spec.roleArn": V1(required=True, minimum=20, maximum=2048),
        "spec.sageMakerEndpoint": V1(pattern="^(https|http)://.*$"),
        "spec.stoppingCondition": V1(),
        "spec.stoppingCondition.maxRuntimeInSeconds": V1(minimum=1),
        "spec.tags": V1(maximum=50),
        "spec.tags[].key": V1(required=True, minimum=1),
        "spec.tags[].value": V1(required=True),
        "status.additional": V1(),
        "status.cloudWatchLogUrl": V1(),
        "status.lastCheckTime": V1(),
        "status.processingJobStatus": V1(),
        "status.sageMakerProcessingJobName": V1(),
    }
)

_CLUSTER: Final = "spec.processingResources.clusterConfig"
_INPUT: Final = "spec.processingInputs[]"
_OUTPUT: Final = "spec.processingOutputConfig.outputs[]"

_COMPAT: Final = Compat(
    fields=_FIELDS,
    omitted=frozenset(
        {
            # v1 has no field for the name: it is always the generated one.
            "spec.processingJobName",
            # Read-only: AWS returns them and refuses them in requests.
            f"{_CLUSTER}.selectedInstanceCount",
            f"{_CLUSTER}.selectedInstanceType",
        }
    ),
    # All of these were required. AWS has since added alternatives: other sources and targets, paths that the
    # application manages itself, and lists of instance types.
    required_unless=(
        RequiredUnless(_INPUT, "s3Input", ("datasetDefinition",)),
        RequiredUnless(_INPUT, "s3Input.localPath", ("appManaged",)),
        RequiredUnless(_OUTPUT, "s3Output", ("featureStoreOutput",)),
        RequiredUnless(_OUTPUT, "s3Output.localPath", ("appManaged",)),
        RequiredUnless(_CLUSTER, "instanceCount", ("instancePreferences",)),
        RequiredUnless(_CLUSTER, "instanceType", ("instancePreferences",)),
    ),
    exclusive=(Exclusive(_CLUSTER, "instancePreferences", ("instanceType",)),),
    status=(
        StatusField(
            "additional",
            "FailureReason",
            description="Why the job failed, or what keeps the operator from doing its work.",
        ),
        StatusField("cloudWatchLogUrl", description="Link to the job's logs in the CloudWatch console."),
        StatusField("exitMessage", "ExitMessage", description="What the container wrote to /opt/ml/output/message."),
        StatusField("lastCheckTime", form=Form.TIME, description="When this status was last compared with AWS."),
        StatusField("processingEndTime", "ProcessingEndTime", description="When the job ended."),
        StatusField(
            "processingJobStatus",
            "ProcessingJobStatus",
            description="State of the processing job as AWS reports it; SynchronizingK8sJobWithSageMaker before the"
            " operator has processed the object, Reconciling or Error while it cannot.",
        ),
        StatusField(
            "processingStartTime",
            "ProcessingStartTime",
            description="When the processing itself began, once AWS has described the job.",
        ),
        StatusField(
            "sageMakerProcessingJobName", "ProcessingJobName", description="Name of the processing job at AWS."
        ),
    ),
)

PROCESSING_JOB: Final = KindDescriptor(
    kind="ProcessingJob",
    plural="processingjobs",
    singular="processingjob",
    life_cycle=LifeCycle.JOB,
    operations=Operations(
        create="CreateProcessingJob",
        describe="DescribeProcessingJob",
        list="ListProcessingJobs",
        stop="StopProcessingJob",
        list_items="ProcessingJobSummaries",
    ),
    name=NameRule(
        member="ProcessingJobName",
        spec_field="",
        status_field="sageMakerProcessingJobName",
        max_length=63,
        late_initialized=False,
    ),
    status=StatusRule(
        member="ProcessingJobStatus",
        field="processingJobStatus",
        reconciling="Reconciling",
        refused="Error",
        arn_member="ProcessingJobArn",
        event="SageMaker Processing Job State Change",
    ),
    printer_columns=(
        PrinterColumn("Status", ".status.processingJobStatus"),
        PrinterColumn("Creation-Time", ".metadata.creationTimestamp", format="date"),
        PrinterColumn("Sagemaker-Job-Name", ".status.sageMakerProcessingJobName"),
    ),
    log_group="/aws/sagemaker/ProcessingJobs",
    compat=_COMPAT,
)

"""BatchTransformJob: CreateTransformJob, DescribeTransformJob, StopTransformJob, ListTransformJobs."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from api.compat import S3_URI, V1, Compat, StatusField
from api.descriptor import KindDescriptor, LifeCycle, NameRule, Operations, PrinterColumn, StatusRule
from api.form import Form
from api.references import Reference

_FIELDS: Final[Mapping[str, V1]] = MappingProxyType(
    {
        "spec.batchStrategy": V1(),
        "spec.dataProcessing": V1(),
        "spec.dataProcessing.JoinSource": V1(),
        "spec.dataProcessing.OutputFilter": V1(),
        "spec.dataProcessing.inputFilter": V1(),
        "spec.environment": V1(),
        "spec.environment[].name": V1(),
        "spec.environment[].value": V1(),
        "spec.maxConcurrentTransforms": V1(),
        "spec.maxPayloadInMB": V1(),
        "spec.modelName": V1(required=True),
        "spec.region": V1(required=True, minimum=1),
        "spec.sageMakerEndpoint": V1(pattern="^(https|http)://.*$"),
        "spec.tags": V1(),
        "spec.tags[].key": V1(required=True, minimum=1),
        "spec.tags[].value": V1(required=True),
        "spec.transformInput": V1(required=True),
        "spec.transformInput.compressionType": V1(
            enum=(
                "None",
                "Gzip",
            )
        ),
        "spec.transformInput.contentType": V1(),
        "spec.transformInput.dataSource": V1(required=True),
        "spec.transformInput.dataSource.s3DataSource": V1(required=True),
        "spec.transformInput.dataSource.s3DataSource.s3DataType": V1(
            required=True,
            enum=(
                "S3Prefix",
                "ManifestFile",
                "AugmentedManifestFile",
            ),
        ),
        "spec.transformInput.dataSource.s3DataSource.s3Uri": V1(required=True, pattern=S3_URI),
        "spec.transformInput.splitType": V1(),
        "spec.transformJobName": V1(maximum=63),
        "spec.transformOutput": V1(required=True),
        "spec.transformOutput.accept": V1(),
        "spec.transformOutput.assembleWith": V1(),
        "spec.transformOutput.kmsKeyId": V1(),
        "spec.transformOutput.s3OutputPath": V1(required=True, pattern=S3_URI),
        "spec.transformResources": V1(required=True),
        "spec.transformResources.instanceCount": V1(required=True, minimum=1),
        "spec.transformResources.instanceType": V1(required=True, minimum=1),
        "spec.transformResources.volumeKmsKeyId": V1(),
        "status.additional": V1(),
        "status.lastCheckTime": V1(),
        "status.sageMakerTransformJobName": V1(),
        "status.transformJobStatus": V1(),
    }
)

_COMPAT: Final = Compat(
    fields=_FIELDS,
    renamed=MappingProxyType(
        {
            "spec.dataProcessing.joinSource": "JoinSource",
            "spec.dataProcessing.outputFilter": "OutputFilter",
        }
    ),
    descriptions=MappingProxyType(
        {
            "spec.modelName": "The model to use: the name of a Model object in the same namespace, which is waited for;"
            " if there is none, the name of a model at AWS."
        }
    ),
    status=(
        StatusField(
            "additional",
            "FailureReason",
            description="Why the job failed, or what keeps the operator from doing its work.",
        ),
        StatusField("cloudWatchLogUrl", description="Link to the job's logs in the CloudWatch console."),
        StatusField("lastCheckTime", form=Form.TIME, description="When this status was last compared with AWS."),
        StatusField("sageMakerTransformJobName", "TransformJobName", description="Name of the transform job at AWS."),
        StatusField("transformEndTime", "TransformEndTime", description="When the job ended."),
        StatusField(
            "transformJobStatus",
            "TransformJobStatus",
            description="State of the transform job as AWS reports it; SynchronizingK8sJobWithSageMaker before the"
            " operator has processed the object.",
        ),
        StatusField(
            "transformStartTime",
            "TransformStartTime",
            description="When the transform itself began, once AWS has described the job.",
        ),
    ),
)

BATCH_TRANSFORM_JOB: Final = KindDescriptor(
    kind="BatchTransformJob",
    plural="batchtransformjobs",
    singular="batchtransformjob",
    life_cycle=LifeCycle.JOB,
    operations=Operations(
        create="CreateTransformJob",
        describe="DescribeTransformJob",
        list="ListTransformJobs",
        stop="StopTransformJob",
        list_items="TransformJobSummaries",
    ),
    name=NameRule(
        member="TransformJobName",
        spec_field="transformJobName",
        status_field="sageMakerTransformJobName",
        max_length=63,
        late_initialized=True,
    ),
    status=StatusRule(
        member="TransformJobStatus",
        field="transformJobStatus",
        # v1 has no separate value for this, and showed every error as Failed (D-12): the initial value is true.
        reconciling="SynchronizingK8sJobWithSageMaker",
        arn_member="TransformJobArn",
        event="SageMaker Transform Job State Change",
    ),
    printer_columns=(
        PrinterColumn("Status", ".status.transformJobStatus"),
        PrinterColumn("Creation-Time", ".metadata.creationTimestamp", format="date"),
        PrinterColumn("Sagemaker-Job-Name", ".status.sageMakerTransformJobName"),
    ),
    log_group="/aws/sagemaker/TransformJobs",
    compat=_COMPAT,
    references=(Reference(("modelName",), "Model"),),
)

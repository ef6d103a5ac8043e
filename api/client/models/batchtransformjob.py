"""Made by `python -m hack.crds` from api/v1 and hack/snapshots. Do not edit: change those.

The manifests of BatchTransformJob, `sagemaker.aws.amazon.com/v1`.
"""

from typing import Literal, Required, TypedDict

from api.client.models.metadata import Metadata


class DataCaptureConfig(TypedDict, total=False):
    """Configuration to control how SageMaker captures inference data."""

    destinationS3Uri: Required[str]
    """The Amazon S3 location being used to capture the data."""
    generateInferenceId: bool
    """Flag that indicates whether to append inference id to the output."""
    kmsKeyId: str
    """The Amazon Resource Name (ARN) of a Amazon Web Services Key Management Service key that SageMaker uses to
    encrypt data on the storage volume attached to the ML compute instance that hosts the batch transform job.
    """


class DataProcessing(TypedDict, total=False):
    """The data structure used to specify the data to be used for inference in a batch transform job and to
    associate the data that is relevant to the prediction results in the output.
    """

    JoinSource: str
    """Specifies the source of the data to join with the transformed data. The valid values are None and Input. The
    default value is None, which specifies not to join the input with the transformed data. Known values: Input,
    None.
    """
    OutputFilter: str
    """A JSONPath expression used to select a portion of the joined dataset to save in the output file for a batch
    transform job. If you want SageMaker to store the entire input dataset in the output file, leave the default
    value, $.
    """
    inputFilter: str
    """A JSONPath expression used to select a portion of the input data to pass to the algorithm. Use the
    InputFilter parameter to exclude fields, such as an ID column, from the input. If you want SageMaker to pass
    the entire input dataset to the algorithm, accept the default value $.
    """


class Environment(TypedDict, total=False):
    """Part of a BatchTransformJob."""

    name: str
    """Name of the entry. Of several entries with one name the last counts."""
    value: str
    """Value of the entry, always text: put numbers and booleans in quotes."""


class ExperimentConfig(TypedDict, total=False):
    """Associates a SageMaker job as a trial component with an experiment and trial."""

    experimentName: str
    """The name of an existing experiment to associate with the trial component."""
    runName: str
    """The name of the experiment run to associate with the trial component."""
    trialComponentDisplayName: str
    """The display name for the trial component. If this key isn't specified, the display name is the trial
    component name.
    """
    trialName: str
    """The name of an existing trial to associate the trial component with. If not specified, a new trial is
    created.
    """


class ModelClientConfig(TypedDict, total=False):
    """Configures the timeout and maximum number of retries for processing a transform job invocation."""

    invocationsMaxRetries: int
    """The maximum number of retries when invocation requests are failing. The default value is 3."""
    invocationsTimeoutInSeconds: int
    """The timeout value in seconds for an invocation request. The default value is 600."""


class Tags(TypedDict, total=False):
    """A tag object that consists of a key and an optional value, used to manage metadata for SageMaker Amazon Web
    Services resources.
    """

    key: Required[str]
    """The tag key. Tag keys must be unique per resource."""
    value: Required[str]
    """The tag value."""


class S3DataSource(TypedDict, total=False):
    """The S3 location of the data source that is associated with a channel."""

    s3DataType: Required[Literal["S3Prefix", "ManifestFile", "AugmentedManifestFile", "Converse"]]
    """If you choose S3Prefix, S3Uri identifies a key name prefix. Amazon SageMaker uses all objects with the
    specified key name prefix for batch transform.
    """
    s3Uri: Required[str]
    """Depending on the value specified for the S3DataType, identifies either a key name prefix or a manifest."""


class DataSource(TypedDict, total=False):
    """Describes the location of the channel data, which is, the S3 location of the input data that the model can
    consume.
    """

    s3DataSource: Required[S3DataSource]
    """The S3 location of the data source that is associated with a channel."""


class TransformInput(TypedDict, total=False):
    """Describes the input source and the way the transform job consumes it."""

    compressionType: Literal["None", "Gzip"]
    """If your transform data is compressed, specify the compression type. Amazon SageMaker automatically
    decompresses the data for the transform job accordingly. The default value is None.
    """
    contentType: str
    """The multipurpose internet mail extension (MIME) type of the data. Amazon SageMaker uses the MIME type with
    each http call to transfer data to the transform job.
    """
    dataSource: Required[DataSource]
    """Describes the location of the channel data, which is, the S3 location of the input data that the model can
    consume.
    """
    splitType: str
    """The method to use to split the transform job's data files into smaller batches. Splitting is necessary when
    the total size of each object is too large to fit in a single request. Known values: None, Line, RecordIO,
    TFRecord.
    """


class TransformOutput(TypedDict, total=False):
    """Describes the results of the transform job."""

    accept: str
    """The MIME type used to specify the output data. Amazon SageMaker uses the MIME type with each http call to
    transfer data from the transform job.
    """
    assembleWith: str
    """Defines how to assemble the results of the transform job as a single S3 object. Choose a format that is most
    convenient to you. To concatenate the results in binary format, specify None. To add a newline character at
    the end of every transformed record, specify Line. Known values: None, Line.
    """
    kmsKeyId: str
    """The Amazon Web Services Key Management Service (Amazon Web Services KMS) key that Amazon SageMaker uses to
    encrypt the model artifacts at rest using Amazon S3 server-side encryption.
    """
    s3OutputPath: Required[str]
    """The Amazon S3 path where you want Amazon SageMaker to store the results of the transform job. For example,
    s3://bucket-name/key-name-prefix.
    """


class TransformResources(TypedDict, total=False):
    """Describes the resources, including ML instance types and ML instance count, to use for the transform job."""

    instanceCount: Required[int]
    """The number of ML compute instances to use in the transform job. The default value is 1, and the maximum is
    100. For distributed transform jobs, specify a value greater than 1.
    """
    instanceType: Required[str]
    """The ML compute instance type for the transform job. If you are using built-in algorithms to transform
    moderately sized datasets, we recommend using ml.m4.xlarge or ml.m5.largeinstance types.
    """
    transformAmiVersion: str
    """Specifies an option from a collection of preconfigured Amazon Machine Image (AMI) images. Each image is
    configured by Amazon Web Services with a set of software and driver versions.
    """
    volumeKmsKeyId: str
    """The Amazon Web Services Key Management Service (Amazon Web Services KMS) key that Amazon SageMaker uses to
    encrypt model data on the storage volume attached to the ML compute instance(s) that run the batch transform
    job.
    """


class BatchTransformJobSpec(TypedDict, total=False):
    """The batch transform job that is wanted."""

    batchStrategy: str
    """Specifies the number of records to include in a mini-batch for an HTTP inference request. A record is a
    single unit of input data that inference can be made on. For example, a single line in a CSV file is a
    record. Known values: MultiRecord, SingleRecord.
    """
    dataCaptureConfig: DataCaptureConfig
    """Configuration to control how SageMaker captures inference data."""
    dataProcessing: DataProcessing
    """The data structure used to specify the data to be used for inference in a batch transform job and to
    associate the data that is relevant to the prediction results in the output.
    """
    environment: list[Environment]
    """The environment variables to set in the Docker container. Don't include any sensitive data in your
    environment variables. We support up to 16 key and values entries in the map.
    """
    experimentConfig: ExperimentConfig
    """Associates a SageMaker job as a trial component with an experiment and trial."""
    maxConcurrentTransforms: int
    """The maximum number of parallel requests that can be sent to each instance in a transform job. If
    MaxConcurrentTransforms is set to 0 or left unset, Amazon SageMaker checks the optional execution-parameters
    to determine the settings for your chosen algorithm.
    """
    maxPayloadInMB: int
    """The maximum allowed size of the payload, in MB. A payload is the data portion of a record (without
    metadata). The value in MaxPayloadInMB must be greater than, or equal to, the size of a single record.
    """
    modelClientConfig: ModelClientConfig
    """Configures the timeout and maximum number of retries for processing a transform job invocation."""
    modelName: Required[str]
    """The model to use: the name of a Model object in the same namespace, which is waited for; if there is none,
    the name of a model at AWS.
    """
    region: str
    """AWS region in which the resource lives, for example us-east-2. If it is left out, that of the namespace,
    then that of the operator.
    """
    sageMakerEndpoint: str
    """URL of the SageMaker API to use for this object instead of the region's own, for example that of a VPC
    endpoint. Wins over the operator's AWS_DEFAULT_SAGEMAKER_ENDPOINT.
    """
    tags: list[Tags]
    """(Optional) An array of key-value pairs."""
    transformInput: Required[TransformInput]
    """Describes the input source and the way the transform job consumes it."""
    transformJobName: str
    """Name at AWS, unique in account and region. If it is left out or empty, the operator makes one from
    metadata.name and metadata.uid and writes it here.
    """
    transformOutput: Required[TransformOutput]
    """Describes the results of the transform job."""
    transformResources: Required[TransformResources]
    """Describes the resources, including ML instance types and ML instance count, to use for the transform job."""


class AwsResource(TypedDict, total=False):
    """What was created at AWS for this object. Once recorded it is never created again, nor looked for elsewhere."""

    accountId: str
    """AWS account that owns the resource."""
    arn: str
    """Amazon Resource Name."""
    changesDigest: str
    """What the mutable fields of the job were when they were sent to AWS last, as a digest."""
    contentDigest: str
    """What the spec of a job asked for when it was created, as a digest: an edit since then has no effect."""
    createdAt: str
    """When the operator had it created, by its own clock."""
    creationTime: str
    """When AWS created it, as AWS says: what has the name and another time here is not this object's."""
    name: str
    """Name at AWS."""
    ownerUid: str
    """The metadata.uid of the object that it was recorded for: tags decide where that is another one."""
    ownerUnverified: bool
    """The creation time fits; the owner tags are read before the resource is first changed."""
    partition: str
    """AWS partition, for example aws or aws-cn."""
    region: str
    """AWS region."""
    released: bool
    """The deletion of the object has found it gone, or left it to others; what it was made of goes next."""
    replacedNames: list[str]
    """Names at AWS of what the resource has replaced, and that exist as long as something uses them."""
    tagKeys: list[str]
    """Keys of the tags that spec.tags has put on it: they are taken off when they vanish from there."""
    tagsDigest: str
    """What it is tagged with, as a digest."""
    triedName: str
    """Name under which AWS has refused to create it. Alone: nothing was created."""


class Conditions(TypedDict, total=False):
    """One aspect of the object's state."""

    lastTransitionTime: str
    """When the status last changed."""
    message: str
    """Details for people."""
    observedGeneration: int
    """The metadata.generation that this was decided on."""
    reason: str
    """Why the status is what it is, in one CamelCase word."""
    status: Required[Literal["True", "False", "Unknown"]]
    """True, False or Unknown."""
    type: Required[str]
    """Which aspect: Ready, Synced, Reconciling, Stalled, ..."""


class BatchTransformJobStatus(TypedDict, total=False):
    """What became of it, as last seen."""

    additional: str
    """Why the job failed, or what keeps the operator from doing its work."""
    awsResource: AwsResource
    """What was created at AWS for this object. Once recorded it is never created again, nor looked for elsewhere."""
    cloudWatchLogUrl: str
    """Link to the job's logs in the CloudWatch console."""
    conditions: list[Conditions]
    """The state of the object in the standard form: Ready says whether its result can be used."""
    lastCheckTime: str
    """When this status was last compared with AWS."""
    lastHandledReconcileAt: str
    """The text of the annotation sagemaker.aws.amazon.com/reconcile-at that was acted on last."""
    observedGeneration: int
    """The metadata.generation that this status was decided on."""
    sageMakerTransformJobName: str
    """Name of the transform job at AWS."""
    transformEndTime: str
    """When the job ended."""
    transformJobStatus: str
    """State of the transform job as AWS reports it; SynchronizingK8sJobWithSageMaker before the operator has
    processed the object. Known values: InProgress, Completed, Failed, Stopping, Stopped.
    """
    transformStartTime: str
    """When the transform itself began, once AWS has described the job."""


class BatchTransformJob(TypedDict, total=False):
    """BatchTransformJob: made at AWS by CreateTransformJob."""

    apiVersion: Required[Literal["sagemaker.aws.amazon.com/v1"]]
    kind: Required[Literal["BatchTransformJob"]]
    metadata: Required[Metadata]
    spec: Required[BatchTransformJobSpec]
    status: BatchTransformJobStatus

"""Made by `python -m hack.crds` from api/v1 and hack/snapshots. Do not edit: change those.

The manifests of ProcessingJob, `sagemaker.aws.amazon.com/v1`.
"""

from typing import Literal, Required, TypedDict

from api.client.models.metadata import Metadata


class AppSpecification(TypedDict, total=False):
    """Configures the processing job to run a specified Docker container image."""

    containerArguments: list[str]
    """The arguments for a container used to run a processing job."""
    containerEntrypoint: list[str]
    """The entrypoint for a container used to run a processing job."""
    imageUri: str
    """The container image to be run by the processing job."""


class Environment(TypedDict, total=False):
    """Part of a ProcessingJob."""

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


class VpcConfig(TypedDict, total=False):
    """Specifies an Amazon Virtual Private Cloud (VPC) that your SageMaker jobs, hosted models, and compute
    resources have access to. You can control access to and from your resources by configuring a VPC.
    """

    securityGroupIds: Required[list[str]]
    """The VPC security group IDs, in the form sg-xxxxxxxx. Specify the security groups for the VPC that is
    specified in the Subnets field.
    """
    subnets: Required[list[str]]
    """The ID of the subnets in the VPC to which you want to connect your training job or model."""


class NetworkConfig(TypedDict, total=False):
    """Networking options for a processing job, such as whether to allow inbound and outbound network calls to and
    from processing containers, and the VPC subnets and security groups to use for VPC-enabled processing jobs.
    """

    enableInterContainerTrafficEncryption: bool
    """Whether to encrypt all communications between distributed processing jobs. Choose True to encrypt
    communications. Encryption provides greater security for distributed processing jobs, but the processing
    might take longer.
    """
    enableNetworkIsolation: bool
    """Whether to allow inbound and outbound network calls to and from the containers used for the processing job."""
    vpcConfig: VpcConfig
    """Specifies an Amazon Virtual Private Cloud (VPC) that your SageMaker jobs, hosted models, and compute
    resources have access to. You can control access to and from your resources by configuring a VPC.
    """


class AthenaDatasetDefinition(TypedDict, total=False):
    """Configuration for Athena Dataset Definition input."""

    catalog: Required[str]
    """The name of the data catalog used in Athena query execution."""
    database: Required[str]
    """The name of the database used in the Athena query execution."""
    kmsKeyId: str
    """The Amazon Web Services Key Management Service (Amazon Web Services KMS) key that Amazon SageMaker uses to
    encrypt data generated from an Athena query execution.
    """
    outputCompression: str
    """The compression used for Athena query results. Known values: GZIP, SNAPPY, ZLIB."""
    outputFormat: Required[str]
    """The data storage format for Athena query results. Known values: PARQUET, ORC, AVRO, JSON, TEXTFILE."""
    outputS3Uri: Required[str]
    """The location in Amazon S3 where Athena query results are stored."""
    queryString: Required[str]
    """The SQL query statements, to be executed."""
    workGroup: str
    """The name of the workgroup in which the Athena query is being started."""


class RedshiftDatasetDefinition(TypedDict, total=False):
    """Configuration for Redshift Dataset Definition input."""

    clusterId: Required[str]
    """The Redshift cluster Identifier."""
    clusterRoleArn: Required[str]
    """The IAM role attached to your Redshift cluster that Amazon SageMaker uses to generate datasets."""
    database: Required[str]
    """The name of the Redshift database used in Redshift query execution."""
    dbUser: Required[str]
    """The database user name used in Redshift query execution."""
    kmsKeyId: str
    """The Amazon Web Services Key Management Service (Amazon Web Services KMS) key that Amazon SageMaker uses to
    encrypt data from a Redshift execution.
    """
    outputCompression: str
    """The compression used for Redshift query results. Known values: None, GZIP, BZIP2, ZSTD, SNAPPY."""
    outputFormat: Required[str]
    """The data storage format for Redshift query results. Known values: PARQUET, CSV."""
    outputS3Uri: Required[str]
    """The location in Amazon S3 where the Redshift query results are stored."""
    queryString: Required[str]
    """The SQL query statements to be executed."""


class DatasetDefinition(TypedDict, total=False):
    """Configuration for a Dataset Definition input."""

    athenaDatasetDefinition: AthenaDatasetDefinition
    """Configuration for Athena Dataset Definition input."""
    dataDistributionType: str
    """Whether the generated dataset is FullyReplicated or ShardedByS3Key (default). Known values: FullyReplicated,
    ShardedByS3Key.
    """
    inputMode: str
    """Whether to use File or Pipe input mode. In File (default) mode, Amazon SageMaker copies the data from the
    input source onto the local Amazon Elastic Block Store (Amazon EBS) volumes before starting your training
    algorithm. This is the most commonly used input mode. Known values: Pipe, File.
    """
    localPath: str
    """The local path where you want Amazon SageMaker to download the Dataset Definition inputs to run a processing
    job. LocalPath is an absolute path to the input data. This is a required parameter when AppManaged is False
    (default).
    """
    redshiftDatasetDefinition: RedshiftDatasetDefinition
    """Configuration for Redshift Dataset Definition input."""


class S3Input(TypedDict, total=False):
    """Configuration for downloading input data from Amazon S3 into the processing container."""

    localPath: str
    """The local path in your container where you want Amazon SageMaker to write input data to. LocalPath is an
    absolute path to the input data and must begin with /opt/ml/processing/. LocalPath is a required parameter
    when AppManaged is False (default).
    """
    s3CompressionType: Literal["None", "Gzip"]
    """Whether to GZIP-decompress the data in Amazon S3 as it is streamed into the processing container. Gzip can
    only be used when Pipe mode is specified as the S3InputMode.
    """
    s3DataDistributionType: Literal["FullyReplicated", "ShardedByS3Key"]
    """Whether to distribute the data from Amazon S3 to all processing instances with FullyReplicated, or whether
    the data from Amazon S3 is sharded by Amazon S3 key, downloading one shard of data to each processing
    instance.
    """
    s3DataType: Required[Literal["S3Prefix", "ManifestFile"]]
    """Whether you use an S3Prefix or a ManifestFile for the data type. If you choose S3Prefix, S3Uri identifies a
    key name prefix. Amazon SageMaker uses all objects with the specified key name prefix for the processing
    job.
    """
    s3InputMode: Literal["File", "Pipe"]
    """Whether to use File or Pipe input mode. In File mode, Amazon SageMaker copies the data from the input source
    onto the local ML storage volume before starting your processing container. This is the most commonly used
    input mode.
    """
    s3Uri: Required[str]
    """The URI of the Amazon S3 prefix Amazon SageMaker downloads data required to run a processing job."""


class ProcessingInputs(TypedDict, total=False):
    """The inputs for a processing job. The processing input must specify exactly one of either S3Input or
    DatasetDefinition types.
    """

    appManaged: bool
    """When True, input operations such as data download are managed natively by the processing job application.
    When False (default), input operations are managed by Amazon SageMaker.
    """
    datasetDefinition: DatasetDefinition
    """Configuration for a Dataset Definition input."""
    inputName: Required[str]
    """The name for the processing job input."""
    s3Input: S3Input
    """Configuration for downloading input data from Amazon S3 into the processing container."""


class FeatureStoreOutput(TypedDict, total=False):
    """Configuration for processing job outputs in Amazon SageMaker Feature Store. This processing output type is
    only supported when AppManaged is specified.
    """

    featureGroupName: Required[str]
    """The name of the Amazon SageMaker FeatureGroup to use as the destination for processing job output. Note that
    your processing script is responsible for putting records into your Feature Store.
    """


class S3Output(TypedDict, total=False):
    """Configuration for processing job outputs in Amazon S3."""

    localPath: str
    """The local path of a directory where you want Amazon SageMaker to upload its contents to Amazon S3. LocalPath
    is an absolute path to a directory containing output files. This directory will be created by the platform
    and exist when your container's entrypoint is invoked.
    """
    s3UploadMode: Required[Literal["Continuous", "EndOfJob"]]
    """Whether to upload the results of the processing job continuously or after the job completes."""
    s3Uri: Required[str]
    """A URI that identifies the Amazon S3 bucket where you want Amazon SageMaker to save the results of a
    processing job.
    """


class Outputs(TypedDict, total=False):
    """Describes the results of a processing job. The processing output must specify exactly one of either S3Output
    or FeatureStoreOutput types.
    """

    appManaged: bool
    """When True, output operations such as data upload are managed natively by the processing job application.
    When False (default), output operations are managed by Amazon SageMaker.
    """
    featureStoreOutput: FeatureStoreOutput
    """Configuration for processing job outputs in Amazon SageMaker Feature Store. This processing output type is
    only supported when AppManaged is specified.
    """
    outputName: Required[str]
    """The name for the processing job output."""
    s3Output: S3Output
    """Configuration for processing job outputs in Amazon S3."""


class ProcessingOutputConfig(TypedDict, total=False):
    """Output configuration for the processing job."""

    kmsKeyId: str
    """The Amazon Web Services Key Management Service (Amazon Web Services KMS) key that Amazon SageMaker uses to
    encrypt the processing job output. KmsKeyId can be an ID of a KMS key, ARN of a KMS key, or alias of a KMS
    key. The KmsKeyId is applied to all outputs.
    """
    outputs: Required[list[Outputs]]
    """An array of outputs configuring the data to upload from the processing container."""


class InstancePreferences(TypedDict, total=False):
    """A candidate instance type preference in a processing InstancePreferences list."""

    instanceCount: int
    """The number of instances to launch if this instance type is selected."""
    instanceType: Required[str]
    """The ML compute instance type. An instance type can appear only once in an InstancePreferences list."""


class ClusterConfig(TypedDict, total=False):
    """The configuration for the resources in a cluster used to run the processing job."""

    instanceCount: int
    """The number of ML compute instances to use in the processing job. For distributed processing jobs, specify a
    value greater than 1. The default value is 1.
    """
    instancePreferences: list[InstancePreferences]
    """An ordered list of ML compute instance types for the processing job, in priority order. Amazon SageMaker
    launches the job on the first instance type in the list that has available capacity.
    """
    instanceType: str
    """The ML compute instance type for the processing job."""
    volumeKmsKeyId: str
    """The Amazon Web Services Key Management Service (Amazon Web Services KMS) key that Amazon SageMaker uses to
    encrypt data on the storage volume attached to the ML compute instance(s) that run the processing job.
    """
    volumeSizeInGB: Required[int]
    """The size of the ML storage volume in gigabytes that you want to provision. You must specify sufficient ML
    storage for your scenario.
    """


class ProcessingResources(TypedDict, total=False):
    """Identifies the resources, ML compute instances, and ML storage volumes to deploy for a processing job. In
    distributed training, you specify more than one instance.
    """

    clusterConfig: Required[ClusterConfig]
    """The configuration for the resources in a cluster used to run the processing job."""


class StoppingCondition(TypedDict, total=False):
    """The time limit for how long the processing job is allowed to run."""

    maxRuntimeInSeconds: int
    """Specifies the maximum runtime in seconds."""


class Tags(TypedDict, total=False):
    """A tag object that consists of a key and an optional value, used to manage metadata for SageMaker Amazon Web
    Services resources.
    """

    key: Required[str]
    """The tag key. Tag keys must be unique per resource."""
    value: Required[str]
    """The tag value."""


class ProcessingJobSpec(TypedDict, total=False):
    """The processing job that is wanted."""

    appSpecification: Required[AppSpecification]
    """Configures the processing job to run a specified Docker container image."""
    environment: list[Environment]
    """The environment variables to set in the Docker container. Up to 100 key and values entries in the map are
    supported.
    """
    experimentConfig: ExperimentConfig
    """Associates a SageMaker job as a trial component with an experiment and trial."""
    networkConfig: NetworkConfig
    """Networking options for a processing job, such as whether to allow inbound and outbound network calls to and
    from processing containers, and the VPC subnets and security groups to use for VPC-enabled processing jobs.
    """
    processingInputs: list[ProcessingInputs]
    """An array of inputs configuring the data to download into the processing container."""
    processingOutputConfig: ProcessingOutputConfig
    """Output configuration for the processing job."""
    processingResources: Required[ProcessingResources]
    """Identifies the resources, ML compute instances, and ML storage volumes to deploy for a processing job. In
    distributed training, you specify more than one instance.
    """
    region: str
    """AWS region in which the resource lives, for example us-east-2. If it is left out, that of the namespace,
    then that of the operator.
    """
    roleArn: Required[str]
    """The Amazon Resource Name (ARN) of an IAM role that Amazon SageMaker can assume to perform tasks on your
    behalf.
    """
    sageMakerEndpoint: str
    """URL of the SageMaker API to use for this object instead of the region's own, for example that of a VPC
    endpoint. Wins over the operator's AWS_DEFAULT_SAGEMAKER_ENDPOINT.
    """
    stoppingCondition: StoppingCondition
    """The time limit for how long the processing job is allowed to run."""
    tags: list[Tags]
    """(Optional) An array of key-value pairs."""


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


class ProcessingJobStatus(TypedDict, total=False):
    """What became of it, as last seen."""

    additional: str
    """Why the job failed, or what keeps the operator from doing its work."""
    awsResource: AwsResource
    """What was created at AWS for this object. Once recorded it is never created again, nor looked for elsewhere."""
    cloudWatchLogUrl: str
    """Link to the job's logs in the CloudWatch console."""
    conditions: list[Conditions]
    """The state of the object in the standard form: Ready says whether its result can be used."""
    exitMessage: str
    """What the container wrote to /opt/ml/output/message."""
    lastCheckTime: str
    """When this status was last compared with AWS."""
    lastHandledReconcileAt: str
    """The text of the annotation sagemaker.aws.amazon.com/reconcile-at that was acted on last."""
    observedGeneration: int
    """The metadata.generation that this status was decided on."""
    processingEndTime: str
    """When the job ended."""
    processingJobStatus: str
    """State of the processing job as AWS reports it; SynchronizingK8sJobWithSageMaker before the operator has
    processed the object, Reconciling or Error while it cannot. Known values: InProgress, Completed, Failed,
    Stopping, Stopped.
    """
    processingStartTime: str
    """When the processing itself began, once AWS has described the job."""
    sageMakerProcessingJobName: str
    """Name of the processing job at AWS."""


class ProcessingJob(TypedDict, total=False):
    """ProcessingJob: made at AWS by CreateProcessingJob."""

    apiVersion: Required[Literal["sagemaker.aws.amazon.com/v1"]]
    kind: Required[Literal["ProcessingJob"]]
    metadata: Required[Metadata]
    spec: Required[ProcessingJobSpec]
    status: ProcessingJobStatus

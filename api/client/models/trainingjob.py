"""Made by `python -m hack.crds` from api/v1 and hack/snapshots. Do not edit: change those.

The manifests of TrainingJob, `sagemaker.aws.amazon.com/v1`.
"""

from typing import Literal, Required, TypedDict

from api.client.models.metadata import Metadata


class MetricDefinitions(TypedDict, total=False):
    """Specifies a metric that the training algorithm writes to stderr or stdout. You can view these logs to
    understand how your training job performs and check for any errors encountered during training. SageMaker
    hyperparameter tuning captures all defined metrics.
    """

    name: Required[str]
    """The name of the metric."""
    regex: Required[str]
    """A regular expression that searches the output of a training job and gets the value of the metric."""


class TrainingRepositoryAuthConfig(TypedDict, total=False):
    """An object containing authentication information for a private Docker registry containing your training
    images.
    """

    trainingRepositoryCredentialsProviderArn: Required[str]
    """The Amazon Resource Name (ARN) of an Amazon Web Services Lambda function used to give SageMaker access
    credentials to your private Docker registry.
    """


class TrainingImageConfig(TypedDict, total=False):
    """The configuration to use an image from a private Docker registry for a training job."""

    trainingRepositoryAccessMode: Required[Literal["Platform", "Vpc"]]
    """The method that your training job will use to gain access to the images in your private Docker registry. For
    access to an image in a private Docker registry, set to Vpc.
    """
    trainingRepositoryAuthConfig: TrainingRepositoryAuthConfig
    """An object containing authentication information for a private Docker registry containing your training
    images.
    """


class AlgorithmSpecification(TypedDict, total=False):
    """The registry path of the Docker image that contains the training algorithm and algorithm-specific metadata,
    including the input mode.
    """

    algorithmName: str
    """The name of the algorithm resource to use for the training job. This must be an algorithm resource that you
    created or subscribe to on Amazon Web Services Marketplace.
    """
    containerArguments: list[str]
    """The arguments for a container used to run a training job."""
    containerEntrypoint: list[str]
    """The entrypoint script for a Docker container used to run a training job. This script takes precedence over
    the default train processing instructions.
    """
    enableSageMakerMetricsTimeSeries: bool
    """To generate and save time-series metrics during training, set to true."""
    metricDefinitions: list[MetricDefinitions]
    """A list of metric definition objects. Each object specifies the metric name and regular expressions used to
    parse algorithm logs. SageMaker publishes each metric to Amazon CloudWatch.
    """
    trainingImage: str
    """The registry path of the Docker image that contains the training algorithm. SageMaker supports both
    registry/repository[:tag] and registry/repository[@digest] image path formats.
    """
    trainingImageConfig: TrainingImageConfig
    """The configuration to use an image from a private Docker registry for a training job."""
    trainingInputMode: Required[Literal["File", "Pipe", "FastFile"]]
    """The training input mode that the algorithm supports."""


class CheckpointConfig(TypedDict, total=False):
    """Contains information about the output location for managed spot training checkpoint data."""

    localPath: str
    """(Optional) The local directory where checkpoints are written. The default directory is /opt/ml/checkpoints/."""
    s3Uri: Required[str]
    """Identifies the S3 path where you want SageMaker to store checkpoints. For example,
    s3://bucket-name/key-name-prefix.
    """


class CollectionParameters(TypedDict, total=False):
    """Part of a TrainingJob."""

    name: str
    """Name of the entry. Of several entries with one name the last counts."""
    value: str
    """Value of the entry, always text: put numbers and booleans in quotes."""


class CollectionConfigurations(TypedDict, total=False):
    """Configuration information for the Amazon SageMaker Debugger output tensor collections."""

    collectionName: str
    """The name of the tensor collection. The name must be unique relative to other rule configuration names."""
    collectionParameters: list[CollectionParameters]
    """Parameter values for the tensor collection. The allowed parameters are 'name', 'include_regex',
    'reduction_config', 'save_config', 'tensor_names', and 'save_histogram'.
    """


class RuleParameters(TypedDict, total=False):
    """Part of a TrainingJob."""

    name: str
    """Name of the entry. Of several entries with one name the last counts."""
    value: str
    """Value of the entry, always text: put numbers and booleans in quotes."""


class DebugHookConfig(TypedDict, total=False):
    """Configuration information for the Amazon SageMaker Debugger hook parameters, metric and tensor collections,
    and storage paths.
    """

    collectionConfigurations: list[CollectionConfigurations]
    """Configuration information for Amazon SageMaker Debugger tensor collections."""
    localPath: str
    """Path to local storage location for metrics and tensors. Defaults to /opt/ml/output/tensors/."""
    ruleParameters: list[RuleParameters]
    """Configuration information for the Amazon SageMaker Debugger hook parameters."""
    s3OutputPath: Required[str]
    """Path to Amazon S3 storage location for metrics and tensors."""


class DebugRuleConfigurations(TypedDict, total=False):
    """Configuration information for SageMaker Debugger rules for debugging."""

    instanceType: str
    """The instance type to deploy a custom rule for debugging a training job."""
    localPath: str
    """Path to local storage location for output of rules. Defaults to /opt/ml/processing/output/rule/."""
    ruleConfigurationName: Required[str]
    """The name of the rule configuration. It must be unique relative to other rule configuration names."""
    ruleEvaluatorImage: Required[str]
    """The Amazon Elastic Container (ECR) Image for the managed rule evaluation."""
    ruleParameters: list[RuleParameters]
    """Runtime configuration for rule container."""
    s3OutputPath: str
    """Path to Amazon S3 storage location for rules."""
    volumeSizeInGB: int
    """The size, in GB, of the ML storage volume attached to the processing instance."""


class Environment(TypedDict, total=False):
    """Part of a TrainingJob."""

    name: Required[str]
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


class HyperParameters(TypedDict, total=False):
    """Part of a TrainingJob."""

    name: str
    """Name of the entry. Of several entries with one name the last counts."""
    value: str
    """Value of the entry, always text: put numbers and booleans in quotes."""


class InfraCheckConfig(TypedDict, total=False):
    """Contains information about the infrastructure health check configuration for the training job."""

    enableInfraCheck: bool
    """Enables an infrastructure health check."""


class DatasetSource(TypedDict, total=False):
    """The dataset resource that's associated with a channel."""

    datasetArn: Required[str]
    """The Amazon Resource Name (ARN) of the dataset resource."""


class FileSystemDataSource(TypedDict, total=False):
    """The file system that is associated with a channel."""

    directoryPath: Required[str]
    """The full path to the directory to associate with the channel."""
    fileSystemAccessMode: Required[str]
    """The access mode of the mount of the directory associated with the channel. A directory can be mounted either
    in ro (read-only) or rw (read-write) mode. Known values: rw, ro.
    """
    fileSystemId: Required[str]
    """The file system id."""
    fileSystemType: Required[str]
    """The file system type. Known values: EFS, FSxLustre."""


class HubAccessConfig(TypedDict, total=False):
    """The configuration for a private hub model reference that points to a SageMaker JumpStart public hub model."""

    hubContentArn: Required[str]
    """The ARN of your private model hub content. This should be a ModelReference resource type that points to a
    SageMaker JumpStart public hub model.
    """


class ModelAccessConfig(TypedDict, total=False):
    """The access configuration file to control access to the ML model. You can explicitly accept the model
    end-user license agreement (EULA) within the ModelAccessConfig.
    """

    acceptEula: Required[bool]
    """Specifies agreement to the model end-user license agreement (EULA). The AcceptEula value must be explicitly
    defined as True in order to accept the EULA that this model requires.
    """


class S3DataSource(TypedDict, total=False):
    """The S3 location of the data source that is associated with a channel."""

    attributeNames: list[str]
    """A list of one or more attribute names to use that are found in a specified augmented manifest file."""
    hubAccessConfig: HubAccessConfig
    """The configuration for a private hub model reference that points to a SageMaker JumpStart public hub model."""
    instanceGroupNames: list[str]
    """A list of names of instance groups that get data from the S3 data source."""
    modelAccessConfig: ModelAccessConfig
    """The access configuration file to control access to the ML model. You can explicitly accept the model
    end-user license agreement (EULA) within the ModelAccessConfig.
    """
    s3DataDistributionType: Literal["FullyReplicated", "ShardedByS3Key"]
    """If you want SageMaker to replicate the entire dataset on each ML compute instance that is launched for model
    training, specify FullyReplicated.
    """
    s3DataType: Required[Literal["S3Prefix", "ManifestFile", "AugmentedManifestFile", "Converse"]]
    """If you choose S3Prefix, S3Uri identifies a key name prefix. SageMaker uses all objects that match the
    specified key name prefix for model training.
    """
    s3Uri: Required[str]
    """Depending on the value specified for the S3DataType, identifies either a key name prefix or a manifest."""


class DataSource(TypedDict, total=False):
    """The location of the channel data."""

    datasetSource: DatasetSource
    """The dataset resource that's associated with a channel."""
    fileSystemDataSource: FileSystemDataSource
    """The file system that is associated with a channel."""
    s3DataSource: S3DataSource
    """The S3 location of the data source that is associated with a channel."""


class ShuffleConfig(TypedDict, total=False):
    """A configuration for a shuffle option for input data in a channel. If you use S3Prefix for S3DataType, this
    shuffles the results of the S3 key prefix matches. If you use ManifestFile, the order of the S3 object
    references in the ManifestFile is shuffled.
    """

    seed: Required[int]
    """Determines the shuffling order in ShuffleConfig value."""


class InputDataConfig(TypedDict, total=False):
    """A channel is a named input source that training algorithms can consume."""

    channelName: Required[str]
    """The name of the channel."""
    compressionType: Literal["None", "Gzip"]
    """If training data is compressed, the compression type. The default value is None. CompressionType is used
    only in Pipe input mode. In File mode, leave this field unset or set it to None.
    """
    contentType: str
    """The MIME type of the data."""
    dataSource: Required[DataSource]
    """The location of the channel data."""
    inputMode: Literal["Pipe", "File", "FastFile"]
    """(Optional) The input mode to use for the data channel in a training job. If you don't set a value for
    InputMode, SageMaker uses the value set for TrainingInputMode.
    """
    recordWrapperType: str
    """Specify RecordIO as the value when input data is in raw format but the training algorithm requires the
    RecordIO format. In this case, SageMaker wraps each individual S3 object in a RecordIO record. Known values:
    None, RecordIO.
    """
    shuffleConfig: ShuffleConfig
    """A configuration for a shuffle option for input data in a channel. If you use S3Prefix for S3DataType, this
    shuffles the results of the S3 key prefix matches. If you use ManifestFile, the order of the S3 object
    references in the ManifestFile is shuffled.
    """


class MlflowConfig(TypedDict, total=False):
    """The MLflow configuration using SageMaker managed MLflow."""

    mlflowExperimentName: str
    """The MLflow experiment name used for this job."""
    mlflowResourceArn: Required[str]
    """The Amazon Resource Name (ARN) of the MLflow resource."""
    mlflowRunName: str
    """The MLflow run name used for this job."""


class ModelPackageConfig(TypedDict, total=False):
    """The configuration for the model package."""

    modelPackageGroupArn: Required[str]
    """The Amazon Resource Name (ARN) of the model package group of output model package."""
    sourceModelPackageArn: str
    """The Amazon Resource Name (ARN) of the source model package used for continued fine-tuning and custom model
    evaluation.
    """


class OutputDataConfig(TypedDict, total=False):
    """Specifies the path to the S3 location where you want to store model artifacts. SageMaker creates subfolders
    for the artifacts.
    """

    compressionType: Literal["GZIP", "NONE"]
    """The model output compression type. Select None to output an uncompressed model, recommended for large model
    outputs. Defaults to gzip.
    """
    kmsKeyId: str
    """The Amazon Web Services Key Management Service (Amazon Web Services KMS) key that SageMaker uses to encrypt
    the model artifacts at rest using Amazon S3 server-side encryption.
    """
    s3OutputPath: Required[str]
    """Identifies the S3 path where you want SageMaker to store the model artifacts. For example,
    s3://bucket-name/key-name-prefix.
    """


class ProfilingParameters(TypedDict, total=False):
    """Part of a TrainingJob."""

    name: Required[str]
    """Name of the entry. Of several entries with one name the last counts."""
    value: str
    """Value of the entry, always text: put numbers and booleans in quotes."""


class ProfilerConfig(TypedDict, total=False):
    """Configuration information for Amazon SageMaker Debugger system monitoring, framework profiling, and storage
    paths.
    """

    disableProfiler: bool
    """Configuration to turn off Amazon SageMaker Debugger's system monitoring and profiling functionality. To turn
    it off, set to True.
    """
    profilingIntervalInMilliseconds: int
    """A time interval for capturing system metrics in milliseconds. Available values are 100, 200, 500, 1000 (1
    second), 5000 (5 seconds), and 60000 (1 minute) milliseconds. The default value is 500 milliseconds.
    """
    profilingParameters: list[ProfilingParameters]
    """Configuration information for capturing framework metrics. Available key strings for different profiling
    options are DetailedProfilingConfig, PythonProfilingConfig, and DataLoaderProfilingConfig.
    """
    s3OutputPath: str
    """Path to Amazon S3 storage location for system and framework metrics."""


class ProfilerRuleConfigurationsRuleParameters(TypedDict, total=False):
    """Part of a TrainingJob."""

    name: Required[str]
    """Name of the entry. Of several entries with one name the last counts."""
    value: str
    """Value of the entry, always text: put numbers and booleans in quotes."""


class ProfilerRuleConfigurations(TypedDict, total=False):
    """Configuration information for profiling rules."""

    instanceType: str
    """The instance type to deploy a custom rule for profiling a training job."""
    localPath: str
    """Path to local storage location for output of rules. Defaults to /opt/ml/processing/output/rule/."""
    ruleConfigurationName: Required[str]
    """The name of the rule configuration. It must be unique relative to other rule configuration names."""
    ruleEvaluatorImage: Required[str]
    """The Amazon Elastic Container Registry Image for the managed rule evaluation."""
    ruleParameters: list[ProfilerRuleConfigurationsRuleParameters]
    """Runtime configuration for rule container."""
    s3OutputPath: str
    """Path to Amazon S3 storage location for rules."""
    volumeSizeInGB: int
    """The size, in GB, of the ML storage volume attached to the processing instance."""


class RemoteDebugConfig(TypedDict, total=False):
    """Configuration for remote debugging."""

    enableRemoteDebug: bool
    """If set to True, enables remote debugging."""


class InstanceGroups(TypedDict, total=False):
    """Defines an instance group for heterogeneous cluster training. When requesting a training job using the
    CreateTrainingJob API, you can configure multiple instance groups .
    """

    instanceCount: Required[int]
    """Specifies the number of instances of the instance group."""
    instanceGroupName: Required[str]
    """Specifies the name of the instance group."""
    instanceType: Required[str]
    """Specifies the instance type of the instance group."""


class PlacementSpecifications(TypedDict, total=False):
    """Specifies how instances should be placed on a specific UltraServer."""

    instanceCount: Required[int]
    """The number of ML compute instances required to be placed together on the same UltraServer. Minimum value of
    1.
    """
    ultraServerId: str
    """The unique identifier of the UltraServer where instances should be placed."""


class InstancePlacementConfig(TypedDict, total=False):
    """Configuration for how training job instances are placed and allocated within UltraServers. Only applicable
    for UltraServer capacity.
    """

    enableMultipleJobs: bool
    """If set to true, allows multiple jobs to share the same UltraServer instances. If set to false, ensures this
    job's instances are placed on an UltraServer exclusively, with no other jobs sharing the same UltraServer.
    Default is false.
    """
    placementSpecifications: list[PlacementSpecifications]
    """A list of specifications for how instances should be placed on specific UltraServers. Maximum of 10 items is
    supported.
    """


class InstancePreferences(TypedDict, total=False):
    """A candidate instance type preference in an InstancePreferences list."""

    instanceCount: int
    """The number of instances to launch if this instance type is selected."""
    instanceType: Required[str]
    """The ML compute instance type. An instance type can appear only once in an InstancePreferences list."""
    trainingPlanArns: list[str]
    """The Amazon Resource Name (ARN) of a training plan to use if this instance type is selected. The plan's
    instance type must match InstanceType. A preference with a training plan uses that plan's reserved capacity;
    a preference without one uses on-demand capacity.
    """


class ResourceConfig(TypedDict, total=False):
    """The resources, including the ML compute instances and ML storage volumes, to use for model training."""

    instanceCount: int
    """The number of ML compute instances to use. For distributed training, provide a value greater than 1."""
    instanceGroups: list[InstanceGroups]
    """The configuration of a heterogeneous cluster in JSON format."""
    instancePlacementConfig: InstancePlacementConfig
    """Configuration for how training job instances are placed and allocated within UltraServers. Only applicable
    for UltraServer capacity.
    """
    instancePreferences: list[InstancePreferences]
    """An ordered list of ML compute instance types for the training job, in priority order. SageMaker launches the
    training job on the first instance type in the list that has available capacity.
    """
    instanceType: str
    """The ML compute instance type."""
    keepAlivePeriodInSeconds: int
    """The duration of time in seconds to retain configured resources in a warm pool for subsequent training jobs."""
    trainingPlanArn: str
    """The Amazon Resource Name (ARN); of the training plan to use for this resource configuration."""
    volumeKmsKeyId: str
    """The Amazon Web Services KMS key that SageMaker uses to encrypt data on the storage volume attached to the ML
    compute instance(s) that run the training job.
    """
    volumeSizeInGB: int
    """The size of the ML storage volume that you want to provision."""


class RetryStrategy(TypedDict, total=False):
    """The number of times to retry the job when the job fails due to an InternalServerError."""

    maximumRetryAttempts: Required[int]
    """The number of times to retry the job. When the job is retried, it's SecondaryStatus is changed to STARTING."""


class ServerlessJobConfig(TypedDict, total=False):
    """The configuration for serverless training jobs."""

    acceptEula: bool
    """Specifies agreement to the model end-user license agreement (EULA). The AcceptEula value must be explicitly
    defined as True in order to accept the EULA that this model requires.
    """
    baseModelArn: Required[str]
    """The base model Amazon Resource Name (ARN) in SageMaker Public Hub. SageMaker always selects the latest
    version of the provided model.
    """
    customizationTechnique: str
    """The model customization technique. Known values: SFT, DPO, RLVR, RLAIF."""
    evaluationType: str
    """The evaluation job type. Required when serverless job type is Evaluation. Known values: LLMAJEvaluation,
    CustomScorerEvaluation, BenchmarkEvaluation.
    """
    evaluatorArn: str
    """The evaluator Amazon Resource Name (ARN) used as reward function or reward prompt."""
    jobType: Required[str]
    """The serverless training job type. Known values: FineTuning, Evaluation."""
    peft: str
    """The parameter-efficient fine-tuning configuration. Known values: LORA."""
    sequenceLength: str
    """The maximum sequence length, in tokens, that the customization job supports. SageMaker uses this value to
    select a training configuration for the base model that you specify. The value must be an integer value from
    1K to 1024K (for example, 32K).
    """


class SessionChainingConfig(TypedDict, total=False):
    """Contains information about attribute-based access control (ABAC) for the training job."""

    enableSessionTagChaining: bool
    """Set to True to allow SageMaker to extract session tags from a training job creation role and reuse these
    tags when assuming the training job execution role.
    """


class StoppingCondition(TypedDict, total=False):
    """Specifies a limit to how long a model training job can run. It also specifies how long a managed Spot
    training job has to complete. When the job reaches the time limit, SageMaker ends the training job. Use this
    API to cap model training costs.
    """

    maxPendingTimeInSeconds: int
    """The maximum length of time, in seconds, that a training or compilation job can be pending before it is
    stopped.
    """
    maxRuntimeInSeconds: int
    """The maximum length of time, in seconds, that a training or compilation job can run before it is stopped."""
    maxWaitTimeInSeconds: int
    """The maximum length of time, in seconds, that a managed Spot training job has to complete. It is the amount
    of time spent waiting for Spot capacity plus the amount of time the job can run. It must be equal to or
    greater than MaxRuntimeInSeconds.
    """


class Tags(TypedDict, total=False):
    """A tag object that consists of a key and an optional value, used to manage metadata for SageMaker Amazon Web
    Services resources.
    """

    key: Required[str]
    """The tag key. Tag keys must be unique per resource."""
    value: Required[str]
    """The tag value."""


class TensorBoardOutputConfig(TypedDict, total=False):
    """Configuration of storage locations for the Amazon SageMaker Debugger TensorBoard output data."""

    localPath: str
    """Path to local storage location for tensorBoard output. Defaults to /opt/ml/output/tensorboard."""
    s3OutputPath: Required[str]
    """Path to Amazon S3 storage location for TensorBoard output."""


class VpcConfig(TypedDict, total=False):
    """A VpcConfig object that specifies the VPC that you want your training job to connect to. Control access to
    and from your training container by configuring the VPC.
    """

    securityGroupIds: Required[list[str]]
    """The VPC security group IDs, in the form sg-xxxxxxxx. Specify the security groups for the VPC that is
    specified in the Subnets field.
    """
    subnets: Required[list[str]]
    """The ID of the subnets in the VPC to which you want to connect your training job or model."""


class TrainingJobSpec(TypedDict, total=False):
    """The training job that is wanted."""

    algorithmSpecification: AlgorithmSpecification
    """The registry path of the Docker image that contains the training algorithm and algorithm-specific metadata,
    including the input mode.
    """
    checkpointConfig: CheckpointConfig
    """Contains information about the output location for managed spot training checkpoint data."""
    debugHookConfig: DebugHookConfig
    """Configuration information for the Amazon SageMaker Debugger hook parameters, metric and tensor collections,
    and storage paths.
    """
    debugRuleConfigurations: list[DebugRuleConfigurations]
    """Configuration information for Amazon SageMaker Debugger rules for debugging output tensors."""
    enableInterContainerTrafficEncryption: bool
    """To encrypt all communications between ML compute instances in distributed training, choose True. Encryption
    provides greater security for distributed training, but training might take longer.
    """
    enableManagedSpotTraining: bool
    """To train models using managed spot training, choose True."""
    enableNetworkIsolation: bool
    """Isolates the training container. No inbound or outbound network calls can be made, except for calls between
    peers within a training cluster for distributed training.
    """
    environment: list[Environment]
    """The environment variables to set in the Docker container."""
    experimentConfig: ExperimentConfig
    """Associates a SageMaker job as a trial component with an experiment and trial."""
    hyperParameters: list[HyperParameters]
    """Algorithm-specific parameters that influence the quality of the model. You set hyperparameters before you
    start the learning process.
    """
    infraCheckConfig: InfraCheckConfig
    """Contains information about the infrastructure health check configuration for the training job."""
    inputDataConfig: list[InputDataConfig]
    """An array of Channel objects. Each channel is a named input source. InputDataConfig describes the input data
    and its location.
    """
    mlflowConfig: MlflowConfig
    """The MLflow configuration using SageMaker managed MLflow."""
    modelPackageConfig: ModelPackageConfig
    """The configuration for the model package."""
    outputDataConfig: Required[OutputDataConfig]
    """Specifies the path to the S3 location where you want to store model artifacts. SageMaker creates subfolders
    for the artifacts.
    """
    profilerConfig: ProfilerConfig
    """Configuration information for Amazon SageMaker Debugger system monitoring, framework profiling, and storage
    paths.
    """
    profilerRuleConfigurations: list[ProfilerRuleConfigurations]
    """Configuration information for Amazon SageMaker Debugger rules for profiling system and framework metrics."""
    region: str
    """AWS region in which the resource lives, for example us-east-2. If it is left out, that of the namespace,
    then that of the operator.
    """
    remoteDebugConfig: RemoteDebugConfig
    """Configuration for remote debugging."""
    resourceConfig: ResourceConfig
    """The resources, including the ML compute instances and ML storage volumes, to use for model training."""
    retryStrategy: RetryStrategy
    """The number of times to retry the job when the job fails due to an InternalServerError."""
    roleArn: Required[str]
    """The Amazon Resource Name (ARN) of an IAM role that SageMaker can assume to perform tasks on your behalf."""
    sageMakerEndpoint: str
    """URL of the SageMaker API to use for this object instead of the region's own, for example that of a VPC
    endpoint. Wins over the operator's AWS_DEFAULT_SAGEMAKER_ENDPOINT.
    """
    serverlessJobConfig: ServerlessJobConfig
    """The configuration for serverless training jobs."""
    sessionChainingConfig: SessionChainingConfig
    """Contains information about attribute-based access control (ABAC) for the training job."""
    stoppingCondition: StoppingCondition
    """Specifies a limit to how long a model training job can run. It also specifies how long a managed Spot
    training job has to complete. When the job reaches the time limit, SageMaker ends the training job. Use this
    API to cap model training costs.
    """
    tags: list[Tags]
    """An array of key-value pairs. You can use tags to categorize your Amazon Web Services resources in different
    ways, for example, by purpose, owner, or environment.
    """
    tensorBoardOutputConfig: TensorBoardOutputConfig
    """Configuration of storage locations for the Amazon SageMaker Debugger TensorBoard output data."""
    trainingJobName: str
    """Name at AWS, unique in account and region. If it is left out or empty, the operator makes one from
    metadata.name and metadata.uid and writes it here.
    """
    vpcConfig: VpcConfig
    """A VpcConfig object that specifies the VPC that you want your training job to connect to. Control access to
    and from your training container by configuring the VPC.
    """


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


class DebugRuleEvaluationStatuses(TypedDict, total=False):
    """Information about the status of the rule evaluation."""

    lastModifiedTime: str
    """Timestamp when the rule evaluation status was last modified."""
    ruleConfigurationName: str
    """The name of the rule configuration."""
    ruleEvaluationJobArn: str
    """The Amazon Resource Name (ARN) of the rule evaluation job."""
    ruleEvaluationStatus: str
    """Status of the rule evaluation. Known values: InProgress, NoIssuesFound, IssuesFound, Error, Stopping,
    Stopped.
    """
    statusDetail: str
    """Details from the rule evaluation."""


class FinalMetricDataList(TypedDict, total=False):
    """The name, value, and date and time of a metric that was emitted to Amazon CloudWatch."""

    metricName: str
    """The name of the metric."""
    timestamp: str
    """The date and time that the algorithm emitted the metric."""
    value: float
    """The value of the metric."""


class WarmPoolStatus(TypedDict, total=False):
    """The warm pool that the completed job has left, as of lastCheckTime."""

    resourceRetainedBillableTimeInSeconds: int
    """The billable time in seconds used by the warm pool. Billable time refers to the absolute wall-clock time."""
    reusedByJob: str
    """The name of the matching training job that reused the warm pool."""
    status: str
    """The status of the warm pool. Known values: Available, Terminated, Reused, InUse."""


class TrainingJobStatus(TypedDict, total=False):
    """What became of it, as last seen."""

    additional: str
    """Why the job failed, or what keeps the operator from doing its work."""
    awsResource: AwsResource
    """What was created at AWS for this object. Once recorded it is never created again, nor looked for elsewhere."""
    billableTimeInSeconds: int
    """Seconds that are billed, once the job has ended: with spot training, fewer than trainingTimeInSeconds."""
    cloudWatchLogUrl: str
    """Link to the job's logs in the CloudWatch console."""
    conditions: list[Conditions]
    """The state of the object in the standard form: Ready says whether its result can be used."""
    debugRuleEvaluationStatuses: list[DebugRuleEvaluationStatuses]
    """Evaluation status of Amazon SageMaker Debugger rules for debugging on a training job."""
    finalMetricDataList: list[FinalMetricDataList]
    """Last values of the metrics that the algorithm reported, once the job has completed."""
    lastCheckTime: str
    """When this status was last compared with AWS."""
    lastHandledReconcileAt: str
    """The text of the annotation sagemaker.aws.amazon.com/reconcile-at that was acted on last."""
    modelPath: str
    """S3 path of the trained model, once the job has completed."""
    observedGeneration: int
    """The metadata.generation that this status was decided on."""
    sageMakerTrainingJobName: str
    """Name of the training job at AWS."""
    secondaryStatus: str
    """Finer state of the training job, as AWS reports it."""
    trainingEndTime: str
    """When the job ended."""
    trainingJobStatus: str
    """State of the training job as AWS reports it; SynchronizingK8sJobWithSageMaker before the operator has
    processed the object, ReconcilingTrainingJob while it cannot. Known values: InProgress, Completed, Failed,
    Stopping, Stopped, Deleting.
    """
    trainingStartTime: str
    """When the training itself began, once AWS has described the job."""
    trainingTimeInSeconds: int
    """Seconds that the training took, once the job has ended."""
    warmPoolStatus: WarmPoolStatus
    """The warm pool that the completed job has left, as of lastCheckTime."""


class TrainingJob(TypedDict, total=False):
    """TrainingJob: made at AWS by CreateTrainingJob."""

    apiVersion: Required[Literal["sagemaker.aws.amazon.com/v1"]]
    kind: Required[Literal["TrainingJob"]]
    metadata: Required[Metadata]
    spec: Required[TrainingJobSpec]
    status: TrainingJobStatus

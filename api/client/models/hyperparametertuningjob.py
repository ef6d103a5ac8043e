"""Made by `python -m hack.crds` from api/v1 and hack/snapshots. Do not edit: change those.

The manifests of HyperparameterTuningJob, `sagemaker.aws.amazon.com/v1`.
"""

from typing import Literal, Required, TypedDict

from api.client.models.metadata import Metadata


class Autotune(TypedDict, total=False):
    """Configures SageMaker Automatic model tuning (AMT) to automatically find optimal parameters for the following
    fields.
    """

    mode: Required[str]
    """Set Mode to Enabled if you want to use Autotune. Known values: Enabled."""


class HyperParameterTuningJobObjective(TypedDict, total=False):
    """The HyperParameterTuningJobObjective specifies the objective metric used to evaluate the performance of
    training jobs launched by this tuning job.
    """

    metricName: Required[str]
    """The name of the metric to use for the objective metric."""
    type: Required[str]
    """Whether to minimize or maximize the objective metric. Known values: Maximize, Minimize."""


class AutoParameters(TypedDict, total=False):
    """The name and an example value of the hyperparameter that you want to use in Autotune. If Automatic model
    tuning (AMT) determines that your hyperparameter is eligible for Autotune, an optimal hyperparameter range
    is selected for you.
    """

    name: Required[str]
    """The name of the hyperparameter to optimize using Autotune."""
    valueHint: Required[str]
    """An example value of the hyperparameter to optimize using Autotune."""


class CategoricalParameterRanges(TypedDict, total=False):
    """A list of categorical hyperparameters to tune."""

    name: Required[str]
    """The name of the categorical hyperparameter to tune."""
    values: Required[list[str]]
    """A list of the categories for the hyperparameter."""


class ContinuousParameterRanges(TypedDict, total=False):
    """A list of continuous hyperparameters to tune."""

    maxValue: Required[str]
    """The maximum value for the hyperparameter. The tuning job uses floating-point values between MinValue value
    and this value for tuning.
    """
    minValue: Required[str]
    """The minimum value for the hyperparameter. The tuning job uses floating-point values between this value and
    MaxValuefor tuning.
    """
    name: Required[str]
    """The name of the continuous hyperparameter to tune."""
    scalingType: str
    """The scale that hyperparameter tuning uses to search the hyperparameter range. Known values: Auto, Linear,
    Logarithmic, ReverseLogarithmic.
    """


class IntegerParameterRanges(TypedDict, total=False):
    """For a hyperparameter of the integer type, specifies the range that a hyperparameter tuning job searches."""

    maxValue: Required[str]
    """The maximum value of the hyperparameter to search."""
    minValue: Required[str]
    """The minimum value of the hyperparameter to search."""
    name: Required[str]
    """The name of the hyperparameter to search."""
    scalingType: str
    """The scale that hyperparameter tuning uses to search the hyperparameter range. Known values: Auto, Linear,
    Logarithmic, ReverseLogarithmic.
    """


class ParameterRanges(TypedDict, total=False):
    """The ParameterRanges object that specifies the ranges of hyperparameters that this tuning job searches over
    to find the optimal configuration for the highest model performance against your chosen objective metric.
    """

    autoParameters: list[AutoParameters]
    """A list containing hyperparameter names and example values to be used by Autotune to determine optimal ranges
    for your tuning job.
    """
    categoricalParameterRanges: list[CategoricalParameterRanges]
    """The array of CategoricalParameterRange objects that specify ranges of categorical hyperparameters that a
    hyperparameter tuning job searches.
    """
    continuousParameterRanges: list[ContinuousParameterRanges]
    """The array of ContinuousParameterRange objects that specify ranges of continuous hyperparameters that a
    hyperparameter tuning job searches.
    """
    integerParameterRanges: list[IntegerParameterRanges]
    """The array of IntegerParameterRange objects that specify ranges of integer hyperparameters that a
    hyperparameter tuning job searches.
    """


class ResourceLimits(TypedDict, total=False):
    """The ResourceLimits object that specifies the maximum number of training and parallel training jobs that can
    be used for this hyperparameter tuning job.
    """

    maxNumberOfTrainingJobs: int
    """The maximum number of training jobs that a hyperparameter tuning job can launch."""
    maxParallelTrainingJobs: Required[int]
    """The maximum number of concurrent training jobs that a hyperparameter tuning job can launch."""
    maxRuntimeInSeconds: int
    """The maximum time in seconds that a hyperparameter tuning job can run."""


class HyperbandStrategyConfig(TypedDict, total=False):
    """The configuration for the object that specifies the Hyperband strategy. This parameter is only supported for
    the Hyperband selection for Strategy within the HyperParameterTuningJobConfig API.
    """

    maxResource: int
    """The maximum number of resources (such as epochs) that can be used by a training job launched by a
    hyperparameter tuning job. Once a job reaches the MaxResource value, it is stopped.
    """
    minResource: int
    """The minimum number of resources (such as epochs) that can be used by a training job launched by a
    hyperparameter tuning job. If the value for MinResource has not been reached, the training job is not
    stopped by Hyperband.
    """


class StrategyConfig(TypedDict, total=False):
    """The configuration for the Hyperband optimization strategy. This parameter should be provided only if
    Hyperband is selected as the strategy for HyperParameterTuningJobConfig.
    """

    hyperbandStrategyConfig: HyperbandStrategyConfig
    """The configuration for the object that specifies the Hyperband strategy. This parameter is only supported for
    the Hyperband selection for Strategy within the HyperParameterTuningJobConfig API.
    """


class BestObjectiveNotImproving(TypedDict, total=False):
    """A flag to stop your hyperparameter tuning job if model performance fails to improve as evaluated against an
    objective function.
    """

    maxNumberOfTrainingJobsNotImproving: int
    """The number of training jobs that have failed to improve model performance by 1% or greater over prior
    training jobs as evaluated against an objective function.
    """


class ConvergenceDetected(TypedDict, total=False):
    """A flag to top your hyperparameter tuning job if automatic model tuning (AMT) has detected that your model
    has converged as evaluated against your objective function.
    """

    completeOnConvergence: str
    """A flag to stop a tuning job once AMT has detected that the job has converged. Known values: Disabled,
    Enabled.
    """


class TuningJobCompletionCriteria(TypedDict, total=False):
    """The tuning job's completion criteria."""

    bestObjectiveNotImproving: BestObjectiveNotImproving
    """A flag to stop your hyperparameter tuning job if model performance fails to improve as evaluated against an
    objective function.
    """
    convergenceDetected: ConvergenceDetected
    """A flag to top your hyperparameter tuning job if automatic model tuning (AMT) has detected that your model
    has converged as evaluated against your objective function.
    """
    targetObjectiveMetricValue: float
    """The value of the objective metric."""


class HyperParameterTuningJobConfig(TypedDict, total=False):
    """The HyperParameterTuningJobConfig object that describes the tuning job, including the search strategy, the
    objective metric used to evaluate training jobs, ranges of parameters to search, and resource limits for the
    tuning job.
    """

    hyperParameterTuningJobObjective: HyperParameterTuningJobObjective
    """The HyperParameterTuningJobObjective specifies the objective metric used to evaluate the performance of
    training jobs launched by this tuning job.
    """
    parameterRanges: ParameterRanges
    """The ParameterRanges object that specifies the ranges of hyperparameters that this tuning job searches over
    to find the optimal configuration for the highest model performance against your chosen objective metric.
    """
    randomSeed: int
    """A value used to initialize a pseudo-random number generator. Setting a random seed and using the same seed
    later for the same tuning job will allow hyperparameter optimization to find more a consistent
    hyperparameter configuration between the two runs.
    """
    resourceLimits: Required[ResourceLimits]
    """The ResourceLimits object that specifies the maximum number of training and parallel training jobs that can
    be used for this hyperparameter tuning job.
    """
    strategy: Required[str]
    """Specifies how hyperparameter tuning chooses the combinations of hyperparameter values to use for the
    training job it launches. Known values: Bayesian, Random, Hyperband, Grid.
    """
    strategyConfig: StrategyConfig
    """The configuration for the Hyperband optimization strategy. This parameter should be provided only if
    Hyperband is selected as the strategy for HyperParameterTuningJobConfig.
    """
    trainingJobEarlyStoppingType: str
    """Specifies whether to use early stopping for training jobs launched by the hyperparameter tuning job. Because
    the Hyperband strategy has its own advanced internal early stopping mechanism, TrainingJobEarlyStoppingType
    must be OFF to use Hyperband. Known values: Off, Auto.
    """
    tuningJobCompletionCriteria: TuningJobCompletionCriteria
    """The tuning job's completion criteria."""


class Tags(TypedDict, total=False):
    """A tag object that consists of a key and an optional value, used to manage metadata for SageMaker Amazon Web
    Services resources.
    """

    key: Required[str]
    """The tag key. Tag keys must be unique per resource."""
    value: Required[str]
    """The tag value."""


class MetricDefinitions(TypedDict, total=False):
    """Specifies a metric that the training algorithm writes to stderr or stdout. You can view these logs to
    understand how your training job performs and check for any errors encountered during training. SageMaker
    hyperparameter tuning captures all defined metrics.
    """

    name: Required[str]
    """The name of the metric."""
    regex: Required[str]
    """A regular expression that searches the output of a training job and gets the value of the metric."""


class AlgorithmSpecification(TypedDict, total=False):
    """The HyperParameterAlgorithmSpecification object that specifies the resource algorithm to use for the
    training jobs that the tuning job launches.
    """

    algorithmName: str
    """The name of the resource algorithm to use for the hyperparameter tuning job. If you specify a value for this
    parameter, do not specify a value for TrainingImage.
    """
    metricDefinitions: list[MetricDefinitions]
    """An array of MetricDefinition objects that specify the metrics that the algorithm emits."""
    trainingImage: str
    """The registry path of the Docker image that contains the training algorithm. SageMaker supports both
    registry/repository[:tag] and registry/repository[@digest] image path formats.
    """
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


class Environment(TypedDict, total=False):
    """Part of a HyperparameterTuningJob."""

    name: Required[str]
    """Name of the entry. Of several entries with one name the last counts."""
    value: str
    """Value of the entry, always text: put numbers and booleans in quotes."""


class HyperParameterRanges(TypedDict, total=False):
    """Specifies ranges of integer, continuous, and categorical hyperparameters that a hyperparameter tuning job
    searches.
    """

    autoParameters: list[AutoParameters]
    """A list containing hyperparameter names and example values to be used by Autotune to determine optimal ranges
    for your tuning job.
    """
    categoricalParameterRanges: list[CategoricalParameterRanges]
    """The array of CategoricalParameterRange objects that specify ranges of categorical hyperparameters that a
    hyperparameter tuning job searches.
    """
    continuousParameterRanges: list[ContinuousParameterRanges]
    """The array of ContinuousParameterRange objects that specify ranges of continuous hyperparameters that a
    hyperparameter tuning job searches.
    """
    integerParameterRanges: list[IntegerParameterRanges]
    """The array of IntegerParameterRange objects that specify ranges of integer hyperparameters that a
    hyperparameter tuning job searches.
    """


class InstanceConfigs(TypedDict, total=False):
    """The configuration for hyperparameter tuning resources for use in training jobs launched by the tuning job.
    These resources include compute instances and storage volumes. Specify one or more compute instance
    configurations and allocation strategies to select resources (optional).
    """

    instanceCount: Required[int]
    """The number of instances of the type specified by InstanceType. Choose an instance count larger than 1 for
    distributed training algorithms.
    """
    instanceType: Required[str]
    """The instance type used for processing of hyperparameter optimization jobs. Choose from general purpose (no
    GPUs) instance types: ml.m5.xlarge, ml.m5.2xlarge, and ml.m5.4xlarge or compute optimized (no GPUs) instance
    types: ml.c5.xlarge and ml.c5.2xlarge.
    """
    volumeSizeInGB: Required[int]
    """The volume size in GB of the data to be processed for hyperparameter optimization (optional)."""


class HyperParameterTuningResourceConfig(TypedDict, total=False):
    """The configuration for the hyperparameter tuning resources, including the compute instances and storage
    volumes, used for training jobs launched by the tuning job. By default, storage volumes hold model artifacts
    and incremental states.
    """

    allocationStrategy: str
    """The strategy that determines the order of preference for resources specified in InstanceConfigs used in
    hyperparameter optimization. Known values: Prioritized.
    """
    instanceConfigs: list[InstanceConfigs]
    """A list containing the configuration(s) for one or more resources for processing hyperparameter jobs. These
    resources include compute instances and storage volumes to use in model training jobs launched by
    hyperparameter tuning jobs.
    """
    instanceCount: int
    """The number of compute instances of type InstanceType to use. For distributed training, select a value
    greater than 1.
    """
    instanceType: str
    """The instance type used to run hyperparameter optimization tuning jobs."""
    volumeKmsKeyId: str
    """A key used by Amazon Web Services Key Management Service to encrypt data on the storage volume attached to
    the compute instances used to run the training job. You can use either of the following formats to specify a
    key.
    """
    volumeSizeInGB: int
    """The volume size in GB for the storage volume to be used in processing hyperparameter optimization jobs
    (optional). These volumes store model artifacts, incremental states and optionally, scratch space for
    training algorithms.
    """


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


class OutputDataConfig(TypedDict, total=False):
    """Specifies the path to the Amazon S3 bucket where you store model artifacts from the training jobs that the
    tuning job launches.
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
    """The resources, including the compute instances and storage volumes, to use for the training jobs that the
    tuning job launches.
    """

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


class StaticHyperParameters(TypedDict, total=False):
    """Part of a HyperparameterTuningJob."""

    name: str
    """Name of the entry. Of several entries with one name the last counts."""
    value: str
    """Value of the entry, always text: put numbers and booleans in quotes."""


class StoppingCondition(TypedDict, total=False):
    """Specifies a limit to how long a model hyperparameter training job can run. It also specifies how long a
    managed spot training job has to complete. When the job reaches the time limit, SageMaker ends the training
    job. Use this API to cap model training costs.
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


class TuningObjective(TypedDict, total=False):
    """Defines the objective metric for a hyperparameter tuning job."""

    metricName: Required[str]
    """The name of the metric to use for the objective metric."""
    type: Required[str]
    """Whether to minimize or maximize the objective metric. Known values: Maximize, Minimize."""


class VpcConfig(TypedDict, total=False):
    """The VpcConfig object that specifies the VPC that you want the training jobs that this hyperparameter tuning
    job launches to connect to. Control access to and from your training container by configuring the VPC.
    """

    securityGroupIds: Required[list[str]]
    """The VPC security group IDs, in the form sg-xxxxxxxx. Specify the security groups for the VPC that is
    specified in the Subnets field.
    """
    subnets: Required[list[str]]
    """The ID of the subnets in the VPC to which you want to connect your training job or model."""


class TrainingJobDefinition(TypedDict, total=False):
    """The HyperParameterTrainingJobDefinition object that describes the training jobs that this tuning job
    launches, including static hyperparameters, input data configuration, output data configuration, resource
    configuration, and stopping condition.
    """

    algorithmSpecification: Required[AlgorithmSpecification]
    """The HyperParameterAlgorithmSpecification object that specifies the resource algorithm to use for the
    training jobs that the tuning job launches.
    """
    checkpointConfig: CheckpointConfig
    """Contains information about the output location for managed spot training checkpoint data."""
    definitionName: str
    """The job definition name."""
    enableInterContainerTrafficEncryption: bool
    """To encrypt all communications between ML compute instances in distributed training, choose True. Encryption
    provides greater security for distributed training, but training might take longer.
    """
    enableManagedSpotTraining: bool
    """A Boolean indicating whether managed spot training is enabled (True) or not (False)."""
    enableNetworkIsolation: bool
    """Isolates the training container. No inbound or outbound network calls can be made, except for calls between
    peers within a training cluster for distributed training.
    """
    environment: list[Environment]
    """An environment variable that you can pass into the SageMaker CreateTrainingJob API. You can use an existing
    environment variable from the training container or use your own.
    """
    hyperParameterRanges: HyperParameterRanges
    """Specifies ranges of integer, continuous, and categorical hyperparameters that a hyperparameter tuning job
    searches.
    """
    hyperParameterTuningResourceConfig: HyperParameterTuningResourceConfig
    """The configuration for the hyperparameter tuning resources, including the compute instances and storage
    volumes, used for training jobs launched by the tuning job. By default, storage volumes hold model artifacts
    and incremental states.
    """
    inputDataConfig: list[InputDataConfig]
    """An array of Channel objects that specify the input for the training jobs that the tuning job launches."""
    outputDataConfig: Required[OutputDataConfig]
    """Specifies the path to the Amazon S3 bucket where you store model artifacts from the training jobs that the
    tuning job launches.
    """
    resourceConfig: ResourceConfig
    """The resources, including the compute instances and storage volumes, to use for the training jobs that the
    tuning job launches.
    """
    retryStrategy: RetryStrategy
    """The number of times to retry the job when the job fails due to an InternalServerError."""
    roleArn: Required[str]
    """The Amazon Resource Name (ARN) of the IAM role associated with the training jobs that the tuning job
    launches.
    """
    staticHyperParameters: list[StaticHyperParameters]
    """Specifies the values of hyperparameters that do not change for the tuning job."""
    stoppingCondition: Required[StoppingCondition]
    """Specifies a limit to how long a model hyperparameter training job can run. It also specifies how long a
    managed spot training job has to complete. When the job reaches the time limit, SageMaker ends the training
    job. Use this API to cap model training costs.
    """
    tuningObjective: TuningObjective
    """Defines the objective metric for a hyperparameter tuning job."""
    vpcConfig: VpcConfig
    """The VpcConfig object that specifies the VPC that you want the training jobs that this hyperparameter tuning
    job launches to connect to. Control access to and from your training container by configuring the VPC.
    """


class TrainingJobDefinitionsAlgorithmSpecification(TypedDict, total=False):
    """The HyperParameterAlgorithmSpecification object that specifies the resource algorithm to use for the
    training jobs that the tuning job launches.
    """

    algorithmName: str
    """The name of the resource algorithm to use for the hyperparameter tuning job. If you specify a value for this
    parameter, do not specify a value for TrainingImage.
    """
    metricDefinitions: list[MetricDefinitions]
    """An array of MetricDefinition objects that specify the metrics that the algorithm emits."""
    trainingImage: str
    """The registry path of the Docker image that contains the training algorithm. SageMaker supports both
    registry/repository[:tag] and registry/repository[@digest] image path formats.
    """
    trainingInputMode: Required[str]
    """The training input mode that the algorithm supports. Known values: Pipe, File, FastFile."""


class DataSourceS3DataSource(TypedDict, total=False):
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
    s3DataDistributionType: str
    """If you want SageMaker to replicate the entire dataset on each ML compute instance that is launched for model
    training, specify FullyReplicated. Known values: FullyReplicated, ShardedByS3Key.
    """
    s3DataType: Required[str]
    """If you choose S3Prefix, S3Uri identifies a key name prefix. SageMaker uses all objects that match the
    specified key name prefix for model training. Known values: ManifestFile, S3Prefix, AugmentedManifestFile,
    Converse.
    """
    s3Uri: Required[str]
    """Depending on the value specified for the S3DataType, identifies either a key name prefix or a manifest."""


class InputDataConfigDataSource(TypedDict, total=False):
    """The location of the channel data."""

    datasetSource: DatasetSource
    """The dataset resource that's associated with a channel."""
    fileSystemDataSource: FileSystemDataSource
    """The file system that is associated with a channel."""
    s3DataSource: DataSourceS3DataSource
    """The S3 location of the data source that is associated with a channel."""


class TrainingJobDefinitionsInputDataConfig(TypedDict, total=False):
    """A channel is a named input source that training algorithms can consume."""

    channelName: Required[str]
    """The name of the channel."""
    compressionType: str
    """If training data is compressed, the compression type. The default value is None. CompressionType is used
    only in Pipe input mode. In File mode, leave this field unset or set it to None. Known values: None, Gzip.
    """
    contentType: str
    """The MIME type of the data."""
    dataSource: Required[InputDataConfigDataSource]
    """The location of the channel data."""
    inputMode: str
    """(Optional) The input mode to use for the data channel in a training job. If you don't set a value for
    InputMode, SageMaker uses the value set for TrainingInputMode. Known values: Pipe, File, FastFile.
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


class TrainingJobDefinitionsStaticHyperParameters(TypedDict, total=False):
    """Part of a HyperparameterTuningJob."""

    name: Required[str]
    """Name of the entry. Of several entries with one name the last counts."""
    value: str
    """Value of the entry, always text: put numbers and booleans in quotes."""


class TrainingJobDefinitions(TypedDict, total=False):
    """Defines the training jobs launched by a hyperparameter tuning job."""

    algorithmSpecification: Required[TrainingJobDefinitionsAlgorithmSpecification]
    """The HyperParameterAlgorithmSpecification object that specifies the resource algorithm to use for the
    training jobs that the tuning job launches.
    """
    checkpointConfig: CheckpointConfig
    """Contains information about the output location for managed spot training checkpoint data."""
    definitionName: str
    """The job definition name."""
    enableInterContainerTrafficEncryption: bool
    """To encrypt all communications between ML compute instances in distributed training, choose True. Encryption
    provides greater security for distributed training, but training might take longer.
    """
    enableManagedSpotTraining: bool
    """A Boolean indicating whether managed spot training is enabled (True) or not (False)."""
    enableNetworkIsolation: bool
    """Isolates the training container. No inbound or outbound network calls can be made, except for calls between
    peers within a training cluster for distributed training.
    """
    environment: list[Environment]
    """An environment variable that you can pass into the SageMaker CreateTrainingJob API. You can use an existing
    environment variable from the training container or use your own.
    """
    hyperParameterRanges: HyperParameterRanges
    """Specifies ranges of integer, continuous, and categorical hyperparameters that a hyperparameter tuning job
    searches.
    """
    hyperParameterTuningResourceConfig: HyperParameterTuningResourceConfig
    """The configuration for the hyperparameter tuning resources, including the compute instances and storage
    volumes, used for training jobs launched by the tuning job. By default, storage volumes hold model artifacts
    and incremental states.
    """
    inputDataConfig: list[TrainingJobDefinitionsInputDataConfig]
    """An array of Channel objects that specify the input for the training jobs that the tuning job launches."""
    outputDataConfig: Required[OutputDataConfig]
    """Specifies the path to the Amazon S3 bucket where you store model artifacts from the training jobs that the
    tuning job launches.
    """
    resourceConfig: ResourceConfig
    """The resources, including the compute instances and storage volumes, to use for the training jobs that the
    tuning job launches.
    """
    retryStrategy: RetryStrategy
    """The number of times to retry the job when the job fails due to an InternalServerError."""
    roleArn: Required[str]
    """The Amazon Resource Name (ARN) of the IAM role associated with the training jobs that the tuning job
    launches.
    """
    staticHyperParameters: list[TrainingJobDefinitionsStaticHyperParameters]
    """Specifies the values of hyperparameters that do not change for the tuning job."""
    stoppingCondition: Required[StoppingCondition]
    """Specifies a limit to how long a model hyperparameter training job can run. It also specifies how long a
    managed spot training job has to complete. When the job reaches the time limit, SageMaker ends the training
    job. Use this API to cap model training costs.
    """
    tuningObjective: TuningObjective
    """Defines the objective metric for a hyperparameter tuning job."""
    vpcConfig: VpcConfig
    """The VpcConfig object that specifies the VPC that you want the training jobs that this hyperparameter tuning
    job launches to connect to. Control access to and from your training container by configuring the VPC.
    """


class ParentHyperParameterTuningJobs(TypedDict, total=False):
    """A previously completed or stopped hyperparameter tuning job to be used as a starting point for a new
    hyperparameter tuning job.
    """

    hyperParameterTuningJobName: str
    """The tuning job to go on from: the name of a HyperparameterTuningJob object in the same namespace, which has
    to end first; if there is none, the name of a tuning job at AWS.
    """


class WarmStartConfig(TypedDict, total=False):
    """Specifies the configuration for starting the hyperparameter tuning job using one or more previous tuning
    jobs as a starting point. The results of previous tuning jobs are used to inform which combinations of
    hyperparameters to search over in the new tuning job.
    """

    parentHyperParameterTuningJobs: Required[list[ParentHyperParameterTuningJobs]]
    """An array of hyperparameter tuning jobs that are used as the starting point for the new hyperparameter tuning
    job.
    """
    warmStartType: Required[str]
    """Specifies one of the following. Known values: IdenticalDataAndAlgorithm, TransferLearning."""


class HyperparameterTuningJobSpec(TypedDict, total=False):
    """The hyperparameter tuning job that is wanted."""

    autotune: Autotune
    """Configures SageMaker Automatic model tuning (AMT) to automatically find optimal parameters for the following
    fields.
    """
    hyperParameterTuningJobConfig: Required[HyperParameterTuningJobConfig]
    """The HyperParameterTuningJobConfig object that describes the tuning job, including the search strategy, the
    objective metric used to evaluate training jobs, ranges of parameters to search, and resource limits for the
    tuning job.
    """
    hyperParameterTuningJobName: str
    """Name at AWS, unique in account and region. If it is left out or empty, the operator makes one from
    metadata.name and metadata.uid and writes it here.
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
    """An array of key-value pairs. You can use tags to categorize your Amazon Web Services resources in different
    ways, for example, by purpose, owner, or environment.
    """
    trainingJobDefinition: TrainingJobDefinition
    """The HyperParameterTrainingJobDefinition object that describes the training jobs that this tuning job
    launches, including static hyperparameters, input data configuration, output data configuration, resource
    configuration, and stopping condition.
    """
    trainingJobDefinitions: list[TrainingJobDefinitions]
    """A list of the HyperParameterTrainingJobDefinition objects launched for this tuning job."""
    warmStartConfig: WarmStartConfig
    """Specifies the configuration for starting the hyperparameter tuning job using one or more previous tuning
    jobs as a starting point. The results of previous tuning jobs are used to inform which combinations of
    hyperparameters to search over in the new tuning job.
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


class FinalHyperParameterTuningJobObjectiveMetric(TypedDict, total=False):
    """The FinalHyperParameterTuningJobObjectiveMetric object that specifies the value of the objective metric of
    the tuning job that launched this training job.
    """

    metricName: str
    """The name of the objective metric. For SageMaker built-in algorithms, metrics are defined per algorithm. You
    can also use a custom algorithm for training and define your own metrics.
    """
    type: str
    """Select if you want to minimize or maximize the objective metric during hyperparameter tuning. Known values:
    Maximize, Minimize.
    """
    value: str
    """The value of the objective metric."""


class TunedHyperParameters(TypedDict, total=False):
    """Part of a HyperparameterTuningJob."""

    name: str
    """Name of the entry. Of several entries with one name the last counts."""
    value: str
    """Value of the entry, always text: put numbers and booleans in quotes."""


class BestTrainingJob(TypedDict, total=False):
    """A TrainingJobSummary object that describes the training job that completed with the best current
    HyperParameterTuningJobObjective.
    """

    creationTime: str
    """The date and time that the training job was created."""
    failureReason: str
    """The reason that the training job failed."""
    finalHyperParameterTuningJobObjectiveMetric: FinalHyperParameterTuningJobObjectiveMetric
    """The FinalHyperParameterTuningJobObjectiveMetric object that specifies the value of the objective metric of
    the tuning job that launched this training job.
    """
    objectiveStatus: str
    """The status of the objective metric for the training job. Known values: Succeeded, Pending, Failed."""
    trainingEndTime: str
    """Specifies the time when the training job ends on training instances. You are billed for the time interval
    between the value of TrainingStartTime and this time. For successful jobs and stopped jobs, this is the time
    after model artifacts are uploaded.
    """
    trainingJobArn: str
    """The Amazon Resource Name (ARN) of the training job."""
    trainingJobName: str
    """The name of the training job."""
    trainingJobStatus: str
    """The status of the training job. Known values: InProgress, Completed, Failed, Stopping, Stopped, Deleting."""
    trainingStartTime: str
    """The date and time that the training job started."""
    tunedHyperParameters: list[TunedHyperParameters]
    """A list of the hyperparameters for which you specified ranges to search."""
    tuningJobName: str
    """The HyperParameter tuning job that launched the training job."""


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


class ConsumedResources(TypedDict, total=False):
    """What the launched training jobs have used in all, once the job has ended."""

    runtimeInSeconds: int
    """The wall clock runtime in seconds used by your hyperparameter tuning job."""


class TrainingJobStatusCounters(TypedDict, total=False):
    """The TrainingJobStatusCounters object that specifies the number of training jobs, categorized by status, that
    this tuning job launched.
    """

    completed: int
    """The number of completed training jobs launched by the hyperparameter tuning job."""
    inProgress: int
    """The number of in-progress training jobs launched by a hyperparameter tuning job."""
    nonRetryableError: int
    """The number of training jobs that failed and can't be retried. A failed training job can't be retried if it
    failed because a client error occurred.
    """
    retryableError: int
    """The number of training jobs that failed, but can be retried. A failed training job can be retried only if it
    failed because an internal service error occurred.
    """
    stopped: int
    """The number of training jobs launched by a hyperparameter tuning job that were manually stopped."""
    totalError: int
    """The number of training jobs that failed, retryable or not."""


class HyperparameterTuningJobStatus(TypedDict, total=False):
    """What became of it, as last seen."""

    additional: str
    """Why the job failed, or what keeps the operator from doing its work."""
    awsResource: AwsResource
    """What was created at AWS for this object. Once recorded it is never created again, nor looked for elsewhere."""
    bestTrainingJob: BestTrainingJob
    """A TrainingJobSummary object that describes the training job that completed with the best current
    HyperParameterTuningJobObjective.
    """
    cloudWatchLogUrl: str
    """Link to the logs of the launched training jobs in the CloudWatch console."""
    conditions: list[Conditions]
    """The state of the object in the standard form: Ready says whether its result can be used."""
    consumedResources: ConsumedResources
    """What the launched training jobs have used in all, once the job has ended."""
    hyperParameterTuningEndTime: str
    """When the job ended."""
    hyperParameterTuningJobStatus: str
    """State of the tuning job as AWS reports it; SynchronizingK8sJobWithSageMaker before the operator has
    processed the object, ReconcilingTuningJob while it cannot. Known values: Completed, InProgress, Failed,
    Stopped, Stopping, Deleting, DeleteFailed.
    """
    lastCheckTime: str
    """When this status was last compared with AWS."""
    lastHandledReconcileAt: str
    """The text of the annotation sagemaker.aws.amazon.com/reconcile-at that was acted on last."""
    observedGeneration: int
    """The metadata.generation that this status was decided on."""
    removedTrainingJobs: list[str]
    """Training jobs of this tuning job whose TrainingJob objects were deleted: they are not shown again."""
    sageMakerHyperParameterTuningJobName: str
    """Name of the tuning job at AWS."""
    trainingJobStatusCounters: TrainingJobStatusCounters
    """The TrainingJobStatusCounters object that specifies the number of training jobs, categorized by status, that
    this tuning job launched.
    """


class HyperparameterTuningJob(TypedDict, total=False):
    """HyperparameterTuningJob: made at AWS by CreateHyperParameterTuningJob."""

    apiVersion: Required[Literal["sagemaker.aws.amazon.com/v1"]]
    kind: Required[Literal["HyperparameterTuningJob"]]
    metadata: Required[Metadata]
    spec: Required[HyperparameterTuningJobSpec]
    status: HyperparameterTuningJobStatus

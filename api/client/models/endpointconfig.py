"""Made by `python -m hack.crds` from api/v1 and hack/snapshots. Do not edit: change those.

The manifests of EndpointConfig, `sagemaker.aws.amazon.com/v1`.
"""

from typing import Literal, Required, TypedDict

from api.client.models.metadata import Metadata


class ClientConfig(TypedDict, total=False):
    """Configures the behavior of the client used by SageMaker to interact with the model container during
    asynchronous inference.
    """

    maxConcurrentInvocationsPerInstance: int
    """The maximum number of concurrent requests sent by the SageMaker client to the model container. If no value
    is provided, SageMaker chooses an optimal value.
    """


class NotificationConfig(TypedDict, total=False):
    """Specifies the configuration for notifications of inference results for asynchronous inference."""

    errorTopic: str
    """Amazon SNS topic to post a notification to when inference fails. If no topic is provided, no notification is
    sent on failure.
    """
    includeInferenceResponseIn: list[str]
    """The Amazon SNS topics where you want the inference response to be included."""
    successTopic: str
    """Amazon SNS topic to post a notification to when inference completes successfully. If no topic is provided,
    no notification is sent on success.
    """


class OutputConfig(TypedDict, total=False):
    """Specifies the configuration for asynchronous inference invocation outputs."""

    kmsKeyId: str
    """The Amazon Web Services Key Management Service (Amazon Web Services KMS) key that SageMaker uses to encrypt
    the asynchronous inference output in Amazon S3.
    """
    notificationConfig: NotificationConfig
    """Specifies the configuration for notifications of inference results for asynchronous inference."""
    s3FailurePath: str
    """The Amazon S3 location to upload failure inference responses to."""
    s3OutputPath: str
    """The Amazon S3 location to upload inference responses to."""


class AsyncInferenceConfig(TypedDict, total=False):
    """Specifies configuration for how an endpoint performs asynchronous inference. This is a required field in
    order for your Endpoint to be invoked using InvokeEndpointAsync.
    """

    clientConfig: ClientConfig
    """Configures the behavior of the client used by SageMaker to interact with the model container during
    asynchronous inference.
    """
    outputConfig: Required[OutputConfig]
    """Specifies the configuration for asynchronous inference invocation outputs."""


class CrossRegionTrafficConfig(TypedDict, total=False):
    """The cross-Region traffic cap for the endpoint. The cap limits the requests per second that the endpoint
    accepts from inference routers in other Amazon Web Services Regions. If you don't specify it, these requests
    aren't limited.
    """

    maxCrossRegionPercentPerEndpoint: Required[int]
    """The percentage of the endpoint's capacity that requests from inference routers in other Amazon Web Services
    Regions can use.
    """
    maxInvocationsPerSecondPerInstance: Required[int]
    """The number of invocations per second that you expect one InService instance to serve. One value applies to
    every production variant, whatever its instance type.
    """


class CaptureContentTypeHeader(TypedDict, total=False):
    """Configuration specifying how to treat different headers. If no headers are specified SageMaker AI will by
    default base64 encode when capturing the data.
    """

    csvContentTypes: list[str]
    """The list of all content type headers that Amazon SageMaker AI will treat as CSV and capture accordingly."""
    jsonContentTypes: list[str]
    """The list of all content type headers that SageMaker AI will treat as JSON and capture accordingly."""


class CaptureOptions(TypedDict, total=False):
    """Specifies data Model Monitor will capture."""

    captureMode: Required[str]
    """Specify the boundary of data to capture. Known values: Input, Output, InputAndOutput."""


class DataCaptureConfig(TypedDict, total=False):
    """Configuration to control how SageMaker AI captures inference data."""

    captureContentTypeHeader: CaptureContentTypeHeader
    """Configuration specifying how to treat different headers. If no headers are specified SageMaker AI will by
    default base64 encode when capturing the data.
    """
    captureOptions: Required[list[CaptureOptions]]
    """Specifies data Model Monitor will capture. You can configure whether to collect only input, only output, or
    both.
    """
    destinationS3Uri: Required[str]
    """The Amazon S3 location used to capture the data."""
    enableCapture: bool
    """Whether data capture should be enabled or disabled (defaults to enabled)."""
    initialSamplingPercentage: Required[int]
    """The percentage of requests SageMaker AI will capture. A lower value is recommended for Endpoints with high
    traffic.
    """
    kmsKeyId: str
    """The Amazon Resource Name (ARN) of an Key Management Service key that SageMaker AI uses to encrypt the
    captured data at rest using Amazon S3 server-side encryption.
    """


class InferenceConfig(TypedDict, total=False):
    """The inference configuration parameter for the model container."""

    contentTemplate: str
    """A template string used to format a JSON record into an acceptable model container input. For example, a
    ContentTemplate string '{'myfeatures':$features}' will format a list of features [1,2,3] into the record
    string '{'myfeatures':[1,2,3]}'.
    """
    featureHeaders: list[str]
    """The names of the features. If provided, these are included in the endpoint response payload to help
    readability of the InvokeEndpoint output.
    """
    featureTypes: list[str]
    """A list of data types of the features (optional). Applicable only to NLP explainability. If provided,
    FeatureTypes must have at least one 'text' string (for example, ['text']). If FeatureTypes is not provided,
    the explainer infers the feature types based on the baseline data.
    """
    featuresAttribute: str
    """Provides the JMESPath expression to extract the features from a model container input in JSON Lines format.
    For example, if FeaturesAttribute is the JMESPath expression 'myfeatures', it extracts a list of features
    [1,2,3] from request data '{'myfeatures':[1,2,3]}'.
    """
    labelAttribute: str
    """A JMESPath expression used to locate the list of label headers in the model container output."""
    labelHeaders: list[str]
    """For multiclass classification problems, the label headers are the names of the classes. Otherwise, the label
    header is the name of the predicted label. These are used to help readability for the output of the
    InvokeEndpoint API.
    """
    labelIndex: int
    """A zero-based index used to extract a label header or list of label headers from model container output in
    CSV format.
    """
    maxPayloadInMB: int
    """The maximum payload size (MB) allowed of a request from the explainer to the model container. Defaults to 6
    MB.
    """
    maxRecordCount: int
    """The maximum number of records in a request that the model container can process when querying the model
    container for the predictions of a synthetic dataset. A record is a unit of input data that inference can be
    made on, for example, a single line in CSV data.
    """
    probabilityAttribute: str
    """A JMESPath expression used to extract the probability (or score) from the model container output if the
    model container is in JSON Lines format.
    """
    probabilityIndex: int
    """A zero-based index used to extract a probability value (score) or list from model container output in CSV
    format. If this value is not provided, the entire model container output will be treated as a probability
    value (score) or list.
    """


class ShapBaselineConfig(TypedDict, total=False):
    """The configuration for the SHAP baseline of the Kernal SHAP algorithm."""

    mimeType: str
    """The MIME type of the baseline data. Choose from 'text/csv' or 'application/jsonlines'. Defaults to
    'text/csv'.
    """
    shapBaseline: str
    """The inline SHAP baseline data in string format. ShapBaseline can have one or multiple records to be used as
    the baseline dataset. The format of the SHAP baseline file should be the same format as the training
    dataset.
    """
    shapBaselineUri: str
    """The uniform resource identifier (URI) of the S3 bucket where the SHAP baseline file is stored. The format of
    the SHAP baseline file should be the same format as the format of the training dataset.
    """


class TextConfig(TypedDict, total=False):
    """A parameter that indicates if text features are treated as text and explanations are provided for individual
    units of text. Required for natural language processing (NLP) explainability only.
    """

    granularity: Required[str]
    """The unit of granularity for the analysis of text features. For example, if the unit is 'token', then each
    token (like a word in English) of the text is treated as a feature. SHAP values are computed for each
    unit/feature. Known values: token, sentence, paragraph.
    """
    language: Required[str]
    """Specifies the language of the text features in ISO 639-1 or ISO 639-3 code of a supported language."""


class ShapConfig(TypedDict, total=False):
    """The configuration for SHAP analysis."""

    numberOfSamples: int
    """The number of samples to be used for analysis by the Kernal SHAP algorithm."""
    seed: int
    """The starting value used to initialize the random number generator in the explainer. Provide a value for this
    parameter to obtain a deterministic SHAP result.
    """
    shapBaselineConfig: Required[ShapBaselineConfig]
    """The configuration for the SHAP baseline of the Kernal SHAP algorithm."""
    textConfig: TextConfig
    """A parameter that indicates if text features are treated as text and explanations are provided for individual
    units of text. Required for natural language processing (NLP) explainability only.
    """
    useLogit: bool
    """A Boolean toggle to indicate if you want to use the logit function (true) or log-odds units (false) for
    model predictions. Defaults to false.
    """


class ClarifyExplainerConfig(TypedDict, total=False):
    """A member of ExplainerConfig that contains configuration parameters for the SageMaker Clarify explainer."""

    enableExplanations: str
    """A JMESPath boolean expression used to filter which records to explain. Explanations are activated by
    default.
    """
    inferenceConfig: InferenceConfig
    """The inference configuration parameter for the model container."""
    shapConfig: Required[ShapConfig]
    """The configuration for SHAP analysis."""


class ExplainerConfig(TypedDict, total=False):
    """A member of CreateEndpointConfig that enables explainers."""

    clarifyExplainerConfig: ClarifyExplainerConfig
    """A member of ExplainerConfig that contains configuration parameters for the SageMaker Clarify explainer."""


class MetricsConfig(TypedDict, total=False):
    """The configuration parameters for utilization metrics."""

    enableDetailedObservability: bool
    """Indicates whether detailed observability is enabled for the endpoint."""
    enableEnhancedMetrics: bool
    """Specifies whether to enable enhanced metrics for the endpoint. Enhanced metrics provide utilization and
    invocation data at instance and container granularity. Container granularity is supported for Inference
    Components. The default is False.
    """
    metricPublishFrequencyInSeconds: int
    """The interval, in seconds, at which metrics are published to Amazon CloudWatch. Defaults to 60. Valid values:
    10, 30, 60, 120, 180, 240, 300.
    """


class AcceleratorPartitionLayouts(TypedDict, total=False):
    """A layout of accelerator partitions for a production variant. On NVIDIA GPUs, the partitions are
    Multi-Instance GPU (MIG) instances. SageMaker applies the layout to every accelerator on the variant's
    instance type. You can't change the layout of a running endpoint.
    """

    acceleratorPartitionTypes: list[str]
    """The list of partition profiles to carve on each accelerator that this layout applies to. On NVIDIA GPUs
    these are Multi-Instance GPU (MIG) profiles, for example ['mig-3g.40gb', 'mig-4g.40gb']. The order of the
    profiles doesn't change how the accelerator is partitioned.
    """


class CapacityReservationConfig(TypedDict, total=False):
    """Settings for the capacity reservation for the compute instances that SageMaker AI reserves for an endpoint."""

    capacityReservationPreference: str
    """Options that you can choose for the capacity reservation. Known values: capacity-reservations-only."""
    mlReservationArn: str
    """The Amazon Resource Name (ARN) that uniquely identifies the ML capacity reservation that SageMaker AI
    applies when it deploys the endpoint.
    """


class CoreDumpConfig(TypedDict, total=False):
    """Specifies configuration for a core dump from the model container when the process crashes."""

    destinationS3Uri: Required[str]
    """The Amazon S3 bucket to send the core dump to."""
    kmsKeyId: str
    """The Amazon Web Services Key Management Service (Amazon Web Services KMS) key that SageMaker uses to encrypt
    the core dump data at rest using Amazon S3 server-side encryption.
    """


class InstancePools(TypedDict, total=False):
    """Specifies an instance type and its priority for a heterogeneous endpoint. Use instance pools to configure a
    production variant with multiple instance types, enabling the endpoint to provision instances across
    different types based on priority.
    """

    instanceType: Required[str]
    """The ML compute instance type for the instance pool."""
    modelNameOverride: str
    """The name of a SageMaker model to use for this instance pool instead of the model specified for the
    production variant. Use this to deploy a different model optimized for the instance type in this pool.
    """
    priority: Required[int]
    """The priority for the instance pool. SageMaker attempts to provision instances in order of priority, starting
    with the lowest value. If instances for a higher-priority pool are unavailable, SageMaker attempts to
    provision from the next pool.
    """


class ScaleInPolicy(TypedDict, total=False):
    """Configures the scale-in behavior for managed instance scaling."""

    cooldownInMinutes: int
    """The cooldown period, in minutes, after the last endpoint operation before the endpoint evaluates
    consolidation scale-in opportunities.
    """
    maximumStepSize: int
    """The maximum number of instances that the endpoint can terminate at a time during a consolidation scale-in
    operation.
    """
    strategy: Required[str]
    """The strategy for scaling in instances. Known values: IDLE_RELEASE, CONSOLIDATION."""


class ManagedInstanceScaling(TypedDict, total=False):
    """Settings that control the range in the number of instances that the endpoint provisions as it scales up or
    down to accommodate traffic.
    """

    maxInstanceCount: int
    """The maximum number of instances that the endpoint can provision when it scales up to accommodate an increase
    in traffic.
    """
    minInstanceCount: int
    """The minimum number of instances that the endpoint must retain when it scales down to accommodate a decrease
    in traffic.
    """
    scaleInPolicy: ScaleInPolicy
    """Configures the scale-in behavior for managed instance scaling."""
    status: str
    """Indicates whether managed instance scaling is enabled. Known values: ENABLED, DISABLED."""


class PrefixAwareRoutingConfig(TypedDict, total=False):
    """The configuration for prefix-aware routing. Specify this parameter only when you set RoutingStrategy to
    PREFIX_AWARE.
    """

    concurrencyThreshold: int
    """The number of in-flight requests on the selected instance or inference component copy at which the endpoint
    routes a request to another copy or instance. Required when RoutingStrategy is PREFIX_AWARE.
    """
    prefixLength: int
    """The maximum length of the prefix used for routing decisions. Required when RoutingStrategy is PREFIX_AWARE."""


class RoutingConfig(TypedDict, total=False):
    """Settings that control how the endpoint routes incoming traffic to the instances that the endpoint hosts."""

    prefixAwareRoutingConfig: PrefixAwareRoutingConfig
    """The configuration for prefix-aware routing. Specify this parameter only when you set RoutingStrategy to
    PREFIX_AWARE.
    """
    routingStrategy: Required[str]
    """Sets how the endpoint routes incoming traffic. Known values: LEAST_OUTSTANDING_REQUESTS, RANDOM,
    PREFIX_AWARE, KV_AWARE.
    """


class ServerlessConfig(TypedDict, total=False):
    """The serverless configuration for an endpoint. Specifies a serverless endpoint configuration instead of an
    instance-based endpoint configuration.
    """

    maxConcurrency: Required[int]
    """The maximum number of concurrent invocations your serverless endpoint can process."""
    memorySizeInMB: Required[int]
    """The memory size of your serverless endpoint. Valid values are in 1 GB increments: 1024 MB, 2048 MB, 3072 MB,
    4096 MB, 5120 MB, or 6144 MB.
    """
    provisionedConcurrency: int
    """The amount of provisioned concurrency to allocate for the serverless endpoint. Should be less than or equal
    to MaxConcurrency.
    """


class ProductionVariants(TypedDict, total=False):
    """Identifies a model that you want to host and the resources chosen to deploy for hosting it. If you are
    deploying multiple models, tell SageMaker how to distribute traffic among the models by specifying variant
    weights.
    """

    acceleratorPartitionLayouts: list[AcceleratorPartitionLayouts]
    """The accelerator partition layout for the accelerators backing this production variant. A layout lists the
    partition profiles to carve on the accelerators it applies to; on NVIDIA GPUs these are Multi-Instance GPU
    (MIG) profiles such as mig-3g.40gb.
    """
    acceleratorType: str
    """This parameter is no longer supported. Elastic Inference (EI) is no longer available. Known values:
    ml.eia1.medium, ml.eia1.large, ml.eia1.xlarge, ml.eia2.medium, ml.eia2.large, ml.eia2.xlarge.
    """
    capacityReservationConfig: CapacityReservationConfig
    """Settings for the capacity reservation for the compute instances that SageMaker AI reserves for an endpoint."""
    containerStartupHealthCheckTimeoutInSeconds: int
    """The timeout value, in seconds, for your inference container to pass health check by SageMaker Hosting."""
    coreDumpConfig: CoreDumpConfig
    """Specifies configuration for a core dump from the model container when the process crashes."""
    enableSSMAccess: bool
    """You can use this parameter to turn on native Amazon Web Services Systems Manager (SSM) access for a
    production variant behind an endpoint. By default, SSM access is disabled for all production variants behind
    an endpoint.
    """
    inferenceAmiVersion: str
    """Specifies an option from a collection of preconfigured Amazon Machine Image (AMI) images. Each image is
    configured by Amazon Web Services with a set of software and driver versions. Amazon Web Services optimizes
    these configurations for different machine learning workloads.
    """
    initialInstanceCount: int
    """Number of instances to launch initially."""
    initialVariantWeight: float
    """Determines initial traffic distribution among all of the models that you specify in the endpoint
    configuration. The traffic to a production variant is determined by the ratio of the VariantWeight to the
    sum of all VariantWeight values across all ProductionVariants.
    """
    instancePools: list[InstancePools]
    """A list of instance pools for the production variant. Each instance pool specifies an instance type and its
    priority for provisioning. Use instance pools to configure heterogeneous endpoints that deploy models across
    multiple instance types.
    """
    instanceType: str
    """The ML compute instance type."""
    managedInstanceScaling: ManagedInstanceScaling
    """Settings that control the range in the number of instances that the endpoint provisions as it scales up or
    down to accommodate traffic.
    """
    modelDataDownloadTimeoutInSeconds: int
    """The timeout value, in seconds, to download and extract the model that you want to host from Amazon S3 to the
    individual inference instance associated with this production variant.
    """
    modelName: str
    """The model to serve: the name of a Model object in the same namespace, which is waited for and followed when
    it is replaced; if there is none, the name of a model at AWS.
    """
    routingConfig: RoutingConfig
    """Settings that control how the endpoint routes incoming traffic to the instances that the endpoint hosts."""
    serverlessConfig: ServerlessConfig
    """The serverless configuration for an endpoint. Specifies a serverless endpoint configuration instead of an
    instance-based endpoint configuration.
    """
    variantInstanceProvisionTimeoutInSeconds: int
    """The timeout value, in seconds, for provisioning instances for the production variant. When SageMaker
    encounters an insufficient capacity error while provisioning instances, it retries with the next instance
    pool (if configured) or waits until the timeout expires.
    """
    variantName: Required[str]
    """The name of the production variant."""
    volumeSizeInGB: int
    """The size, in GB, of the ML storage volume attached to individual inference instance associated with the
    production variant. Currently only Amazon EBS gp2 storage volumes are supported.
    """


class ShadowProductionVariants(TypedDict, total=False):
    """Identifies a model that you want to host and the resources chosen to deploy for hosting it. If you are
    deploying multiple models, tell SageMaker how to distribute traffic among the models by specifying variant
    weights.
    """

    acceleratorPartitionLayouts: list[AcceleratorPartitionLayouts]
    """The accelerator partition layout for the accelerators backing this production variant. A layout lists the
    partition profiles to carve on the accelerators it applies to; on NVIDIA GPUs these are Multi-Instance GPU
    (MIG) profiles such as mig-3g.40gb.
    """
    acceleratorType: str
    """This parameter is no longer supported. Elastic Inference (EI) is no longer available. Known values:
    ml.eia1.medium, ml.eia1.large, ml.eia1.xlarge, ml.eia2.medium, ml.eia2.large, ml.eia2.xlarge.
    """
    capacityReservationConfig: CapacityReservationConfig
    """Settings for the capacity reservation for the compute instances that SageMaker AI reserves for an endpoint."""
    containerStartupHealthCheckTimeoutInSeconds: int
    """The timeout value, in seconds, for your inference container to pass health check by SageMaker Hosting."""
    coreDumpConfig: CoreDumpConfig
    """Specifies configuration for a core dump from the model container when the process crashes."""
    enableSSMAccess: bool
    """You can use this parameter to turn on native Amazon Web Services Systems Manager (SSM) access for a
    production variant behind an endpoint. By default, SSM access is disabled for all production variants behind
    an endpoint.
    """
    inferenceAmiVersion: str
    """Specifies an option from a collection of preconfigured Amazon Machine Image (AMI) images. Each image is
    configured by Amazon Web Services with a set of software and driver versions. Amazon Web Services optimizes
    these configurations for different machine learning workloads.
    """
    initialInstanceCount: int
    """Number of instances to launch initially."""
    initialVariantWeight: float
    """Determines initial traffic distribution among all of the models that you specify in the endpoint
    configuration. The traffic to a production variant is determined by the ratio of the VariantWeight to the
    sum of all VariantWeight values across all ProductionVariants.
    """
    instancePools: list[InstancePools]
    """A list of instance pools for the production variant. Each instance pool specifies an instance type and its
    priority for provisioning. Use instance pools to configure heterogeneous endpoints that deploy models across
    multiple instance types.
    """
    instanceType: str
    """The ML compute instance type."""
    managedInstanceScaling: ManagedInstanceScaling
    """Settings that control the range in the number of instances that the endpoint provisions as it scales up or
    down to accommodate traffic.
    """
    modelDataDownloadTimeoutInSeconds: int
    """The timeout value, in seconds, to download and extract the model that you want to host from Amazon S3 to the
    individual inference instance associated with this production variant.
    """
    modelName: str
    """The model to serve: the name of a Model object in the same namespace, which is waited for and followed when
    it is replaced; if there is none, the name of a model at AWS.
    """
    routingConfig: RoutingConfig
    """Settings that control how the endpoint routes incoming traffic to the instances that the endpoint hosts."""
    serverlessConfig: ServerlessConfig
    """The serverless configuration for an endpoint. Specifies a serverless endpoint configuration instead of an
    instance-based endpoint configuration.
    """
    variantInstanceProvisionTimeoutInSeconds: int
    """The timeout value, in seconds, for provisioning instances for the production variant. When SageMaker
    encounters an insufficient capacity error while provisioning instances, it retries with the next instance
    pool (if configured) or waits until the timeout expires.
    """
    variantName: Required[str]
    """The name of the production variant."""
    volumeSizeInGB: int
    """The size, in GB, of the ML storage volume attached to individual inference instance associated with the
    production variant. Currently only Amazon EBS gp2 storage volumes are supported.
    """


class Tags(TypedDict, total=False):
    """A tag object that consists of a key and an optional value, used to manage metadata for SageMaker Amazon Web
    Services resources.
    """

    key: Required[str]
    """The tag key. Tag keys must be unique per resource."""
    value: Required[str]
    """The tag value."""


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


class EndpointConfigSpec(TypedDict, total=False):
    """The endpoint config that is wanted."""

    asyncInferenceConfig: AsyncInferenceConfig
    """Specifies configuration for how an endpoint performs asynchronous inference. This is a required field in
    order for your Endpoint to be invoked using InvokeEndpointAsync.
    """
    crossRegionTrafficConfig: CrossRegionTrafficConfig
    """The cross-Region traffic cap for the endpoint. The cap limits the requests per second that the endpoint
    accepts from inference routers in other Amazon Web Services Regions. If you don't specify it, these requests
    aren't limited.
    """
    dataCaptureConfig: DataCaptureConfig
    """Configuration to control how SageMaker AI captures inference data."""
    enableNetworkIsolation: bool
    """Sets whether all model containers deployed to the endpoint are isolated. If they are, no inbound or outbound
    network calls can be made to or from the model containers.
    """
    executionRoleArn: str
    """The Amazon Resource Name (ARN) of an IAM role that Amazon SageMaker AI can assume to perform actions on your
    behalf.
    """
    explainerConfig: ExplainerConfig
    """A member of CreateEndpointConfig that enables explainers."""
    kmsKeyId: str
    """The Amazon Resource Name (ARN) of a Amazon Web Services Key Management Service key that SageMaker uses to
    encrypt data on the storage volume attached to the ML compute instance that hosts the endpoint.
    """
    metricsConfig: MetricsConfig
    """The configuration parameters for utilization metrics."""
    productionVariants: Required[list[ProductionVariants]]
    """An array of ProductionVariant objects, one for each model that you want to host at this endpoint."""
    region: str
    """AWS region in which the resource lives, for example us-east-2. If it is left out, that of the namespace,
    then that of the operator.
    """
    sageMakerEndpoint: str
    """URL of the SageMaker API to use for this object instead of the region's own, for example that of a VPC
    endpoint. Wins over the operator's AWS_DEFAULT_SAGEMAKER_ENDPOINT.
    """
    shadowProductionVariants: list[ShadowProductionVariants]
    """An array of ProductionVariant objects, one for each model that you want to host at this endpoint in shadow
    mode with production traffic replicated from the model specified on ProductionVariants.
    """
    tags: list[Tags]
    """An array of key-value pairs. You can use tags to categorize your Amazon Web Services resources in different
    ways, for example, by purpose, owner, or environment.
    """
    vpcConfig: VpcConfig
    """Specifies an Amazon Virtual Private Cloud (VPC) that your SageMaker jobs, hosted models, and compute
    resources have access to. You can control access to and from your resources by configuring a VPC.
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


class ModelNames(TypedDict, total=False):
    """Part of a EndpointConfig."""

    name: str
    """Name of the entry."""
    value: str
    """Its value."""


class EndpointConfigStatus(TypedDict, total=False):
    """What became of it, as last seen."""

    additional: str
    """What keeps the operator from doing its work."""
    awsResource: AwsResource
    """What was created at AWS for this object. Once recorded it is never created again, nor looked for elsewhere."""
    conditions: list[Conditions]
    """The state of the object in the standard form: Ready says whether its result can be used."""
    endpointConfigArn: str
    """Amazon Resource Name of the endpoint configuration."""
    lastHandledReconcileAt: str
    """The text of the annotation sagemaker.aws.amazon.com/reconcile-at that was acted on last."""
    lastUpdateTime: str
    """When this status was last compared with AWS."""
    modelNames: list[ModelNames]
    """Models that the spec names by their objects: name of the object, value at AWS."""
    observedGeneration: int
    """The metadata.generation that this status was decided on."""
    sageMakerEndpointConfigName: str
    """Name of the endpoint configuration at AWS."""
    status: str
    """SynchronizingK8sJobWithSageMaker before the operator has processed the object, then Created, Error, or
    Deleted for a moment before the object goes.
    """


class EndpointConfig(TypedDict, total=False):
    """EndpointConfig: made at AWS by CreateEndpointConfig."""

    apiVersion: Required[Literal["sagemaker.aws.amazon.com/v1"]]
    kind: Required[Literal["EndpointConfig"]]
    metadata: Required[Metadata]
    spec: Required[EndpointConfigSpec]
    status: EndpointConfigStatus

"""Made by `python -m hack.crds` from api/v1 and hack/snapshots. Do not edit: change those.

The manifests of ModelPackage, `sagemaker.aws.amazon.com/v1`.
"""

from typing import Literal, Required, TypedDict

from api.client.models.metadata import Metadata


class HubAccessConfig(TypedDict, total=False):
    """Configuration information for hub access."""

    hubContentArn: Required[str]
    """The ARN of the hub content for which deployment access is allowed."""


class ModelAccessConfig(TypedDict, total=False):
    """Specifies the access configuration file for the ML model. You can explicitly accept the model end-user
    license agreement (EULA) within the ModelAccessConfig.
    """

    acceptEula: Required[bool]
    """Specifies agreement to the model end-user license agreement (EULA). The AcceptEula value must be explicitly
    defined as True in order to accept the EULA that this model requires.
    """


class S3DataSource(TypedDict, total=False):
    """Specifies the S3 location of ML model data to deploy."""

    compressionType: Required[str]
    """Specifies how the ML model data is prepared. Known values: None, Gzip."""
    eTag: str
    """The ETag associated with S3 URI."""
    hubAccessConfig: HubAccessConfig
    """Configuration information for hub access."""
    manifestEtag: str
    """The ETag associated with Manifest S3 URI."""
    manifestS3Uri: str
    """The Amazon S3 URI of the manifest file. The manifest file is a CSV file that stores the artifact locations."""
    modelAccessConfig: ModelAccessConfig
    """Specifies the access configuration file for the ML model. You can explicitly accept the model end-user
    license agreement (EULA) within the ModelAccessConfig.
    """
    s3DataType: Required[str]
    """Specifies the type of ML model data to deploy. Known values: S3Prefix, S3Object."""
    s3Uri: Required[str]
    """Specifies the S3 path of ML model data to deploy."""


class AdditionalModelDataSources(TypedDict, total=False):
    """Data sources that are available to your model in addition to the one that you specify for ModelDataSource
    when you use the CreateModel action.
    """

    channelName: Required[str]
    """A custom name for this AdditionalModelDataSource object."""
    s3DataSource: Required[S3DataSource]
    """Specifies the S3 location of ML model data to deploy."""


class AdditionalS3DataSource(TypedDict, total=False):
    """The additional data source that is used during inference in the Docker container for your model package."""

    compressionType: str
    """The type of compression used for an additional data source used in inference or training. Specify None if
    your additional data source is not compressed. Known values: None, Gzip.
    """
    eTag: str
    """The ETag associated with S3 URI."""
    s3DataType: Required[str]
    """The data type of the additional data source that you specify for use in inference or training. Known values:
    S3Object, S3Prefix.
    """
    s3Uri: Required[str]
    """The uniform resource identifier (URI) used to identify an additional data source used in inference or
    training.
    """


class BaseModel(TypedDict, total=False):
    """Identifies the foundation model that was used as the starting point for model customization."""

    hubContentName: str
    """The hub content name of the base model."""
    hubContentVersion: str
    """The hub content version of the base model."""
    recipeName: str
    """The recipe name of the base model."""


class Environment(TypedDict, total=False):
    """Part of a ModelPackage."""

    name: Required[str]
    """Name of the entry. Of several entries with one name the last counts."""
    value: str
    """Value of the entry, always text: put numbers and booleans in quotes."""


class ModelDataSource(TypedDict, total=False):
    """Specifies the location of ML model data to deploy during endpoint creation."""

    s3DataSource: S3DataSource
    """Specifies the S3 location of ML model data to deploy."""


class ModelInput(TypedDict, total=False):
    """A structure with Model Input details."""

    dataInputConfig: Required[str]
    """The input configuration object for the model."""


class Containers(TypedDict, total=False):
    """Describes the Docker container for the model package."""

    additionalModelDataSources: list[AdditionalModelDataSources]
    """Data sources that are available to your model in addition to the one that you specify for ModelDataSource
    when you use the CreateModelPackage action.
    """
    additionalS3DataSource: AdditionalS3DataSource
    """The additional data source that is used during inference in the Docker container for your model package."""
    baseModel: BaseModel
    """Identifies the foundation model that was used as the starting point for model customization."""
    containerHostname: str
    """The DNS host name for the Docker container."""
    environment: list[Environment]
    """The environment variables to set in the Docker container. Each key and value in the Environment string to
    string map can have length of up to 1024. We support up to 16 entries in the map.
    """
    framework: str
    """The machine learning framework of the model package container image."""
    frameworkVersion: str
    """The framework version of the Model Package Container Image."""
    image: str
    """The Amazon Elastic Container Registry (Amazon ECR) path where inference code is stored."""
    imageDigest: str
    """An MD5 hash of the training algorithm that identifies the Docker image used for training."""
    isCheckpoint: bool
    """Specifies whether the model data is a training checkpoint."""
    modelDataETag: str
    """The ETag associated with Model Data URL."""
    modelDataSource: ModelDataSource
    """Specifies the location of ML model data to deploy during endpoint creation."""
    modelDataUrl: str
    """The Amazon S3 path where the model artifacts, which result from model training, are stored. This path must
    point to a single gzip compressed tar archive (.tar.gz suffix).
    """
    modelInput: ModelInput
    """A structure with Model Input details."""
    nearestModelName: str
    """The name of a pre-trained machine learning benchmarked by Amazon SageMaker Inference Recommender model that
    matches your model. You can find a list of benchmarked models by calling ListModelMetadata.
    """
    productId: str
    """The Amazon Web Services Marketplace product ID of the model package."""


class AdditionalInferenceSpecifications(TypedDict, total=False):
    """A structure of additional Inference Specification. Additional Inference Specification specifies details
    about inference jobs that can be run with models based on this model package.
    """

    containers: Required[list[Containers]]
    """The Amazon ECR registry path of the Docker image that contains the inference code."""
    description: str
    """A description of the additional Inference specification."""
    name: Required[str]
    """A unique name to identify the additional inference specification. The name must be unique within the list of
    your additional inference specifications for a particular model package.
    """
    supportedContentTypes: list[str]
    """The supported MIME types for the input data."""
    supportedRealtimeInferenceInstanceTypes: list[str]
    """A list of the instance types that are used to generate inferences in real-time."""
    supportedResponseMIMETypes: list[str]
    """The supported MIME types for the output data."""
    supportedTransformInstanceTypes: list[str]
    """A list of the instance types on which a transformation job can be run or on which an endpoint can be
    deployed.
    """


class CustomerMetadataProperties(TypedDict, total=False):
    """Part of a ModelPackage."""

    name: Required[str]
    """Name of the entry. Of several entries with one name the last counts."""
    value: str
    """Value of the entry, always text: put numbers and booleans in quotes."""


class ConfigFile(TypedDict, total=False):
    """The bias config file for a model."""

    contentDigest: str
    """The digest of the file source."""
    contentType: str
    """The type of content stored in the file source."""
    s3Uri: Required[str]
    """The Amazon S3 URI for the file source."""


class PostTrainingConstraints(TypedDict, total=False):
    """The post-training constraints."""

    contentDigest: str
    """The hash key used for the metrics source."""
    contentType: Required[str]
    """The metric source content type."""
    s3Uri: Required[str]
    """The S3 URI for the metrics source."""


class PreTrainingConstraints(TypedDict, total=False):
    """The pre-training constraints."""

    contentDigest: str
    """The hash key used for the metrics source."""
    contentType: Required[str]
    """The metric source content type."""
    s3Uri: Required[str]
    """The S3 URI for the metrics source."""


class Bias(TypedDict, total=False):
    """Represents the drift check bias baselines that can be used when the model monitor is set using the model
    package.
    """

    configFile: ConfigFile
    """The bias config file for a model."""
    postTrainingConstraints: PostTrainingConstraints
    """The post-training constraints."""
    preTrainingConstraints: PreTrainingConstraints
    """The pre-training constraints."""


class Constraints(TypedDict, total=False):
    """The drift check explainability constraints."""

    contentDigest: str
    """The hash key used for the metrics source."""
    contentType: Required[str]
    """The metric source content type."""
    s3Uri: Required[str]
    """The S3 URI for the metrics source."""


class Explainability(TypedDict, total=False):
    """Represents the drift check explainability baselines that can be used when the model monitor is set using the
    model package.
    """

    configFile: ConfigFile
    """The explainability config file for the model."""
    constraints: Constraints
    """The drift check explainability constraints."""


class Statistics(TypedDict, total=False):
    """The drift check model data quality statistics."""

    contentDigest: str
    """The hash key used for the metrics source."""
    contentType: Required[str]
    """The metric source content type."""
    s3Uri: Required[str]
    """The S3 URI for the metrics source."""


class ModelDataQuality(TypedDict, total=False):
    """Represents the drift check model data quality baselines that can be used when the model monitor is set using
    the model package.
    """

    constraints: Constraints
    """The drift check model data quality constraints."""
    statistics: Statistics
    """The drift check model data quality statistics."""


class ModelQuality(TypedDict, total=False):
    """Represents the drift check model quality baselines that can be used when the model monitor is set using the
    model package.
    """

    constraints: Constraints
    """The drift check model quality constraints."""
    statistics: Statistics
    """The drift check model quality statistics."""


class DriftCheckBaselines(TypedDict, total=False):
    """Represents the drift check baselines that can be used when the model monitor is set using the model package."""

    bias: Bias
    """Represents the drift check bias baselines that can be used when the model monitor is set using the model
    package.
    """
    explainability: Explainability
    """Represents the drift check explainability baselines that can be used when the model monitor is set using the
    model package.
    """
    modelDataQuality: ModelDataQuality
    """Represents the drift check model data quality baselines that can be used when the model monitor is set using
    the model package.
    """
    modelQuality: ModelQuality
    """Represents the drift check model quality baselines that can be used when the model monitor is set using the
    model package.
    """


class InferenceSpecification(TypedDict, total=False):
    """Specifies details about inference jobs that you can run with models based on this model package, including
    the following information.
    """

    containers: Required[list[Containers]]
    """The Amazon ECR registry path of the Docker image that contains the inference code."""
    supportedContentTypes: list[str]
    """The supported MIME types for the input data."""
    supportedRealtimeInferenceInstanceTypes: list[str]
    """A list of the instance types that are used to generate inferences in real-time."""
    supportedResponseMIMETypes: list[str]
    """The supported MIME types for the output data."""
    supportedTransformInstanceTypes: list[str]
    """A list of the instance types on which a transformation job can be run or on which an endpoint can be
    deployed.
    """


class MetadataProperties(TypedDict, total=False):
    """Metadata properties of the tracking entity, trial, or trial component."""

    commitId: str
    """The commit ID."""
    generatedBy: str
    """The entity this entity was generated by."""
    projectId: str
    """The project ID."""
    repository: str
    """The repository."""


class ModelCard(TypedDict, total=False):
    """The model card associated with the model package. Since ModelPackageModelCard is tied to a model package, it
    is a specific usage of a model card and its schema is simplified compared to the schema of ModelCard.
    """

    modelCardContent: str
    """The content of the model card. The content must follow the schema described in Model Package Model Card
    Schema.
    """
    modelCardStatus: str
    """The approval status of the model card within your organization. Different organizations might have different
    criteria for model card review and approval. Known values: Draft, PendingReview, Approved, Archived.
    """


class ModelLifeCycle(TypedDict, total=False):
    """A structure describing the current state of the model in its life cycle."""

    stage: Required[str]
    """The current stage in the model life cycle."""
    stageDescription: str
    """Describes the stage related details."""
    stageStatus: Required[str]
    """The current status of a stage in model life cycle."""


class PostTrainingReport(TypedDict, total=False):
    """The post-training bias report for a model."""

    contentDigest: str
    """The hash key used for the metrics source."""
    contentType: Required[str]
    """The metric source content type."""
    s3Uri: Required[str]
    """The S3 URI for the metrics source."""


class PreTrainingReport(TypedDict, total=False):
    """The pre-training bias report for a model."""

    contentDigest: str
    """The hash key used for the metrics source."""
    contentType: Required[str]
    """The metric source content type."""
    s3Uri: Required[str]
    """The S3 URI for the metrics source."""


class Report(TypedDict, total=False):
    """The bias report for a model."""

    contentDigest: str
    """The hash key used for the metrics source."""
    contentType: Required[str]
    """The metric source content type."""
    s3Uri: Required[str]
    """The S3 URI for the metrics source."""


class ModelMetricsBias(TypedDict, total=False):
    """Metrics that measure bias in a model."""

    postTrainingReport: PostTrainingReport
    """The post-training bias report for a model."""
    preTrainingReport: PreTrainingReport
    """The pre-training bias report for a model."""
    report: Report
    """The bias report for a model."""


class ModelMetricsExplainability(TypedDict, total=False):
    """Metrics that help explain a model."""

    report: Report
    """The explainability report for a model."""


class ModelMetrics(TypedDict, total=False):
    """A structure that contains model metrics reports."""

    bias: ModelMetricsBias
    """Metrics that measure bias in a model."""
    explainability: ModelMetricsExplainability
    """Metrics that help explain a model."""
    modelDataQuality: ModelDataQuality
    """Metrics that measure the quality of the input data for a model."""
    modelQuality: ModelQuality
    """Metrics that measure the quality of a model."""


class SecurityConfig(TypedDict, total=False):
    """The KMS Key ID (KMSKeyId) used for encryption of model package information."""

    kmsKeyId: Required[str]
    """The KMS Key ID (KMSKeyId) used for encryption of model package information."""


class SourceAlgorithms(TypedDict, total=False):
    """Specifies an algorithm that was used to create the model package. The algorithm must be either an algorithm
    resource in your SageMaker account or an algorithm in Amazon Web Services Marketplace that you are
    subscribed to.
    """

    algorithmName: Required[str]
    """The name of an algorithm that was used to create the model package. The algorithm must be either an
    algorithm resource in your SageMaker account or an algorithm in Amazon Web Services Marketplace that you are
    subscribed to.
    """
    modelDataETag: str
    """The ETag associated with Model Data URL."""
    modelDataSource: ModelDataSource
    """Specifies the location of ML model data to deploy during endpoint creation."""
    modelDataUrl: str
    """The Amazon S3 path where the model artifacts, which result from model training, are stored. This path must
    point to a single gzip compressed tar archive (.tar.gz suffix).
    """


class SourceAlgorithmSpecification(TypedDict, total=False):
    """Details about the algorithm that was used to create the model package."""

    sourceAlgorithms: Required[list[SourceAlgorithms]]
    """A list of the algorithms that were used to create a model package."""


class Tags(TypedDict, total=False):
    """A tag object that consists of a key and an optional value, used to manage metadata for SageMaker Amazon Web
    Services resources.
    """

    key: Required[str]
    """The tag key. Tag keys must be unique per resource."""
    value: Required[str]
    """The tag value."""


class DataSourceS3DataSource(TypedDict, total=False):
    """The S3 location of the data source that is associated with a channel."""

    s3DataType: Required[str]
    """If you choose S3Prefix, S3Uri identifies a key name prefix. Amazon SageMaker uses all objects with the
    specified key name prefix for batch transform. Known values: ManifestFile, S3Prefix, AugmentedManifestFile,
    Converse.
    """
    s3Uri: Required[str]
    """Depending on the value specified for the S3DataType, identifies either a key name prefix or a manifest."""


class DataSource(TypedDict, total=False):
    """Describes the location of the channel data, which is, the S3 location of the input data that the model can
    consume.
    """

    s3DataSource: Required[DataSourceS3DataSource]
    """The S3 location of the data source that is associated with a channel."""


class TransformInput(TypedDict, total=False):
    """A description of the input source and the way the transform job consumes it."""

    compressionType: str
    """If your transform data is compressed, specify the compression type. Amazon SageMaker automatically
    decompresses the data for the transform job accordingly. The default value is None. Known values: None,
    Gzip.
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
    """Identifies the Amazon S3 location where you want Amazon SageMaker to save the results from the transform
    job.
    """

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
    """Identifies the ML compute instances for the transform job."""

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


class TransformJobDefinition(TypedDict, total=False):
    """The TransformJobDefinition object that describes the transform job used for the validation of the model
    package.
    """

    batchStrategy: str
    """A string that determines the number of records included in a single mini-batch. Known values: MultiRecord,
    SingleRecord.
    """
    environment: list[Environment]
    """The environment variables to set in the Docker container. We support up to 16 key and values entries in the
    map.
    """
    maxConcurrentTransforms: int
    """The maximum number of parallel requests that can be sent to each instance in a transform job. The default
    value is 1.
    """
    maxPayloadInMB: int
    """The maximum payload size allowed, in MB. A payload is the data portion of a record (without metadata)."""
    transformInput: Required[TransformInput]
    """A description of the input source and the way the transform job consumes it."""
    transformOutput: Required[TransformOutput]
    """Identifies the Amazon S3 location where you want Amazon SageMaker to save the results from the transform
    job.
    """
    transformResources: Required[TransformResources]
    """Identifies the ML compute instances for the transform job."""


class ValidationProfiles(TypedDict, total=False):
    """Contains data, such as the inputs and targeted instance types that are used in the process of validating the
    model package.
    """

    profileName: Required[str]
    """The name of the profile for the model package."""
    transformJobDefinition: Required[TransformJobDefinition]
    """The TransformJobDefinition object that describes the transform job used for the validation of the model
    package.
    """


class ValidationSpecification(TypedDict, total=False):
    """Specifies configurations for one or more transform jobs that SageMaker runs to test the model package."""

    validationProfiles: Required[list[ValidationProfiles]]
    """An array of ModelPackageValidationProfile objects, each of which specifies a batch transform job that
    SageMaker runs to validate your model package.
    """
    validationRole: Required[str]
    """The IAM roles to be used for the validation of the model package."""


class ModelPackageSpec(TypedDict, total=False):
    """The model package that is wanted."""

    additionalInferenceSpecifications: list[AdditionalInferenceSpecifications]
    """An array of additional Inference Specification objects. Each additional Inference Specification specifies
    artifacts based on this model package that can be used on inference endpoints. Generally used with SageMaker
    Neo to store the compiled artifacts.
    """
    approvalDescription: str
    """A description for the approval status of the model."""
    certifyForMarketplace: bool
    """Whether to certify the model package for listing on Amazon Web Services Marketplace."""
    customerMetadataProperties: list[CustomerMetadataProperties]
    """The metadata properties associated with the model package versions."""
    domain: str
    """The machine learning domain of your model package and its components. Common machine learning domains
    include computer vision and natural language processing.
    """
    driftCheckBaselines: DriftCheckBaselines
    """Represents the drift check baselines that can be used when the model monitor is set using the model package."""
    inferenceSpecification: InferenceSpecification
    """Specifies details about inference jobs that you can run with models based on this model package, including
    the following information.
    """
    managedStorageType: str
    """The storage type of the model package. Known values: Restricted."""
    metadataProperties: MetadataProperties
    """Metadata properties of the tracking entity, trial, or trial component."""
    modelApprovalStatus: str
    """Whether the model is approved for deployment. Known values: Approved, Rejected, PendingManualApproval."""
    modelCard: ModelCard
    """The model card associated with the model package. Since ModelPackageModelCard is tied to a model package, it
    is a specific usage of a model card and its schema is simplified compared to the schema of ModelCard.
    """
    modelLifeCycle: ModelLifeCycle
    """A structure describing the current state of the model in its life cycle."""
    modelMetrics: ModelMetrics
    """A structure that contains model metrics reports."""
    modelPackageArn: str
    """ARN of what exists at AWS already. It needs one of the annotations adoption-policy and read-only. AWS makes
    the ARN of a new one, which the status shows.
    """
    modelPackageDescription: str
    """Description of the package. To that of a version the operator adds the namespace, the name and the uid of
    the object, by which it finds the version again; what is too long with that is cut off.
    """
    modelPackageGroupName: str
    """The name or Amazon Resource Name (ARN) of the model package group that this model version belongs to."""
    modelPackageName: str
    """The name of the model package. The name must have 1 to 63 characters. Valid characters are a-z, A-Z, 0-9,
    and - (hyphen).
    """
    modelPackageRegistrationType: str
    """The package registration type of the model package input. Known values: Logged, Registered."""
    region: str
    """AWS region in which the resource lives, for example us-east-2. If it is left out, that of the namespace,
    then that of the operator.
    """
    sageMakerEndpoint: str
    """URL of the SageMaker API to use for this object instead of the region's own, for example that of a VPC
    endpoint. Wins over the operator's AWS_DEFAULT_SAGEMAKER_ENDPOINT.
    """
    samplePayloadUrl: str
    """The Amazon Simple Storage Service (Amazon S3) path where the sample payload is stored. This path must point
    to a single gzip compressed tar archive (.tar.gz suffix). This archive can hold multiple files that are all
    equally used in the load test.
    """
    securityConfig: SecurityConfig
    """The KMS Key ID (KMSKeyId) used for encryption of model package information."""
    skipModelValidation: str
    """Indicates if you want to skip model validation. Known values: All, None."""
    sourceAlgorithmSpecification: SourceAlgorithmSpecification
    """Details about the algorithm that was used to create the model package."""
    sourceUri: str
    """The URI of the source for the model package. If you want to clone a model package, set it to the model
    package Amazon Resource Name (ARN). If you want to register a model, set it to the model ARN.
    """
    tags: list[Tags]
    """A list of key value pairs associated with the model."""
    task: str
    """The machine learning task your model package accomplishes. Common machine learning tasks include object
    detection and image classification.
    """
    validationSpecification: ValidationSpecification
    """Specifies configurations for one or more transform jobs that SageMaker runs to test the model package."""


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


class IamIdentity(TypedDict, total=False):
    """The IAM Identity details associated with the user. These details are associated with model package groups,
    model packages, project entities, hubs, and hub content only.
    """

    arn: str
    """The Amazon Resource Name (ARN) of the IAM identity."""
    principalId: str
    """The ID of the principal that assumes the IAM identity."""
    sourceIdentity: str
    """The person or application which assumes the IAM identity."""


class CreatedBy(TypedDict, total=False):
    """Information about the user who created or modified a SageMaker resource."""

    domainId: str
    """The domain associated with the user."""
    iamIdentity: IamIdentity
    """The IAM Identity details associated with the user. These details are associated with model package groups,
    model packages, project entities, hubs, and hub content only.
    """
    userProfileArn: str
    """The Amazon Resource Name (ARN) of the user's profile."""
    userProfileName: str
    """The name of the user's profile."""


class LastModifiedBy(TypedDict, total=False):
    """Information about the user who created or modified a SageMaker resource."""

    domainId: str
    """The domain associated with the user."""
    iamIdentity: IamIdentity
    """The IAM Identity details associated with the user. These details are associated with model package groups,
    model packages, project entities, hubs, and hub content only.
    """
    userProfileArn: str
    """The Amazon Resource Name (ARN) of the user's profile."""
    userProfileName: str
    """The name of the user's profile."""


class ImageScanStatuses(TypedDict, total=False):
    """Represents the overall status of a model package."""

    failureReason: str
    """if the overall status is Failed, the reason for the failure."""
    name: str
    """The name of the model package for which the overall status is being reported."""
    status: str
    """The current status. Known values: NotStarted, InProgress, Completed, Failed."""


class ValidationStatuses(TypedDict, total=False):
    """Represents the overall status of a model package."""

    failureReason: str
    """if the overall status is Failed, the reason for the failure."""
    name: str
    """The name of the model package for which the overall status is being reported."""
    status: str
    """The current status. Known values: NotStarted, InProgress, Completed, Failed."""


class ModelPackageStatusDetails(TypedDict, total=False):
    """Details about the current status of the model package."""

    imageScanStatuses: list[ImageScanStatuses]
    """The status of the scan of the Docker image container for the model package."""
    validationStatuses: list[ValidationStatuses]
    """The validation status of the model package."""


class ModelPackageStatus(TypedDict, total=False):
    """What became of it, as last seen."""

    additional: str
    """What keeps the package from being used, or as the spec wants it."""
    approvalDescription: str
    """A description provided for the model approval."""
    awsResource: AwsResource
    """What was created at AWS for this object. Once recorded it is never created again, nor looked for elsewhere."""
    conditions: list[Conditions]
    """The state of the object in the standard form: Ready says whether its result can be used."""
    createdBy: CreatedBy
    """Information about the user who created or modified a SageMaker resource."""
    creationTime: str
    """A timestamp specifying when the model package was created."""
    lastCheckTime: str
    """When this status was last compared with AWS."""
    lastHandledReconcileAt: str
    """The text of the annotation sagemaker.aws.amazon.com/reconcile-at that was acted on last."""
    lastModifiedBy: LastModifiedBy
    """Information about the user who created or modified a SageMaker resource."""
    lastModifiedTime: str
    """The last time that the model package was modified."""
    modelApprovalStatus: str
    """The approval status of the model package. Known values: Approved, Rejected, PendingManualApproval."""
    modelPackageArn: str
    """The Amazon Resource Name (ARN) of the model package."""
    modelPackageGroupName: str
    """If the model is a versioned model, the name of the model group that the versioned model belongs to."""
    modelPackageStatus: str
    """The current status of the model package. Known values: Pending, InProgress, Completed, Failed, Deleting."""
    modelPackageStatusDetails: ModelPackageStatusDetails
    """Details about the current status of the model package."""
    modelPackageVersion: int
    """The version of the model package."""
    observedGeneration: int
    """The metadata.generation that this status was decided on."""


class ModelPackage(TypedDict, total=False):
    """ModelPackage: made at AWS by CreateModelPackage, UpdateModelPackage."""

    apiVersion: Required[Literal["sagemaker.aws.amazon.com/v1"]]
    kind: Required[Literal["ModelPackage"]]
    metadata: Required[Metadata]
    spec: Required[ModelPackageSpec]
    status: ModelPackageStatus

"""Made by `python -m hack.crds` from api/v1 and hack/snapshots. Do not edit: change those.

The manifests of Model, `sagemaker.aws.amazon.com/v1`.
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


class MetricsEndpoints(TypedDict, total=False):
    """Specifies a metrics endpoint for a container, including the path where the container exposes
    Prometheus-formatted metrics and the frequency at which to publish them to Amazon CloudWatch.
    """

    metricPublishFrequencyInSeconds: int
    """The interval, in seconds, at which container metrics scraped from the endpoint are published to Amazon
    CloudWatch. Valid values: 10, 30, 60, 120, 180, 240, 300. Defaults to 60.
    """
    metricsEndpointPath: Required[str]
    """The path to the metrics endpoint exposed by the container. For example, /metrics or /server/metrics. The
    path must start with / and can contain alphanumeric characters, forward slashes, underscores, hyphens, and
    periods. Maximum length is 256 characters.
    """


class ContainerMetricsConfig(TypedDict, total=False):
    """The configuration for container metrics scraping. Specifies the metrics endpoint path and publishing
    frequency. If not specified when EnableDetailedObservability is True, the default path /metrics on port 8080
    is used.
    """

    metricsEndpoints: list[MetricsEndpoints]
    """A list of metrics endpoints to scrape from the container. Each endpoint specifies the path where the
    container exposes Prometheus-formatted metrics and the frequency at which to publish them. You can specify a
    maximum of 1 endpoint.
    """


class Environment(TypedDict, total=False):
    """Part of a Model."""

    name: str
    """Name of the entry. Of several entries with one name the last counts."""
    value: str
    """Value of the entry, always text: put numbers and booleans in quotes."""


class RepositoryAuthConfig(TypedDict, total=False):
    """(Optional) Specifies an authentication configuration for the private docker registry where your model image
    is hosted.
    """

    repositoryCredentialsProviderArn: Required[str]
    """The Amazon Resource Name (ARN) of an Amazon Web Services Lambda function that provides credentials to
    authenticate to the private Docker registry where your model image is hosted.
    """


class ImageConfig(TypedDict, total=False):
    """Specifies whether the model container is in Amazon ECR or a private Docker registry accessible from your
    Amazon Virtual Private Cloud (VPC).
    """

    repositoryAccessMode: Required[str]
    """Set this to one of the following values. Known values: Platform, Vpc."""
    repositoryAuthConfig: RepositoryAuthConfig
    """(Optional) Specifies an authentication configuration for the private docker registry where your model image
    is hosted.
    """


class ModelDataSource(TypedDict, total=False):
    """Specifies the location of ML model data to deploy."""

    s3DataSource: S3DataSource
    """Specifies the S3 location of ML model data to deploy."""


class MultiModelConfig(TypedDict, total=False):
    """Specifies additional configuration for multi-model endpoints."""

    modelCacheSetting: str
    """Whether to cache models for a multi-model endpoint. By default, multi-model endpoints cache models so that a
    model does not have to be loaded into memory each time it is invoked. Some use cases do not benefit from
    model caching. Known values: Enabled, Disabled.
    """


class Containers(TypedDict, total=False):
    """Describes the container, as part of model definition."""

    additionalModelDataSources: list[AdditionalModelDataSources]
    """Data sources that are available to your model in addition to the one that you specify for ModelDataSource
    when you use the CreateModel action.
    """
    containerHostname: str
    """This parameter is ignored for models that contain only a PrimaryContainer."""
    containerMetricsConfig: ContainerMetricsConfig
    """The configuration for container metrics scraping. Specifies the metrics endpoint path and publishing
    frequency. If not specified when EnableDetailedObservability is True, the default path /metrics on port 8080
    is used.
    """
    environment: list[Environment]
    """The environment variables to set in the Docker container. Don't include any sensitive data in your
    environment variables.
    """
    image: str
    """The path where inference code is stored. This can be either in Amazon EC2 Container Registry or in a Docker
    registry that is accessible from the same VPC that you configure for your endpoint.
    """
    imageConfig: ImageConfig
    """Specifies whether the model container is in Amazon ECR or a private Docker registry accessible from your
    Amazon Virtual Private Cloud (VPC).
    """
    inferenceSpecificationName: str
    """The inference specification name in the model package version."""
    mode: Literal["SingleModel", "MultiModel"]
    """Whether the container hosts a single model or multiple models."""
    modelDataSource: ModelDataSource
    """Specifies the location of ML model data to deploy."""
    modelDataUrl: str
    """The S3 path where the model artifacts, which result from model training, are stored. This path must point to
    a single gzip compressed tar archive (.tar.gz suffix). The S3 path is required for SageMaker built-in
    algorithms, but not if you use your own algorithms.
    """
    modelPackageName: str
    """The name or Amazon Resource Name (ARN) of the model package to use to create the model."""
    multiModelConfig: MultiModelConfig
    """Specifies additional configuration for multi-model endpoints."""


class InferenceExecutionConfig(TypedDict, total=False):
    """Specifies details of how containers in a multi-container endpoint are called."""

    mode: Required[str]
    """How containers in a multi-container are run. The following values are valid. Known values: Serial, Direct."""


class PrimaryContainer(TypedDict, total=False):
    """The location of the primary docker image containing inference code, associated artifacts, and custom
    environment map that the inference code uses when the model is deployed for predictions.
    """

    additionalModelDataSources: list[AdditionalModelDataSources]
    """Data sources that are available to your model in addition to the one that you specify for ModelDataSource
    when you use the CreateModel action.
    """
    containerHostname: str
    """This parameter is ignored for models that contain only a PrimaryContainer."""
    containerMetricsConfig: ContainerMetricsConfig
    """The configuration for container metrics scraping. Specifies the metrics endpoint path and publishing
    frequency. If not specified when EnableDetailedObservability is True, the default path /metrics on port 8080
    is used.
    """
    environment: list[Environment]
    """The environment variables to set in the Docker container. Don't include any sensitive data in your
    environment variables.
    """
    image: str
    """The path where inference code is stored. This can be either in Amazon EC2 Container Registry or in a Docker
    registry that is accessible from the same VPC that you configure for your endpoint.
    """
    imageConfig: ImageConfig
    """Specifies whether the model container is in Amazon ECR or a private Docker registry accessible from your
    Amazon Virtual Private Cloud (VPC).
    """
    inferenceSpecificationName: str
    """The inference specification name in the model package version."""
    mode: Literal["SingleModel", "MultiModel"]
    """Whether the container hosts a single model or multiple models."""
    modelDataSource: ModelDataSource
    """Specifies the location of ML model data to deploy."""
    modelDataUrl: str
    """The S3 path where the model artifacts, which result from model training, are stored. This path must point to
    a single gzip compressed tar archive (.tar.gz suffix). The S3 path is required for SageMaker built-in
    algorithms, but not if you use your own algorithms.
    """
    modelPackageName: str
    """The name or Amazon Resource Name (ARN) of the model package to use to create the model."""
    multiModelConfig: MultiModelConfig
    """Specifies additional configuration for multi-model endpoints."""


class Tags(TypedDict, total=False):
    """A tag object that consists of a key and an optional value, used to manage metadata for SageMaker Amazon Web
    Services resources.
    """

    key: Required[str]
    """The tag key. Tag keys must be unique per resource."""
    value: Required[str]
    """The tag value."""


class VpcConfig(TypedDict, total=False):
    """A VpcConfig object that specifies the VPC that you want your model to connect to. Control access to and from
    your model container by configuring the VPC. VpcConfig is used in hosting services and in batch transform.
    """

    securityGroupIds: Required[list[str]]
    """The VPC security group IDs, in the form sg-xxxxxxxx. Specify the security groups for the VPC that is
    specified in the Subnets field.
    """
    subnets: Required[list[str]]
    """The ID of the subnets in the VPC to which you want to connect your training job or model."""


class ModelSpec(TypedDict, total=False):
    """The model that is wanted."""

    containers: list[Containers]
    """Specifies the containers in the inference pipeline."""
    enableNetworkIsolation: bool
    """Isolates the model container. No inbound or outbound network calls can be made to or from the model
    container.
    """
    executionRoleArn: str
    """The Amazon Resource Name (ARN) of the IAM role that SageMaker can assume to access model artifacts and
    docker image for deployment on ML compute instances or for batch transform jobs. Deploying on ML compute
    instances is part of model hosting.
    """
    inferenceExecutionConfig: InferenceExecutionConfig
    """Specifies details of how containers in a multi-container endpoint are called."""
    primaryContainer: PrimaryContainer
    """The location of the primary docker image containing inference code, associated artifacts, and custom
    environment map that the inference code uses when the model is deployed for predictions.
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
    vpcConfig: VpcConfig
    """A VpcConfig object that specifies the VPC that you want your model to connect to. Control access to and from
    your model container by configuring the VPC. VpcConfig is used in hosting services and in batch transform.
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


class ModelPackageNames(TypedDict, total=False):
    """Part of a Model."""

    name: str
    """Name of the entry."""
    value: str
    """Its value."""


class ModelStatus(TypedDict, total=False):
    """What became of it, as last seen."""

    additional: str
    """What keeps the operator from doing its work."""
    awsResource: AwsResource
    """What was created at AWS for this object. Once recorded it is never created again, nor looked for elsewhere."""
    conditions: list[Conditions]
    """The state of the object in the standard form: Ready says whether its result can be used."""
    lastHandledReconcileAt: str
    """The text of the annotation sagemaker.aws.amazon.com/reconcile-at that was acted on last."""
    lastUpdateTime: str
    """When this status was last compared with AWS."""
    modelArn: str
    """Amazon Resource Name of the model."""
    modelPackageNames: list[ModelPackageNames]
    """What the names of ModelPackage objects in the spec stand for: name of the object, ARN at AWS."""
    observedGeneration: int
    """The metadata.generation that this status was decided on."""
    sageMakerModelName: str
    """Name of the model at AWS."""
    status: str
    """SynchronizingK8sJobWithSageMaker before the operator has processed the object, then Created, Error, or
    Deleted for a moment before the object goes.
    """


class Model(TypedDict, total=False):
    """Model: made at AWS by CreateModel."""

    apiVersion: Required[Literal["sagemaker.aws.amazon.com/v1"]]
    kind: Required[Literal["Model"]]
    metadata: Required[Metadata]
    spec: Required[ModelSpec]
    status: ModelStatus

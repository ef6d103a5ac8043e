"""Made by `python -m hack.crds` from api/v1 and hack/snapshots. Do not edit: change those.

The manifests of InferenceComponent, `sagemaker.aws.amazon.com/v1`.
"""

from typing import Literal, Required, TypedDict

from api.client.models.metadata import Metadata


class Alarms(TypedDict, total=False):
    """An Amazon CloudWatch alarm configured to monitor metrics on an endpoint."""

    alarmName: str
    """The name of a CloudWatch alarm in your account."""


class AutoRollbackConfiguration(TypedDict, total=False):
    """Automatic rollback configuration for handling endpoint deployment failures and recovery."""

    alarms: list[Alarms]
    """List of CloudWatch alarms in your account that are configured to monitor metrics on an endpoint. If any
    alarms are tripped during a deployment, SageMaker rolls back the deployment.
    """


class MaximumBatchSize(TypedDict, total=False):
    """The batch size for each rolling step in the deployment process. For each step, SageMaker AI provisions
    capacity on the new endpoint fleet, routes traffic to that fleet, and terminates capacity on the old
    endpoint fleet.
    """

    type: Required[str]
    """Specifies the endpoint capacity type. Known values: COPY_COUNT, CAPACITY_PERCENT."""
    value: Required[int]
    """Defines the capacity size, either as a number of inference component copies or a capacity percentage."""


class RollbackMaximumBatchSize(TypedDict, total=False):
    """The batch size for a rollback to the old endpoint fleet. If this field is absent, the value is set to the
    default, which is 100% of the total capacity. When the default is used, SageMaker AI provisions the entire
    capacity of the old fleet at once during rollback.
    """

    type: Required[str]
    """Specifies the endpoint capacity type. Known values: COPY_COUNT, CAPACITY_PERCENT."""
    value: Required[int]
    """Defines the capacity size, either as a number of inference component copies or a capacity percentage."""


class RollingUpdatePolicy(TypedDict, total=False):
    """Specifies a rolling deployment strategy for updating a SageMaker AI endpoint."""

    maximumBatchSize: Required[MaximumBatchSize]
    """The batch size for each rolling step in the deployment process. For each step, SageMaker AI provisions
    capacity on the new endpoint fleet, routes traffic to that fleet, and terminates capacity on the old
    endpoint fleet.
    """
    maximumExecutionTimeoutInSeconds: int
    """The time limit for the total deployment. Exceeding this limit causes a timeout."""
    rollbackMaximumBatchSize: RollbackMaximumBatchSize
    """The batch size for a rollback to the old endpoint fleet. If this field is absent, the value is set to the
    default, which is 100% of the total capacity. When the default is used, SageMaker AI provisions the entire
    capacity of the old fleet at once during rollback.
    """
    waitIntervalInSeconds: Required[int]
    """The length of the baking period, during which SageMaker AI monitors alarms for each batch on the new fleet."""


class DeploymentConfig(TypedDict, total=False):
    """How an update of the specification is rolled out, and when it is rolled back. A change of this field alone
    changes nothing at AWS until the next update.
    """

    autoRollbackConfiguration: AutoRollbackConfiguration
    """Automatic rollback configuration for handling endpoint deployment failures and recovery."""
    rollingUpdatePolicy: Required[RollingUpdatePolicy]
    """Specifies a rolling deployment strategy for updating a SageMaker AI endpoint."""


class RuntimeConfig(TypedDict, total=False):
    """Runtime settings for a model that is deployed with an inference component."""

    copyCount: Required[int]
    """How many copies run. While autoscaling has the component as a target, the count is its own: this value
    counts when the component is created, and again when it is no target.
    """


class ComputeResourceRequirements(TypedDict, total=False):
    """The compute resources allocated to run the model, plus any adapter models, that you assign to the inference
    component.
    """

    acceleratorPartitionType: str
    """The accelerator partition profile this inference component occupies; on NVIDIA GPUs this is a Multi-Instance
    GPU (MIG) profile such as mig-3g.40gb.
    """
    maxMemoryRequiredInMb: int
    """The maximum MB of memory to allocate to run a model that you assign to an inference component."""
    minMemoryRequiredInMb: Required[int]
    """The minimum MB of memory to allocate to run a model that you assign to an inference component."""
    numberOfAcceleratorDevicesRequired: float
    """The number of accelerators to allocate to run a model that you assign to an inference component.
    Accelerators include GPUs and Amazon Web Services Inferentia.
    """
    numberOfCpuCoresRequired: float
    """The number of CPU cores to allocate to run a model that you assign to an inference component."""


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
    frequency for the inference component's container. If not specified when EnableDetailedObservability is
    True, the default path /metrics on port 8080 is used.
    """

    metricsEndpoints: list[MetricsEndpoints]
    """A list of metrics endpoints to scrape from the container. Each endpoint specifies the path where the
    container exposes Prometheus-formatted metrics and the frequency at which to publish them. You can specify a
    maximum of 1 endpoint.
    """


class Environment(TypedDict, total=False):
    """Part of a InferenceComponent."""

    name: Required[str]
    """Name of the entry. Of several entries with one name the last counts."""
    value: str
    """Value of the entry, always text: put numbers and booleans in quotes."""


class Container(TypedDict, total=False):
    """Defines a container that provides the runtime environment for a model that you deploy with an inference
    component.
    """

    artifactUrl: str
    """The Amazon S3 path where the model artifacts, which result from model training, are stored. This path must
    point to a single gzip compressed tar archive (.tar.gz suffix).
    """
    containerMetricsConfig: ContainerMetricsConfig
    """The configuration for container metrics scraping. Specifies the metrics endpoint path and publishing
    frequency for the inference component's container. If not specified when EnableDetailedObservability is
    True, the default path /metrics on port 8080 is used.
    """
    environment: list[Environment]
    """The environment variables to set in the Docker container. Each key and value in the Environment
    string-to-string map can have length of up to 1024. We support up to 16 entries in the map.
    """
    image: str
    """The Amazon Elastic Container Registry (Amazon ECR) path where the Docker image for the model is stored."""


class DataCacheConfig(TypedDict, total=False):
    """Settings that affect how the inference component caches data."""

    enableCaching: Required[bool]
    """Sets whether the endpoint that hosts the inference component caches the model artifacts and container image."""


class AvailabilityZoneBalance(TypedDict, total=False):
    """Configuration for balancing inference component copies across Availability Zones."""

    enforcementMode: Required[str]
    """Determines how strictly the Availability Zone balance constraint is enforced. Known values: PERMISSIVE."""
    maxImbalance: int
    """The maximum allowed difference in the number of inference component copies between any two Availability
    Zones. This parameter applies only when the endpoint has instances across two or more Availability Zones.
    """


class SchedulingConfig(TypedDict, total=False):
    """The scheduling configuration that determines how inference component copies are placed across available
    instances when copies are added or removed.
    """

    availabilityZoneBalance: AvailabilityZoneBalance
    """Configuration for balancing inference component copies across Availability Zones."""
    placementStrategy: Required[str]
    """The strategy for placing inference component copies across available instances. If you also set
    AvailabilityZoneBalance, this strategy applies to placement within each Availability Zone. Known values:
    SPREAD, BINPACK.
    """


class StartupParameters(TypedDict, total=False):
    """Settings that take effect while the model container starts up."""

    containerStartupHealthCheckTimeoutInSeconds: int
    """The timeout value, in seconds, for your inference container to pass health check by Amazon S3 Hosting."""
    modelDataDownloadTimeoutInSeconds: int
    """The timeout value, in seconds, to download and extract the model that you want to host from Amazon S3 to the
    individual inference instance associated with this inference component.
    """


class Specification(TypedDict, total=False):
    """Details about the resources to deploy with this inference component, including the model, container, and
    compute resources.
    """

    baseInferenceComponentName: str
    """For an adapter: the component that loads it. The name of an InferenceComponent object in the same namespace,
    which is waited for until it is in service; if there is none, the name of a component at AWS.
    """
    computeResourceRequirements: ComputeResourceRequirements
    """The compute resources allocated to run the model, plus any adapter models, that you assign to the inference
    component.
    """
    container: Container
    """Defines a container that provides the runtime environment for a model that you deploy with an inference
    component.
    """
    dataCacheConfig: DataCacheConfig
    """Settings that affect how the inference component caches data."""
    instanceType: str
    """The ML compute instance type for the inference component specification. Specifies which instance type this
    specification applies to. Required when using the Specifications parameter with multiple entries.
    """
    modelName: str
    """The model to deploy: the name of a Model object in the same namespace, which is waited for and followed when
    it is replaced; if there is none, the name of a model at AWS.
    """
    schedulingConfig: SchedulingConfig
    """The scheduling configuration that determines how inference component copies are placed across available
    instances when copies are added or removed.
    """
    startupParameters: StartupParameters
    """Settings that take effect while the model container starts up."""


class Specifications(TypedDict, total=False):
    """Details about the resources to deploy with this inference component, including the model, container, and
    compute resources.
    """

    baseInferenceComponentName: str
    """For an adapter: the component that loads it. The name of an InferenceComponent object in the same namespace,
    which is waited for until it is in service; if there is none, the name of a component at AWS.
    """
    computeResourceRequirements: ComputeResourceRequirements
    """The compute resources allocated to run the model, plus any adapter models, that you assign to the inference
    component.
    """
    container: Container
    """Defines a container that provides the runtime environment for a model that you deploy with an inference
    component.
    """
    dataCacheConfig: DataCacheConfig
    """Settings that affect how the inference component caches data."""
    instanceType: str
    """The ML compute instance type for the inference component specification. Specifies which instance type this
    specification applies to. Required when using the Specifications parameter with multiple entries.
    """
    modelName: str
    """The model to deploy: the name of a Model object in the same namespace, which is waited for and followed when
    it is replaced; if there is none, the name of a model at AWS.
    """
    schedulingConfig: SchedulingConfig
    """The scheduling configuration that determines how inference component copies are placed across available
    instances when copies are added or removed.
    """
    startupParameters: StartupParameters
    """Settings that take effect while the model container starts up."""


class Tags(TypedDict, total=False):
    """A tag object that consists of a key and an optional value, used to manage metadata for SageMaker Amazon Web
    Services resources.
    """

    key: Required[str]
    """The tag key. Tag keys must be unique per resource."""
    value: Required[str]
    """The tag value."""


class InferenceComponentSpec(TypedDict, total=False):
    """The inference component that is wanted."""

    deploymentConfig: DeploymentConfig
    """How an update of the specification is rolled out, and when it is rolled back. A change of this field alone
    changes nothing at AWS until the next update.
    """
    endpointName: Required[str]
    """The endpoint that runs the component: the name of a HostingDeployment object in the same namespace, which is
    waited for until it is in service; if there is none, the name of an endpoint at AWS. Its variants must have
    no models of their own.
    """
    inferenceComponentName: str
    """Name at AWS, unique in account and region. If it is left out or empty, the operator makes one from
    metadata.name and metadata.uid and shows it in the status.
    """
    region: str
    """AWS region in which the resource lives, for example us-east-2. If it is left out, that of the namespace,
    then that of the operator.
    """
    runtimeConfig: RuntimeConfig
    """Runtime settings for a model that is deployed with an inference component."""
    sageMakerEndpoint: str
    """URL of the SageMaker API to use for this object instead of the region's own, for example that of a VPC
    endpoint. Wins over the operator's AWS_DEFAULT_SAGEMAKER_ENDPOINT.
    """
    specification: Specification
    """Details about the resources to deploy with this inference component, including the model, container, and
    compute resources.
    """
    specifications: list[Specifications]
    """A list of specification objects for the inference component, one per instance type. Use this parameter when
    you want to deploy a different model or resource configuration for the inference component on each instance
    type.
    """
    tags: list[Tags]
    """A list of key-value pairs associated with the model."""
    variantName: str
    """The name of an existing production variant where you host the inference component."""


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


class DeployedImage(TypedDict, total=False):
    """Gets the Amazon EC2 Container Registry path of the docker image of the model that is hosted in this
    ProductionVariant.
    """

    resolutionTime: str
    """The date and time when the image path for the model resolved to the ResolvedImage."""
    resolvedImage: str
    """The specific digest path of the image hosted in this ProductionVariant."""
    specifiedImage: str
    """The image path you specified when you created the model."""


class RollingUpdatePolicyMaximumBatchSize(TypedDict, total=False):
    """The batch size for each rolling step in the deployment process. For each step, SageMaker AI provisions
    capacity on the new endpoint fleet, routes traffic to that fleet, and terminates capacity on the old
    endpoint fleet.
    """

    type: str
    """Specifies the endpoint capacity type. Known values: COPY_COUNT, CAPACITY_PERCENT."""
    value: int
    """Defines the capacity size, either as a number of inference component copies or a capacity percentage."""


class RollingUpdatePolicyRollbackMaximumBatchSize(TypedDict, total=False):
    """The batch size for a rollback to the old endpoint fleet. If this field is absent, the value is set to the
    default, which is 100% of the total capacity. When the default is used, SageMaker AI provisions the entire
    capacity of the old fleet at once during rollback.
    """

    type: str
    """Specifies the endpoint capacity type. Known values: COPY_COUNT, CAPACITY_PERCENT."""
    value: int
    """Defines the capacity size, either as a number of inference component copies or a capacity percentage."""


class LastDeploymentConfigRollingUpdatePolicy(TypedDict, total=False):
    """Specifies a rolling deployment strategy for updating a SageMaker AI endpoint."""

    maximumBatchSize: RollingUpdatePolicyMaximumBatchSize
    """The batch size for each rolling step in the deployment process. For each step, SageMaker AI provisions
    capacity on the new endpoint fleet, routes traffic to that fleet, and terminates capacity on the old
    endpoint fleet.
    """
    maximumExecutionTimeoutInSeconds: int
    """The time limit for the total deployment. Exceeding this limit causes a timeout."""
    rollbackMaximumBatchSize: RollingUpdatePolicyRollbackMaximumBatchSize
    """The batch size for a rollback to the old endpoint fleet. If this field is absent, the value is set to the
    default, which is 100% of the total capacity. When the default is used, SageMaker AI provisions the entire
    capacity of the old fleet at once during rollback.
    """
    waitIntervalInSeconds: int
    """The length of the baking period, during which SageMaker AI monitors alarms for each batch on the new fleet."""


class LastDeploymentConfig(TypedDict, total=False):
    """The deployment and rollback settings that you assigned to the inference component."""

    autoRollbackConfiguration: AutoRollbackConfiguration
    """Automatic rollback configuration for handling endpoint deployment failures and recovery."""
    rollingUpdatePolicy: LastDeploymentConfigRollingUpdatePolicy
    """Specifies a rolling deployment strategy for updating a SageMaker AI endpoint."""


class ModelNames(TypedDict, total=False):
    """Part of a InferenceComponent."""

    name: str
    """Name of the entry."""
    value: str
    """Its value."""


class Notes(TypedDict, total=False):
    """What the operator has noted in annotations, should these be replaced: not for editing."""

    claimedVariants: str
    """The annotation claimed-variants."""
    foundTargets: str
    """The annotation found-targets."""
    lastUpdateAttempt: str
    """The annotation last-update-attempt."""


class PlacementStatus(TypedDict, total=False):
    """The placement status of an inference component on a specific instance type. Shows the number of inference
    component copies currently placed on instances of a given type.
    """

    currentCopyCount: int
    """The number of inference component copies currently placed on instances of this type."""
    instanceType: str
    """The ML compute instance type where the inference component copies are placed."""


class StatusRuntimeConfig(TypedDict, total=False):
    """Details about the runtime settings for the model that is deployed with the inference component."""

    currentCopyCount: int
    """The number of runtime copies of the model container that are currently deployed."""
    desiredCopyCount: int
    """The number of runtime copies of the model container that you requested to deploy with the inference
    component.
    """
    placementStatus: list[PlacementStatus]
    """The placement status of the inference component across instance types. Shows how the inference component
    copies are distributed across instance types.
    """


class InferenceComponentStatus(TypedDict, total=False):
    """What became of it, as last seen."""

    additional: str
    """What keeps the operator from doing its work, or why an update failed."""
    awsResource: AwsResource
    """What was created at AWS for this object. Once recorded it is never created again, nor looked for elsewhere."""
    conditions: list[Conditions]
    """The state of the object in the standard form: Ready says whether its result can be used."""
    creationTime: str
    """The time when the inference component was created."""
    deployedImage: DeployedImage
    """Gets the Amazon EC2 Container Registry path of the docker image of the model that is hosted in this
    ProductionVariant.
    """
    endpointArn: str
    """The Amazon Resource Name (ARN) of the endpoint that hosts the inference component."""
    endpointName: str
    """Name of the endpoint at AWS."""
    failureReason: str
    """If the inference component status is Failed, the reason for the failure."""
    inferenceComponentArn: str
    """The Amazon Resource Name (ARN) of the inference component."""
    inferenceComponentName: str
    """Name of the component at AWS."""
    inferenceComponentStatus: str
    """State of the component as AWS reports it; SynchronizingK8sJobWithSageMaker before the operator has processed
    the object, ReconcilingInferenceComponent while it waits for what it needs. Known values: InService,
    Creating, Updating, Failed, Deleting.
    """
    lastCheckTime: str
    """When this status was last compared with AWS."""
    lastDeploymentConfig: LastDeploymentConfig
    """The deployment and rollback settings that you assigned to the inference component."""
    lastHandledReconcileAt: str
    """The text of the annotation sagemaker.aws.amazon.com/reconcile-at that was acted on last."""
    lastModifiedTime: str
    """The time when the inference component was last updated."""
    modelNames: list[ModelNames]
    """Models that the spec names by their objects: name of the object, value at AWS."""
    notes: Notes
    """What the operator has noted in annotations, should these be replaced: not for editing."""
    observedGeneration: int
    """The metadata.generation that this status was decided on."""
    runtimeConfig: StatusRuntimeConfig
    """Details about the runtime settings for the model that is deployed with the inference component."""
    variantName: str
    """The name of the production variant that hosts the inference component."""


class InferenceComponent(TypedDict, total=False):
    """InferenceComponent: made at AWS by CreateInferenceComponent, UpdateInferenceComponent."""

    apiVersion: Required[Literal["sagemaker.aws.amazon.com/v1"]]
    kind: Required[Literal["InferenceComponent"]]
    metadata: Required[Metadata]
    spec: Required[InferenceComponentSpec]
    status: InferenceComponentStatus

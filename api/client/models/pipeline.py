"""Made by `python -m hack.crds` from api/v1 and hack/snapshots. Do not edit: change those.

The manifests of Pipeline, `sagemaker.aws.amazon.com/v1`.
"""

from typing import Literal, Required, TypedDict

from api.client.models.metadata import Metadata


class ParallelismConfiguration(TypedDict, total=False):
    """This is the configuration that controls the parallelism of the pipeline. If specified, it applies to all
    runs of this pipeline by default.
    """

    maxParallelExecutionSteps: Required[int]
    """The max number of steps that can be executed in parallel."""


class ConfigMapKeyRef(TypedDict, total=False):
    """A ConfigMap in the namespace of this object. It is read once a minute, and when this object changes."""

    key: Required[str]
    """Key in its data, which is a file's name if it was made of a file."""
    name: Required[str]
    """Name of the ConfigMap."""


class PipelineDefinitionFrom(TypedDict, total=False):
    """Where the definition is, if it is not in the spec itself."""

    configMapKeyRef: Required[ConfigMapKeyRef]
    """A ConfigMap in the namespace of this object. It is read once a minute, and when this object changes."""


class PipelineDefinitionS3Location(TypedDict, total=False):
    """The location of the pipeline definition stored in Amazon S3. If specified, SageMaker will retrieve the
    pipeline definition from this location.
    """

    bucket: Required[str]
    """Name of the S3 bucket."""
    objectKey: Required[str]
    """The object key (or key name) uniquely identifies the object in an S3 bucket."""
    versionId: str
    """Version Id of the pipeline definition file. If not specified, Amazon SageMaker will retrieve the latest
    version.
    """


class Tags(TypedDict, total=False):
    """A tag object that consists of a key and an optional value, used to manage metadata for SageMaker Amazon Web
    Services resources.
    """

    key: Required[str]
    """The tag key. Tag keys must be unique per resource."""
    value: Required[str]
    """The tag value."""


class PipelineSpec(TypedDict, total=False):
    """The pipeline that is wanted."""

    parallelismConfiguration: ParallelismConfiguration
    """This is the configuration that controls the parallelism of the pipeline. If specified, it applies to all
    runs of this pipeline by default.
    """
    pipelineDefinition: str
    """The JSON pipeline definition of the pipeline."""
    pipelineDefinitionFrom: PipelineDefinitionFrom
    """Where the definition is, if it is not in the spec itself."""
    pipelineDefinitionS3Location: PipelineDefinitionS3Location
    """The location of the pipeline definition stored in Amazon S3. If specified, SageMaker will retrieve the
    pipeline definition from this location.
    """
    pipelineDescription: str
    """A description of the pipeline."""
    pipelineDisplayName: str
    """The display name of the pipeline."""
    pipelineName: str
    """Name at AWS, unique in account and region. If it is left out or empty, the operator makes one from
    metadata.name and metadata.uid and writes it here.
    """
    pipelineVersionAliases: list[str]
    """The aliases to assign to the first version of the pipeline. You can use an alias instead of a pipeline
    version ID to start an execution, describe the pipeline, or list its executions.
    """
    region: str
    """AWS region in which the resource lives, for example us-east-2. If it is left out, that of the namespace,
    then that of the operator.
    """
    roleArn: Required[str]
    """The Amazon Resource Name (ARN) of the role used by the pipeline to access and create resources."""
    sageMakerEndpoint: str
    """URL of the SageMaker API to use for this object instead of the region's own, for example that of a VPC
    endpoint. Wins over the operator's AWS_DEFAULT_SAGEMAKER_ENDPOINT.
    """
    tags: list[Tags]
    """A list of tags to apply to the created pipeline."""


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


class PipelineStatus(TypedDict, total=False):
    """What became of it, as last seen."""

    additional: str
    """What keeps the pipeline from being as the spec wants it."""
    awsResource: AwsResource
    """What was created at AWS for this object. Once recorded it is never created again, nor looked for elsewhere."""
    conditions: list[Conditions]
    """The state of the object in the standard form: Ready says whether its result can be used."""
    createdBy: CreatedBy
    """Information about the user who created or modified a SageMaker resource."""
    creationTime: str
    """The time when the pipeline was created."""
    lastCheckTime: str
    """When this status was last compared with AWS."""
    lastHandledReconcileAt: str
    """The text of the annotation sagemaker.aws.amazon.com/reconcile-at that was acted on last."""
    lastModifiedBy: LastModifiedBy
    """Information about the user who created or modified a SageMaker resource."""
    lastModifiedTime: str
    """The time when the pipeline was last modified."""
    lastRunTime: str
    """The time when the pipeline was last run."""
    observedGeneration: int
    """The metadata.generation that this status was decided on."""
    pipelineArn: str
    """The Amazon Resource Name (ARN) of the pipeline."""
    pipelineStatus: str
    """The status of the pipeline execution. Known values: Active, Deleting."""
    sageMakerPipelineName: str
    """Name at AWS."""


class Pipeline(TypedDict, total=False):
    """Pipeline: made at AWS by CreatePipeline, UpdatePipeline."""

    apiVersion: Required[Literal["sagemaker.aws.amazon.com/v1"]]
    kind: Required[Literal["Pipeline"]]
    metadata: Required[Metadata]
    spec: Required[PipelineSpec]
    status: PipelineStatus

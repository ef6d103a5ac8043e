"""Made by `python -m hack.crds` from api/v1 and hack/snapshots. Do not edit: change those.

The manifests of ModelPackageGroup, `sagemaker.aws.amazon.com/v1`.
"""

from typing import Literal, Required, TypedDict

from api.client.models.metadata import Metadata


class ManagedConfiguration(TypedDict, total=False):
    """The managed configuration of the model package group."""

    managedStorageType: str
    """The storage type of the model package. Known values: Restricted."""


class Tags(TypedDict, total=False):
    """A tag object that consists of a key and an optional value, used to manage metadata for SageMaker Amazon Web
    Services resources.
    """

    key: Required[str]
    """The tag key. Tag keys must be unique per resource."""
    value: Required[str]
    """The tag value."""


class ModelPackageGroupSpec(TypedDict, total=False):
    """The model package group that is wanted."""

    managedConfiguration: ManagedConfiguration
    """The managed configuration of the model package group."""
    modelPackageGroupDescription: str
    """A description for the model group."""
    modelPackageGroupName: str
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
    """A list of key value pairs associated with the model group."""


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


class ModelPackageGroupStatus(TypedDict, total=False):
    """What became of it, as last seen."""

    additional: str
    """What keeps the group from being used."""
    awsResource: AwsResource
    """What was created at AWS for this object. Once recorded it is never created again, nor looked for elsewhere."""
    conditions: list[Conditions]
    """The state of the object in the standard form: Ready says whether its result can be used."""
    createdBy: CreatedBy
    """Information about the user who created or modified a SageMaker resource."""
    creationTime: str
    """The time that the model group was created."""
    lastCheckTime: str
    """When this status was last compared with AWS."""
    lastHandledReconcileAt: str
    """The text of the annotation sagemaker.aws.amazon.com/reconcile-at that was acted on last."""
    modelPackageGroupArn: str
    """The Amazon Resource Name (ARN) of the model group."""
    modelPackageGroupStatus: str
    """The status of the model group. Known values: Pending, InProgress, Completed, Failed, Deleting, DeleteFailed."""
    observedGeneration: int
    """The metadata.generation that this status was decided on."""
    sageMakerModelPackageGroupName: str
    """Name at AWS."""


class ModelPackageGroup(TypedDict, total=False):
    """ModelPackageGroup: made at AWS by CreateModelPackageGroup."""

    apiVersion: Required[Literal["sagemaker.aws.amazon.com/v1"]]
    kind: Required[Literal["ModelPackageGroup"]]
    metadata: Required[Metadata]
    spec: Required[ModelPackageGroupSpec]
    status: ModelPackageGroupStatus

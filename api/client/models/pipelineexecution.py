"""Made by `python -m hack.crds` from api/v1 and hack/snapshots. Do not edit: change those.

The manifests of PipelineExecution, `sagemaker.aws.amazon.com/v1`.
"""

from typing import Literal, Required, TypedDict

from api.client.models.metadata import Metadata


class ParallelismConfiguration(TypedDict, total=False):
    """This configuration, if specified, overrides the parallelism configuration of the parent pipeline for this
    specific run.
    """

    maxParallelExecutionSteps: Required[int]
    """The max number of steps that can be executed in parallel."""


class PipelineParameters(TypedDict, total=False):
    """Assigns a value to a named Pipeline parameter."""

    name: Required[str]
    """The name of the parameter to assign a value to. This parameter name must match a named parameter in the
    pipeline definition.
    """
    value: Required[str]
    """The literal value for the parameter."""


class SelectedSteps(TypedDict, total=False):
    """A step selected to run in selective execution mode."""

    stepName: Required[str]
    """The name of the pipeline step."""


class SelectiveExecutionConfig(TypedDict, total=False):
    """The selective execution configuration applied to the pipeline run."""

    selectedSteps: Required[list[SelectedSteps]]
    """A list of pipeline steps to run. All step(s) in all path(s) between two selected steps should be included."""
    sourcePipelineExecutionArn: str
    """The ARN from a reference execution of the current pipeline. Used to copy input collaterals needed for the
    selected steps to run. The execution status of the pipeline can be either Failed or Success.
    """


class PipelineExecutionSpec(TypedDict, total=False):
    """The pipeline execution that is wanted."""

    mlflowExperimentName: str
    """The MLflow experiment name of the pipeline execution."""
    parallelismConfiguration: ParallelismConfiguration
    """This configuration, if specified, overrides the parallelism configuration of the parent pipeline for this
    specific run.
    """
    pipelineExecutionDescription: str
    """Description of the execution. The operator adds the namespace, the name and the uid of the object, by which
    it finds the execution again; what is too long with that is cut off.
    """
    pipelineExecutionDisplayName: str
    """Name that AWS shows for the execution. If it is left out, that of the object. It identifies nothing: AWS
    chooses the ARN.
    """
    pipelineName: Required[str]
    """The pipeline to run: the name of a Pipeline object in the same namespace, which is waited for; if there is
    none, the name or the ARN of a pipeline at AWS.
    """
    pipelineParameters: list[PipelineParameters]
    """Contains a list of pipeline parameters. This list can be empty."""
    pipelineVersionAlias: str
    """The alias of the pipeline version to start the execution from. You can't specify this with
    PipelineVersionId. If no version of the pipeline has this alias, the request fails with a ResourceNotFound
    error.
    """
    pipelineVersionId: int
    """The ID of the pipeline version to start execution from. You can't specify this with PipelineVersionAlias."""
    region: str
    """AWS region in which the resource lives, for example us-east-2. If it is left out, that of the namespace,
    then that of the operator.
    """
    roleArn: str
    """The Amazon Resource Name (ARN) of the IAM role that the execution uses. You must specify this parameter when
    you start an execution of a pipeline that Amazon Web Services manages. You can't specify it for a pipeline
    that you create, because its executions use the pipeline's role.
    """
    sageMakerEndpoint: str
    """URL of the SageMaker API to use for this object instead of the region's own, for example that of a VPC
    endpoint. Wins over the operator's AWS_DEFAULT_SAGEMAKER_ENDPOINT.
    """
    selectiveExecutionConfig: SelectiveExecutionConfig
    """The selective execution configuration applied to the pipeline run."""


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


class Steps(TypedDict, total=False):
    """One step."""

    arn: str
    """ARN of the job, or of what else the step has made at AWS."""
    endTime: str
    """When it ended."""
    iteration: int
    """Number of the iteration, of a step in a loop."""
    name: str
    """Name of the step in the pipeline."""
    reason: str
    """Why it failed, cut off after 300 characters."""
    startTime: str
    """When it began."""
    status: str
    """State as AWS reports it, such as Executing, Succeeded or Failed."""
    type: str
    """What it makes at AWS, such as TrainingJob or Model, once that is known."""


class PipelineExecutionStatus(TypedDict, total=False):
    """What became of it, as last seen."""

    additional: str
    """Why the execution failed, or what keeps the operator from doing its work."""
    awsResource: AwsResource
    """What was created at AWS for this object. Once recorded it is never created again, nor looked for elsewhere."""
    conditions: list[Conditions]
    """The state of the object in the standard form: Ready says whether its result can be used."""
    lastCheckTime: str
    """When this status was last compared with AWS."""
    lastHandledReconcileAt: str
    """The text of the annotation sagemaker.aws.amazon.com/reconcile-at that was acted on last."""
    lastModifiedTime: str
    """When the execution was last modified, once it has ended."""
    observedGeneration: int
    """The metadata.generation that this status was decided on."""
    pipelineArn: str
    """ARN of the pipeline."""
    pipelineExecutionArn: str
    """ARN of the execution."""
    pipelineExecutionDisplayName: str
    """The display name of the pipeline execution."""
    pipelineExecutionStatus: str
    """State of the execution as AWS reports it; SynchronizingK8sJobWithSageMaker before the operator has processed
    the object, ReconcilingPipelineExecution while it cannot. Known values: Executing, Stopping, Stopped,
    Failed, Succeeded, CompletedWithFailures.
    """
    pipelineVersionId: int
    """Version of the pipeline that runs."""
    startTime: str
    """When the execution was started."""
    stepCount: int
    """How many steps have begun."""
    steps: list[Steps]
    """The steps that have begun, oldest first; of more than 50, the last 50."""


class PipelineExecution(TypedDict, total=False):
    """PipelineExecution: made at AWS by StartPipelineExecution."""

    apiVersion: Required[Literal["sagemaker.aws.amazon.com/v1"]]
    kind: Required[Literal["PipelineExecution"]]
    metadata: Required[Metadata]
    spec: Required[PipelineExecutionSpec]
    status: PipelineExecutionStatus

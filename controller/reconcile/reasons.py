"""The condition types, reasons and events that users see: one table, with what each means and what to do about it.

The code takes its names from here, `docs/status.md` is generated from it, and a test holds code, table and page
together. Changing a name here changes the API: scripts, alerts and `kubectl wait` commands of users depend on it.
Pure data.
"""

from dataclasses import dataclass
from typing import Final

from api.annotations import RECONCILE_AT
from api.descriptor import LifeCycle
from api.meta import ConditionStatus
from api.schema import immutability
from api.v1 import ENDPOINT_CONFIG, HYPERPARAMETER_TUNING_JOB, KINDS, MODEL, PIPELINE_EXECUTION, TRAINING_JOB
from controller.runtime.record.events import LEADER_ELECTION, EventType

# --- types of conditions; some are also a reason, or the reason of an event

READY: Final = "Ready"
SYNCED: Final = "Synced"
RECONCILING: Final = "Reconciling"
STALLED: Final = "Stalled"
COMPLETE: Final = "Complete"
FAILED: Final = "Failed"
DRIFTED: Final = "Drifted"
TAGGED: Final = "Tagged"
UPDATED: Final = "Updated"
RULE_ISSUES: Final = "RuleIssues"
ANNOTATION_IGNORED: Final = "AnnotationIgnored"
FIELDS_IGNORED: Final = "FieldsIgnored"
STATUS_DELAYED: Final = "StatusDelayed"

# --- reasons of events about the operator's Lease

STATUS_QUEUE_UNRELIABLE: Final = "StatusQueueUnreliable"

# --- reasons of conditions; some are also the reason of an event

ACCESS_DENIED: Final = "AccessDenied"
ALREADY_EXISTS: Final = "AlreadyExists"
APPLYING: Final = "Applying"
AWS_ERROR: Final = "AWSError"
AWS_ERROR_LASTS: Final = "AWSErrorLasts"
AWS_UNAVAILABLE: Final = "AWSUnavailable"
CHILD_FAILED: Final = "ChildFailed"
COMPONENT_FAILED: Final = "ComponentFailed"
CORRECTING: Final = "Correcting"
CREATED: Final = "Created"
CREATING: Final = "Creating"
CREATION_UNCONFIRMED: Final = immutability.CREATION_UNCONFIRMED
CREDENTIALS_ERROR: Final = "CredentialsError"
DELETING: Final = "Deleting"
DELETING_CHILDREN: Final = "DeletingChildren"
DEPENDENCY_MISSING: Final = "DependencyMissing"
ENDPOINT_FAILED: Final = "EndpointFailed"
FOREIGN_RESOURCE: Final = "ForeignResource"
IN_SERVICE: Final = "InService"
IN_SYNC: Final = "InSync"
IN_USE: Final = "InUse"
INVALID_DOCUMENT: Final = "InvalidDocument"
INVALID_SPEC: Final = "InvalidSpec"
NO_EFFECT: Final = "NoEffect"
KUBERNETES_REFUSED: Final = "KubernetesRefused"
LIST_DENIED: Final = "ListDenied"
LIST_FAILING: Final = "ListFailing"
NAME_UNAVAILABLE: Final = "NameUnavailable"
NOT_FOUND: Final = "NotFound"
NOT_SENT: Final = "NotSent"
OTHER_ACCOUNT: Final = "OtherAccount"
PAUSED: Final = "Paused"
PREPARING_ENDPOINT_CONFIG: Final = "PreparingEndpointConfig"
PREPARING_MODEL: Final = "PreparingModel"
PREPARING_UPDATE: Final = "PreparingUpdate"
QUOTA_EXCEEDED: Final = "QuotaExceeded"
READ_ONLY: Final = "ReadOnly"
REQUEST_REFUSED: Final = "RequestRefused"
RESOURCE_FAILED: Final = "ResourceFailed"
RULE_ISSUES_FOUND: Final = "RuleIssuesFound"
SPAWN_FAILED: Final = "SpawnFailed"
SPEC_IMMUTABLE: Final = immutability.SPEC_IMMUTABLE
TAGS_REFUSED: Final = "TagsRefused"
UNKNOWN: Final = "Unknown"
UPDATE_BLOCKED: Final = "UpdateBlocked"
UPDATE_FAILED: Final = "UpdateFailed"
UPDATE_PENDING: Final = "UpdatePending"
UPDATE_REFUSED: Final = "UpdateRefused"
WAITING: Final = "Waiting"
WAITING_FOR_ENDPOINT: Final = "WaitingForEndpoint"

PREPARING: Final = {MODEL.kind: PREPARING_MODEL, ENDPOINT_CONFIG.kind: PREPARING_ENDPOINT_CONFIG}
"""By kind of the child that a deployment is waiting for."""

# --- reasons of events only

ADOPTED: Final = "Adopted"
ADOPTION_REFUSED: Final = "AdoptionRefused"
CAPACITY_RESET: Final = "CapacityReset"
CREATE_FAILED: Final = "CreateFailed"
DELETED: Final = "Deleted"
DRIFT_CORRECTED: Final = "DriftCorrected"
EXPIRED: Final = "Expired"
FOUND: Final = "Found"
POLICY_APPLIED: Final = "PolicyApplied"
POLICY_FAILED: Final = "PolicyFailed"
RESUMED: Final = "Resumed"
RETAINED: Final = "Retained"
STATUS_CHANGED: Final = "StatusChanged"
STOPPING: Final = "Stopping"
TRAINING_JOB_SPAWNED: Final = "TrainingJobSpawned"
UPDATE_COMPLETED: Final = "UpdateCompleted"
UPDATE_STARTED: Final = "UpdateStarted"


# --- what they mean


@dataclass(frozen=True, slots=True)
class ConditionType:
    """A type of condition."""

    name: str
    kinds: frozenset[str]
    healthy: ConditionStatus
    """The status of an object that is as it should be."""
    presence: str
    """When an object has it."""
    meaning: str


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason of conditions."""

    name: str
    kinds: frozenset[str]
    shows: str
    """The conditions that it explains, as `Type=Status, Type=Status`; others of the object may repeat it."""
    meaning: str
    remedy: str = ""
    """What the user does next; empty: nothing."""
    is_aws: bool = False
    """It is a status of SageMaker's, passed on as it is."""


@dataclass(frozen=True, slots=True)
class EventReason:
    """A reason of events."""

    name: str
    type: EventType
    kinds: frozenset[str]
    meaning: str
    remedy: str = ""
    is_aws: bool = False


def _of(*life_cycles: LifeCycle) -> frozenset[str]:
    return frozenset(kind.kind for kind in KINDS if kind.life_cycle in life_cycles)


ALL: Final = frozenset(kind.kind for kind in KINDS)
JOBS: Final = _of(LifeCycle.JOB)
TUNING: Final = frozenset({HYPERPARAMETER_TUNING_JOB.kind})
EXECUTIONS: Final = frozenset({PIPELINE_EXECUTION.kind})
TRAINING: Final = frozenset({TRAINING_JOB.kind})
UPDATABLE: Final = frozenset(kind.kind for kind in KINDS if kind.update is not None)
RESOURCES: Final = _of(LifeCycle.RESOURCE)
ENDPOINTS: Final = _of(LifeCycle.ENDPOINT)
COMPONENTS: Final = _of(LifeCycle.COMPONENT)
HOSTED: Final = ENDPOINTS | COMPONENTS
SCALING: Final = _of(LifeCycle.SCALING)
IN_PLACE: Final = _of(LifeCycle.IN_PLACE)
CHANGED_IN_PLACE: Final = frozenset(kind.kind for kind in KINDS if kind.resource_update is not None)
DOCUMENTED: Final = frozenset(kind.kind for kind in KINDS if kind.document is not None)
NAMED_BY_AWS: Final = frozenset(kind.kind for kind in KINDS if kind.name.by_aws)
LEASES: Final = frozenset({"Lease"})

_RETRY: Final = f"set `{RECONCILE_AT.name}` to a new value to retry at once"

CONDITIONS: Final = (
    ConditionType(
        READY,
        ALL,
        "True",
        "always",
        "The result can be used: the job completed, the endpoint or component serves what was applied, the model,"
        " configuration or scaling policy exists. `False` says in its reason and message what is in the way. While AWS"
        " cannot be called, or the object is paused, what could be used stays `True`.",
    ),
    ConditionType(
        SYNCED,
        ALL,
        "True",
        "always",
        "AWS has what the spec asks for, as far as it can be applied. `False` says in its reason what is missing.",
    ),
    ConditionType(
        RECONCILING,
        ALL,
        "False",
        "always",
        "Work is in progress, at AWS or in the operator, or a failed call is being retried. You need not do anything"
        " unless the reason names a problem.",
    ),
    ConditionType(
        STALLED,
        ALL,
        "False",
        "always",
        "Nothing more happens until you change something: the spec, an annotation, or what is at AWS.",
    ),
    ConditionType(COMPLETE, JOBS, "True", "once the job has completed", "The job ended successfully."),
    ConditionType(
        FAILED,
        JOBS,
        "False",
        "once the job has failed or was stopped",
        "The job ended without success, or was stopped.",
    ),
    ConditionType(
        DRIFTED,
        RESOURCES | HOSTED | IN_PLACE | SCALING,
        "False",
        "once a change made outside the operator has been found",
        "AWS differs from what the operator applied last, see [drift](drift.md).",
    ),
    ConditionType(
        TAGGED,
        JOBS | RESOURCES | HOSTED | IN_PLACE,
        "True",
        "only while it is `False`",
        "`False`: AWS refuses to change the tags of the resource. Everything else goes on.",
    ),
    ConditionType(
        RULE_ISSUES,
        TRAINING,
        "False",
        "only while it is `True`",
        "Debugger rules have found issues in the training. The job goes on; it is shown within a minute.",
    ),
    ConditionType(
        UPDATED,
        UPDATABLE,
        "True",
        "only while it is `False`",
        "`False`: AWS does not make the last change of a mutable field of the spec (`keepAlivePeriodInSeconds`,"
        " `profilerConfig`, `profilerRuleConfigurations`, `remoteDebugConfig`). The job goes on as it was.",
    ),
    ConditionType(
        ANNOTATION_IGNORED,
        ALL,
        "False",
        "only while it is `True`",
        "An annotation with our prefix, on the object or its namespace, has no effect. The message names it.",
    ),
    ConditionType(
        FIELDS_IGNORED,
        ALL,
        "False",
        "only while it is `True`",
        "AWS does not get everything that the spec lists, and the rest goes on. The message names what is left out.",
    ),
    ConditionType(
        STATUS_DELAYED,
        JOBS | HOSTED,
        "False",
        "only while it is `True`",
        "SageMaker's List operation fails or is denied, so that the status comes from Describe calls, object by object,"
        " and may be minutes late. It goes by itself once List answers again.",
    ),
)

REASONS: Final = (
    # --- late news
    Reason(
        LIST_DENIED,
        JOBS | HOSTED,
        "StatusDelayed=True",
        "The role may not call the List operation that the message names.",
        "Allow it to the operator's role, or to the role of the namespace: [AWS identity](aws-identity.md).",
    ),
    Reason(
        LIST_FAILING,
        JOBS | HOSTED,
        "StatusDelayed=True",
        "The List operation that the message names has not succeeded for a minute or more.",
        "If it stays, look for its error code in the operator's log (`list failed`), and at the state of AWS there.",
    ),
    # --- progress
    Reason(
        CREATING,
        ALL,
        "Reconciling=True, Synced=False",
        "The object has been accepted, or its resource is being created at AWS.",
        "If it stays for minutes, read the message of `Reconciling`.",
    ),
    Reason(
        WAITING,
        ALL,
        "Synced=False",
        "AWS has not been called yet for this object: the operator keeps within AWS's request rate and other objects"
        " are ahead in the queue.",
        "If it lasts, see the runbook [Throttled](runbooks/SageMakerOperatorThrottled.md).",
    ),
    Reason(
        "InProgress",
        JOBS | IN_PLACE,
        "Reconciling=True",
        "The job is running. The message has its secondary status. Of the model registry: SageMaker is making it.",
        is_aws=True,
    ),
    Reason(
        "Executing",
        EXECUTIONS,
        "Reconciling=True",
        "The execution is running. `status.steps` has the state of each step.",
        is_aws=True,
    ),
    Reason("Pending", IN_PLACE, "Reconciling=True", "SageMaker is about to make it.", is_aws=True),
    Reason(STOPPING, JOBS, "Reconciling=True", "The job is being stopped.", is_aws=True),
    Reason(
        CREATED,
        RESOURCES | IN_PLACE | SCALING,
        "Ready=True",
        "The model, endpoint configuration, scaling policy, pipeline or entry of the registry is in place at AWS. A"
        " message says what keeps an older version of it from being deleted.",
    ),
    Reason(
        IN_SERVICE,
        HOSTED,
        "Ready=True",
        "The endpoint or component serves what the spec asks for. Of a component, a message says if autoscaling sets"
        " the number of copies.",
        is_aws=True,
    ),
    Reason(
        "Updating",
        HOSTED,
        "Ready=True, Reconciling=True",
        "The endpoint or component is switching to what is new and keeps serving what was before meanwhile.",
        is_aws=True,
    ),
    Reason(
        "SystemUpdating",
        ENDPOINTS,
        "Ready=True, Reconciling=True",
        "SageMaker is maintaining the endpoint, which keeps serving. Changes of the spec wait.",
        is_aws=True,
    ),
    Reason(
        "RollingBack",
        ENDPOINTS,
        "Ready=True, Reconciling=True",
        "An update failed; SageMaker is going back to the previous configuration.",
        f"Wait for `{UPDATE_FAILED}`, whose message says why.",
        is_aws=True,
    ),
    Reason(
        "OutOfService",
        ENDPOINTS,
        "Reconciling=True",
        "SageMaker has taken the endpoint out of service.",
        "Check the endpoint in the SageMaker console; contact AWS Support if it stays.",
        is_aws=True,
    ),
    Reason(
        "UpdateRollbackFailed",
        ENDPOINTS,
        "Reconciling=True",
        "An update failed, and so did going back to the previous configuration.",
        "Contact AWS Support, or delete the object and create it again.",
        is_aws=True,
    ),
    Reason(
        PREPARING_MODEL,
        ENDPOINTS,
        "Ready=True, Reconciling=True",
        "A Model of the deployment is being created, or waits for AWS.",
        "If it stays: `kubectl describe model <name in the message>`.",
    ),
    Reason(
        PREPARING_ENDPOINT_CONFIG,
        ENDPOINTS,
        "Ready=True, Reconciling=True",
        "The EndpointConfig of the deployment is being created, or waits for AWS.",
        "If it stays: `kubectl describe endpointconfig <name in the message>`.",
    ),
    Reason(
        PREPARING_UPDATE,
        ENDPOINTS,
        "Ready=True, Reconciling=True",
        "Everything that the update needs exists; it is about to start.",
    ),
    Reason(
        APPLYING, SCALING, "Reconciling=True, Synced=False", "The scaling policy is about to be put on the variants."
    ),
    Reason(
        WAITING_FOR_ENDPOINT,
        COMPONENTS | SCALING,
        "Reconciling=True, Synced=False",
        "The endpoint (of a policy: also the component) is not in service yet, does not exist, or has no variant of the"
        " name; the policy or component is applied as soon as that is there.",
        "If it stays: `kubectl describe hostingdeployment <name>`.",
    ),
    Reason(
        DELETING,
        JOBS | HOSTED | IN_PLACE,
        "Reconciling=True",
        "The resource is being deleted, or will be as soon as SageMaker has finished what it is doing with"
        " it. Of a job: SageMaker is deleting its record, which was requested outside the operator.",
    ),
    Reason(
        DELETING_CHILDREN,
        ENDPOINTS,
        "Reconciling=True",
        "The endpoint is gone; its EndpointConfigs and Models are being deleted.",
        "If it stays, look for the one that cannot be deleted: `kubectl get endpointconfigs,models`.",
    ),
    Reason(
        IN_USE,
        RESOURCES | ENDPOINTS | IN_PLACE,
        "Reconciling=True",
        "The object is to be deleted, but the endpoint of its HostingDeployment uses what it has at SageMaker. Of a"
        " HostingDeployment: InferenceComponents run on its endpoint. Of a group: it has versions.",
        "Delete the versions of a group, or the InferenceComponents that the message names. Of the others nothing:"
        " within seconds another object takes that over. Where none can be created, as in a namespace that is being"
        " deleted, it goes with the HostingDeployment.",
    ),
    # --- ends, and what is as it should be
    Reason(SYNCED, ALL, "Synced=True", "AWS has what the spec asks for."),
    Reason("Completed", JOBS, "Ready=True, Complete=True", "The job completed.", is_aws=True),
    Reason("Succeeded", EXECUTIONS, "Ready=True, Complete=True", "The execution succeeded.", is_aws=True),
    Reason(
        "CompletedWithFailures",
        EXECUTIONS,
        "Stalled=True, Failed=True",
        "The execution ended, and some of its steps failed.",
        "`status.steps` says which ones, and why.",
        is_aws=True,
    ),
    Reason(
        FAILED,
        JOBS,
        "Stalled=True, Failed=True",
        "The job failed. The message is SageMaker's failure reason.",
        "Read the message and `kubectl smlogs <kind> <name>`; then delete the object and create it again.",
        is_aws=True,
    ),
    Reason(
        "Stopped",
        JOBS,
        "Stalled=True, Failed=True",
        "The job was stopped before it completed, by a user or by a time limit.",
        "To run it again, delete the object and create it again.",
        is_aws=True,
    ),
    Reason(
        "DeleteFailed",
        JOBS,
        "Stalled=True, Failed=True",
        "SageMaker could not delete the job, which had been requested outside the operator.",
        "Check the job in the SageMaker console.",
        is_aws=True,
    ),
    # --- only you can help
    Reason(
        INVALID_SPEC,
        ALL,
        "Ready=True, Stalled=True, Synced=False",
        "The spec cannot be sent to AWS, or AWS rejected it. An endpoint that is in service stays so.",
        f"Correct the field that the message names; if nothing is wrong with the spec any more, {_RETRY}.",
    ),
    Reason(
        INVALID_DOCUMENT,
        DOCUMENTED,
        "Ready=True, Stalled=True, Synced=False",
        "What the spec names in a ConfigMap cannot be used: it is no JSON, too long, or binary data. A pipeline that"
        " exists stays as it is, and stays ready.",
        "Correct the ConfigMap as the message says; it is read again within a minute.",
    ),
    Reason(
        ALREADY_EXISTS,
        JOBS | HOSTED | IN_PLACE | SCALING,
        "Stalled=True, Synced=False",
        "A resource of this name exists at AWS and does not belong to this object. It was not changed, and is looked at"
        " every few minutes.",
        "Delete the object and create one with another name in the spec, or take the resource over with"
        " [`adoption-policy: adopt`](annotations.md#adoption).",
    ),
    Reason(
        FOREIGN_RESOURCE,
        JOBS | HOSTED | IN_PLACE,
        "Stalled=True, Synced=False",
        "The resource of this name at AWS is not the one that this object created or adopted: others have deleted that"
        " and created their own. AWS's creation time and the tags of the resource show it. It is not changed.",
        "Delete the object, which leaves their resource alone, and create one with another name. To take theirs over,"
        " create the object with [`adoption-policy: adopt`](annotations.md#adoption). See"
        " [troubleshooting](troubleshooting.md#others-use-the-name).",
    ),
    Reason(
        NOT_FOUND,
        ALL,
        "Stalled=True, Synced=False",
        "The resource does not exist at AWS, although this object created it before, or `adoption-policy: adopt` or"
        " `read-only` expects it to exist. A job is never created a second time.",
        "Check region and account (`status.awsResource`). For a new job, delete the object and create it again; for an"
        " adoption, correct the name, or use `adopt-or-create`.",
    ),
    Reason(
        OTHER_ACCOUNT,
        ALL,
        "Reconciling=True, Stalled=True, Synced=False",
        "The resource was created in another AWS account than the one that the namespace or the operator uses now. AWS"
        " was not called.",
        "Give the namespace its old role back, or create a new object, see"
        " [namespaces](namespaces.md#when-it-does-not-work). To delete the object and leave the resource:"
        " `deletion-policy=retain`.",
    ),
    Reason(
        RESOURCE_FAILED,
        IN_PLACE,
        "Stalled=True",
        "SageMaker could not make, or delete, the resource. The message has its status and what SageMaker says.",
        "Look at the resource in the SageMaker console; then delete the object and create it again.",
    ),
    Reason(
        ENDPOINT_FAILED,
        ENDPOINTS,
        "Stalled=True",
        "The endpoint failed. The message is SageMaker's failure reason; a failed endpoint cannot be updated.",
        "Fix the cause; then delete the object and create it again, or set"
        ' [`recreate-on-failure: "true"`](annotations.md) and change the spec.',
    ),
    Reason(
        COMPONENT_FAILED,
        COMPONENTS,
        "Stalled=True",
        "The component failed. The message is SageMaker's failure reason; a failed component is not updated.",
        "Read the message and `kubectl smlogs inferencecomponent <name>`. Fix the cause; then delete the object and"
        ' create it again, or set [`recreate-on-failure: "true"`](annotations.md) and change the spec.',
    ),
    Reason(
        UPDATE_FAILED,
        HOSTED,
        "Ready=True, Stalled=True, Synced=False",
        "The update failed and the endpoint or component serves what it served before. The same update is not"
        " repeated.",
        f"Fix what the message names. Change the spec, or {_RETRY}.",
    ),
    Reason(
        UPDATE_BLOCKED,
        HOSTED,
        "Synced=False",
        "The changed spec cannot be applied, because the endpoint or component has failed.",
        f"As for `{ENDPOINT_FAILED}`.",
    ),
    Reason(
        CHILD_FAILED,
        ENDPOINTS,
        "Ready=True, Stalled=True, Synced=False",
        "A Model or EndpointConfig of the deployment cannot be created. An endpoint that is in service stays so.",
        "`kubectl describe` the child that the message names, and correct the deployment's spec.",
    ),
    Reason(
        SPEC_IMMUTABLE,
        JOBS,
        "Synced=False",
        "The spec was edited after the job had been created. SageMaker cannot change a job; the job goes on as it was.",
        "Undo the edit, or delete the object and create another one.",
    ),
    Reason(
        READ_ONLY,
        RESOURCES,
        "Synced=False",
        "The object is read-only, and what exists at AWS is not what the spec asks for.",
        "Change the spec, or remove the annotation `read-only`.",
    ),
    Reason(
        PAUSED,
        ALL,
        "Reconciling=False, Synced=False",
        "The annotation `paused` is set on the object or its namespace: AWS is not called, and a deletion waits.",
        "`kubectl annotate <kind> <name> sagemaker.aws.amazon.com/paused-`",
    ),
    Reason(
        UPDATE_PENDING,
        HOSTED,
        "Ready=True, Synced=False",
        "The spec was changed and the update has not started: the endpoint or component is busy, the children of the"
        " endpoint are being created, what the spec of the component names is not there, or"
        " [`update-policy: manual`](drift.md) waits for your approval. The message says which.",
        f"With `update-policy: manual`, set `{RECONCILE_AT.name}` to a new value to start it; otherwise wait.",
    ),
    # --- AWS refuses, or cannot be called: retried
    Reason(
        AWS_ERROR,
        ALL,
        "Synced=False",
        "A call to AWS failed and is retried. The reason of `Reconciling` says what kind of failure, the message what"
        " AWS answered.",
        "As for the reason of `Reconciling`.",
    ),
    Reason(
        AWS_ERROR_LASTS,
        ALL,
        "Synced=False",
        "As `AWSError`, of a failure that should have passed by itself, for three minutes by now. Tried again every"
        " minute or two.",
        "As for the reason of `Reconciling`.",
    ),
    Reason(
        AWS_UNAVAILABLE,
        ALL,
        "Reconciling=True",
        "AWS did not answer, answered with a server error or something unreadable. Retried with back-off.",
        "If it lasts, check the network path to AWS, `spec.region` and `spec.sageMakerEndpoint`, and the AWS Health"
        " Dashboard.",
    ),
    Reason(
        KUBERNETES_REFUSED,
        ALL,
        "Reconciling=True, Synced=False",
        "Kubernetes refuses a write of the operator: to the object (finalizer, annotations, status), or to one that it"
        " creates for it. Retried after minutes; what is at AWS goes on, and is followed. Or it does not let the"
        " operator read the ConfigMap that the spec names, which is tried again within a minute.",
        "The message has the words of the API server: a ResourceQuota, an admission policy, missing RBAC or a rule of"
        f" the CRD. Change that; then {_RETRY}.",
    ),
    Reason(
        CREATION_UNCONFIRMED,
        ALL,
        "Reconciling=True",
        "AWS was asked to create the resource and gave no clear answer, so that it may exist. Retried with back-off."
        " Until AWS answers, what cannot be changed of an existing resource cannot be changed.",
        "If it lasts, check the network path to AWS and the AWS Health Dashboard.",
    ),
    Reason(
        ACCESS_DENIED,
        ALL,
        "Reconciling=True, Tagged=False",
        "AWS denies the call: the operator's role, or the namespace's, lacks a permission. Retried after minutes.",
        f"Add the permission that the message names, see [AWS identity](aws-identity.md); then {_RETRY}.",
    ),
    Reason(
        CREDENTIALS_ERROR,
        ALL,
        "Reconciling=True",
        "There are no valid AWS credentials: none were found, they have expired, or the annotations of the namespace"
        " cannot be followed. Retried after minutes.",
        "Check the role of the operator's service account ([AWS identity](aws-identity.md)) or the annotations of the"
        " namespace ([namespaces](namespaces.md#when-it-does-not-work)).",
    ),
    Reason(
        QUOTA_EXCEEDED,
        ALL,
        "Reconciling=True",
        "An AWS service quota is used up, such as instances of a type. Retried after minutes, until there is room.",
        f"Wait, stop something else, or request a higher quota in the Service Quotas console; then {_RETRY}.",
    ),
    Reason(
        DEPENDENCY_MISSING,
        ALL,
        "Reconciling=True, Synced=False",
        "Something that the spec refers to does not exist yet, such as a model, an endpoint or a role. An object of the"
        " namespace that the spec names is waited for, and its change ends the wait at once; a ConfigMap, or a key in"
        " it, is looked for again after five seconds, later once a minute; what AWS does not find is looked for again"
        " after ten seconds, later after minutes.",
        f"Create what the message names, or correct the reference. For what is not an object: then {_RETRY}.",
    ),
    Reason(
        NAME_UNAVAILABLE,
        JOBS | RESOURCES | HOSTED | IN_PLACE,
        "Reconciling=True",
        "SageMaker says that the name is taken when it is asked to create the resource, and that there is none when it"
        " is asked to describe it: a resource of that name is being deleted, perhaps. Retried after minutes.",
        "Wait, or delete the object and create one with another name in the spec, or of another name.",
    ),
    Reason(
        REQUEST_REFUSED,
        ALL,
        "Reconciling=True",
        "AWS rejects a call for its content or for the state of something that it refers to, such as data, an image or"
        " a model that does not exist (yet), or a variant that is being scaled. Retried after ten"
        " seconds, later after minutes.",
        "Correct what the message names, in the spec or at AWS. A deletion that cannot succeed:"
        " `deletion-policy=retain`, see [troubleshooting](troubleshooting.md).",
    ),
    # --- beside the resource itself
    Reason(
        DRIFTED,
        RESOURCES | HOSTED | IN_PLACE | SCALING,
        "Ready=True, Reconciling=True, Stalled=True, Synced=False, Drifted=True",
        "What the operator applied was changed at AWS. The message says what.",
        "Change it back, edit the spec, or let the operator correct it: [`drift-policy: correct`](drift.md).",
    ),
    Reason(CORRECTING, HOSTED, "Drifted=False", "The change made outside the operator is being reverted."),
    Reason(
        IN_SYNC,
        RESOURCES | HOSTED | IN_PLACE | SCALING,
        "Drifted=False",
        "AWS has again what the operator applied last.",
    ),
    Reason(
        SPAWN_FAILED,
        TUNING,
        "Synced=False",
        "The training jobs of the tuning job cannot be listed, or Kubernetes refuses objects for them, so they have no"
        " TrainingJob objects. The tuning itself is not affected.",
        "Allow `sagemaker:ListTrainingJobsForHyperParameterTuningJob` to the role, see [identity](aws-identity.md), or"
        " what the API server's words in the message name.",
    ),
    Reason(
        TAGS_REFUSED,
        JOBS | RESOURCES | HOSTED | IN_PLACE,
        "Tagged=False",
        "AWS rejects the tags. Tried again every hour, and when the object changes.",
        "Correct `spec.tags` or `default-tags` as the message says.",
    ),
    Reason(
        RULE_ISSUES_FOUND,
        TRAINING,
        "RuleIssues=True",
        "The rules that the message names report issues.",
        "See `status.debugRuleEvaluationStatuses`; delete the object to stop a training that is of no use.",
    ),
    Reason(
        UPDATE_REFUSED,
        UPDATABLE,
        "Updated=False",
        "AWS refuses the change, which is tried again every ten minutes; or it comes too late: the job has ended, and"
        " none of its instances is kept in a warm pool.",
        "Correct the field that the message names. A change that is too late needs nothing.",
    ),
    Reason(
        NO_EFFECT,
        ALL,
        "AnnotationIgnored=True",
        "An annotation is misspelt, has a value that cannot be read, or does not apply to this kind or place.",
        "Correct or remove the annotation that the message names, see [annotations](annotations.md).",
    ),
    Reason(
        NOT_SENT,
        ALL,
        "FieldsIgnored=True",
        "A name is in a list twice, of which AWS makes a map: only the last entry counts. Or a tag cannot be set: its"
        " prefix is the operator's, or it is one of the operator's, for which those of the spec leave no room.",
        "Remove from the spec (or from `default-tags`) what the message names.",
    ),
    Reason(
        UNKNOWN,
        ALL,
        "Reconciling=True",
        "SageMaker's answer has no readable status.",
        "Check `spec.sageMakerEndpoint`, if set: something else than SageMaker may be answering there.",
    ),
)

EVENTS: Final = (
    # --- an ordinary life
    EventReason(CREATED, "Normal", JOBS | RESOURCES | HOSTED | IN_PLACE, "The resource was created at AWS."),
    EventReason(
        ADOPTED, "Normal", JOBS | HOSTED | IN_PLACE, "An existing resource belongs to this object from now on."
    ),
    EventReason(FOUND, "Normal", ALL, "A read-only object shows an existing resource."),
    EventReason(
        STATUS_CHANGED, "Normal", JOBS | HOSTED | IN_PLACE, "SageMaker shows another status: the message has both."
    ),
    EventReason("Completed", "Normal", JOBS, "The job completed.", is_aws=True),
    EventReason("Succeeded", "Normal", EXECUTIONS, "The execution succeeded.", is_aws=True),
    EventReason(
        "CompletedWithFailures", "Normal", EXECUTIONS, "The execution ended, and some steps failed.", is_aws=True
    ),
    EventReason("Stopped", "Normal", JOBS, "The job was stopped.", is_aws=True),
    EventReason("DeleteFailed", "Normal", JOBS, "SageMaker could not delete the job.", is_aws=True),
    EventReason(
        FAILED,
        "Warning",
        JOBS | HOSTED,
        "The job, endpoint or component failed, with SageMaker's reason.",
        f"See the reasons `{FAILED}`, `{ENDPOINT_FAILED}` and `{COMPONENT_FAILED}`.",
    ),
    EventReason(STOPPING, "Normal", JOBS, "The object was deleted; SageMaker was requested to stop the job."),
    EventReason(DELETING, "Normal", HOSTED | IN_PLACE, "The deletion was requested, or waits for SageMaker."),
    EventReason(
        DELETED, "Normal", RESOURCES | HOSTED | IN_PLACE | SCALING, "The resource is gone; the object goes as well."
    ),
    EventReason(
        RETAINED,
        "Normal",
        ALL,
        "The object was deleted and the resource left as it is: `deletion-policy: retain`, or it belongs to others.",
        "Delete the resource at AWS yourself if it is not needed.",
    ),
    EventReason(EXPIRED, "Normal", JOBS, "The object was deleted, as `ttl-seconds-after-finished` asks."),
    EventReason(PAUSED, "Normal", ALL, "The object was paused.", f"See the reason `{PAUSED}`."),
    EventReason(RESUMED, "Normal", ALL, "The object is not paused any more."),
    EventReason(TRAINING_JOB_SPAWNED, "Normal", TUNING, "TrainingJob objects were created for training jobs."),
    EventReason(IN_SERVICE, "Normal", HOSTED, "The new endpoint or component is in service."),
    EventReason(UPDATE_PENDING, "Normal", HOSTED, "An update waits.", f"See the reason `{UPDATE_PENDING}`."),
    EventReason(UPDATE_STARTED, "Normal", HOSTED, "The update started."),
    EventReason(UPDATE_COMPLETED, "Normal", HOSTED, "The endpoint or component serves what is new."),
    EventReason(UPDATED, "Normal", UPDATABLE | CHANGED_IN_PLACE, "AWS has the changes of the spec."),
    EventReason(WAITING_FOR_ENDPOINT, "Normal", COMPONENTS | SCALING, "The endpoint is not in service yet."),
    EventReason(POLICY_APPLIED, "Normal", SCALING, "The scaling policy was put on the variants."),
    EventReason(
        DRIFT_CORRECTED, "Normal", RESOURCES | HOSTED | IN_PLACE | SCALING, "A change made outside was reverted."
    ),
    EventReason(LEADER_ELECTION, "Normal", LEASES, "A replica of the operator became leader, or stopped leading."),
    # --- something is wrong
    EventReason(
        CREATE_FAILED,
        "Warning",
        JOBS | RESOURCES | HOSTED | IN_PLACE,
        "AWS rejected the creation for good.",
        f"See the reason `{INVALID_SPEC}`.",
    ),
    EventReason(
        POLICY_FAILED, "Warning", SCALING, "AWS rejected the scaling policy.", f"See the reason `{INVALID_SPEC}`."
    ),
    EventReason(
        UPDATE_FAILED,
        "Warning",
        HOSTED | CHANGED_IN_PLACE,
        "The update failed; the endpoint or component serves what it served before, or AWS has rejected it.",
        f"See the reasons `{UPDATE_FAILED}` and `{INVALID_SPEC}`.",
    ),
    EventReason(
        RESOURCE_FAILED,
        "Warning",
        IN_PLACE,
        "SageMaker could not make, or delete, the resource.",
        f"See the reason `{RESOURCE_FAILED}`.",
    ),
    EventReason(
        CHILD_FAILED,
        "Warning",
        ENDPOINTS,
        "A Model or EndpointConfig cannot be created.",
        f"See the reason `{CHILD_FAILED}`.",
    ),
    EventReason(
        ALREADY_EXISTS,
        "Warning",
        JOBS | HOSTED | IN_PLACE | SCALING,
        "The name is taken at AWS.",
        f"See the reason `{ALREADY_EXISTS}`.",
    ),
    EventReason(
        FOREIGN_RESOURCE,
        "Warning",
        JOBS | HOSTED | IN_PLACE,
        "Others have a resource under the name of the object's own.",
        f"See the reason `{FOREIGN_RESOURCE}`.",
    ),
    EventReason(
        NOT_FOUND,
        "Warning",
        JOBS | NAMED_BY_AWS,
        "The job or the version does not exist any more.",
        f"See the reason `{NOT_FOUND}`.",
    ),
    EventReason(
        ADOPTION_REFUSED,
        "Warning",
        ALL,
        "There is nothing of this name to adopt, or to show.",
        f"See the reason `{NOT_FOUND}`.",
    ),
    EventReason(
        OTHER_ACCOUNT,
        "Warning",
        ALL,
        "The resource is in another AWS account.",
        f"See the reason `{OTHER_ACCOUNT}`.",
    ),
    EventReason(
        AWS_UNAVAILABLE,
        "Warning",
        ALL,
        "Calls to AWS have failed for three minutes.",
        f"See the reason `{AWS_UNAVAILABLE}`.",
    ),
    EventReason(
        KUBERNETES_REFUSED,
        "Warning",
        ALL,
        "Kubernetes refuses a write of the operator, perhaps that of the status, or that it reads a ConfigMap.",
        f"See the reason `{KUBERNETES_REFUSED}`.",
    ),
    EventReason(
        INVALID_DOCUMENT,
        "Warning",
        DOCUMENTED,
        "What the spec names in a ConfigMap cannot be used.",
        f"See the reason `{INVALID_DOCUMENT}`.",
    ),
    EventReason(
        CREATION_UNCONFIRMED,
        "Warning",
        ALL,
        "For three minutes, AWS has not answered whether it has created the resource.",
        f"See the reason `{CREATION_UNCONFIRMED}`.",
    ),
    EventReason(ACCESS_DENIED, "Warning", ALL, "AWS denies a call.", f"See the reason `{ACCESS_DENIED}`."),
    EventReason(
        CREDENTIALS_ERROR,
        "Warning",
        ALL,
        "There are no valid AWS credentials.",
        f"See the reason `{CREDENTIALS_ERROR}`.",
    ),
    EventReason(QUOTA_EXCEEDED, "Warning", ALL, "An AWS quota is used up.", f"See the reason `{QUOTA_EXCEEDED}`."),
    EventReason(
        DEPENDENCY_MISSING,
        "Warning",
        ALL,
        "Something that the spec refers to does not exist.",
        f"See the reason `{DEPENDENCY_MISSING}`.",
    ),
    EventReason(
        NAME_UNAVAILABLE,
        "Warning",
        JOBS | RESOURCES | HOSTED | IN_PLACE,
        "The name is taken at SageMaker, and nothing of that name is found.",
        f"See the reason `{NAME_UNAVAILABLE}`.",
    ),
    EventReason(REQUEST_REFUSED, "Warning", ALL, "AWS rejects a call.", f"See the reason `{REQUEST_REFUSED}`."),
    EventReason(
        SPEC_IMMUTABLE,
        "Warning",
        JOBS,
        "An edit of the spec has no effect on the job.",
        f"See the reason `{SPEC_IMMUTABLE}`.",
    ),
    EventReason(
        FIELDS_IGNORED,
        "Warning",
        ALL,
        "Fields of the spec have no effect, or contradict each other. The message names them.",
        f"Remove them from the spec. See the reason `{NOT_SENT}` for tags and for names that are given twice.",
    ),
    EventReason(
        CAPACITY_RESET,
        "Warning",
        ENDPOINTS,
        "The update sets the instance counts of scaled variants back to those of the spec, or one of them below the"
        " minimum of its policy.",
        "To keep them: `spec.retainAllVariantProperties: true`.",
    ),
    EventReason(
        DRIFTED,
        "Warning",
        RESOURCES | HOSTED | IN_PLACE | SCALING,
        "What the operator applied was changed at AWS.",
        f"See the reason `{DRIFTED}`.",
    ),
    EventReason(
        RULE_ISSUES_FOUND,
        "Warning",
        TRAINING,
        "Debugger rules found issues in a training job.",
        "See `status.debugRuleEvaluationStatuses`.",
    ),
    EventReason(
        SPAWN_FAILED,
        "Warning",
        TUNING,
        "Training jobs of the tuning job cannot be listed, or one cannot be shown as an object.",
        f"See the reason `{SPAWN_FAILED}`.",
    ),
    EventReason(
        TAGS_REFUSED,
        "Warning",
        JOBS | RESOURCES | HOSTED | IN_PLACE,
        "AWS refuses to change tags.",
        f"See the reason `{TAGS_REFUSED}` or `{ACCESS_DENIED}`.",
    ),
    EventReason(
        UPDATE_REFUSED,
        "Warning",
        UPDATABLE,
        "AWS does not make a change of the job.",
        f"See the reason `{UPDATE_REFUSED}` or `{ACCESS_DENIED}`.",
    ),
    EventReason(
        ANNOTATION_IGNORED,
        "Warning",
        ALL,
        "An annotation has no effect.",
        f"See the reason `{NO_EFFECT}`.",
    ),
    EventReason(
        STATUS_DELAYED,
        "Warning",
        JOBS | HOSTED,
        "SageMaker's List operation fails or is denied: the status may be minutes late.",
        f"See the reasons `{LIST_DENIED}` and `{LIST_FAILING}`.",
    ),
    EventReason(
        STATUS_QUEUE_UNRELIABLE,
        "Warning",
        LEASES,
        "A status queue that announced all changes does so no more: the operator polls as without it.",
        "Look at the rule, the queue and the operator's rights: [status by events](status-events.md).",
    ),
)

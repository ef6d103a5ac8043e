"""Made by `python -m hack.crds` from api/v1 and hack/snapshots. Do not edit: change those.

The manifests of HostingAutoscalingPolicy, `sagemaker.aws.amazon.com/v1`.
"""

from typing import Literal, Required, TypedDict

from api.client.models.metadata import Metadata


class Dimensions(TypedDict, total=False):
    """Describes the dimension of a metric."""

    name: Required[str]
    """The name of the dimension."""
    value: Required[str]
    """The value of the dimension."""


class Metric(TypedDict, total=False):
    """The CloudWatch metric to return, including the metric name, namespace, and dimensions. To get the exact
    metric name, namespace, and dimensions, inspect the Metric object that is returned by a call to ListMetrics.
    """

    dimensions: list[Dimensions]
    """Describes the dimensions of the metric."""
    metricName: str
    """The name of the metric."""
    namespace: str
    """The namespace of the metric."""


class MetricStat(TypedDict, total=False):
    """Information about the metric data to return."""

    metric: Required[Metric]
    """The CloudWatch metric to return, including the metric name, namespace, and dimensions. To get the exact
    metric name, namespace, and dimensions, inspect the Metric object that is returned by a call to ListMetrics.
    """
    stat: Required[str]
    """The statistic to return. It can include any CloudWatch statistic or extended statistic."""
    unit: str
    """The unit to use for the returned data points. For a complete list of the units that CloudWatch supports, see
    the MetricDatum data type in the Amazon CloudWatch API Reference.
    """


class MetricDataQueries(TypedDict, total=False):
    """The metric data to return. Also defines whether this call is returning data for one metric only, or whether
    it is performing a math expression on the values of returned metric statistics to create a new time series.
    """

    expression: str
    """The math expression to perform on the returned data, if this object is performing a math expression. This
    expression can use the Id of the other metrics to refer to those metrics, and can also use the Id of other
    expressions to use the result of those expressions.
    """
    id: Required[str]
    """A short name that identifies the object's results in the response. This name must be unique among all
    MetricDataQuery objects specified for a single scaling policy.
    """
    label: str
    """A human-readable label for this metric or expression. This is especially useful if this is a math
    expression, so that you know what the value represents.
    """
    metricStat: MetricStat
    """Information about the metric data to return."""
    returnData: bool
    """Indicates whether to return the timestamps and raw data values of this metric."""


class CustomizedCapacityMetricSpecification(TypedDict, total=False):
    """The customized capacity metric specification."""

    metricDataQueries: Required[list[MetricDataQueries]]
    """One or more metric data queries to provide data points for a metric specification."""


class CustomizedLoadMetricSpecification(TypedDict, total=False):
    """The customized load metric specification."""

    metricDataQueries: Required[list[MetricDataQueries]]
    """One or more metric data queries to provide data points for a metric specification."""


class CustomizedScalingMetricSpecification(TypedDict, total=False):
    """The customized scaling metric specification."""

    metricDataQueries: Required[list[MetricDataQueries]]
    """One or more metric data queries to provide data points for a metric specification."""


class PredefinedLoadMetricSpecification(TypedDict, total=False):
    """The predefined load metric specification."""

    predefinedMetricType: Required[str]
    """The metric type."""
    resourceLabel: str
    """A label that uniquely identifies a target group."""


class PredefinedMetricPairSpecification(TypedDict, total=False):
    """The predefined metric pair specification that determines the appropriate scaling metric and load metric to
    use.
    """

    predefinedMetricType: Required[str]
    """Indicates which metrics to use. There are two different types of metrics for each metric type: one is a load
    metric and one is a scaling metric.
    """
    resourceLabel: str
    """A label that uniquely identifies a specific target group from which to determine the total and average
    request count.
    """


class PredefinedScalingMetricSpecification(TypedDict, total=False):
    """The predefined scaling metric specification."""

    predefinedMetricType: Required[str]
    """The metric type."""
    resourceLabel: str
    """A label that uniquely identifies a specific target group from which to determine the average request count."""


class MetricSpecifications(TypedDict, total=False):
    """This structure specifies the metrics and target utilization settings for a predictive scaling policy."""

    customizedCapacityMetricSpecification: CustomizedCapacityMetricSpecification
    """The customized capacity metric specification."""
    customizedLoadMetricSpecification: CustomizedLoadMetricSpecification
    """The customized load metric specification."""
    customizedScalingMetricSpecification: CustomizedScalingMetricSpecification
    """The customized scaling metric specification."""
    predefinedLoadMetricSpecification: PredefinedLoadMetricSpecification
    """The predefined load metric specification."""
    predefinedMetricPairSpecification: PredefinedMetricPairSpecification
    """The predefined metric pair specification that determines the appropriate scaling metric and load metric to
    use.
    """
    predefinedScalingMetricSpecification: PredefinedScalingMetricSpecification
    """The predefined scaling metric specification."""
    targetValue: Required[float]
    """Specifies the target utilization."""


class PredictiveScalingPolicyConfiguration(TypedDict, total=False):
    """The configuration of the predictive scaling policy."""

    maxCapacityBreachBehavior: str
    """Defines the behavior that should be applied if the forecast capacity approaches or exceeds the maximum
    capacity. Defaults to HonorMaxCapacity if not specified. Known values: HonorMaxCapacity,
    IncreaseMaxCapacity.
    """
    maxCapacityBuffer: int
    """The size of the capacity buffer to use when the forecast capacity is close to or exceeds the maximum
    capacity. The value is specified as a percentage relative to the forecast capacity.
    """
    metricSpecifications: Required[list[MetricSpecifications]]
    """This structure includes the metrics and target utilization to use for predictive scaling."""
    mode: str
    """The predictive scaling mode. Defaults to ForecastOnly if not specified. Known values: ForecastOnly,
    ForecastAndScale.
    """
    schedulingBufferTime: int
    """The amount of time, in seconds, that the start time can be advanced."""


class ResourceId(TypedDict, total=False):
    """One variant of an endpoint, or one inference component."""

    endpointName: str
    """Name of a HostingDeployment of the same namespace, or of an endpoint at AWS."""
    inferenceComponentName: str
    """Name of an InferenceComponent of the same namespace, or of an inference component at AWS: its copies are
    scaled. In place of endpointName and variantName.
    """
    variantName: str
    """Name of the production variant."""


class StepAdjustments(TypedDict, total=False):
    """Represents a step adjustment for a StepScalingPolicyConfiguration. Describes an adjustment based on the
    difference between the value of the aggregated CloudWatch metric and the breach threshold that you've
    defined for the alarm.
    """

    metricIntervalLowerBound: float
    """The lower bound for the difference between the alarm threshold and the CloudWatch metric. If the metric
    value is above the breach threshold, the lower bound is inclusive (the metric must be greater than or equal
    to the threshold plus the lower bound).
    """
    metricIntervalUpperBound: float
    """The upper bound for the difference between the alarm threshold and the CloudWatch metric. If the metric
    value is above the breach threshold, the upper bound is exclusive (the metric must be less than the
    threshold plus the upper bound).
    """
    scalingAdjustment: Required[int]
    """The amount by which to scale, based on the specified adjustment type. A positive value adds to the current
    capacity while a negative number removes from the current capacity. For exact capacity, you must specify a
    non-negative value.
    """


class StepScalingPolicyConfiguration(TypedDict, total=False):
    """A step scaling policy."""

    adjustmentType: str
    """Specifies how the ScalingAdjustment value in a StepAdjustment is interpreted (for example, an absolute
    number or a percentage). The valid values are ChangeInCapacity, ExactCapacity, and PercentChangeInCapacity.
    Known values: ChangeInCapacity, PercentChangeInCapacity, ExactCapacity.
    """
    cooldown: int
    """The amount of time, in seconds, to wait for a previous scaling activity to take effect. If not specified,
    the default value is 300.
    """
    metricAggregationType: str
    """The aggregation type for the CloudWatch metrics. Valid values are Minimum, Maximum, and Average. If the
    aggregation type is null, the value is treated as Average. Known values: Average, Minimum, Maximum.
    """
    minAdjustmentMagnitude: int
    """The minimum value to scale by when the adjustment type is PercentChangeInCapacity. For example, suppose that
    you create a step scaling policy to scale out an Amazon ECS service by 25 percent and you specify a
    MinAdjustmentMagnitude of 2.
    """
    stepAdjustments: list[StepAdjustments]
    """A set of adjustments that enable you to scale based on the size of the alarm breach."""


class SuspendedState(TypedDict, total=False):
    """An embedded object that contains attributes and attribute values that are used to suspend and resume
    automatic scaling. Setting the value of an attribute to true suspends the specified scaling activities.
    Setting it to false (default) resumes the specified scaling activities.
    """

    dynamicScalingInSuspended: bool
    """Whether scale in by a target tracking scaling policy or a step scaling policy is suspended. Set the value to
    true if you don't want Application Auto Scaling to remove capacity when a scaling policy is triggered. The
    default is false.
    """
    dynamicScalingOutSuspended: bool
    """Whether scale out by a target tracking scaling policy or a step scaling policy is suspended. Set the value
    to true if you don't want Application Auto Scaling to add capacity when a scaling policy is triggered. The
    default is false.
    """
    scheduledScalingSuspended: bool
    """Whether scheduled scaling is suspended. Set the value to true if you don't want Application Auto Scaling to
    add or remove capacity by initiating scheduled actions. The default is false.
    """


class Tags(TypedDict, total=False):
    """A tag."""

    key: Required[str]
    """Key of the tag."""
    value: Required[str]
    """Value of the tag."""


class CustomizedMetricSpecificationDimensions(TypedDict, total=False):
    """Describes the dimension names and values associated with a metric."""

    name: str
    """The name of the dimension."""
    value: str
    """The value of the dimension."""


class Metrics(TypedDict, total=False):
    """The metric data to return. Also defines whether this call is returning data for one metric only, or whether
    it is performing a math expression on the values of returned metric statistics to create a new time series.
    """

    expression: str
    """The math expression to perform on the returned data, if this object is performing a math expression. This
    expression can use the Id of the other metrics to refer to those metrics, and can also use the Id of other
    expressions to use the result of those expressions.
    """
    id: Required[str]
    """A short name that identifies the object's results in the response. This name must be unique among all
    MetricDataQuery objects specified for a single scaling policy.
    """
    label: str
    """A human-readable label for this metric or expression. This is especially useful if this is a math
    expression, so that you know what the value represents.
    """
    metricStat: MetricStat
    """Information about the metric data to return."""
    returnData: bool
    """Indicates whether to return the timestamps and raw data values of this metric."""


class CustomizedMetricSpecification(TypedDict, total=False):
    """A customized metric. You can specify either a predefined metric or a customized metric."""

    dimensions: list[CustomizedMetricSpecificationDimensions]
    """The dimensions of the metric."""
    metricName: str
    """The name of the metric. To get the exact metric name, namespace, and dimensions, inspect the Metric object
    that's returned by a call to ListMetrics.
    """
    metrics: list[Metrics]
    """The metrics to include in the target tracking scaling policy, as a metric data query. This can include both
    raw metric and metric math expressions.
    """
    namespace: str
    """The namespace of the metric."""
    statistic: str
    """The statistic of the metric. Known values: Average, Minimum, Maximum, SampleCount, Sum."""
    unit: str
    """The unit of the metric. For a complete list of the units that CloudWatch supports, see the MetricDatum data
    type in the Amazon CloudWatch API Reference.
    """


class PredefinedMetricSpecification(TypedDict, total=False):
    """A predefined metric. You can specify either a predefined metric or a customized metric."""

    predefinedMetricType: str
    """The metric type."""
    resourceLabel: str
    """Identifies the resource associated with the metric type. You can't specify a resource label unless the
    metric type is ALBRequestCountPerTarget and there is a target group attached to the Spot Fleet or ECS
    service.
    """


class TargetTrackingScalingPolicyConfiguration(TypedDict, total=False):
    """A target tracking scaling policy. Includes support for predefined or customized metrics."""

    customizedMetricSpecification: CustomizedMetricSpecification
    """A customized metric. You can specify either a predefined metric or a customized metric."""
    disableScaleIn: bool
    """Indicates whether scale in by the target tracking scaling policy is disabled. If the value is true, scale in
    is disabled and the target tracking scaling policy won't remove capacity from the scalable target.
    """
    predefinedMetricSpecification: PredefinedMetricSpecification
    """A predefined metric. You can specify either a predefined metric or a customized metric."""
    scaleInCooldown: int
    """The amount of time, in seconds, after a scale-in activity completes before another scale-in activity can
    start.
    """
    scaleOutCooldown: int
    """The amount of time, in seconds, to wait for a previous scale-out activity to take effect."""
    targetValue: float
    """The target value for the metric. Although this property accepts numbers of type Double, it won't accept
    values that are either too small or too large. Values must be in the range of -2^360 to 2^360. The value
    must be a valid number based on the choice of metric.
    """


class HostingAutoscalingPolicySpec(TypedDict, total=False):
    """The hosting autoscaling policy that is wanted."""

    maxCapacity: int
    """The maximum value that you plan to scale out to. When a scaling policy is in effect, Application Auto
    Scaling can scale out (expand) as needed to the maximum capacity limit in response to changing demand. This
    property is required when registering a new scalable target.
    """
    minCapacity: int
    """The minimum value that you plan to scale in to. When a scaling policy is in effect, Application Auto Scaling
    can scale in (contract) as needed to the minimum capacity limit in response to changing demand. This
    property is required when registering a new scalable target.
    """
    policyName: str
    """The name of the scaling policy."""
    policyType: str
    """The scaling policy type. This parameter is required if you are creating a scaling policy. Known values:
    StepScaling, TargetTrackingScaling, PredictiveScaling.
    """
    predictiveScalingPolicyConfiguration: PredictiveScalingPolicyConfiguration
    """The configuration of the predictive scaling policy."""
    region: str
    """AWS region in which the resource lives, for example us-east-2. If it is left out, that of the namespace,
    then that of the operator.
    """
    resourceId: list[ResourceId]
    """The variants or inference components to scale: a target is registered and a policy put for each."""
    roleARN: str
    """This parameter is required for services that do not support service-linked roles (such as Amazon EMR), and
    it must specify the ARN of an IAM role that allows Application Auto Scaling to modify the scalable target on
    your behalf.
    """
    sageMakerEndpoint: str
    """URL of the SageMaker API to use for this object instead of the region's own, for example that of a VPC
    endpoint. Wins over the operator's AWS_DEFAULT_SAGEMAKER_ENDPOINT.
    """
    scalableDimension: str
    """The scalable dimension. This string consists of the service namespace, resource type, and scaling property."""
    serviceNamespace: str
    """The namespace of the Amazon Web Services service that provides the resource. For a resource provided by your
    own application or service, use custom-resource instead.
    """
    stepScalingPolicyConfiguration: StepScalingPolicyConfiguration
    """A step scaling policy."""
    suspendedState: SuspendedState
    """An embedded object that contains attributes and attribute values that are used to suspend and resume
    automatic scaling. Setting the value of an attribute to true suspends the specified scaling activities.
    Setting it to false (default) resumes the specified scaling activities.
    """
    tags: list[Tags]
    """Tags of the scalable targets."""
    targetTrackingScalingPolicyConfiguration: TargetTrackingScalingPolicyConfiguration
    """A target tracking scaling policy. Includes support for predefined or customized metrics."""


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


class Notes(TypedDict, total=False):
    """What the operator has noted in annotations, should these be replaced: not for editing."""

    claimedVariants: str
    """The annotation claimed-variants."""
    foundTargets: str
    """The annotation found-targets."""
    lastUpdateAttempt: str
    """The annotation last-update-attempt."""


class HostingAutoscalingPolicyStatus(TypedDict, total=False):
    """What became of it, as last seen."""

    additional: str
    """What keeps the operator from doing its work."""
    awsResource: AwsResource
    """What was created at AWS for this object. Once recorded it is never created again, nor looked for elsewhere."""
    conditions: list[Conditions]
    """The state of the object in the standard form: Ready says whether its result can be used."""
    hostingAutoscalingPolicyStatus: str
    """Reconciling until targets and policies are in place, then Created; Error, or Deleted for a moment before the
    object goes.
    """
    lastCheckTime: str
    """When this status was last compared with AWS."""
    lastHandledReconcileAt: str
    """The text of the annotation sagemaker.aws.amazon.com/reconcile-at that was acted on last."""
    notes: Notes
    """What the operator has noted in annotations, should these be replaced: not for editing."""
    observedGeneration: int
    """The metadata.generation that this status was decided on."""
    policyName: str
    """Name of the scaling policy at AWS."""
    resourceIDList: list[str]
    """What the policy was applied to, as endpoint//variant/ or inference-component/."""


class HostingAutoscalingPolicy(TypedDict, total=False):
    """HostingAutoscalingPolicy: made at AWS by PutScalingPolicy, RegisterScalableTarget."""

    apiVersion: Required[Literal["sagemaker.aws.amazon.com/v1"]]
    kind: Required[Literal["HostingAutoscalingPolicy"]]
    metadata: Required[Metadata]
    spec: Required[HostingAutoscalingPolicySpec]
    status: HostingAutoscalingPolicyStatus

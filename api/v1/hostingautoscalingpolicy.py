"""HostingAutoscalingPolicy: RegisterScalableTarget and PutScalingPolicy of Application Auto Scaling, per variant.

`api/autoscaling.py` builds the requests.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from api.compat import V1, Compat, Exclusive, StatusField
from api.descriptor import KindDescriptor, LifeCycle, NameRule, Operations, PrinterColumn, StatusRule
from api.form import Form
from api.operator_fields import OperatorField

_TRACKING: Final = "spec.targetTrackingScalingPolicyConfiguration"
_CUSTOMIZED: Final = f"{_TRACKING}.customizedMetricSpecification"
_PREDEFINED: Final = f"{_TRACKING}.predefinedMetricSpecification"

# targetValue was an integer in v1; AWS's double is wider and kept as it is.
_FIELDS: Final[Mapping[str, V1]] = MappingProxyType(
    {
        "spec.maxCapacity": V1(),
        "spec.minCapacity": V1(),
        "spec.policyName": V1(maximum=256),
        "spec.policyType": V1(),
        "spec.region": V1(required=True),
        "spec.resourceId": V1(minimum=1),
        "spec.resourceId[].endpointName": V1(minimum=1),
        "spec.resourceId[].variantName": V1(minimum=1),
        "spec.sageMakerEndpoint": V1(pattern="^(https|http)://.*$"),
        "spec.scalableDimension": V1(),
        "spec.serviceNamespace": V1(),
        "spec.suspendedState": V1(),
        "spec.suspendedState.dynamicScalingInSuspended": V1(),
        "spec.suspendedState.dynamicScalingOutSuspended": V1(),
        "spec.suspendedState.scheduledScalingSuspended": V1(),
        _TRACKING: V1(),
        _CUSTOMIZED: V1(),
        f"{_CUSTOMIZED}.dimensions": V1(),
        f"{_CUSTOMIZED}.dimensions[].name": V1(),
        f"{_CUSTOMIZED}.dimensions[].value": V1(),
        f"{_CUSTOMIZED}.metricName": V1(minimum=1),
        f"{_CUSTOMIZED}.namespace": V1(minimum=1),
        f"{_CUSTOMIZED}.statistic": V1(minimum=1),
        f"{_CUSTOMIZED}.unit": V1(),
        f"{_TRACKING}.disableScaleIn": V1(),
        _PREDEFINED: V1(),
        f"{_PREDEFINED}.predefinedMetricType": V1(),
        f"{_TRACKING}.scaleInCooldown": V1(),
        f"{_TRACKING}.scaleOutCooldown": V1(),
        f"{_TRACKING}.targetValue": V1(),
        "status.additional": V1(),
        "status.hostingAutoscalingPolicyStatus": V1(),
        "status.lastCheckTime": V1(),
        "status.policyName": V1(),
        "status.resourceIDList": V1(),
        "status.resourceIDList[]": V1(),
    }
)

_OWN: Final = (
    OperatorField(
        "resourceId",
        Form.LIST,
        "The variants or inference components to scale: a target is registered and a policy put for each.",
        item=OperatorField(
            "",
            Form.STRUCTURE,
            "One variant of an endpoint, or one inference component.",
            fields=(
                OperatorField(
                    "endpointName",
                    Form.STRING,
                    "Name of a HostingDeployment of the same namespace, or of an endpoint at AWS.",
                ),
                OperatorField("variantName", Form.STRING, "Name of the production variant."),
                OperatorField(
                    "inferenceComponentName",
                    Form.STRING,
                    "Name of an InferenceComponent of the same namespace, or of an inference component at AWS: its"
                    " copies are scaled. In place of endpointName and variantName.",
                ),
            ),
        ),
    ),
    OperatorField(
        "tags",
        Form.LIST,
        "Tags of the scalable targets.",
        item=OperatorField(
            "",
            Form.STRUCTURE,
            "A tag.",
            fields=(
                OperatorField("key", Form.STRING, "Key of the tag.", required=True),
                OperatorField("value", Form.STRING, "Value of the tag.", required=True),
            ),
        ),
    ),
)

SERVICE_NAMESPACE: Final = "sagemaker"
SCALABLE_DIMENSION: Final = "sagemaker:variant:DesiredInstanceCount"
POLICY_NAME: Final = "SageMakerEndpointInvocationScalingPolicy"

_COMPAT: Final = Compat(
    spec_required=True,
    fields=_FIELDS,
    own=_OWN,
    # See _OWN: resourceId is a list in v1, and a string at AWS, one per request; tags are a map at AWS, and here a
    # list as in every other kind.
    omitted=frozenset({"spec.resourceId", "spec.tags"}),
    # All of these identify the policy: with a changed one a second policy would be put, and the first forgotten.
    identity=frozenset({"region", "sageMakerEndpoint", "policyName", "serviceNamespace", "scalableDimension"}),
    filled_in=MappingProxyType(
        {
            "policyName": POLICY_NAME,
            "serviceNamespace": SERVICE_NAMESPACE,
            "scalableDimension": SCALABLE_DIMENSION,
        }
    ),
    exclusive=(
        Exclusive(
            "spec",
            "predictiveScalingPolicyConfiguration",
            ("targetTrackingScalingPolicyConfiguration", "stepScalingPolicyConfiguration"),
        ),
        Exclusive("spec.resourceId[]", "inferenceComponentName", ("endpointName", "variantName")),
        Exclusive("spec", "stepScalingPolicyConfiguration", ("targetTrackingScalingPolicyConfiguration",)),
    ),
    status=(
        StatusField("additional", description="What keeps the operator from doing its work."),
        StatusField(
            "hostingAutoscalingPolicyStatus",
            description="Reconciling until targets and policies are in place, then Created; Error, or Deleted for a"
            " moment before the object goes.",
        ),
        StatusField("lastCheckTime", form=Form.TIME, description="When this status was last compared with AWS."),
        StatusField("policyName", "PolicyName", description="Name of the scaling policy at AWS."),
        StatusField(
            "resourceIDList",
            form=Form.LIST,
            item=Form.STRING,
            description="What the policy was applied to, as endpoint/<endpoint>/variant/<variant> or"
            " inference-component/<component>.",
        ),
    ),
)

HOSTING_AUTOSCALING_POLICY: Final = KindDescriptor(
    kind="HostingAutoscalingPolicy",
    plural="hostingautoscalingpolicies",
    singular="hostingautoscalingpolicy",
    short_names=("hap",),
    service="application-autoscaling",
    life_cycle=LifeCycle.SCALING,
    operations=Operations(
        create="PutScalingPolicy",
        describe="DescribeScalingPolicies",
        list="",
        stop="",
        list_items="",
        delete="DeleteScalingPolicy",
        further=("RegisterScalableTarget",),
        describe_items="ScalingPolicies",
    ),
    name=NameRule(
        member="PolicyName",
        spec_field="policyName",
        status_field="policyName",
        max_length=256,
        late_initialized=True,
        constant=POLICY_NAME,
    ),
    status=StatusRule(
        member="",
        field="hostingAutoscalingPolicyStatus",
        reconciling="Reconciling",
        # v1 has no other value for this.
        synchronizing="Reconciling",
        arn_member="PolicyARN",
        terminal=frozenset(),
    ),
    printer_columns=(
        PrinterColumn("Status", ".status.hostingAutoscalingPolicyStatus"),
        PrinterColumn("Creation-Time", ".metadata.creationTimestamp", format="date"),
    ),
    compat=_COMPAT,
)

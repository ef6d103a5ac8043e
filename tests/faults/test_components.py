"""What an inference component depends on, and what depends on it: endpoint, model, base, autoscaling, others."""

from collections.abc import Callable

import pytest

from api.annotations import ADOPTION_POLICY, DRIFT_POLICY, RECONCILE_AT
from api.meta import JsonObject, ObjectKey
from api.v1 import ENDPOINT_CONFIG, HOSTING_AUTOSCALING_POLICY, HOSTING_DEPLOYMENT, INFERENCE_COMPONENT, MODEL
from tests.fakes.sagemaker.arns import REGION
from tests.faults.component_world import KEY, ROLE, ComponentWorld, deployment, manifest

HOST = ObjectKey("default", "host")


def annotated(obj: JsonObject, **annotations: str) -> JsonObject:
    """The same object with annotations of ours."""
    prefixed = {f"sagemaker.aws.amazon.com/{name.replace('_', '-')}": text for name, text in annotations.items()}
    return {**obj, "metadata": {**obj["metadata"], "annotations": prefixed}}


def message(world: ComponentWorld, type_: str = "Reconciling") -> str:
    """The message of a condition."""
    return next(each["message"] for each in world.status["conditions"] if each["type"] == type_)


# --- the endpoint


def test_a_component_waits_for_its_deployment_and_is_woken_by_it() -> None:
    """By the name of the object, whatever the endpoint is called at SageMaker; and nothing is asked meanwhile."""
    world = ComponentWorld(HOSTING_DEPLOYMENT, MODEL, ENDPOINT_CONFIG)
    world.apply(manifest(endpoint="host", variantName="all"))
    world.run(5)
    assert world.condition("Reconciling") == ("True", "WaitingForEndpoint"), "nothing of this name is known yet"
    world.clusters[HOSTING_DEPLOYMENT.kind].apply(deployment())
    world.run(20)
    assert message(world) == "Waits for HostingDeployment default/host to be InService, which is Creating"
    assert "CreateInferenceComponent" not in world.sagemaker.operations
    world.until(lambda: bool(world.sagemaker.components.components), within_s=60)
    world.serves("image:1")
    (name,) = world.sagemaker.hosting.endpoints.keys() - {"e"}
    assert world.component.request["EndpointName"] == world.status["endpointName"] == name != "host"


@pytest.mark.parametrize(
    ("prepare", "variant", "said"),
    [
        pytest.param(lambda _: None, "b", "the endpoint x has no variant b (there: all)", id="another variant"),
        pytest.param(lambda world: world.endpoint("x", "Updating"), "all", "the endpoint x is Updating", id="busy"),
        pytest.param(
            lambda world: world.sagemaker.hosting.endpoints.pop("x"),
            "all",
            "the endpoint that the spec names does not exist at SageMaker",
            id="missing",
        ),
    ],
)
def test_the_endpoint_of_others_is_looked_at_before_anything_is_created(
    prepare: Callable[[ComponentWorld], object], variant: str, said: str
) -> None:
    """Clear words instead of AWS's; it is looked at again, ever more rarely."""
    world = ComponentWorld()
    world.endpoint("x")
    prepare(world)
    world.apply(manifest(endpoint="x", variantName=variant))
    world.run(600, step_s=5)
    assert message(world) == said
    assert world.condition("Reconciling") == ("True", "WaitingForEndpoint")
    assert "CreateInferenceComponent" not in world.sagemaker.operations
    assert world.sagemaker.operations.count("DescribeEndpoint") < 12
    world.endpoint("x")
    world.sagemaker.hosting.endpoints["x"].variants = (
        *world.sagemaker.hosting.endpoints["x"].variants,
        {"VariantName": "b", "InitialInstanceCount": 1},
    )
    world.serves("image:1")


def test_a_component_that_went_with_its_endpoint_shows_it_and_comes_back_with_it() -> None:
    """Others have deleted both: what is Ready=True must be there."""
    world = ComponentWorld()
    world.apply(manifest())
    world.serves("image:1")
    world.sagemaker.components.components.clear()
    gone = world.sagemaker.hosting.endpoints.pop("e")
    world.run(180, step_s=5)
    assert world.condition("Ready") == ("False", "WaitingForEndpoint")
    assert world.value == "ReconcilingInferenceComponent"
    world.sagemaker.hosting.endpoints["e"] = gone
    world.serves("image:1")


def test_a_deployment_is_deleted_after_the_components_on_its_endpoint() -> None:
    """AWS refuses the deletion until then; the deployment says for what it waits, and is woken."""
    world = ComponentWorld(HOSTING_DEPLOYMENT, MODEL, ENDPOINT_CONFIG)
    deployments = world.clusters[HOSTING_DEPLOYMENT.kind]
    deployments.apply(deployment())
    world.apply(manifest(endpoint="host"))
    world.serves("image:1")
    deployments.delete(HOST)
    world.run(60)
    conditions = {each["type"]: each for each in (deployments.peek(HOST) or {})["status"]["conditions"]}
    assert conditions["Reconciling"]["reason"] == "InUse"
    assert conditions["Reconciling"]["message"].startswith("InferenceComponent default/llm runs on the endpoint")
    assert "DeleteEndpoint" not in world.sagemaker.operations
    world.delete()
    world.until(lambda: world.is_gone() and deployments.peek(HOST) is None, within_s=240)
    assert world.sagemaker.hosting.endpoints.keys() == {"e"}


def test_a_deployment_with_components_of_others_on_its_endpoint_shows_why_it_stays() -> None:
    """No object stands for them: AWS's words are shown, and it is tried again."""
    world = ComponentWorld(HOSTING_DEPLOYMENT, MODEL, ENDPOINT_CONFIG)
    deployments = world.clusters[HOSTING_DEPLOYMENT.kind]
    deployments.apply(deployment())
    world.until(lambda: any(each.value == "InService" for each in list(world.sagemaker.hosting.endpoints.values())[1:]))
    real = world.sagemaker.hosting.components_on
    world.sagemaker.hosting.components_on = lambda name: ["theirs"]
    deployments.delete(HOST)
    world.run(120, step_s=5)
    conditions = {each["type"]: each for each in (deployments.peek(HOST) or {})["status"]["conditions"]}
    assert "inference components" in conditions["Reconciling"]["message"]
    world.sagemaker.hosting.components_on = real
    world.until(lambda: deployments.peek(HOST) is None)


# --- models and bases


def model(version: str) -> JsonObject:
    """A Model object."""
    container = {"image": "image", "environment": [{"name": "VERSION", "value": version}]}
    return {
        "apiVersion": "sagemaker.aws.amazon.com/v1",
        "kind": "Model",
        "metadata": {"namespace": "default", "name": "m"},
        "spec": {"region": REGION, "executionRoleArn": ROLE, "primaryContainer": container},
    }


def of_model(name: str = "m") -> JsonObject:
    """A component of a model."""
    requirements = {"minMemoryRequiredInMb": 1024}
    return manifest(specification={"modelName": name, "computeResourceRequirements": requirements})


def test_a_component_follows_the_model_that_it_names_by_its_object() -> None:
    """An edited Model gets another name at SageMaker; the old one stays until the component has left it."""
    world = ComponentWorld(MODEL)
    world.apply(of_model())
    world.clusters[MODEL.kind].apply(model("1"))
    world.serves("")
    (first,) = world.sagemaker.hosting.models
    assert world.component.specification["ModelName"] == first
    assert world.status["modelNames"] == [{"name": "m", "value": first}]
    world.clusters[MODEL.kind].edit(ObjectKey("default", "m"), model("2")["spec"])
    world.until(lambda: world.component.value == "Updating", within_s=60)
    assert first in world.sagemaker.hosting.models, "the component runs it until the update is complete"
    world.serves("")
    world.until(lambda: len(world.sagemaker.hosting.models) == 1)
    (second,) = world.sagemaker.hosting.models
    assert world.component.specification["ModelName"] == second != first


def test_an_adapter_waits_for_its_base() -> None:
    """Both are components, and the base has another name at SageMaker."""
    world = ComponentWorld()
    adapter = manifest(copies=None, specification={"baseInferenceComponentName": "base"})
    world.apply(adapter)
    base = manifest()
    base["metadata"]["name"] = "base"
    world.apply(base)
    world.until(world.is_ready)
    named = world.sagemaker.components.components[world.status["inferenceComponentName"]]
    assert named.specification["BaseInferenceComponentName"].startswith("base-")


# --- autoscaling


def claimed(world: ComponentWorld) -> None:
    """A policy of the cluster has claimed the component's copies."""
    resource_id = f"inference-component/{world.status['inferenceComponentName']}"
    policy = {
        "apiVersion": "sagemaker.aws.amazon.com/v1",
        "kind": "HostingAutoscalingPolicy",
        "metadata": {"namespace": "default", "name": "scale"},
        "spec": {"region": REGION},
        "status": {"resourceIDList": [resource_id]},
    }
    world.clusters[HOSTING_AUTOSCALING_POLICY.kind].apply(policy)


def targeted(world: ComponentWorld) -> None:
    """Others have registered the component as a target."""
    world.sagemaker.scaling.bounds[f"inference-component/{world.status['inferenceComponentName']}"] = 9


def scaled_to(world: ComponentWorld, copies: int) -> None:
    """Autoscaling, or anybody else, changes the copies."""
    world.component.copies, world.component.modified = copies, world.clock.utcnow()


@pytest.mark.parametrize("scales", [claimed, targeted])
def test_copies_that_autoscaling_sets_are_no_drift_and_are_not_written_back(
    scales: Callable[[ComponentWorld], None],
) -> None:
    """Neither by an update of the specification nor by an edit of the copies."""
    world = ComponentWorld(HOSTING_AUTOSCALING_POLICY)
    world.apply(annotated(manifest(), drift_policy="correct"))
    world.serves("image:1")
    scales(world)
    scaled_to(world, 5)
    world.serves("image:1", 5)
    world.apply(annotated(manifest(image="image:2", copies=2), drift_policy="correct"))
    world.serves("image:2", 5)
    assert "sets the copies" in message(world, "Ready")
    assert "UpdateInferenceComponentRuntimeConfig" not in world.sagemaker.operations
    assert world.condition("Drifted") in {None, ("False", "InSync")}


def test_copies_that_a_policy_has_left_behind_are_drift() -> None:
    """As the instances of a variant."""
    world = ComponentWorld(HOSTING_AUTOSCALING_POLICY)
    world.apply(manifest())
    world.serves("image:1")
    claimed(world)
    scaled_to(world, 5)
    world.serves("image:1", 5)
    world.clusters[HOSTING_AUTOSCALING_POLICY.kind].delete(ObjectKey("default", "scale"))
    world.until(lambda: world.condition("Drifted") == ("True", "Drifted"), within_s=60)
    assert "runtimeConfig.copyCount is 5, and 1 was applied" in message(world, "Drifted")


# --- drift, adoption, failure


def changed_by_others(world: ComponentWorld) -> None:
    """Others give the component another image."""
    container = {**world.component.specification["Container"], "Image": "theirs"}
    world.component.specification = {**world.component.specification, "Container": container}
    world.component.modified = world.clock.utcnow()


@pytest.mark.parametrize("corrects", [True, False])
def test_drift_is_reported_and_corrected_where_that_is_asked_for(*, corrects: bool) -> None:
    """Without the annotation the component stays as others have changed it, and is Ready."""
    world = ComponentWorld()
    world.apply(annotated(manifest(), **({"drift_policy": "correct"} if corrects else {})))
    world.serves("image:1")
    changed_by_others(world)
    world.until(lambda: "Drifted" in world.reasons())
    if corrects:
        world.serves("image:1")
        assert "DriftCorrected" in world.reasons()
        assert DRIFT_POLICY.key in world.obj["metadata"]["annotations"]
        return
    world.run(1200, step_s=10)
    assert world.condition("Ready") == ("True", "Drifted")
    assert "UpdateInferenceComponent" not in world.sagemaker.operations


@pytest.mark.parametrize("adopts", [True, False])
def test_a_component_of_others_is_taken_over_only_where_that_is_asked_for(*, adopts: bool) -> None:
    """By a name of the user's choice."""
    world = ComponentWorld()
    world.apply(manifest(inferenceComponentName="shared"))
    world.serves("image:1")
    world.sagemaker.components.others(INFERENCE_COMPONENT, "shared")
    world.cluster.delete(KEY)
    world.until(lambda: world.obj is None)
    assert "shared" in world.sagemaker.components.components, "it is not the object's any more"
    spec = manifest(image="image:2", inferenceComponentName="shared")
    world.apply(annotated(spec, adoption_policy="adopt") if adopts else spec)
    if adopts:
        world.serves("image:2")
        assert "Adopted" in world.reasons()
        assert ADOPTION_POLICY.key in world.obj["metadata"]["annotations"]
        return
    world.run(60)
    assert world.condition("Stalled") == ("True", "AlreadyExists")
    assert world.component.specification["Container"]["Image"] == "image:1"


def test_a_component_that_was_replaced_by_others_is_left_alone() -> None:
    """A name is no identity: neither updated nor deleted."""
    world = ComponentWorld()
    world.apply(manifest(inferenceComponentName="shared"))
    world.serves("image:1")
    world.clock.advance(60)
    world.sagemaker.components.others(INFERENCE_COMPONENT, "shared")
    world.apply(manifest(image="image:2", inferenceComponentName="shared"))
    world.run(120, step_s=5)
    assert world.condition("Stalled") == ("True", "ForeignResource")
    world.delete()
    world.until(lambda: world.obj is None)
    assert world.component.specification["Container"]["Image"] == "image:1"


@pytest.mark.parametrize("recreates", [True, False])
def test_a_failed_component_is_made_again_only_where_that_is_asked_for(*, recreates: bool) -> None:
    """AWS allows its deletion only."""
    world = ComponentWorld()
    world.sagemaker.components.bad_image = "image:1"
    marks = {"recreate_on_failure": "true"} if recreates else {}
    world.apply(annotated(manifest(), **marks))
    world.until(lambda: world.condition("Stalled") == ("True", "ComponentFailed"))
    assert "it does not start" in message(world, "Stalled")
    world.apply(annotated(manifest(image="image:2"), **marks))
    if recreates:
        world.serves("image:2")
        return
    world.run(120, step_s=5)
    assert world.condition("Synced") == ("False", "UpdateBlocked")
    assert world.component.value == "Failed"


def test_a_failed_update_is_tried_again_when_that_is_asked_for() -> None:
    """Annotation `reconcile-at`: what was in the way may be gone."""
    world = ComponentWorld()
    world.apply(manifest())
    world.serves("image:1")
    world.sagemaker.components.bad_image = "image:2"
    world.apply(manifest(image="image:2"))
    world.until(lambda: world.condition("Stalled") == ("True", "UpdateFailed"))
    world.sagemaker.components.bad_image = ""
    world.apply(annotated(manifest(image="image:2"), reconcile_at="now"))
    world.serves("image:2")
    assert RECONCILE_AT.key in world.obj["metadata"]["annotations"]


# --- a policy on a component


SCALE = ObjectKey("default", "scale")
POLICY: JsonObject = {
    "apiVersion": "sagemaker.aws.amazon.com/v1",
    "kind": "HostingAutoscalingPolicy",
    "metadata": {"namespace": SCALE.namespace, "name": SCALE.name},
    "spec": {
        "region": REGION,
        "policyName": "busy",
        "resourceId": [{"inferenceComponentName": "llm"}],
        "minCapacity": 1,
        "maxCapacity": 4,
        "targetTrackingScalingPolicyConfiguration": {
            "targetValue": 10,
            "predefinedMetricSpecification": {"predefinedMetricType": "SageMakerInferenceComponentInvocationsPerCopy"},
        },
    },
}


def is_created(world: ComponentWorld) -> bool:
    """The policy is in place, and shows it."""
    status = (world.clusters[HOSTING_AUTOSCALING_POLICY.kind].peek(SCALE) or {}).get("status") or {}
    return status.get("hostingAutoscalingPolicyStatus") == "Created"


def test_a_policy_waits_for_the_component_that_it_names_by_its_object() -> None:
    """Put on its name at SageMaker, with the dimension of copies; taken away before the component goes."""
    world = ComponentWorld(HOSTING_AUTOSCALING_POLICY)
    policies = world.clusters[HOSTING_AUTOSCALING_POLICY.kind]
    world.apply(manifest())
    policies.apply(POLICY)
    world.run(20)
    conditions = {each["type"]: each for each in (policies.peek(SCALE) or {})["status"]["conditions"]}
    assert conditions["Reconciling"]["reason"] == "WaitingForEndpoint"
    assert conditions["Reconciling"]["message"] == "InferenceComponent llm is Creating"
    assert not world.sagemaker.scaling.bounds
    world.until(lambda: is_created(world), within_s=120)
    resource_id = f"inference-component/{world.status['inferenceComponentName']}"
    assert world.sagemaker.scaling.bounds == {resource_id: 4}
    (put,) = world.sagemaker.scaling.requests.values()
    assert put["ScalableDimension"] == "sagemaker:inference-component:DesiredCopyCount"
    policies.delete(SCALE)
    world.until(lambda: policies.peek(SCALE) is None)
    assert not world.sagemaker.scaling.bounds


def test_a_policy_is_put_again_on_a_component_that_was_made_again() -> None:
    """Its target has gone with the old one."""
    world = ComponentWorld(HOSTING_AUTOSCALING_POLICY)
    world.apply(manifest())
    world.clusters[HOSTING_AUTOSCALING_POLICY.kind].apply(POLICY)
    world.until(lambda: is_created(world))
    world.run(60)
    world.sagemaker.components.components.clear()
    world.sagemaker.scaling.bounds.clear()
    world.sagemaker.scaling.put.clear()
    world.sagemaker.scaling.created.clear()
    world.until(lambda: bool(world.sagemaker.components.components))
    world.until(lambda: bool(world.sagemaker.scaling.put))
    world.until(lambda: is_created(world) and world.is_ready())


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param({"inferenceComponentName": "llm", "endpointName": "e"}, id="both"),
        pytest.param({"inferenceComponentName": 5}, id="no text"),
    ],
)
def test_an_entry_of_a_policy_names_a_variant_or_a_component(entry: JsonObject) -> None:
    """Not both."""
    world = ComponentWorld(HOSTING_AUTOSCALING_POLICY)
    policies = world.clusters[HOSTING_AUTOSCALING_POLICY.kind]
    policies.apply({**POLICY, "spec": {**POLICY["spec"], "resourceId": [entry]}})
    world.run(5)
    conditions = {each["type"]: each for each in (policies.peek(SCALE) or {})["status"]["conditions"]}
    assert (conditions["Stalled"]["status"], conditions["Stalled"]["reason"]) == ("True", "InvalidSpec")
    assert "spec.resourceId[0]" in conditions["Stalled"]["message"]

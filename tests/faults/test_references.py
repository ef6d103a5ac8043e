"""A name in a spec is that of an object of the namespace, if there is one; else it is SageMaker's."""

import copy
from collections.abc import Mapping
from typing import Any

import pytest

from api.descriptor import KindDescriptor
from api.meta import JsonObject, ObjectKey
from api.references import ITEMS, Reference
from api.v1 import BATCH_TRANSFORM_JOB, ENDPOINT_CONFIG, HYPERPARAMETER_TUNING_JOB, KINDS, MODEL, TRAINING_JOB
from controller.aws.errors import AwsError
from controller.reconcile.dependencies import ReferencedObjects
from controller.runtime.errors import ErrorClass
from tests.fakes.job_manifests import MANIFEST, manifest_of
from tests.fakes.world import World
from tests.faults.tuning_world import manifest as tuning_job
from tests.tables import each_row

MISSING = AwsError(ErrorClass.QUOTA, "ValidationException", 'Could not find model "model".')
DENIED = AwsError(ErrorClass.DENIED, "AccessDeniedException", "not yet")
MODEL_KEY = ObjectKey("default", "model")


def of_kind(descriptor: KindDescriptor, name: str, spec: Mapping[str, Any], **metadata: Any) -> JsonObject:
    """An object of a kind."""
    obj = {**copy.deepcopy(MANIFEST), "kind": descriptor.kind, "spec": copy.deepcopy(dict(spec))}
    obj["metadata"] |= {"name": name, **metadata}
    return obj


def model(version: str = "1", name: str = "model") -> JsonObject:
    """A Model."""
    container = {"image": "image", "environment": [{"name": "VERSION", "value": version}]}
    role = "arn:aws:iam::1:role/r"
    return of_kind(MODEL, name, {"region": "us-east-2", "executionRoleArn": role, "primaryContainer": container})


def variant(name: str = "a", model_name: str = "model") -> JsonObject:
    """A variant of an EndpointConfig."""
    return {"variantName": name, "modelName": model_name, "initialInstanceCount": 1, "instanceType": "ml.c5.large"}


def configuration(*variants: JsonObject, **metadata: Any) -> JsonObject:
    """An EndpointConfig."""
    spec = {"region": "us-east-2", "productionVariants": list(variants or (variant(),))}
    return of_kind(ENDPOINT_CONFIG, "config", spec, **metadata)


USERS = [
    pytest.param(BATCH_TRANSFORM_JOB, manifest_of(BATCH_TRANSFORM_JOB), id=BATCH_TRANSFORM_JOB.kind),
    pytest.param(ENDPOINT_CONFIG, configuration(), id=ENDPOINT_CONFIG.kind),
]


class Users(World):
    """Models, and one object that names them."""

    def __init__(self, descriptor: KindDescriptor) -> None:
        super().__init__(descriptor, MODEL)
        self.models = self.clusters[MODEL.kind]
        self.hosting = self.sagemaker.hosting

    def apply(self, obj: JsonObject) -> None:
        """Apply the object that the test is about."""
        self.key = ObjectKey.of(obj)
        self.cluster.apply(obj)

    def named_models(self) -> set[str]:
        """The models that the object's requests, as far as what they made is there, have named."""
        if self.descriptor is BATCH_TRANSFORM_JOB:
            return {job.request["ModelName"] for job in self.aws.jobs.values()}
        return {each["ModelName"] for config in self.hosting.configs.values() for each in config["ProductionVariants"]}

    def model_at_sagemaker(self) -> str:
        """The name of the Model at SageMaker, by its status."""
        status = (self.models.get(MODEL_KEY) or {}).get("status") or {}
        return str(status.get("sageMakerModelName", ""))

    def ready_message(self) -> str:
        """The message of the condition that says what is missing."""
        (message,) = {each["message"] for each in self.status["conditions"] if each["type"] == "Reconciling"}
        return str(message)


@pytest.mark.parametrize(("descriptor", "obj"), USERS)
@pytest.mark.parametrize("is_model_first", [True, False], ids=["model first", "model last"])
def test_a_model_is_named_by_its_object(descriptor: KindDescriptor, obj: JsonObject, is_model_first: bool) -> None:
    """`kubectl apply -f samples/`, in whatever order: SageMaker gets the generated name."""
    world = Users(descriptor)
    if descriptor is BATCH_TRANSFORM_JOB:
        world.aws.always = lambda _: None if world.hosting.models else MISSING
    if is_model_first:
        world.models.apply(model())
    world.apply(obj)
    world.run(1.0)
    if not is_model_first:
        world.models.apply(model())
    world.run(30.0)
    assert world.model_at_sagemaker()
    assert world.named_models() == {world.model_at_sagemaker()}
    assert "DependencyMissing" not in {each["reason"] for each in world.status["conditions"]}


@pytest.mark.parametrize(("descriptor", "obj"), USERS)
def test_a_model_that_is_not_created_yet_is_waited_for_and_named(descriptor: KindDescriptor, obj: JsonObject) -> None:
    """Without a call to AWS, and without a Warning: it is no error."""
    world = Users(descriptor)
    world.sagemaker.hosting.always = lambda each: DENIED if each == "CreateModel" else None
    world.models.apply(model())
    world.apply(obj)
    world.run(150.0)
    assert world.condition("Reconciling") == ("True", "DependencyMissing")
    assert world.condition("Synced") == ("False", "DependencyMissing")
    assert world.condition("Stalled") == ("False", "DependencyMissing")
    assert world.ready_message() == "Waits for Model default/model, which is not created at SageMaker yet"
    assert world.named_models() == set()

    world.sagemaker.hosting.always = lambda _: None
    world.until(lambda: bool(world.model_at_sagemaker()), within_s=400.0)
    world.run(5.0)
    assert world.named_models() == {world.model_at_sagemaker()}


@pytest.mark.parametrize(("descriptor", "obj"), USERS)
def test_a_name_that_no_object_has_is_sagemakers(descriptor: KindDescriptor, obj: JsonObject) -> None:
    """As in v1. An object in another namespace does not count."""
    world = Users(descriptor)
    world.hosting.models["model"] = {"ModelName": "model"}
    world.models.apply(of_kind(MODEL, "model", model()["spec"], namespace="other"))
    world.apply(obj)
    world.run(30.0)
    assert world.named_models() == {"model"}


@pytest.mark.parametrize(("descriptor", "obj"), USERS)
def test_what_waits_for_a_model_can_be_deleted(descriptor: KindDescriptor, obj: JsonObject) -> None:
    """Nothing exists at AWS."""
    world = Users(descriptor)
    world.sagemaker.hosting.always = lambda each: DENIED if each == "CreateModel" else None
    world.models.apply(model())
    world.apply(obj)
    world.run(10.0)
    world.cluster.delete(world.key)
    world.until(lambda: world.obj is None, within_s=30.0)


def test_a_creation_that_may_have_had_its_effect_is_confirmed_before_anything_is_waited_for() -> None:
    """Else the spec could be edited meanwhile (`CreationUnconfirmed`), and the job that there is would be forgotten."""
    world = Users(BATCH_TRANSFORM_JOB)
    silent = AwsError(ErrorClass.RETRYABLE, "ReadTimeout", "no answer", ambiguous=True)
    world.models.apply(model())
    world.run(20.0)
    world.sagemaker.hosting.always = lambda each: DENIED if each == "DeleteModel" else None
    world.aws.always = lambda each: silent if each == "create" else None
    world.apply(manifest_of(BATCH_TRANSFORM_JOB))
    world.run(2.0)
    assert world.condition("Reconciling") == ("True", "CreationUnconfirmed")
    world.models.delete(MODEL_KEY)
    world.run(120.0)
    assert world.condition("Reconciling") == ("True", "CreationUnconfirmed")

    world.aws.always = lambda each: MISSING if each == "create" else None
    world.run(300.0)
    assert world.ready_message() == "Waits for Model default/model, which is being deleted"


def test_a_configuration_follows_its_model_and_keeps_the_old_one_until_it_has() -> None:
    """An edit of a Model gets another name at SageMaker. The fake fails where a model is deleted that one names."""
    world = Users(ENDPOINT_CONFIG)
    world.models.apply(model())
    world.apply(configuration())
    world.run(30.0)
    first, (config,) = world.model_at_sagemaker(), world.hosting.configs
    assert world.status["modelNames"] == [{"name": "model", "value": first}]

    world.sagemaker.hosting.always = lambda each: DENIED if each == "CreateEndpointConfig" else None
    world.models.apply({**(world.models.get(MODEL_KEY) or {}), "spec": model("2")["spec"]})
    world.run(60.0)
    assert world.model_at_sagemaker() != first
    assert first in world.hosting.models, "the configuration cannot be replaced yet"
    world.sagemaker.hosting.always = lambda _: None
    world.until(lambda: first not in world.hosting.models, within_s=600.0)
    assert world.named_models() == {world.model_at_sagemaker()}
    assert config not in world.hosting.configs
    assert world.status["modelNames"] == [{"name": "model", "value": world.model_at_sagemaker()}]
    assert world.condition("Ready") == ("True", "Created")


def test_a_configuration_whose_model_is_being_deleted_says_so_and_stays_as_it_is() -> None:
    """The model is deleted, as by the predecessor and by AWS: no deletion waits for those that name it."""
    world = Users(ENDPOINT_CONFIG)
    world.models.apply(model())
    world.apply(configuration())
    world.run(30.0)
    named = world.named_models()
    world.sagemaker.hosting.always = lambda each: DENIED if each == "DeleteModel" else None
    world.models.delete(MODEL_KEY)
    world.run(30.0)
    assert world.ready_message() == "Waits for Model default/model, which is being deleted"
    assert world.condition("Ready") == ("True", "Created")
    assert world.named_models() == named


def test_a_name_that_was_an_objects_is_not_taken_for_sagemakers_when_the_object_is_gone() -> None:
    """Else the deletion of a Model would switch a configuration to another model."""
    obj = configuration(uid="1")
    obj["status"] = {"modelNames": [{"name": "model", "value": "model-at-sagemaker"}]}
    world = Users(ENDPOINT_CONFIG)
    found = ReferencedObjects(ENDPOINT_CONFIG, {MODEL.kind: world.models.store}).resolve(obj)
    assert found.waits_for == "Model default/model, which does not exist any more"


def test_a_deployments_own_configuration_has_sagemakers_names() -> None:
    """A Model of the user's that is called as one of them changes nothing."""
    owner = {"apiVersion": "sagemaker.aws.amazon.com/v1", "kind": "HostingDeployment", "name": "host", "uid": "2"}
    world = Users(ENDPOINT_CONFIG)
    world.models.apply(model())
    world.run(10.0)
    references = ReferencedObjects(ENDPOINT_CONFIG, {MODEL.kind: world.models.store})
    for controller, resolved in ((True, {}), (False, {"Model": {"model": world.model_at_sagemaker()}})):
        obj = configuration(uid="1", ownerReferences=[{**owner, "controller": controller}])
        assert references.resolve(obj).names == resolved


def test_a_tuning_job_waits_for_the_end_of_its_parent() -> None:
    """SageMaker takes parents that have ended only (`WarmStartConfig`)."""
    world = World(HYPERPARAMETER_TUNING_JOB, TRAINING_JOB)
    first, second = tuning_job(), tuning_job()
    first["metadata"]["name"], second["metadata"]["name"] = "first", "second"
    parents = [{"hyperParameterTuningJobName": "first"}]
    second["spec"]["warmStartConfig"] = {
        "warmStartType": "IdenticalDataAndAlgorithm",
        "parentHyperParameterTuningJobs": parents,
    }
    world.key = ObjectKey.of(second)
    world.cluster.apply(second)
    world.cluster.apply(first)
    world.run(30.0)
    ((_, parent),) = world.aws.jobs
    assert world.condition("Reconciling") == ("True", "DependencyMissing")
    message = "Waits for HyperparameterTuningJob default/first to end, which is InProgress"
    assert message in {each["message"] for each in world.status["conditions"]}

    world.aws.end_all(parent, "Completed")
    world.aws.move(parent, "Completed")
    world.run(60.0)
    ((_, _), (_, child)) = world.aws.jobs
    given = world.aws.jobs["us-east-2", child].request["WarmStartConfig"]["ParentHyperParameterTuningJobs"]
    assert given == [{"HyperParameterTuningJobName": parent}]


@each_row(
    "reference",
    [pytest.param(each, id=f"{kind.kind}:{'.'.join(each.path)}") for kind in KINDS for each in kind.references],
)
def test_only_the_names_of_a_reference_are_replaced(reference: Reference) -> None:
    """What has another form than the schema demands is left as it is: the conversion reports it."""
    spec: Any = "model"
    for step in reversed(reference.path):
        spec = [spec, {"other": "model"}] if step == ITEMS else {step: spec, "also": "model"}
    assert list(reference.names_in(spec)) == ["model"]
    replaced = reference.replaced(spec, {"model": "model-1"})
    assert list(reference.names_in(replaced)) == ["model-1"]
    assert str(replaced).count("'model'") == str(spec).count("'model'") - 1
    for odd in ({}, {reference.path[0]: None}, {reference.path[0]: [1, None]}, {reference.path[0]: {"x": 1}}):
        assert list(reference.names_in(odd)) == []
        assert reference.replaced(odd, {"model": "model-1"}) == odd

"""What the first operator of this API group leaves behind, on both sides: objects, resources, and itself.

Objects as v1-kinds.md describes them (sections 4, 5, 7, 9): finalizers, labels and statuses of version 1, nothing else;
children named by generation, without owner references. Resources at SageMaker without tags of ours.
"""

from typing import Any

import boto3
from botocore.config import Config

from api.autoscaling import requests
from api.convert import to_request
from api.descriptor import KindDescriptor, LifeCycle
from api.meta import JsonObject
from api.naming import child_name, sagemaker_name
from api.v1 import ENDPOINT_CONFIG, HOSTING_AUTOSCALING_POLICY, HOSTING_DEPLOYMENT, MODEL, TRAINING_JOB
from tests.empties import without_empties
from tests.sandbox.harness import Api
from tests.sandbox.hosting_scene import REGION, sample

FINALIZER = "sagemaker-operator-finalizer"
TUNING_FINALIZER = "sagemaker-operator-hpo-trainingjob"
CHECKED = "2021-03-01T12:00:00Z"


class Predecessor:
    """Makes objects and resources as it did. Not an operator: nothing of it runs."""

    def __init__(self, api: Api, aws_url: str) -> None:
        self._api = api
        session = boto3.session.Session("test", "test", region_name=REGION)
        config = Config(retries={"total_max_attempts": 1})
        self.sagemaker: Any = session.client("sagemaker", endpoint_url=aws_url, config=config)
        self.scaling: Any = session.client("application-autoscaling", endpoint_url=aws_url, config=config)

    def job(self, kind: KindDescriptor, manifest: JsonObject, value: str) -> JsonObject:
        """A job that was created at SageMaker and is shown with the status `value`."""
        obj = self._made(kind, manifest)
        name = sagemaker_name(obj["metadata"]["name"], obj["metadata"]["uid"], kind.name.max_length)
        if kind.name.late_initialized:
            obj = self._patched(kind, obj, {"spec": {kind.name.spec_field: name}})
        self._send(kind, obj["spec"], name)
        status = {kind.name.status_field: name, kind.status.field: value, "lastCheckTime": CHECKED}
        return self._shown(kind, obj, status)

    def job_by_others(self, kind: KindDescriptor, manifest: JsonObject, name: str) -> JsonObject:
        """A job that somebody else created under `name`; returns the manifest that names it. Nothing in the cluster."""
        self._send(kind, manifest["spec"], name)
        return manifest | {"spec": manifest["spec"] | {kind.name.spec_field: name}}

    def endpoint_by_others(self, manifest: JsonObject, name: str) -> str:
        """An endpoint with model and configuration that somebody else made under `name`. Nothing in the cluster."""
        (model,), (container,) = manifest["spec"]["models"], manifest["spec"]["containers"]
        own = {"executionRoleArn": model["executionRoleArn"], "primaryContainer": container}
        self._send(MODEL, {"region": REGION, **own}, name)
        variants = [each | {"modelName": name} for each in manifest["spec"]["productionVariants"]]
        self._send(ENDPOINT_CONFIG, {"region": REGION, "productionVariants": variants}, name)
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
        return name

    def spawned(self, tuning: JsonObject, name: str) -> JsonObject:
        """The object of a training job that a tuning job has launched: found again by name, held by two finalizers."""
        described = self.sagemaker.describe_training_job(TrainingJobName=name)
        spec = sample("xgboost-mnist-trainingjob")["spec"] | {"trainingJobName": name}
        spec["roleArn"] = described["RoleArn"]
        manifest = {
            "apiVersion": tuning["apiVersion"],
            "kind": TRAINING_JOB.kind,
            "metadata": {"name": name},
            "spec": spec,
        }
        obj = self._made(TRAINING_JOB, manifest, TUNING_FINALIZER)
        status = {"sageMakerTrainingJobName": name, "trainingJobStatus": "InProgress", "secondaryStatus": "Training"}
        return self._shown(TRAINING_JOB, obj, status)

    def hosting(self, manifest: JsonObject) -> JsonObject:
        """A deployment in the older form with its children and an endpoint that serves, or soon does."""
        owner = self._made(HOSTING_DEPLOYMENT, manifest)
        (model,), (container,) = owner["spec"]["models"], owner["spec"]["containers"]
        own = {"executionRoleArn": model["executionRoleArn"], "primaryContainer": container | {"mode": "SingleModel"}}
        made = self._child(MODEL, owner, model["name"], own)
        variants = [each | {"modelName": made} for each in owner["spec"]["productionVariants"]]
        configuration = self._child(ENDPOINT_CONFIG, owner, owner["metadata"]["name"], {"productionVariants": variants})
        endpoint = sagemaker_name(owner["metadata"]["name"], owner["metadata"]["uid"], 63)
        self.sagemaker.create_endpoint(EndpointName=endpoint, EndpointConfigName=configuration)
        status = {
            "endpointName": endpoint,
            "endpointStatus": "InService",
            "endpointArn": self.sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointArn"],
            "endpointConfigName": configuration,
            "endpointUrl": f"https://runtime.sagemaker.{REGION}.amazonaws.com/endpoints/{endpoint}/invocations",
            "modelNames": [{"name": model["name"], "value": made}],
            "lastCheckTime": CHECKED,
        }
        return self._shown(HOSTING_DEPLOYMENT, owner, status)

    def scaled(self, manifest: JsonObject) -> JsonObject:
        """A policy in place for every variant that it names. The defaults were written into its spec."""
        defaults = {
            "serviceNamespace": "sagemaker",
            "scalableDimension": "sagemaker:variant:DesiredInstanceCount",
            "policyType": "TargetTrackingScaling",
            "suspendedState": {
                "dynamicScalingInSuspended": False,
                "dynamicScalingOutSuspended": False,
                "scheduledScalingSuspended": False,
            },
        }
        kind = HOSTING_AUTOSCALING_POLICY
        obj = self._made(kind, manifest | {"spec": defaults | manifest["spec"]})
        for each in requests(obj["spec"]):
            self.scaling.register_scalable_target(**{key: value for key, value in each.target.items() if key != "Tags"})
            self.scaling.put_scaling_policy(**each.policy)
        status = {
            "hostingAutoscalingPolicyStatus": "Created",
            "policyName": obj["spec"]["policyName"],
            "resourceIDList": [each.resource_id for each in requests(obj["spec"])],
        }
        return self._shown(kind, obj, status)

    def _child(self, kind: KindDescriptor, owner: JsonObject, base: str, spec: JsonObject) -> str:
        """A Model or EndpointConfig object of a deployment and its resource; returns the name at SageMaker."""
        metadata = owner["metadata"]
        labels = {
            "owner_HostingDeployment_namespace": metadata["namespace"],
            "owner_HostingDeployment_name": metadata["name"],
        }
        manifest = {
            "apiVersion": owner["apiVersion"],
            "kind": kind.kind,
            "metadata": {"name": child_name(base, metadata["uid"], 1), "labels": labels},
            "spec": {"region": REGION, **spec},
        }
        obj = self._made(kind, manifest)
        name = sagemaker_name(obj["metadata"]["name"], obj["metadata"]["uid"], kind.name.max_length)
        answer = self._send(kind, obj["spec"], name)
        arn = next(value for key, value in answer.items() if key.endswith("Arn"))
        field = "modelArn" if kind is MODEL else "endpointConfigArn"
        self._shown(
            kind, obj, {"status": "Created", kind.name.status_field: name, field: arn, "lastUpdateTime": CHECKED}
        )
        return name

    def _send(self, kind: KindDescriptor, spec: JsonObject, name: str) -> dict[str, Any]:
        """The Create call, without tags of anybody's."""
        request = to_request(kind, spec) | {kind.name.member: name}
        create = kind.operations.create
        made: dict[str, Any] = self.sagemaker._make_api_call(create, request)
        return made

    def _made(self, kind: KindDescriptor, manifest: JsonObject, *more: str) -> JsonObject:
        held = manifest | {"metadata": manifest["metadata"] | {"finalizers": [*more, FINALIZER]}}
        if kind.life_cycle is LifeCycle.JOB:  # in Go, what is empty was left out
            held["spec"] = without_empties(held["spec"])
        return self._api.create(held, plural=kind.plural)

    def _patched(self, kind: KindDescriptor, obj: JsonObject, change: JsonObject, below: str = "") -> JsonObject:
        path = self._api.path(obj["metadata"]["name"], plural=kind.plural) + below
        return self._api.call("PATCH", path, change, "application/merge-patch+json")

    def _shown(self, kind: KindDescriptor, obj: JsonObject, status: JsonObject) -> JsonObject:
        return self._patched(kind, obj, {"status": status}, "/status")

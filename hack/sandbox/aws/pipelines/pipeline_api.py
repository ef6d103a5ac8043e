"""The operations of pipelines: create, describe, update, delete, list."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from hack.sandbox.aws.jobs.job_api import Operation
from hack.sandbox.aws.pipelines.definition import parse
from hack.sandbox.aws.records.listing import answered
from hack.sandbox.aws.records.resource import ErrorText, Kind, Resource, Store, stamp
from hack.sandbox.aws.records.tags import tag_map
from hack.sandbox.aws.records.validation import validate
from hack.sandbox.aws.wire import Call, invalid

_IN_S3 = '{"Version": "2020-12-01", "Steps": []}'
"""What is shown of a definition that is in a bucket."""
_APART = frozenset({"ClientRequestToken", "Tags"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline(Resource):
    """One pipeline."""

    changed_at: float

    def status_at(self, _now: float) -> str:
        """Return the status: there is one only."""
        return "Active"

    def modified_at(self, _now: float) -> float:
        """Return when it was updated last."""
        return self.changed_at


def _described(pipeline: Pipeline, _now: float) -> dict[str, Any]:
    """Return what Describe adds: the definition, but not where it was; the sandbox reads no objects of S3."""
    shown = {"PipelineDisplayName": pipeline.name, "PipelineDefinition": _IN_S3, **pipeline.request}
    shown.pop("PipelineDefinitionS3Location", None)
    return {**shown, "PipelineStatus": "Active", "LastModifiedTime": stamp(pipeline.changed_at)}


def _summarized(pipeline: Pipeline, now: float) -> dict[str, Any]:
    shown = ("PipelineDisplayName", "PipelineDescription", "RoleArn", "LastModifiedTime")
    return {member: value for member, value in _described(pipeline, now).items() if member in shown}


PIPELINE: Kind[Pipeline] = Kind(
    resource="Pipeline",
    arn_segment="pipeline",
    items_member="PipelineSummaries",
    not_found=ErrorText("ResourceNotFound", "Pipeline '{arn}' does not exist."),
    exists=ErrorText(
        "ValidationException",
        "Pipeline names must be unique within an AWS account and region. Pipeline with name ({name}) already exists.",
    ),
    describe=_described,
    summary=_summarized,
)


@dataclass(frozen=True, slots=True)
class PipelineApi:
    """The operations over one store."""

    store: Store

    def operations(self) -> dict[str, Operation]:
        """Return operation name → handler, to be merged into the service's table."""
        return {
            "CreatePipeline": self.create,
            "DescribePipeline": self.describe,
            "UpdatePipeline": self.update,
            "DeletePipeline": self.delete,
            "ListPipelines": self.list,
        }

    def create(self, call: Call) -> dict[str, Any]:
        """Store a pipeline."""
        validate("sagemaker", call.operation, call.params)
        name, request = call.params["PipelineName"], _request(call.params)
        if ("PipelineDefinition" in request) == ("PipelineDefinitionS3Location" in request):
            raise invalid("Exactly one of PipelineDefinition and PipelineDefinitionS3Location must be specified.")
        if "PipelineDefinition" in request:
            parse(request["PipelineDefinition"])
        pipeline = Pipeline(
            name=name,
            arn=PIPELINE.arn(call, name),
            region=call.region,
            account=call.account,
            request=request,
            created_at=call.now,
            changed_at=call.now,
            tags=tag_map(call.params.get("Tags") or ()),
        )
        self.store.add(PIPELINE, pipeline)
        return {"PipelineArn": pipeline.arn}

    def describe(self, call: Call) -> dict[str, Any]:
        """Return the description of a pipeline, named or by its ARN."""
        validate("sagemaker", call.operation, call.params)
        pipeline = self.store.get(PIPELINE, call, name_of(call.params["PipelineName"]))
        return self._summary(pipeline) | _described(pipeline, call.now)

    def update(self, call: Call) -> dict[str, Any]:
        """Change the members that the call gives."""
        validate("sagemaker", call.operation, call.params)
        changes = _request(call.params)
        if "PipelineDefinition" in changes:
            parse(changes["PipelineDefinition"])
        pipeline = self.store.change(
            PIPELINE,
            call,
            call.params["PipelineName"],
            lambda known: replace(known, request=_merged(known.request, changes), changed_at=call.now),
        )
        return {"PipelineArn": pipeline.arn}

    def delete(self, call: Call) -> dict[str, Any]:
        """Remove a pipeline; its executions stay."""
        validate("sagemaker", call.operation, call.params)
        name = call.params["PipelineName"]
        self.store.remove(PIPELINE, call, name)
        return {"PipelineArn": PIPELINE.arn(call, name)}

    def list(self, call: Call) -> dict[str, Any]:
        """Return a page of summaries."""
        validate("sagemaker", call.operation, call.params)
        return answered(PIPELINE, call, self.store, lambda each: self._summary(each) | PIPELINE.summary(each, call.now))

    def _summary(self, pipeline: Pipeline) -> dict[str, Any]:
        return {
            "PipelineName": pipeline.name,
            "PipelineArn": pipeline.arn,
            "CreationTime": stamp(pipeline.created_at),
        }


def name_of(given: str) -> str:
    """Return the name of a pipeline that is given by name or ARN."""
    return given.rpartition(":pipeline/")[2]


def _request(params: Mapping[str, Any]) -> dict[str, Any]:
    return {member: value for member, value in params.items() if member not in _APART}


def _merged(request: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a request with changes; of the two places of a definition, only the newer one counts."""
    places = {"PipelineDefinition", "PipelineDefinitionS3Location"}
    kept = {name: value for name, value in request.items() if not (name in places and places & changes.keys())}
    return {**kept, **changes}

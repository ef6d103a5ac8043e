"""sagemaker-core, the typed resources of the SageMaker SDK, on the sandbox's SageMaker.

Each answer is validated on arrival, by pydantic: a member that is missing, or of another type than AWS's, raises.
"""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from sagemaker.core import resources, shapes
from sagemaker.core.utils.exceptions import FailedStatusError

from tests.clients.conftest import IMAGE, ROLE

pytestmark = pytest.mark.usefixtures("scene")
Create = Callable[..., resources.TrainingJob]


@pytest.fixture
def create() -> Create:
    """Creates a training job: `TrainingJob.create` reads it back at once."""

    def made(name: str, **members: Any) -> resources.TrainingJob:
        return resources.TrainingJob.create(
            training_job_name=name,
            role_arn=ROLE,
            algorithm_specification=shapes.AlgorithmSpecification(training_image=IMAGE, training_input_mode="File"),
            output_data_config=shapes.OutputDataConfig(s3_output_path="s3://bucket/models"),
            resource_config=shapes.ResourceConfig(instance_count=1, instance_type="ml.m4.xlarge", volume_size_in_gb=5),
            stopping_condition=shapes.StoppingCondition(max_runtime_in_seconds=3600),
            **members,
        )

    return made


def test_a_training_job_is_created_waited_for_found_and_deleted(create: Create) -> None:
    """Also while it has no artifacts, which the type of its answer requires to be complete or absent."""
    job = create("core-life", hyper_parameters={"max_depth": "5"})
    assert job.training_job_status == "InProgress"
    assert not job.model_artifacts
    job.wait(poll=1)
    found = resources.TrainingJob.get("core-life")
    assert found.training_job_status == "Completed"
    assert found.model_artifacts.s3_model_artifacts == "s3://bucket/models/core-life/output/model.tar.gz"
    assert [each.training_job_name for each in resources.TrainingJob.get_all(name_contains="core-life")] == [
        "core-life"
    ]
    with pytest.raises(ClientError, match="is in status Completed"):
        found.stop()
    found.delete()
    with pytest.raises(ClientError, match="Requested resource not found"):
        resources.TrainingJob.get("core-life")


def test_a_job_that_fails_ends_the_wait_with_its_reason(create: Create) -> None:
    """Which the waiter reads from FailureReason."""
    job = create("core-fails", environment={"SANDBOX_FAIL": "no data"})
    with pytest.raises(FailedStatusError, match="AlgorithmError: no data"):
        job.wait(poll=1)


def test_a_job_that_is_stopped_ends_the_wait_as_well(create: Create) -> None:
    """Stopping, then Stopped."""
    job = create("core-stops", environment={"SANDBOX_SECONDS": "3600"})
    job.stop()
    job.wait(poll=1)
    assert job.training_job_status == "Stopped"


def test_a_model_is_served_by_an_endpoint_updated_and_deleted() -> None:
    """Model, configuration and endpoint with its waiters, and an invocation."""
    resources.Model.create(
        model_name="core-model",
        execution_role_arn=ROLE,
        primary_container=shapes.ContainerDefinition(image=IMAGE, model_data_url="s3://bucket/model.tar.gz"),
        tags=[shapes.Tag(key="team", value="one")],
    )
    configs = [
        resources.EndpointConfig.create(
            endpoint_config_name=f"core-config-{instances}",
            production_variants=[
                shapes.ProductionVariant(
                    variant_name="all",
                    model_name="core-model",
                    initial_instance_count=instances,
                    instance_type="ml.c5.large",
                )
            ],
        )
        for instances in (1, 2)
    ]
    endpoint = resources.Endpoint.create(endpoint_name="core-endpoint", endpoint_config_name="core-config-1")
    endpoint.wait_for_status("InService", poll=1)
    answer = endpoint.invoke(body=b"1,2,3", content_type="text/csv")
    assert answer.invoked_production_variant == "all"
    assert answer.body.read()

    endpoint.endpoint_config_name = configs[1].endpoint_config_name
    endpoint.update()
    endpoint.wait_for_status("InService", poll=1)
    assert (endpoint.endpoint_config_name, endpoint.production_variants[0].current_instance_count) == (
        "core-config-2",
        2,
    )
    endpoint.delete()
    endpoint.wait_for_delete(poll=1)
    with pytest.raises(ClientError, match="Could not find endpoint"):
        resources.Endpoint.get("core-endpoint")


def test_transform_and_processing_jobs_are_waited_for() -> None:
    """Both with the smallest request that their types let through."""
    resources.Model.create(
        model_name="core-transform-model",
        execution_role_arn=ROLE,
        primary_container=shapes.ContainerDefinition(image=IMAGE, model_data_url="s3://bucket/model.tar.gz"),
    )
    transform = resources.TransformJob.create(
        transform_job_name="core-transform",
        model_name="core-transform-model",
        transform_input=shapes.TransformInput(
            data_source=shapes.TransformDataSource(
                s3_data_source=shapes.TransformS3DataSource(s3_data_type="S3Prefix", s3_uri="s3://bucket/in")
            )
        ),
        transform_output=shapes.TransformOutput(s3_output_path="s3://bucket/out"),
        transform_resources=shapes.TransformResources(instance_type="ml.m4.xlarge", instance_count=1),
    )
    processing = resources.ProcessingJob.create(
        processing_job_name="core-processing",
        role_arn=ROLE,
        app_specification=shapes.AppSpecification(image_uri=IMAGE),
        processing_resources=shapes.ProcessingResources(
            cluster_config=shapes.ProcessingClusterConfig(
                instance_count=1, instance_type="ml.m4.xlarge", volume_size_in_gb=5
            )
        ),
    )
    for each in (transform, processing):
        each.wait(poll=1)
    assert (transform.transform_job_status, processing.processing_job_status) == ("Completed", "Completed")


def test_a_name_that_exists_is_refused(create: Create) -> None:
    """With the code by which callers tell it from other refusals."""
    create("core-twice")
    with pytest.raises(ClientError) as refused:
        create("core-twice")
    assert refused.value.response["Error"]["Code"] == "ResourceInUse"

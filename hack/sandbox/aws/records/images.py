"""Refuses images of another region: SageMaker pulls from the registries of its own region only.

Each operation has wording of its own. Sources: reports of users, aws-samples/mlops-amazon-sagemaker#9 (training),
aws/sagemaker-pytorch-inference-toolkit#7 (models), aws/amazon-sagemaker-examples#2422 (processing).
"""

import re

from hack.sandbox.aws.regions import dns_suffixes
from hack.sandbox.aws.wire import invalid

_REGISTRY = re.compile(r"^\d{12}\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.(?P<suffix>[a-z][a-z.]*[a-z])(?:/|$)")


def check_training_image(image: str, region: str) -> None:
    """Raise ValidationException if a training or rule image is in a registry of another region than `region`."""
    found = _elsewhere(image, region)
    if found is not None:
        raise invalid(
            f"Invalid DNS suffix '{found['suffix']}' for region '{found['region']}' in training image. Please provide"
            f" the valid <region>.<dns-suffix>: '{region}.{dns_suffixes()[region]}'"
        )


def check_model_image(image: str, region: str) -> None:
    """Raise ValidationException if a model's image is in a registry of another region than `region`."""
    if _elsewhere(image, region) is not None:
        raise invalid(
            f'Region of "{image}" does not match expected region of {region}.'
            " Cross region ECR image pulls are not allowed."
        )


def check_processing_image(image: str, region: str) -> None:
    """Raise ValidationException if a processing job's image is in a registry of another region than `region`."""
    found = _elsewhere(image, region)
    if found is not None:
        raise invalid(
            f"Invalid region {found['region']} in image URI {image}. Please provide an image URI in region {region}."
        )


def _elsewhere(image: str, region: str) -> re.Match[str] | None:
    """Return the parts of an image's registry if that is ECR of another region; other registries have no region."""
    found = _REGISTRY.match(image)
    return found if found is not None and found["region"] != region else None

"""Where the AWS calls of an object go: identity, region and endpoint, as one key.

Clients, budgets and trackers are kept per `Target`, so that a slow region or a refused credential is nobody else's
problem (DESIGN 5).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from controller.aws.errors import AwsError
from controller.runtime.errors import ErrorClass

BASE_IDENTITY: Final = ""
"""The credentials that the process itself has (the default chain of the SDK)."""

_ENDPOINT_VARIABLE: Final = "AWS_DEFAULT_SAGEMAKER_ENDPOINT"
_REGION_VARIABLES: Final = ("AWS_REGION", "AWS_DEFAULT_REGION")


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """Whose credentials, which region, which SageMaker endpoint. Hashable: the key of everything kept per target."""

    region: str
    endpoint: str = ""
    """URL for SageMaker alone; empty: what the SDK resolves."""
    identity: str = BASE_IDENTITY
    """ARN of the role to assume, or `BASE_IDENTITY`."""


@dataclass(frozen=True, slots=True)
class TargetDefaults:
    """What holds for objects that do not say where they want to be."""

    region: str = ""
    endpoint: str = ""

    @classmethod
    def of(cls, *, aws_region: str, aws_endpoint_url: str, environment: Mapping[str, str]) -> "TargetDefaults":
        """Defaults from the process's settings and its environment (v1-kinds.md 10).

        Region: the setting, then AWS_REGION, then AWS_DEFAULT_REGION. Endpoint: AWS_DEFAULT_SAGEMAKER_ENDPOINT, which
        deployments of the predecessor set, then the setting.
        """
        from_environment = next((environment[name] for name in _REGION_VARIABLES if environment.get(name)), "")
        return cls(
            region=aws_region or from_environment,
            endpoint=environment.get(_ENDPOINT_VARIABLE, "") or aws_endpoint_url,
        )

    def resolve(self, spec: Mapping[str, Any], *, recorded_region: str = "") -> Target:
        """The target of an object with this `spec`.

        `recorded_region` is where its resource was created, and wins: an edit of the spec must not make the operator
        look, and create, elsewhere (D-04). Raises `AwsError` INVALID where nobody names a region, and where region or
        endpoint are no text.
        """
        region = recorded_region or _text(spec, "region") or self.region
        if not region:
            raise AwsError(
                ErrorClass.INVALID,
                "MissingRegion",
                "no region: set spec.region, or start the operator with --aws-region or AWS_REGION",
                sent=False,
            )
        return Target(region=region, endpoint=_text(spec, "sageMakerEndpoint") or self.endpoint)


def _text(spec: Mapping[str, Any], field: str) -> str:
    value = spec.get(field) or ""
    if not isinstance(value, str):
        raise AwsError(ErrorClass.INVALID, "InvalidField", f"spec.{field}: must be a string", sent=False)
    return value

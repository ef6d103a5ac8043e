"""Where the AWS calls of an object go: identity, region and endpoint, as one key.

Clients, budgets and trackers are kept per `Target`, so that a slow region or a refused credential is nobody else's
problem (DESIGN 5).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self

from controller.aws.errors import AwsError
from controller.runtime.errors import ErrorClass

_ENDPOINT_VARIABLE: Final = "AWS_DEFAULT_SAGEMAKER_ENDPOINT"
_REGION_VARIABLES: Final = ("AWS_REGION", "AWS_DEFAULT_REGION")


@dataclass(frozen=True, slots=True, order=True)
class Identity:
    """Who calls AWS. Hashable: all that makes two sessions differ is part of it."""

    role: str = ""
    """ARN of the role to assume; empty: the credentials that the process itself has (the SDK's default chain)."""
    external_id: str = field(default="", repr=False)
    """What the role's trust policy asks for against confused deputies."""
    namespace: str = ""
    """Whose session it is, for its name; empty: it serves several."""
    is_tagged: bool = False
    """The session carries the namespace as a tag, so that policies can tell namespaces apart."""

    @property
    def account(self) -> str:
        """The account of the role; empty for the process's own credentials."""
        return self.role.split(":")[4] if self.role else ""

    @property
    def shared(self) -> "Identity":
        """Who asks on behalf of all namespaces of the role: not told apart, unless their rights may differ by tag."""
        return self if self.is_tagged else replace(self, namespace="")


BASE_IDENTITY: Final = Identity()
"""The credentials that the process itself has."""


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """Whose credentials, which region, which SageMaker endpoint. Hashable: the key of everything kept per target."""

    region: str
    endpoint: str = ""
    """URL for SageMaker alone; empty: what the SDK resolves."""
    identity: Identity = BASE_IDENTITY

    @property
    def shared(self) -> Self:
        """Where lists are asked for: one for all namespaces with the same role."""
        return replace(self, identity=self.identity.shared)

    @property
    def quota(self) -> tuple[str, str, str]:
        """Key of what AWS counts together: it limits calls by account and region, whoever makes them."""
        return (self.region, self.endpoint, self.identity.account)


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

    def region_of(self, spec: Mapping[str, Any], *, recorded: str = "") -> str:
        """The region of an object with this `spec`.

        `recorded` is where its resource was created, and wins: an edit of the spec or of a default must not make the
        operator look, and create, elsewhere (D-04). Raises `AwsError` INVALID where nobody names a region, and where it
        is no text.
        """
        region = recorded or _text(spec, "region") or self.region
        if not region:
            raise AwsError(
                ErrorClass.INVALID,
                "MissingRegion",
                "no region: set spec.region, the namespace's annotation sagemaker.aws.amazon.com/default-region, or"
                " start the operator with --aws-region or AWS_REGION",
                sent=False,
            )
        return region

    def resolve(
        self, spec: Mapping[str, Any], *, recorded_region: str = "", identity: Identity = BASE_IDENTITY
    ) -> Target:
        """The target of an object with this `spec`. Raises `AwsError` as `region_of` does; the same for endpoints."""
        region = self.region_of(spec, recorded=recorded_region)
        return Target(region, _text(spec, "sageMakerEndpoint") or self.endpoint, identity)


def _text(spec: Mapping[str, Any], field: str) -> str:
    value = spec.get(field) or ""
    if not isinstance(value, str):
        raise AwsError(ErrorClass.INVALID, "InvalidField", f"spec.{field}: must be a string", sent=False)
    return value

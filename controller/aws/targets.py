"""The target of an object's AWS calls: identity, region and endpoint, as one key.

Clients, budgets and trackers are kept per `Target`, so that a slow region or a refused credential does not affect
other targets (DESIGN 5).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self

from controller.aws.errors import LocalRefusal
from controller.runtime.errors import ErrorClass

_ENDPOINT_VARIABLE: Final = "AWS_DEFAULT_SAGEMAKER_ENDPOINT"
_REGION_VARIABLES: Final = ("AWS_REGION", "AWS_DEFAULT_REGION")


@dataclass(frozen=True, slots=True, order=True)
class Identity:
    """The identity of AWS calls. Hashable: contains everything by which two sessions differ."""

    role: str = ""
    """ARN of the role to assume; empty: the process's own credentials (the SDK's default chain)."""
    external_id: str = field(default="", repr=False)
    """Required by the role's trust policy against confused deputies."""
    namespace: str = ""
    """The session's namespace, for its name; empty: several namespaces share it."""
    is_tagged: bool = False
    """The session has the namespace as a tag, so that policies can distinguish namespaces."""

    @property
    def account(self) -> str:
        """Return the account of the role; empty for the process's own credentials."""
        return self.role.split(":")[4] if self.role else ""

    @property
    def shared(self) -> "Identity":
        """Return the identity for all namespaces of the role: shared, unless their rights may differ by tag."""
        return self if self.is_tagged or not self.namespace else replace(self, namespace="")


BASE_IDENTITY: Final = Identity()
"""The process's own credentials."""


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """Credentials, region and SageMaker endpoint. Hashable: the key of everything kept per target."""

    region: str
    endpoint: str = ""
    """URL for SageMaker only; empty: resolved by the SDK."""
    identity: Identity = BASE_IDENTITY

    @property
    def shared(self) -> Self:
        """Return the target for List calls: one for all namespaces with the same role."""
        identity = self.identity.shared
        return self if identity is self.identity else replace(self, identity=identity)

    @property
    def quota(self) -> tuple[str, str, str]:
        """Return the key of AWS's quota: it limits calls by account and region, whatever the identity."""
        return (self.region, self.endpoint, self.identity.account)


@dataclass(frozen=True, slots=True)
class TargetDefaults:
    """Defaults for objects that specify no region or endpoint."""

    region: str = ""
    endpoint: str = ""

    @classmethod
    def of(cls, *, aws_region: str, aws_endpoint_url: str, environment: Mapping[str, str]) -> "TargetDefaults":
        """Return the defaults from the process's settings and its environment (v1-kinds.md 10).

        Region: the setting, then AWS_REGION, then AWS_DEFAULT_REGION. Endpoint: AWS_DEFAULT_SAGEMAKER_ENDPOINT, which
        deployments of the predecessor set, then the setting.
        """
        from_environment = next((environment[name] for name in _REGION_VARIABLES if environment.get(name)), "")
        return cls(
            region=aws_region or from_environment,
            endpoint=environment.get(_ENDPOINT_VARIABLE, "") or aws_endpoint_url,
        )

    def region_of(self, spec: Mapping[str, Any], *, recorded: str = "") -> str:
        """Return the region of an object with this `spec`.

        `recorded` is where its resource was created, and wins: an edit of the spec or of a default must not make the
        operator search, and create, elsewhere (D-04). Raises `CallError` INVALID if there is no region, or if it is not
        a string.
        """
        region = recorded or _text(spec, "region") or self.region
        if not region:
            raise LocalRefusal(
                ErrorClass.INVALID,
                "MissingRegion",
                "no region: set spec.region, the namespace's annotation sagemaker.aws.amazon.com/default-region, or"
                " start the operator with --aws-region or AWS_REGION",
            )
        return region

    def resolve(
        self, spec: Mapping[str, Any], *, recorded_region: str = "", identity: Identity = BASE_IDENTITY
    ) -> Target:
        """Return the target of an object with this `spec`. Raises `CallError` like `region_of`, for endpoints too."""
        region = self.region_of(spec, recorded=recorded_region)
        return Target(region, _text(spec, "sageMakerEndpoint") or self.endpoint, identity)


def _text(spec: Mapping[str, Any], field: str) -> str:
    value = spec.get(field) or ""
    if not isinstance(value, str):
        raise LocalRefusal(ErrorClass.INVALID, "InvalidField", f"spec.{field}: must be a string")
    return value

"""What holds for an object: its own word, then its namespace's. Pure.

Where an annotation may stand (`api.annotations`) says who is asked about it. Whose credentials are used and where calls
go is the namespace's to say alone: who may write objects must not choose under which role the operator acts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from api import annotations as known
from api.annotations import Annotation, Place
from api.meta import GROUP, JsonObject
from controller.aws.errors import AwsError
from controller.aws.targets import BASE_IDENTITY, Identity, Target, TargetDefaults
from controller.reconcile.plan import Adoption, Policy
from controller.runtime.errors import ErrorClass

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class NamespaceSettings:
    """What a namespace says of its objects."""

    name: str
    annotations: Mapping[str, str] = field(default_factory=dict)
    """Those under our prefix; with it."""
    mapped_role: str = ""
    """The role that the operator's account map names for the account which owns the namespace."""


class Namespaces(Protocol):
    """Knows the namespaces of the objects that are served. Thread-safe."""

    def of(self, name: str) -> NamespaceSettings:
        """What is known of a namespace. Raises `ClassifiedError` CONFLICT where nothing is known of it yet."""
        ...

    def confirm(self, settings: NamespaceSettings) -> None:
        """Make sure that this is what the namespace says now. Raises `ClassifiedError`, CONFLICT where it is not."""
        ...


class UnreadNamespaces:
    """`Namespaces` of an operator that serves single ones, and has no right to read them: they say nothing."""

    def of(self, name: str) -> NamespaceSettings:
        """See `Namespaces.of`."""
        return NamespaceSettings(name)

    def confirm(self, settings: NamespaceSettings) -> None:
        """See `Namespaces.confirm`."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The annotations that hold for one object."""

    own: Mapping[str, str]
    """The object's, of whichever prefix."""
    namespace: NamespaceSettings

    def says(self, annotation: Annotation[T]) -> T | None:
        """What is asked for: by the object where it may, else by its namespace where that may; None: by nobody.

        What cannot be read counts as absent: `deletion-policy: Retian` does not undo the `retain` of the namespace.
        """
        own = annotation.of(self.own) if Place.OBJECT in annotation.places else None
        if own is not None or Place.NAMESPACE not in annotation.places:
            return own
        return annotation.of(self.namespace.annotations)

    def policy(self) -> Policy:
        """What is asked for of the resource at AWS (modern-expectations.md 4)."""
        adoption = self.says(known.ADOPTION_POLICY) or "refuse"
        is_read_only = self.says(known.READ_ONLY) is True  # look, never touch: adopt without the rights
        return Policy(
            adoption=Adoption.ADOPT if is_read_only else Adoption(adoption),
            retain=is_read_only or self.says(known.DELETION_POLICY) == "retain",
            paused=self.says(known.PAUSED) is True,
            read_only=is_read_only,
            ttl_s=self.says(known.TTL),
            corrects=self.says(known.DRIFT_POLICY) == "correct",
            holds_updates=self.says(known.UPDATE_POLICY) == "manual",
        )

    def region(self, spec: Mapping[str, Any], recorded: str, defaults: TargetDefaults) -> str:
        """The region of an object with this `spec`: `recorded` where it has been created. Raises `AwsError`."""
        return self._over(defaults).region_of(spec, recorded=recorded)

    def target(self, spec: Mapping[str, Any], recorded: str, defaults: TargetDefaults) -> Target:
        """Where the calls of an object with this `spec` go, and as whom.

        Raises `AwsError`: INVALID where nobody names a region, DENIED where the namespace's word cannot be followed. No
        default stands in for that one: it would be another account, or another place.
        """
        return self._over(defaults).resolve(spec, recorded_region=recorded, identity=self.identity())

    def check(self) -> None:
        """Raise `AwsError` DENIED where the namespace asks for something that cannot be followed."""
        self.identity()
        self.tags({})
        self._over(TargetDefaults())

    def identity(self) -> Identity:
        """As whom AWS is called. Raises `AwsError` DENIED."""
        role, account = self._demanded(known.ROLE_ARN), self._demanded(known.OWNER_ACCOUNT_ID)
        external_id, is_tagged = self._demanded(known.EXTERNAL_ID), self._demanded(known.SESSION_TAGS)
        if role is None and account is not None:
            role = self.namespace.mapped_role
            if not role:
                raise self._refused(f"belongs to account {account}, for which the account map names no role")
        if role is None:
            if external_id is not None or is_tagged:
                raise self._refused("says how to assume a role and names none")
            return BASE_IDENTITY
        if known.ROLE_ARN.parse(role) is None:
            raise self._refused(f"belongs to account {account}, for which the account map names no role's ARN")
        identity = Identity(role, external_id or "", self.namespace.name, is_tagged=is_tagged is True)
        if account not in (None, identity.account):
            raise self._refused(f"belongs to account {account}, and its role is of account {identity.account}")
        return identity

    def tags(self, defaults: Mapping[str, str]) -> dict[str, str]:
        """Tags of what does not bring its own of the same key, `defaults` behind the namespace's: the last are the
        first to go where there are too many. Raises `AwsError` DENIED.
        """
        own = self._demanded(known.DEFAULT_TAGS) or {}
        return own | {key: value for key, value in defaults.items() if key not in own}

    def _over(self, defaults: TargetDefaults) -> TargetDefaults:
        """The defaults, the namespace's before the process's."""
        return TargetDefaults(
            region=self._demanded(known.DEFAULT_REGION) or defaults.region,
            endpoint=self._demanded(known.ENDPOINT_URL) or defaults.endpoint,
        )

    def _demanded(self, annotation: Annotation[T]) -> T | None:
        """What the namespace says; None: nothing. Raises `AwsError` DENIED for what cannot be read."""
        text = self.namespace.annotations.get(annotation.key)
        if text is None:
            return None
        value = annotation.parse(text)
        if value is None:
            raise self._refused(f"has an annotation {annotation.name} that is not {annotation.takes}")
        return value

    def _refused(self, why: str) -> AwsError:
        message = f"nothing is asked of AWS: namespace {self.namespace.name} {why}"
        return AwsError(ErrorClass.DENIED, "NamespaceSettings", message, sent=False)

    def facts(self) -> tuple[object, ...]:
        """All that is said, as one value: it changes when any of it does."""
        return sorted(ours(self.own).items()), sorted(self.namespace.annotations.items()), self.namespace.mapped_role


def scope_of(obj: JsonObject, namespace: NamespaceSettings) -> Scope:
    """The scope of an object as it is now."""
    return Scope(obj["metadata"].get("annotations") or {}, namespace)


def ours(annotations: Mapping[str, str]) -> dict[str, str]:
    """Those under our prefix."""
    return {name: text for name, text in annotations.items() if name.startswith(f"{GROUP}/")}

"""Computes the effective settings of an object: its own annotations, then those of its namespace. Pure.

`api.annotations` says where an annotation may be set. Only the namespace chooses credentials and endpoints: a user who
may write objects must not be able to choose the role under which the operator acts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from api import annotations as known
from api.annotations import Annotation, Place
from api.meta import GROUP, JsonObject
from controller.aws.errors import CallError, LocalRefusal
from controller.aws.targets import BASE_IDENTITY, Identity, Target, TargetDefaults
from controller.reconcile.observation import Adoption, Policy
from controller.runtime.errors import ErrorClass

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class NamespaceSettings:
    """The settings of a namespace for its objects."""

    name: str
    annotations: Mapping[str, str] = field(default_factory=dict)
    """Those with our prefix, by their full keys."""
    mapped_role: str = ""
    """The role that the account map has for the account that owns the namespace; empty if none."""
    troubles: tuple[str, ...] = field(default=(), compare=False)
    """What keeps annotations from having their effect although they are valid."""


class Namespaces(Protocol):
    """Provides the settings of namespaces. Thread-safe."""

    def of(self, name: str) -> NamespaceSettings:
        """Return the settings of a namespace. Raises `ClassifiedError` CONFLICT if it is not known yet."""
        ...

    def confirm(self, settings: NamespaceSettings, seen_at: float) -> None:
        """Check that `settings` are current for an object that is, since `seen_at` (monotonic seconds), as it is now.

        Raises `ClassifiedError`, CONFLICT if they are not.
        """
        ...


class UnreadNamespaces:
    """Implements `Namespaces` for an operator limited to some, which may not read them: no settings."""

    def of(self, name: str) -> NamespaceSettings:
        """Return empty settings."""
        return NamespaceSettings(name)

    def confirm(self, settings: NamespaceSettings, seen_at: float) -> None:
        """Accept them: there is nothing to compare with."""


@dataclass(frozen=True, slots=True)
class EffectiveSettings:
    """The annotations that apply to one object."""

    own: Mapping[str, str]
    """The object's annotations under our prefix; with it."""
    namespace: NamespaceSettings

    def says(self, annotation: Annotation[T]) -> T | None:
        """Return the effective value: the object's where allowed, else the namespace's; None if neither sets it.

        An unreadable value counts as absent: `deletion-policy: Retian` does not override `retain` on the namespace.
        """
        own = annotation.of(self.own) if Place.OBJECT in annotation.places else None
        if own is not None or Place.NAMESPACE not in annotation.places:
            return own
        return annotation.of(self.namespace.annotations)

    def policy(self) -> Policy:
        """Return the effective policy for the resource at AWS (modern-expectations.md 4)."""
        if not self.own and not self.namespace.annotations:
            return Policy()  # as most objects have it
        adoption = self.says(known.ADOPTION_POLICY) or "refuse"
        is_read_only = self.says(known.READ_ONLY) is True  # adopts what it shows, and never changes it
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
        """Return the region of an object with this `spec`; `recorded` wins once it is created. Raises `CallError`."""
        return self._over(defaults).region_of(spec, recorded=recorded)

    def target(self, spec: Mapping[str, Any], recorded: str, defaults: TargetDefaults) -> Target:
        """Return region, endpoint and identity for the calls of an object with this `spec`.

        Raises `CallError`: INVALID if no region is configured, DENIED if the namespace's settings are invalid. Defaults
        do not replace invalid settings: they would lead to another account or region.
        """
        return self._over(defaults).resolve(spec, recorded_region=recorded, identity=self.identity())

    def check(self) -> None:
        """Raise `CallError` DENIED if the namespace's settings are invalid."""
        if self.namespace.annotations:
            self.identity()
            self.tags({})
            self._over(TargetDefaults())

    def identity(self) -> Identity:
        """Return the identity under which AWS is called. Raises `CallError` DENIED."""
        if not self.namespace.annotations:
            return BASE_IDENTITY
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
        """Return default tags: the namespace's, then those of `defaults` with other keys. In this order, since the last
        are dropped first where there are too many. Raises `CallError` DENIED.
        """
        own = (self._demanded(known.DEFAULT_TAGS) or {}) if self.namespace.annotations else {}
        return own | {key: value for key, value in defaults.items() if key not in own}

    def _over(self, defaults: TargetDefaults) -> TargetDefaults:
        """Return `defaults` with the namespace's settings over them."""
        if not self.namespace.annotations:
            return defaults
        return TargetDefaults(
            region=self._demanded(known.DEFAULT_REGION) or defaults.region,
            endpoint=self._demanded(known.ENDPOINT_URL) or defaults.endpoint,
        )

    def _demanded(self, annotation: Annotation[T]) -> T | None:
        """Return the namespace's value; None if it is not set. Raises `CallError` DENIED if it is unreadable."""
        text = self.namespace.annotations.get(annotation.key)
        if text is None:
            return None
        value = annotation.parse(text)
        if value is None:
            raise self._refused(f"has an annotation {annotation.name} that is not {annotation.takes}")
        return value

    def _refused(self, why: str) -> CallError:
        message = f"nothing is asked of AWS: namespace {self.namespace.name} {why}"
        return LocalRefusal(ErrorClass.DENIED, "NamespaceSettings", message)

    def facts(self) -> tuple[object, ...]:
        """Return all settings as one value, which changes when any of them does."""
        return sorted(self.own.items()), sorted(self.namespace.annotations.items()), self.namespace.mapped_role


def effective_settings_of(obj: JsonObject, namespace: NamespaceSettings) -> EffectiveSettings:
    """Return the effective settings of an object."""
    return EffectiveSettings(ours(obj["metadata"].get("annotations") or {}), namespace)


def ours(annotations: Mapping[str, str]) -> dict[str, str]:
    """Return the annotations with our prefix."""
    return {name: text for name, text in annotations.items() if name.startswith(f"{GROUP}/")}

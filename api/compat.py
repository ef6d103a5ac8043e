"""What `sagemaker.aws.amazon.com/v1` promised where AWS's own model says otherwise, as tables.

AWS's service model gives a kind its fields; these tables give the names, forms and limits that manifests written
for the first implementation rely on. Such a field may become optional or wider, never narrower: an object that
was once stored has to stay valid, or nobody could take its finalizer away any more.

Paths are those of the manifest, with `[]` for the items of a list: `spec.inputDataConfig[].channelName`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from api.form import Form
from api.operator_fields import OperatorField

S3_URI: Final = "^(https|s3)://([^/]+)/?(.*)$"
"""What v1 demanded of S3 URIs, in all kinds of jobs."""


@dataclass(frozen=True, slots=True)
class V1:
    """All that v1 demanded of one field. A field that has an entry is not held to AWS's limits, only to these."""

    required: bool = False
    """Required by its parent, as soon as the parent is present."""
    minimum: int | None = None
    """Smallest value, length or number of items, as the field's form has it."""
    maximum: int | None = None
    pattern: str = ""
    enum: tuple[str, ...] = ()
    """Values that v1 listed; what AWS has added since is allowed as well."""


@dataclass(frozen=True, slots=True)
class StatusField:
    """A field of `status` that a kind has beside the common ones.

    `source` is the dotted member path in Describe answers (and, where it has the member, in List summaries);
    empty for what only the operator knows, which is then a value of the form given.
    """

    name: str
    source: str = ""
    form: Form = Form.STRING
    description: str = ""
    """Replaces AWS's description; required where there is no source."""
    item: Form = Form.STRING
    """Form of the items, if the form is a list."""


@dataclass(frozen=True, slots=True)
class Exclusive:
    """In the structure at `path`, `field` excludes each of `others`. Never two fields of v1: see above."""

    path: str
    field: str
    others: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """A CEL rule on the structure at `path`, for what keywords cannot say. True for every object that v1 accepted."""

    path: str
    rule: str
    message: str


@dataclass(frozen=True, slots=True)
class RequiredUnless:
    """`field` is required in the structure at `path` unless one of `alternatives` is there.

    What v1 simply required and AWS has found alternatives for since. A dotted `field` is required in its own parent,
    if that is there, while the alternatives stand at `path`; `variants[].x` is required in every item.
    """

    path: str
    field: str
    alternatives: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sum:
    """A field of v1 that AWS does not have: the sum of members beside it, when all of them are known."""

    name: str
    of: tuple[str, ...]
    """AWS members, siblings of the field."""
    description: str


@dataclass(frozen=True, slots=True, eq=False)
class Compat:
    """The v1 quirks of one kind. Compared and hashed by identity, so that a descriptor can be a dictionary key."""

    fields: Mapping[str, V1] = field(default_factory=lambda: MappingProxyType({}))
    """Every field that v1 had, by path, `spec.` and `status.` alike."""
    renamed: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Regular path of a member (its lower-camel name in the last segment) → the key that v1 has for it."""
    forms: Mapping[str, Form] = field(default_factory=lambda: MappingProxyType({}))
    """Fields whose values v1 writes in another form than AWS."""
    sums: Mapping[str, Sum] = field(default_factory=lambda: MappingProxyType({}))
    """Path of a structure → the sum that v1 shows in it."""
    omitted: frozenset[str] = frozenset()
    """Regular paths of request members that have no field: the operator fills them, or AWS does and refuses them."""
    closed_enums: frozenset[str] = frozenset()
    """Fields unknown to v1 whose AWS values are listed in the schema. All other enums stay open: AWS adds instance
    types and modes faster than CRDs are updated."""
    required_unless: tuple[RequiredUnless, ...] = ()
    exclusive: tuple[Exclusive, ...] = ()
    rules: tuple[Rule, ...] = ()
    own: tuple[OperatorField, ...] = ()
    """Fields of `spec` that no request has as they are."""
    list_keys: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Lists that the API server merges by a field of their items (server-side apply), and which field. It refuses two
    items of one key: only for keys that v1 required, and that AWS never took twice."""
    or_text: frozenset[str] = frozenset()
    """Paths of list items that are structures, or texts in their place."""
    descriptions: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Our words for fields that mean something else here than in AWS's documentation."""
    identity: frozenset[str] = frozenset({"region", "sageMakerEndpoint"})
    """Fields of `spec` that say which resource is meant: of a kind that may change, these must not."""
    filled_in: frozenset[str] = frozenset()
    """Those among them that the operator may fill in when they are absent or empty, beside the name."""
    status: tuple[StatusField, ...] = ()
    spec_required: bool = False
    """Whether v1 demanded `spec` itself."""

"""Tables of the differences between `sagemaker.aws.amazon.com/v1` and AWS's own model.

AWS's service model defines a kind's fields; these tables define the names, forms and limits that manifests for the
first implementation rely on. Such a field may become optional or wider, never narrower: a stored object has to stay
valid, or its finalizer could not be removed any more.

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
    """The requirements of v1 for one field. For a field with an entry, these limits replace AWS's narrower ones."""

    required: bool = False
    """Required by its parent, as soon as the parent is present, if AWS requires it still."""
    minimum: int | None = None
    """Smallest value, length or number of items, depending on the field's form."""
    maximum: int | None = None
    pattern: str = ""
    enum: tuple[str, ...] = ()
    """Values that v1 listed; AWS's newer values are allowed as well."""


@dataclass(frozen=True, slots=True)
class StatusField:
    """A field of `status` that a kind has in addition to the common ones.

    `source` is the dotted member path in Describe responses (and in List summaries, if they have the member);
    empty for the operator's own values, which then have the given form.
    """

    name: str
    source: str = ""
    form: Form = Form.STRING
    description: str = ""
    """Replaces AWS's description; required without a source."""
    item: Form = Form.STRING
    """Form of the items if the form is a list."""
    of_completed: bool = False
    """It is shown of completed jobs only: AWS may have it earlier, or of a job that was stopped."""
    of_ended: bool = False
    """It is shown of jobs that have ended only: it grows while one runs, and each value would be a write."""


@dataclass(frozen=True, slots=True)
class Exclusive:
    """In the structure at `path`, `field` excludes each of `others`. Never for two fields of v1: see above."""

    path: str
    field: str
    others: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """A CEL rule on the structure at `path` that keywords cannot express. True for every object that v1 accepted."""

    path: str
    rule: str
    message: str


@dataclass(frozen=True, slots=True)
class RequiredUnless:
    """`field` is required in the structure at `path` unless one of `alternatives` is set.

    For fields that v1 required and to which AWS has since added alternatives. A dotted `field` is required in its own
    parent, if that is set, while the alternatives are at `path`; `variants[].x` is required in every item.
    """

    path: str
    field: str
    alternatives: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sum:
    """A field of v1 that AWS does not have: the sum of sibling members, if all of them are known."""

    name: str
    of: tuple[str, ...]
    """AWS members, siblings of the field."""
    description: str


@dataclass(frozen=True, slots=True, eq=False)
class Compat:
    """The v1 differences of one kind. Compared and hashed by identity, so that a descriptor can be a dictionary key."""

    fields: Mapping[str, V1] = field(default_factory=lambda: MappingProxyType({}))
    """Every field of v1, by path, both `spec.` and `status.`."""
    renamed: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Regular path of a member (its lower-camel name in the last segment) → its key in v1."""
    forms: Mapping[str, Form] = field(default_factory=lambda: MappingProxyType({}))
    """Fields that v1 writes in another form than AWS."""
    sums: Mapping[str, Sum] = field(default_factory=lambda: MappingProxyType({}))
    """Path of a structure → the sum that v1 has in it."""
    omitted: frozenset[str] = frozenset()
    """Regular paths of request members without a field: the operator sets them, or AWS sets and refuses them."""
    closed_enums: frozenset[str] = frozenset()
    """Fields unknown to v1 with AWS's values listed in the schema. All other enums stay open: AWS adds instance
    types and modes faster than CRDs are updated."""
    own_limits: frozenset[str] = frozenset()
    """Fields of v1 with limits of the operator's own: they stay where AWS accepts more. For all others, the wider of
    the two limits counts."""
    required_unless: tuple[RequiredUnless, ...] = ()
    exclusive: tuple[Exclusive, ...] = ()
    rules: tuple[Rule, ...] = ()
    own: tuple[OperatorField, ...] = ()
    """Fields of `spec` that no request contains unchanged."""
    list_keys: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Lists that the API server merges by a field of their items (server-side apply) → that field. It refuses two items
    with one key: only for keys that v1 required, and that AWS never accepted twice."""
    or_text: frozenset[str] = frozenset()
    """Paths of list items that are structures, or strings instead."""
    descriptions: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Descriptions of fields with another meaning here than in AWS's documentation."""
    identity: frozenset[str] = frozenset({"region", "sageMakerEndpoint"})
    """Fields of `spec` that identify the resource: they must not change, even in a mutable kind."""
    filled_in: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Those of them that may be set to this value if they are absent or empty, which means the same."""
    status: tuple[StatusField, ...] = ()
    own_status: tuple[OperatorField, ...] = ()
    """Fields of `status` with a structure of the operator's own."""
    spec_required: bool = False
    """Whether v1 required `spec` itself."""

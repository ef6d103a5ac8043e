"""Fields that every kind has and AWS does not: region, endpoint, and the operator's status."""

from dataclasses import dataclass
from typing import Final

from api.form import Form


@dataclass(frozen=True, slots=True)
class OperatorField:
    """A field of the operator. Limits are in the kind's compatibility table if v1 had the field."""

    name: str
    """Empty for the items of a list."""
    form: Form
    description: str
    required: bool = False
    is_defaulted: bool = False
    """It has a default that v1 did not have: it may be omitted although v1 required it."""
    enum: tuple[str, ...] = ()
    fields: tuple["OperatorField", ...] = ()
    item: "OperatorField | None" = None
    list_key: str = ""
    most: int | None = None
    """Largest number of items, which bounds what the API server estimates for a rule that walks the list; of a text,
    its largest length."""
    pattern: str = ""
    """What a text has to match, in RE2."""
    like: str = ""
    """Operation, or dotted member of its request, with the same fields below it, e.g. `CreateModel.Containers`."""


OBJECT_NAME: Final = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
"""Name of most Kubernetes objects: a DNS subdomain (RFC 1123)."""
DATA_KEY: Final = r"^[-._a-zA-Z0-9]+$"
"""Key in a ConfigMap."""
CONFIG_MAP_KEY: Final = "configMapKeyRef"
"""Spelled as in the environment variables of a Pod."""


def config_map_source(name: str, what: str) -> OperatorField:
    """Return a field of the spec that names the ConfigMap, and the key in it, with `what`."""
    return OperatorField(
        name,
        Form.STRUCTURE,
        f"Where {what} is, if it is not in the spec itself.",
        fields=(
            OperatorField(
                CONFIG_MAP_KEY,
                Form.STRUCTURE,
                "A ConfigMap in the namespace of this object. It is read once a minute, and when this object changes.",
                required=True,
                fields=(
                    OperatorField(
                        "key",
                        Form.STRING,
                        "Key in its data, which is a file's name if it was made of a file.",
                        required=True,
                        most=253,
                        pattern=DATA_KEY,
                    ),
                    OperatorField(
                        "name", Form.STRING, "Name of the ConfigMap.", required=True, most=253, pattern=OBJECT_NAME
                    ),
                ),
            ),
        ),
    )


COMMON_SPEC: Final = (
    OperatorField(
        "region",
        Form.STRING,
        "AWS region in which the resource lives, for example us-east-2. If it is left out, that of the namespace, then"
        " that of the operator.",
        is_defaulted=True,
    ),
    OperatorField(
        "sageMakerEndpoint",
        Form.STRING,
        "URL of the SageMaker API to use for this object instead of the region's own, for example that of a VPC"
        " endpoint. Wins over the operator's AWS_DEFAULT_SAGEMAKER_ENDPOINT.",
    ),
)

_CONDITION: Final = OperatorField(
    "",
    Form.STRUCTURE,
    "One aspect of the object's state.",
    fields=(
        OperatorField("lastTransitionTime", Form.TIME, "When the status last changed."),
        OperatorField("message", Form.STRING, "Details for people."),
        OperatorField("observedGeneration", Form.INTEGER, "The metadata.generation that this was decided on."),
        OperatorField("reason", Form.STRING, "Why the status is what it is, in one CamelCase word."),
        OperatorField(
            "status", Form.STRING, "True, False or Unknown.", required=True, enum=("True", "False", "Unknown")
        ),
        OperatorField("type", Form.STRING, "Which aspect: Ready, Synced, Reconciling, Stalled, ...", required=True),
    ),
)

COMMON_STATUS: Final = (
    OperatorField(
        "awsResource",
        Form.STRUCTURE,
        "What was created at AWS for this object. Once recorded it is never created again, nor looked for elsewhere.",
        fields=(
            OperatorField("accountId", Form.STRING, "AWS account that owns the resource."),
            OperatorField("arn", Form.STRING, "Amazon Resource Name."),
            OperatorField(
                "changesDigest",
                Form.STRING,
                "What the mutable fields of the job were when they were sent to AWS last, as a digest.",
            ),
            OperatorField(
                "contentDigest",
                Form.STRING,
                "What the spec of a job asked for when it was created, as a digest: an edit since then has no effect.",
            ),
            OperatorField("createdAt", Form.TIME, "When the operator had it created, by its own clock."),
            OperatorField(
                "creationTime",
                Form.TIME,
                "When AWS created it, as AWS says: what has the name and another time here is not this object's.",
            ),
            OperatorField("name", Form.STRING, "Name at AWS."),
            OperatorField(
                "ownerUid",
                Form.STRING,
                "The metadata.uid of the object that it was recorded for: tags decide where that is another one.",
            ),
            OperatorField(
                "ownerUnverified",
                Form.BOOLEAN,
                "The creation time fits; the owner tags are read before the resource is first changed.",
            ),
            OperatorField("partition", Form.STRING, "AWS partition, for example aws or aws-cn."),
            OperatorField("region", Form.STRING, "AWS region."),
            OperatorField(
                "released",
                Form.BOOLEAN,
                "The deletion of the object has found it gone, or left it to others; what it was made of goes next.",
            ),
            OperatorField(
                "replacedNames",
                Form.LIST,
                "Names at AWS of what the resource has replaced, and that exist as long as something uses them.",
                item=OperatorField("", Form.STRING, "A name."),
            ),
            OperatorField(
                "tagKeys",
                Form.LIST,
                "Keys of the tags that spec.tags has put on it: they are taken off when they vanish from there.",
                item=OperatorField("", Form.STRING, "The key of a tag."),
            ),
            OperatorField("tagsDigest", Form.STRING, "What it is tagged with, as a digest."),
            OperatorField(
                "triedName", Form.STRING, "Name under which AWS has refused to create it. Alone: nothing was created."
            ),
        ),
    ),
    OperatorField(
        "conditions",
        Form.LIST,
        "The state of the object in the standard form: Ready says whether its result can be used.",
        item=_CONDITION,
        list_key="type",
        most=64,
    ),
    OperatorField(
        "lastHandledReconcileAt",
        Form.STRING,
        "The text of the annotation sagemaker.aws.amazon.com/reconcile-at that was acted on last.",
    ),
    OperatorField("observedGeneration", Form.INTEGER, "The metadata.generation that this status was decided on."),
)

NOTES: Final = OperatorField(
    "notes",
    Form.STRUCTURE,
    "What the operator has noted in annotations, should these be replaced: not for editing.",
    fields=(
        OperatorField("claimedVariants", Form.STRING, "The annotation claimed-variants."),
        OperatorField("foundTargets", Form.STRING, "The annotation found-targets."),
        OperatorField("lastUpdateAttempt", Form.STRING, "The annotation last-update-attempt."),
    ),
)
"""A field of the status of the kinds that note such things."""

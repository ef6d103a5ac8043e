"""Generates names at AWS, deterministic from an object's name and uid, and names of fields in manifests.

Running jobs, endpoints and models are found by these names, including those of the first implementation: the rule is
kept bit for bit. Source: v1-kinds.md 4.1.
"""

from typing import Final

CHILD_MAX_LENGTH: Final = 253
"""Maximum length of a Kubernetes object's name, to which the names of children are cut."""


def key_of(member: str) -> str:
    """Return the manifest's key for an AWS member: only its first letter becomes lower case (`VolumeSizeInGB`)."""
    return member[:1].lower() + member[1:]


def join_name(required: str, optional: str, max_length: int) -> str:
    """Return `optional-required`, shortened to `max_length` characters at the expense of `optional`.

    `optional` is cut at its end; if nothing of it would remain, the result is `required` alone, cut to length. So a
    limit of 32 always gives the bare uid.
    """
    joined = f"{optional}-{required}"
    excess = len(joined) - max_length
    if excess <= 0:
        return joined
    if excess < len(optional):
        return f"{optional[: len(optional) - excess]}-{required}"
    return required[:max_length]


def sagemaker_name(object_name: str, uid: str, max_length: int) -> str:
    """Return the name at AWS for the object `object_name` with this uid (with its hyphens).

    Kubernetes allows dots in names, AWS does not: v1's rule alone never worked for such a name, so each dot left
    becomes a hyphen (D-27). Names without a remaining dot are those of v1's rule.
    """
    return join_name(uid.replace("-", ""), object_name, max_length).replace(".", "-")


def child_name(base: str, owner_uid: str, generation: int) -> str:
    """Return the Kubernetes name of a HostingDeployment's child for one generation of its spec.

    `base` is the owner's name for an EndpointConfig, the logical model name for a Model.
    """
    return join_name(f"{generation}-{owner_uid.replace('-', '')}", base, CHILD_MAX_LENGTH)

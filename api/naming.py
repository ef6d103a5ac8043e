"""Names at AWS: deterministic, from an object's name and uid.

Running jobs, endpoints and models are found again by these names, also those made by the first implementation: the
rule is kept bit for bit. Source: v1-kinds.md 4.1.
"""

from typing import Final

CHILD_MAX_LENGTH: Final = 253
"""Longest name of a Kubernetes object, to which the names of children are cut."""


def join_name(required: str, optional: str, max_length: int) -> str:
    """`optional-required`, shortened to `max_length` characters at the expense of `optional`.

    `optional` loses characters at its end; where cutting it cannot help (it would have to go altogether), the result
    is `required` alone, cut to length. So a limit of 32 always gives the bare uid.
    """
    joined = f"{optional}-{required}"
    excess = len(joined) - max_length
    if excess <= 0:
        return joined
    if excess < len(optional):
        return f"{optional[: len(optional) - excess]}-{required}"
    return required[:max_length]


def sagemaker_name(object_name: str, uid: str, max_length: int) -> str:
    """Name at AWS of the object `object_name` with this uid (hyphens and all).

    Kubernetes allows dots in names, AWS does not: what the rule alone would make of such a name never worked, so each
    dot becomes a hyphen there (D-27). Names without a dot left in them are the rule's.
    """
    return join_name(uid.replace("-", ""), object_name, max_length).replace(".", "-")


def child_name(base: str, owner_uid: str, generation: int) -> str:
    """Kubernetes name of a child that a HostingDeployment makes for one generation of its spec.

    `base` is the owner's name for an EndpointConfig, the logical model name for a Model.
    """
    return join_name(f"{generation}-{owner_uid.replace('-', '')}", base, CHILD_MAX_LENGTH)

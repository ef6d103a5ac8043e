"""Finds what an object has created and no answer has named, where AWS may have forgotten the client token."""

from functools import partial
from typing import Final

from api.naming import key_of
from controller.aws.errors import AwsError
from controller.aws.parts import Parts
from controller.reconcile.managed.managed_object import ManagedObject
from controller.reconcile.managed.marker import is_marked
from controller.reconcile.managed.observe_object import seconds_since
from controller.reconcile.observation import Observed
from controller.reconcile.status.copies import begins_at
from controller.runtime.errors import ErrorClass

MOST_PAGES: Final = 50
"""Pages that are read to find a resource. Without an end, nothing shows that it was never created."""
TOKEN_LASTS_S: Final = 600.0
"""Age of an object up to which a repeated call with its client token is known to give the same. SageMaker says of none
how long it knows it; other services of AWS say 8 or 24 hours. Lists show what was started after seconds."""


def is_token_old(managed: ManagedObject, observed: Observed) -> bool:
    """Return whether AWS may have forgotten the client token with which the object has created something."""
    name = managed.descriptor.name
    if not name.among or observed.recorded is not None:
        return False
    is_chosen = bool(managed.spec.get(name.spec_field) or managed.spec.get(name.chosen_by))
    return (
        not is_chosen and seconds_since(managed.obj["metadata"].get("creationTimestamp"), observed.now) > TOKEN_LASTS_S
    )


def find_own(managed: ManagedObject, parts: Parts) -> str:
    """Return the ARN of the resource with the object's mark, of those that its parent has got since the object exists.

    Empty if there is none. Raises `CallError`, also where there are too many to see that.
    """
    descriptor, target, token = managed.descriptor, managed.identity.target(), ""
    parent = str(managed.resolved_spec.get(key_of(descriptor.name.among)) or "")
    since = begins_at(managed.obj["metadata"]) or managed.context.clock.utcnow()
    for _ in range(MOST_PAGES):
        read = partial(parts.created_page, descriptor, target, parent, since, next_token=token, caller=managed.key)
        page = managed.read((descriptor.operations.list, parent, token), read)
        for item in page.items:
            if is_marked(descriptor, managed.obj, item):
                return str(item[descriptor.status.arn_member])
        if not (token := page.next_token):
            return ""
    message = (
        f"more than {MOST_PAGES} pages of what {parent} has got since the object exists: cannot see whether this"
        " object has created one of them"
    )
    raise AwsError(ErrorClass.RETRYABLE, "TooManyToSearch", message)

"""Carries out a Create, whatever is created: what comes of it, and what is remembered. Decided is it elsewhere."""

from collections.abc import Callable
from dataclasses import replace

from controller.aws.errors import AwsError
from controller.aws.targets import Target
from controller.reconcile.hand import Hand
from controller.reconcile.plan import Mutation, Observed
from controller.runtime.errors import ErrorClass


def create(hand: Hand, seen: Observed, name: str, target: Target, send: Callable[[], str]) -> Observed:
    """Have `send` create the resource `name` and return its ARN; what is seen then.

    A name that is taken is part of that: whose it is has to be looked at. Raises `AwsError` for other refusals; after
    one that leaves open whether there is a resource now, "not found" is in doubt for a while.
    """
    hand.confirm()
    try:
        arn = send()
    except AwsError as error:
        if error.error_class is ErrorClass.EXISTS:
            return replace(seen, name_is_taken=True)
        if error.ambiguous:
            hand.memory.doubtful_since = hand.context.clock.monotonic()
        raise
    recorded = hand.recorded(name, target, arn)
    hand.memory.recorded = recorded
    return replace(seen, mutation=Mutation.CREATED, recorded=recorded)

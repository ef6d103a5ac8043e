"""Which role reads the status queue of an account: one that a namespace has there."""

from typing import Any

import pytest

from api.annotations import EXTERNAL_ID, OWNER_ACCOUNT_ID, ROLE_ARN, SESSION_TAGS, Annotation
from controller.aws.targets import Identity
from controller.reconcile.namespaces.cache import ACCOUNT_MAP
from controller.reconcile.namespaces.watches import Tenancy
from tests.tables import each_row

HERE, THERE = "111111111111", "222222222222"
ROLE_A, ROLE_B = (f"arn:aws:iam::{THERE}:role/sagemaker-operator-{team}" for team in "ab")
NO_CLIENT: Any = None
"""Nothing is read but the caches."""


def tenancy(**namespaces: dict[Annotation[Any], str]) -> Tenancy:
    """The caches of an operator whose cluster has these namespaces, and a map with a role in `THERE`."""
    made = Tenancy("home")
    for name, said in namespaces.items():
        annotations = {annotation.key: text for annotation, text in said.items()}
        made.namespaces.upsert({"metadata": {"name": name, "annotations": annotations, "resourceVersion": "1"}})
    role_map = {"metadata": {"name": ACCOUNT_MAP, "namespace": "home", "resourceVersion": "1"}, "data": {THERE: ROLE_B}}
    made.account_maps.upsert(role_map)
    return made


@each_row(
    ("namespaces", "found"),
    [
        pytest.param({}, None, id="no namespace"),
        pytest.param({"plain": {}}, None, id="no role"),
        pytest.param({"a": {ROLE_ARN: ROLE_A}}, Identity(ROLE_A), id="a role"),
        pytest.param({"b": {OWNER_ACCOUNT_ID: THERE}}, Identity(ROLE_B), id="a role of the account map"),
        pytest.param({"b": {ROLE_ARN: ROLE_B}, "a": {ROLE_ARN: ROLE_A}}, Identity(ROLE_A), id="the first of two"),
        pytest.param({"a": {ROLE_ARN: ROLE_A, EXTERNAL_ID: "id"}}, Identity(ROLE_A, "id"), id="with an external id"),
        pytest.param(
            {"a": {ROLE_ARN: ROLE_A, SESSION_TAGS: "true"}},
            Identity(ROLE_A, namespace="a", is_tagged=True),
            id="with a session of its own",
        ),
        pytest.param({"a": {ROLE_ARN: "nonsense"}}, None, id="settings that are invalid"),
        pytest.param(
            {"a": {ROLE_ARN: "nonsense"}, "b": {ROLE_ARN: ROLE_B}}, Identity(ROLE_B), id="invalid ones hide no others"
        ),
    ],
)
def test_the_role_of_a_namespace_in_the_account_is_used(
    namespaces: dict[str, dict[Annotation[Any], str]], found: Identity | None
) -> None:
    """Of several always the same one, so that sessions are not made for nothing."""
    assert tenancy(**namespaces).identity_in(THERE, NO_CLIENT) == found
    assert tenancy(**namespaces).identity_in(HERE, NO_CLIENT) is None

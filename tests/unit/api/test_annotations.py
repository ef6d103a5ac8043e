"""The annotations that are known, what has no effect, and the page that lists them."""

import re
from pathlib import Path

import pytest

from api.annotations import ADOPTION_POLICY, DELETION_POLICY, FLAGS_INSTEAD, KNOWN, PAUSED, Place, ignored
from api.descriptor import LifeCycle
from api.v1 import KINDS
from controller.settings import parse
from tests.tables import each_row

PAGE = (Path(__file__).parents[3] / "docs" / "annotations.md").read_text()
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if re.match(r"\| `[a-z]", line)
]
PREFIX = "sagemaker.aws.amazon.com/"


def on(life_cycle: LifeCycle = LifeCycle.JOB, **annotations: str) -> tuple[str, ...]:
    """What an object would be told."""
    return ignored(
        {PREFIX + name.replace("_", "-"): text for name, text in annotations.items()}, Place.OBJECT, life_cycle
    )


def test_the_page_lists_what_the_code_knows_and_nothing_else() -> None:
    """Both ways."""
    assert sorted(row[0].strip("`") for row in ROWS) == sorted(KNOWN)


@each_row("row", [row for row in ROWS if len(row) == 5], ids=lambda row: row[0])
def test_the_page_says_of_each_where_it_stands_and_what_it_takes(row: list[str]) -> None:
    """A row is what a user copies."""
    annotation = KNOWN[row[0].strip("`")]
    assert not annotation.is_ours
    assert row[2] == annotation.takes
    if annotation.life_cycles == frozenset(LifeCycle):
        places = {place.value for place in annotation.places}
    else:
        places = {kind.kind for kind in KINDS if kind.life_cycle in annotation.life_cycles}
        places |= {place.value for place in annotation.places - {Place.OBJECT}}
    assert set(row[1].split(", ")) == places


@each_row("row", [row for row in ROWS if len(row) == 3], ids=lambda row: row[0])
def test_what_the_operator_writes_is_listed_apart(row: list[str]) -> None:
    """Users must not take it for something to set."""
    assert KNOWN[row[0].strip("`")].is_ours


@each_row(
    ("annotations", "told"),
    [
        pytest.param({"deletion_policy": "retain", "paused": "false", "reconcile_at": ""}, (), id="understood"),
        pytest.param({"created_names": "{}"}, (), id="our own"),
        pytest.param(
            {"deletion_polcy": "retain"},
            ("deletion-polcy: no such annotation (is deletion-policy meant?)",),
            id="a typo in the name",
        ),
        pytest.param({"zzz": "x"}, ("zzz: no such annotation",), id="nothing like it"),
        pytest.param(
            {"deletion_policy": "Retain"},
            ("deletion-policy: 'Retain' is not delete or retain",),
            id="a value that is none",
        ),
        pytest.param({"paused": "x" * 50}, (f"paused: '{'x' * 40}…' is not true or false",), id="a long value"),
        pytest.param(
            {"recreate_on_failure": "true"}, ("recreate-on-failure: has no effect on this kind",), id="another kind's"
        ),
        pytest.param(
            {"poll_interval": "1s"},
            ("poll-interval: not known of a single object; the operator's flag --poll-interval holds for all",),
            id="a flag of ours",
        ),
        pytest.param(
            {"read_only": "yes", "adoption_policy": "take"},
            (
                "adoption-policy: 'take' is not refuse, adopt or adopt-or-create",
                "read-only: 'yes' is not true or false",
            ),
            id="several, in order",
        ),
    ],
)
def test_what_has_no_effect_is_told_with_the_reason(annotations: dict[str, str], told: tuple[str, ...]) -> None:
    """Silence would be data loss: deletion-polcy=retain retains nothing."""
    assert on(**annotations) == told


def test_an_annotation_of_objects_has_no_effect_on_namespaces_unless_it_says_so() -> None:
    """The same table serves both places."""
    assert ignored({ADOPTION_POLICY.key: "adopt"}, Place.NAMESPACE) == (
        "adoption-policy: has an effect on objects only",
    )


def test_annotations_of_others_are_nobodys_business_here() -> None:
    """Only our prefix is ours."""
    assert ignored({"example.com/deletion-polcy": "x", "sagemaker.aws.amazon.com.evil/x": "y"}, Place.OBJECT) == ()


def test_what_cannot_be_read_counts_as_absent() -> None:
    """No guessing at what `Retain` or `yes` may mean."""
    assert DELETION_POLICY.of({DELETION_POLICY.key: "Retain"}) is None
    assert PAUSED.of({}) is None
    assert PAUSED.of({PAUSED.key: "false"}) is False


def test_flags_that_stand_for_annotations_exist() -> None:
    """A message must not send its reader after a flag that is none."""
    parse([f"{flag}=10s" for flag in FLAGS_INSTEAD.values()])

"""Changed copies of frozen records."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from controller.reconcile.observation import Observed
from controller.runtime.frozen import replace


@dataclass(frozen=True, slots=True)
class Point:
    """Two fields, one of them with a default."""

    x: int
    y: list[int] = field(default_factory=list)


def test_a_copy_differs_in_the_named_fields_only() -> None:
    """The original stays, and the copy shares what was not replaced."""
    point = Point(1, [2])
    changed = replace(point, x=3)
    assert changed == Point(3, [2])
    assert changed.y is point.y
    assert point == Point(1, [2])
    assert replace(point) == point
    assert replace(point) is not point


def test_a_copy_is_of_the_same_class_and_as_frozen() -> None:
    """Hash and equality are those of a record that was made in the usual way."""
    copy = replace(Point(1, ()), x=2)  # type: ignore[arg-type]
    assert type(copy) is Point
    assert hash(copy) == hash(Point(2, ()))  # type: ignore[arg-type]
    with pytest.raises(AttributeError):
        copy.x = 4  # type: ignore[misc]


def test_a_field_that_there_is_not_is_a_mistake() -> None:
    """As with `dataclasses.replace`, though by another exception."""
    changes: dict[str, Any] = {"z": 1}
    with pytest.raises(TypeError, match="z"):
        replace(Point(1), **changes)


@dataclass(frozen=True, slots=True)
class Checked:
    """A class that looks at its fields."""

    x: int

    def __post_init__(self) -> None:
        """Refuse what is negative."""
        if self.x < 0:
            raise ValueError("negative")


@dataclass(frozen=True)
class Unslotted:
    """A class whose instances have a dictionary."""

    x: int


@dataclass(slots=True)
class Mutable:
    """A class whose copies would share what is changed later."""

    x: int


@pytest.mark.parametrize("record", [Checked(1), Unslotted(1), Mutable(1)], ids=lambda each: type(each).__name__)
def test_what_is_more_than_a_record_is_made_in_the_usual_way(record: Any) -> None:
    """What `__init__` does beyond setting fields is not skipped."""
    assert replace(record, x=2) == type(record)(2)
    if isinstance(record, Checked):
        with pytest.raises(ValueError, match="negative"):
            replace(record, x=-1)


def test_what_is_observed_of_an_object_is_a_plain_record() -> None:
    """It is copied several times a pass, and has fifty fields."""
    assert "__post_init__" not in vars(Observed)
    assert Observed.__slots__

"""Printer columns: the JSONPath that CRDs use, and ages as kubectl shows them."""

import pytest

from hack.sandbox.kube.wire.human_time import human_duration
from hack.sandbox.kube.wire.json_path import PathError, find
from tests.tables import each_row

OBJECT = {
    "spec": {"a.b": 1, "items": [{"name": "x", "n": 1}, {"name": "y", "n": 2}]},
    "status": {"conditions": [{"type": "Ready", "status": "True"}, {"type": "Synced", "status": "False"}]},
}


@each_row(
    ("path", "values"),
    [
        (".spec.items[0].name", ["x"]),
        (".spec.items[-1].name", ["y"]),
        (".spec.items[*].name", ["x", "y"]),
        (r".spec.a\.b", [1]),
        (".spec['a.b']", [1]),
        ('.status.conditions[?(@.type=="Ready")].status', ["True"]),
        (".status.conditions[?(@.type=='Synced')].status", ["False"]),
        (".spec.items[?(@.n>1)].name", ["y"]),
        ("..name", ["x", "y"]),
        ("{.spec.items[1].n}", [2]),
        (".spec.nothing.here", []),
        (".spec.items[9]", []),
    ],
)
def test_paths_find_what_kubectl_shows(path: str, values: list[object]) -> None:
    """What is not there is no value, never an error."""
    assert find(path, OBJECT) == values


def test_a_text_that_is_no_path_is_refused() -> None:
    """A column with such a path stays empty."""
    with pytest.raises(PathError):
        find("spec[", OBJECT)


@each_row(
    ("seconds", "shown"),
    [
        (-5, "<invalid>"),
        (-1, "0s"),
        (0.9, "0s"),
        (119, "119s"),
        (120, "2m"),
        (125, "2m5s"),
        (599, "9m59s"),
        (600, "10m"),
        (10799, "179m"),
        (10800, "3h"),
        (11100, "3h5m"),
        (28800, "8h"),
        (172799, "47h"),
        (172800, "2d"),
        (183600, "2d3h"),
        (691200, "8d"),
        (63072000, "2y"),
        (63936000, "2y10d"),
        (252288000, "8y"),
    ],
)
def test_ages_have_two_units_at_most(seconds: float, shown: str) -> None:
    """Coarser the longer it is."""
    assert human_duration(seconds) == shown

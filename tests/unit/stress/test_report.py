"""What the stress run says at its end."""

from hack.stress.__main__ import Round, report


def test_nothing_fell_over_in_any_round() -> None:
    """The seeds are named, since the order of the tests depends on them."""
    assert report([Round(7, 0, ())], []) == "stress: nothing fell over in 1 round, seed 7"
    assert report([Round(7, 0, ()), Round(8, 0, ())], []) == "stress: nothing fell over in 2 rounds, seed 7, 8"


def test_what_failed_most_often_comes_first_with_its_seeds() -> None:
    """One line for each test, and a command that runs the first bad round again with the same selection."""
    rounds = [
        Round(7, 1, ("a.py::once", "b.py::often")),
        Round(8, 0, ()),
        Round(9, 1, ("b.py::often", "b.py::often")),  # it failed, and so did its teardown
    ]
    assert report(rounds, ["tests/unit", "-k", "a b"]).splitlines() == [
        "stress: 2 tests fell over in 3 rounds",
        "  2 of 3  b.py::often  (seed 7, 9)",
        "  1 of 3  a.py::once  (seed 7)",
        """again: make test-stress ARGS='--seed 7 tests/unit -k '"'"'a b'"'"''""",
    ]


def test_processes_that_tests_leave_behind_are_named() -> None:
    """Also where all tests passed: on the user's machine they would run on."""
    left = Round(7, 0, (), ("sleep 600",))
    assert not left.is_clean
    assert "  left behind with seed 7: sleep 600" in report([left], []).splitlines()


def test_an_end_that_no_test_explains_is_a_failure() -> None:
    """Wrong usage, nothing selected, killed, or an error that pytest does not report as a test's."""
    for code in (1, 4, 5, -9):
        assert f"  pytest ended with {code}, seed 7" in report([Round(7, code, ())], []).splitlines()

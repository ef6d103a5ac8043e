"""docs/design/hostile-sagemaker.md names everything with which the account is made hostile, and tests that exist."""

import re
from pathlib import Path

import pytest

from hack.sandbox.__main__ import main
from hack.sandbox.aws import control
from hack.sandbox.aws.hostile.kinds import FAULTS
from tests.sandbox.soak.disturbances import DISTURBANCES
from tests.tables import each_row

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "design" / "hostile-sagemaker.md").read_text()
ROWS = [
    [cell.strip() for cell in row.strip("|").split("|")]
    for table in re.findall(r"^\| what happens \|.*\n\|.*\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    for row in table.splitlines()
]


@each_row("fault", FAULTS)
def test_every_fault_has_a_row(fault: str) -> None:
    """In the column of what is ordered."""
    assert any(f"`{fault}`" in row[1] or f"`{fault} " in row[1] for row in ROWS)


@each_row("setting", sorted(re.findall(r"POST +/sandbox/(\w+)", control.__doc__ or "")))
def test_every_setting_of_the_account_is_named(setting: str) -> None:
    """Those of the clock and of the whole state apart."""
    assert setting in {"clock", "reset"} or f"/sandbox/{setting}" in PAGE


def test_every_row_names_tests_that_exist() -> None:
    """Or the soak, which draws it."""
    tests = {path.name for path in (ROOT / "tests").rglob("*.py")}
    for row in ROWS:
        named = re.findall(r"`(\w+\.py)`", row[3])
        assert named or "the same" in row[3] or row[3] == "soak", row
        assert set(named) <= tests, row


def test_every_row_names_disturbances_that_a_soak_draws() -> None:
    """By the names that it prints."""
    other = {"", "always", "others", "never: no state excuses it"}
    for row in ROWS:
        if row[2] not in other:
            assert set(row[2].split(", ")) <= DISTURBANCES.keys(), row


def test_every_option_is_one_of_the_sandbox(capsys: pytest.CaptureFixture[str]) -> None:
    """As `--help` of its commands lists them."""
    commands = (["fault", "aws"], ["lists"], ["search"], ["events"], ["roles"], ["takeover"], ["history"], ["quota"])
    for command in commands:
        with pytest.raises(SystemExit):
            main([*command, "--help"])
    offered = capsys.readouterr().out
    assert [option for option in sorted(set(re.findall(r"--[a-z][a-z-]+", PAGE))) if option not in offered] == []

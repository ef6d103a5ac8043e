"""What a start of the plugin costs: a user waits for it before every line."""

import subprocess
import sys

import pytest

from tests.deadline import PATIENCE_S

HEAVY = ("prometheus_client", "structlog", "rich", "boto3", "kubernetes", "yaml", "moto")


def loaded(statement: str) -> set[str]:
    """Names of the top-level modules that an interpreter has after this statement."""
    code = f"import sys\n{statement}\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=PATIENCE_S)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        pytest.param("import controller.smlogs.app", HEAVY, id="to print a log"),
        pytest.param("import controller.smlogs.__main__", (*HEAVY, "botocore"), id="to print help"),
        pytest.param("import controller.smlogs.command_line.completion", (*HEAVY, "botocore"), id="to complete"),
    ],
)
def test_nothing_is_loaded_that_is_not_needed(statement: str, absent: tuple[str, ...]) -> None:
    """Metrics and logs of the operator took half of the start; its parts are shared, so they come back easily."""
    assert not loaded(statement) & set(absent)

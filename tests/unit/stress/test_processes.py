"""Finding and ending the processes that tests leave behind."""

import subprocess
import sys
from pathlib import Path

import pytest

from hack.stress.processes import descendants, parent_in

ROOT = Path(__file__).parents[3]


def test_descendants_are_children_and_theirs() -> None:
    """Other processes of the machine are not."""
    assert descendants({2: 1, 3: 2, 4: 3, 5: 1, 6: 5}, 2) == {3, 4}
    assert descendants({2: 1}, 2) == set()


@pytest.mark.parametrize("name", ["sh", "a b", "x) S 99 (y"])
def test_a_parent_is_read_behind_any_name(name: str) -> None:
    """A process may call itself what it likes."""
    assert parent_in(f"17 ({name}) S 5 17 17 0 -1") == 5


@pytest.mark.skipif(sys.platform != "linux", reason="orphans are found on Linux only")
def test_orphans_in_other_sessions_are_killed_and_named() -> None:
    """A daemon escapes a process group, not its adopted parent; what is spared lives on."""
    program = """
import subprocess
from hack.stress.processes import adopt_orphans, kill_descendants

adopt_orphans()
command = ["sh", "-c", "exec 3<&0; setsid cat <&3 &"]
with (
    subprocess.Popen(["sleep", "600"]) as spared,
    subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent,
):
    parent.stdin.write(b"heard")
    parent.stdin.flush()
    assert parent.stdout.read(5) == b"heard"  # so it runs
    parent.wait()
    print(kill_descendants(spared={spared.pid}), spared.poll(), kill_descendants())
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("['cat'] None ['sleep 600']\n", "")

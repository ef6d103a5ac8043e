"""The environment of a stress run."""

import subprocess
from pathlib import Path

import pytest

from hack.stress.surroundings import Surroundings, environment, locales

MADE = Surroundings(Path("/s/checkout"), Path("/s/home"), Path("/s/tmp"))


def test_nothing_of_the_users_session_reaches_the_tests() -> None:
    """Neither who and where they are nor their cluster, their AWS account, or the make that started it all."""
    given = {
        "PATH": "/bin",
        "HOME": "/root",
        "USER": "root",
        "LANG": "en_US.UTF-8",
        "LC_TIME": "de_DE.UTF-8",
        "XDG_CACHE_HOME": "/root/.cache",
        "KUBECONFIG": "/root/.kube/config",
        "AWS_PROFILE": "production",
        "MAKEFLAGS": "-j2",
    }
    assert environment(given, MADE, timezone="Asia/Kathmandu", locale="C") == {
        "PATH": "/bin",
        "HOME": "/s/home",
        "TMPDIR": "/s/tmp",
        "TZ": "Asia/Kathmandu",
        "LC_ALL": "C",
        "TERM": "dumb",
    }


@pytest.mark.parametrize(
    ("installed", "used"),
    [
        pytest.param([], ("C",), id="no list"),
        pytest.param(["C", "C.utf8", "POSIX", "en_US.utf8"], ("C",), id="English only"),
        pytest.param(["C", "POSIX", "tr_TR.utf8", "de_DE.utf8"], ("C", "de_DE.utf8"), id="others"),
    ],
)
def test_a_language_other_than_english_is_used_where_there_is_one(installed: list[str], used: tuple[str, ...]) -> None:
    """In turn with C."""
    assert locales(installed) == used


def test_processes_read_nothing_and_their_files_are_private() -> None:
    """As of a service, or of a careful user."""
    options = MADE.options({"A": "b"})
    assert options == {"cwd": MADE.checkout, "env": {"A": "b"}, "stdin": subprocess.DEVNULL, "umask": 0o077}


def test_root_becomes_another_user() -> None:
    """Without root's groups, which may read what that user may not."""
    options = Surroundings(*(Path("/s"),) * 3, user=65534).options({})
    assert (options["user"], options["group"], options["extra_groups"]) == (65534, 65534, ())

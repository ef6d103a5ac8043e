"""What holds for every test: no thread outlives it, how long it takes is no matter, and each run tries the same.

Hypothesis looks for new examples where that is asked for: `pytest --hypothesis-profile=search tests/property`.
"""

import gc
import importlib
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from xdist.remote import Producer

from tests.collecting import COLLECTED, collected
from tests.deadline import PATIENCE_S
from tests.workers import OneQueue, how_many, in_order

PROFILES = "tests.hypothesis_profile"

# structlog loads rich where it is installed, which takes as long as a hundred tests do; the operator's image has none.
sys.modules["rich"] = None  # type: ignore[assignment]
importlib.import_module("structlog")
del sys.modules["rich"]

# What is imported and collected lives as long as the process. Looking through its millions of objects for garbage takes
# a third of collecting, and a tenth of running.
gc.disable()


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> OneQueue:
    """Let all processes take tests from one queue, whatever `--dist` says."""
    config.option.loadscopereorder = False
    return OneQueue(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Where tests are only listed, do nothing that is for running them.

    Hypothesis would read all sources for the constants that examples are made of, and assertions would be rewritten.
    """
    if session.config.option.collectonly:
        plugins = session.config.pluginmanager
        plugins.unregister(name="hypothesispytest")
        sys.meta_path[:] = [finder for finder in sys.meta_path if finder is not plugins.rewrite_hook]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where several processes share the tests: let some of them wait for servers while others compute."""
    if hasattr(config, "workerinput"):
        sorts: dict[str, list[pytest.Item]] = {"early": [], "sandbox": [], "": []}
        for item in items:
            sorts[next((name for name in sorts if name and item.get_closest_marker(name)), "")].append(item)
        items[:] = in_order(*sorts.values())


def pytest_collection_finish(session: pytest.Session) -> None:
    """Note what the list has cost, and collect garbage from here on, among what the tests make."""
    session.config.stash[COLLECTED] = collected(session.items)
    gc.freeze()
    gc.enable()


@pytest.fixture(autouse=True)
def no_thread_is_left_behind() -> Iterator[None]:
    """Fail a test after which a thread lives that did not live before, and name it.

    A forgotten thread acts in the middle of later tests. Threads of fixtures with a wider scope lived before.
    """
    before = set(threading.enumerate())
    yield
    left = [thread for thread in threading.enumerate() if thread not in before]
    for thread in left:
        thread.join(PATIENCE_S)
    names = sorted(thread.name for thread in left if thread.is_alive())
    if names:
        pytest.fail(f"left behind by this test: {', '.join(names)}", pytrace=False)


@pytest.hookimpl(optionalhook=True)  # the clients of tests/clients run without xdist
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """Say how many workers `-n auto` starts, unless PYTEST_XDIST_AUTO_NUM_WORKERS does."""
    if os.environ.get("PYTEST_XDIST_AUTO_NUM_WORKERS"):
        return None
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return how_many(config.args, cores, is_narrowed=bool(config.option.keyword))


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Register our profiles of hypothesis where one is named: its plugin looks for it next."""
    if config.getoption("--hypothesis-profile", None):
        importlib.import_module(PROFILES)


def pytest_pycollect_makemodule(module_path: Path) -> None:
    """Load our profile ahead of a module that uses hypothesis.

    Not for every run: its import takes longer than all else that a single file of tests needs.
    """
    if b"hypothesis" in module_path.read_bytes():
        importlib.import_module(PROFILES)

"""What holds for every test: no thread outlives it, how long it takes is no matter, and each run tries the same.

Hypothesis looks for new examples where that is asked for: `pytest --hypothesis-profile=search tests/property`.
"""

import threading
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.deadline import PATIENCE_S

settings.register_profile("ours", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("search", settings.get_profile("ours"), derandomize=False, max_examples=1000)
settings.load_profile("ours")


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

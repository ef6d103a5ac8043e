"""What holds for every test: no thread outlives it, and how long it takes is no matter."""

import threading
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("ours", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ours")

GRACE_S = 2.0
"""How long threads that are ending may take: a limit, paid only by tests that fail."""


@pytest.fixture(autouse=True)
def no_thread_is_left_behind() -> Iterator[None]:
    """Fail a test after which a thread lives that did not live before, and name it.

    A forgotten thread acts in the middle of later tests. Threads of fixtures with a wider scope lived before.
    """
    before = set(threading.enumerate())
    yield
    left = [thread for thread in threading.enumerate() if thread not in before]
    for thread in left:
        thread.join(GRACE_S)
    names = sorted(thread.name for thread in left if thread.is_alive())
    if names:
        pytest.fail(f"left behind by this test: {', '.join(names)}", pytrace=False)

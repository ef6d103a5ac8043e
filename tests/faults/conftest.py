"""What holds for the lives that are played here."""

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True, scope="package")
def plain_logs() -> Iterator[None]:
    """Render log lines as plain pairs: thousands of lives write more than they compute where lines are made pretty."""
    before = structlog.get_config()
    structlog.configure(processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()])
    yield
    structlog.configure(**before)

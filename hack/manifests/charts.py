"""Charts."""

from pathlib import Path


def generate(config: Path, *, image: str) -> dict[str, str]:
    """Placeholder."""
    return {}

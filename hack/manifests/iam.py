"""IAM policies."""


def generate() -> dict[str, str]:
    """Placeholder."""
    return {}

"""Parses tags in a flag or an annotation, within AWS's limits (modern-expectations.md 5)."""


def parse_tags(text: str) -> tuple[tuple[str, str], ...]:
    """Return the keys and values of `k=v,k=v`. Raises ValueError with a message that begins "must be …"."""
    pairs = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        key, equals, value = part.partition("=")
        if not equals or not 1 <= len(key) <= 128 or len(value) > 256 or key.lower().startswith("aws:"):
            raise ValueError(
                f"must be key=value pairs with commas between, keys of 1 to 128 characters that do not start with "
                f"aws:, values of at most 256 characters; {part!r} is not"
            )
        pairs.append((key, value))
    return tuple(pairs)

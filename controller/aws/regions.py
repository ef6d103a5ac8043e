"""Region names: distinguishes an unreachable region from one that does not exist."""

from functools import cache

from botocore.loaders import Loader


@cache
def _known() -> tuple[str, ...]:
    """Return the regions in botocore's data, in all partitions; makes no calls."""
    partitions = Loader().load_data("partitions")["partitions"]
    return tuple(sorted(region for each in partitions for region in each["regions"]))


def doubt(region: str) -> str:
    """Return a hint for an unreachable `region`: empty, unless its name may be a typo.

    Only a hint: a region may be newer than this botocore, and is used as given.
    """
    if region in _known():
        return ""
    from difflib import get_close_matches  # noqa: PLC0415 (needed for a typo only)

    close = get_close_matches(region, _known(), n=1)
    return f"no region {region} is known{f', is {close[0]} meant?' if close else ''}"

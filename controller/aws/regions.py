"""Names of regions: tells one that cannot be reached from one that does not exist."""

from difflib import get_close_matches
from functools import cache

from botocore.loaders import Loader


@cache
def _known() -> tuple[str, ...]:
    """The regions that botocore knows of, in all partitions; nobody is called."""
    partitions = Loader().load_data("partitions")["partitions"]
    return tuple(sorted(region for each in partitions for region in each["regions"]))


def doubt(region: str) -> str:
    """What to tell where `region` cannot be reached: empty, unless its name may be a typo.

    Only then: a region may be newer than this botocore, and is used as it is named.
    """
    if region in _known():
        return ""
    close = get_close_matches(region, _known(), n=1)
    return f"no region {region} is known{f', is {close[0]} meant?' if close else ''}"

"""Regions and DNS suffixes of all partitions, as botocore ships them."""

from functools import cache

from botocore.loaders import Loader


@cache
def dns_suffixes() -> dict[str, str]:
    """Return the DNS suffix of each region, with those that stand for a partition, such as aws-global."""
    partitions = Loader().load_data("partitions")["partitions"]
    return {region: each["outputs"]["dnsSuffix"] for each in partitions for region in each["regions"]}

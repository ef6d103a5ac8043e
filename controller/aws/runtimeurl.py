"""The address at which an endpoint serves requests, per partition (D-33)."""

from functools import cache
from typing import Final

from botocore.loaders import Loader

_DEFAULT_SUFFIX: Final = "amazonaws.com"


@cache
def _dns_suffixes() -> dict[str, str]:
    """Return the DNS suffix by partition, from the data that botocore ships; makes no calls."""
    partitions = Loader().load_data("partitions")["partitions"]
    return {each["id"]: each["outputs"]["dnsSuffix"] for each in partitions}


def invocation_url(region: str, partition: str, endpoint: str) -> str:
    """Return the invocation URL (v1-kinds.md 8): `https://runtime.sagemaker.us-east-2.amazonaws.com/endpoints/…`."""
    suffix = _dns_suffixes().get(partition, _DEFAULT_SUFFIX)
    return f"https://runtime.sagemaker.{region}.{suffix}/endpoints/{endpoint}/invocations"

"""The address at which an endpoint serves requests, per partition (D-33)."""

import threading
from functools import cache
from typing import Final

import botocore.session

_DEFAULT_SUFFIX: Final = "amazonaws.com"
_LOCK: Final = threading.Lock()  # guards _SESSION: sessions may not be shared between threads (K9)
_SESSION: Final = botocore.session.Session()
"""Reads the partition data that botocore ships; it never calls anybody."""


@cache
def _dns_suffix(partition: str) -> str:
    with _LOCK:
        partitions = _SESSION.get_component("endpoint_resolver").get_partition_dns_suffix
        return str(partitions(partition) or _DEFAULT_SUFFIX)


def invocation_url(region: str, partition: str, endpoint: str) -> str:
    """URL for InvokeEndpoint (v1-kinds.md 8), e.g. `https://runtime.sagemaker.us-east-2.amazonaws.com/endpoints/…`."""
    return f"https://runtime.sagemaker.{region}.{_dns_suffix(partition)}/endpoints/{endpoint}/invocations"

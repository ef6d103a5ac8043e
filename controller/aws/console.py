"""Links into the AWS console, per partition (D-33)."""

import threading
from functools import lru_cache
from typing import Final
from urllib.parse import quote

import botocore.session
from botocore.exceptions import UnknownRegionError

_CONSOLES: Final = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
    "aws-eusc": "console.amazonaws-eusc.eu",
}
"""Console host by partition; isolated partitions publish none, so their objects get no link."""

_LOCK: Final = threading.Lock()  # guards _SESSION: sessions may not be shared between threads (K9)
_SESSION: Final = botocore.session.Session()
"""Reads the partition data that botocore ships; makes no calls."""


@lru_cache(maxsize=256)  # users choose regions: bounded, whatever they write
def partition_of(region: str) -> str:
    """Return the partition of a region, e.g. `aws-cn`; a region that botocore does not know counts as `aws`."""
    with _LOCK:
        try:
            return str(_SESSION.get_partition_for_region(region))
        except UnknownRegionError:
            return "aws"


def log_url(region: str, log_group: str, job_name: str) -> str | None:
    """Return a link to the log streams of a job (v1-kinds.md 8), None if the partition's console is unknown."""
    host = _CONSOLES.get(partition_of(region))
    if host is None:
        return None
    place = f"group={log_group};prefix={quote(job_name, safe='')};streamFilter=typeLogStreamPrefix"
    return f"https://{region}.{host}/cloudwatch/home?region={region}#logStream:{place}"

"""Links into the AWS console, per partition (D-33)."""

from functools import cache, lru_cache
from typing import Final
from urllib.parse import quote

from botocore.exceptions import UnknownRegionError
from botocore.regions import EndpointResolver

from api.models import shared_loader

_CONSOLES: Final = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
    "aws-eusc": "console.amazonaws-eusc.eu",
}
"""Console host by partition; isolated partitions publish none, so their objects get no link."""


@cache
def _partitions() -> EndpointResolver:
    """Return the partitions as clients know them: a session of its own would read and keep a second copy of them."""
    return EndpointResolver(shared_loader().load_data("endpoints"))


@lru_cache(maxsize=256)  # users choose regions: bounded, whatever they write
def partition_of(region: str) -> str:
    """Return the partition of a region, e.g. `aws-cn`; a region that botocore does not know counts as `aws`."""
    try:
        return str(_partitions().get_partition_for_region(region))
    except UnknownRegionError:
        return "aws"


def log_url(region: str, log_group: str, job_name: str) -> str | None:
    """Return a link to the log streams of a job (v1-kinds.md 8), None if the partition's console is unknown."""
    host = _CONSOLES.get(partition_of(region))
    if host is None:
        return None
    place = f"group={log_group};prefix={quote(job_name, safe='')};streamFilter=typeLogStreamPrefix"
    return f"https://{region}.{host}/cloudwatch/home?region={region}#logStream:{place}"

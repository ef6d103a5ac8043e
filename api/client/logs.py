"""Reads the log of a job or an endpoint from CloudWatch, with the AWS credentials of this process.

`kubectl smlogs` does more: it follows, and reads those of a tuning job (docs/logs.md).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError
from botocore.exceptions import ClientError as AwsError

from api.client.errors import ClientError
from api.descriptor import KindDescriptor, LifeCycle


def read(descriptor: KindDescriptor, obj: Mapping[str, Any], connect: Any) -> Iterator[str]:
    """Yield the lines of all instances in order of time. Raises `ClientError`.

    `connect` is `boto3.client`, or what botocore has for it.

    A group or stream that does not exist yet has no lines.
    """
    resource = (obj.get("status") or {}).get("awsResource") or {}
    if not descriptor.log_group:
        raise ClientError("NoLogs", f"a {descriptor.kind} writes no log")
    if not resource.get("name"):
        raise ClientError("Pending", "nothing was created at AWS yet")
    if descriptor.life_cycle in {LifeCycle.ENDPOINT, LifeCycle.COMPONENT}:
        place = {"logGroupName": f"{descriptor.log_group}/{resource['name']}"}
    else:
        # with the slash: the job `foo` is not `foo-bar`
        place = {"logGroupName": descriptor.log_group, "logStreamNamePrefix": f"{resource['name']}/"}
    try:
        pages = connect("logs", region_name=resource.get("region")).get_paginator("filter_log_events")
        for page in pages.paginate(**place):
            yield from (event["message"] for event in page["events"])
    except AwsError as error:
        said = error.response.get("Error", {})
        if said.get("Code") != "ResourceNotFoundException":
            raise ClientError(str(said.get("Code", "Unknown")), str(said.get("Message", error))) from error
    except BotoCoreError as error:
        raise ClientError(type(error).__name__, str(error)) from error

"""Tags on the resources of the sandbox: ListTags, AddTags and DeleteTags for those kept here."""

from collections.abc import Iterable, Mapping
from typing import Any

from hack.sandbox.aws.jobs import JobStore
from hack.sandbox.aws.validation import validate
from hack.sandbox.aws.wire import Call, invalid

MAX_TAGS = 50


def tag_map(tags: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Return a list of {Key, Value} as a mapping. Raises ValidationException for tags that AWS refuses."""
    found: dict[str, str] = {}
    for tag in tags:
        if tag["Key"].lower().startswith("aws:"):
            raise invalid("Tag keys that start with 'aws:' are reserved for AWS use")
        if tag["Key"] in found:
            raise invalid(f"Duplicate tag keys found: {tag['Key']}. Tag keys must be unique")
        found[tag["Key"]] = tag["Value"]
    return _limited(found)


class TagApi:
    """The tag operations over the job store; `knows` says which ARNs are its own."""

    def __init__(self, store: JobStore) -> None:
        self._store = store

    def knows(self, call: Call) -> bool:
        """Whether the resource named in the call lives in the job store."""
        return self._store.by_arn(str(call.params.get("ResourceArn"))) is not None

    def list(self, call: Call) -> dict[str, Any]:
        """Return the tags of a resource, sorted by key: always one page, for no page may be smaller than 50."""
        validate("sagemaker", call.operation, call.params)
        job = self._store.by_arn(call.params["ResourceArn"])
        return {"Tags": _tag_list(sorted(job.tags.items()) if job is not None else ())}

    def add(self, call: Call) -> dict[str, Any]:
        """Add tags, replacing the values of keys that exist."""
        validate("sagemaker", call.operation, call.params)
        added = tag_map(call.params["Tags"])
        self._store.retag(call.params["ResourceArn"], lambda tags: _limited({**tags, **added}))
        return {"Tags": _tag_list(added.items())}

    def delete(self, call: Call) -> dict[str, Any]:
        """Remove tags; keys that are not there do not matter."""
        validate("sagemaker", call.operation, call.params)
        keys = set(call.params["TagKeys"])
        self._store.retag(
            call.params["ResourceArn"], lambda tags: {key: value for key, value in tags.items() if key not in keys}
        )
        return {}


def _limited(tags: dict[str, str]) -> dict[str, str]:
    if len(tags) > MAX_TAGS:
        raise invalid(f"The maximum number of tags on a resource is {MAX_TAGS}")
    return tags


def _tag_list(tags: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags]

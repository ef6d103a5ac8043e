"""Tags on the resources of the sandbox: ListTags, AddTags and DeleteTags."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from hack.sandbox.aws.records.resource import AnyKind, Store
from hack.sandbox.aws.records.validation import validate
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
    """The tag operations on the given kinds of resources; `knows` checks for such a resource."""

    def __init__(self, kinds: Iterable[AnyKind], store: Store) -> None:
        self._kinds = {kind.arn_segment: kind for kind in kinds}
        self._store = store

    def knows(self, call: Call) -> bool:
        """Return whether the ARN in the call belongs to one of these kinds, existing or not."""
        return _segment(call) in self._kinds

    def operations(self) -> dict[str, Callable[[Call], dict[str, Any]]]:
        """Return operation name → handler."""
        return {"ListTags": self.list, "AddTags": self.add, "DeleteTags": self.delete}

    def list(self, call: Call) -> dict[str, Any]:
        """Return the tags of a resource, sorted by key: always one page, since a page has at least 50."""
        with self._existing(call) as arn:
            return {"Tags": _tag_list(sorted(self._store.by_arn(call, arn).tags.items()))}

    def add(self, call: Call) -> dict[str, Any]:
        """Add tags, replacing the values of keys that exist."""
        with self._existing(call) as arn:
            added = tag_map(call.params["Tags"])
            self._store.retag(call, arn, lambda tags: _limited({**tags, **added}))
            return {"Tags": _tag_list(added.items())}

    def delete(self, call: Call) -> dict[str, Any]:
        """Remove tags; ignores missing keys."""
        with self._existing(call) as arn:
            keys = set(call.params["TagKeys"])
            self._store.retag(call, arn, lambda tags: {key: value for key, value in tags.items() if key not in keys})
            return {}

    @contextmanager
    def _existing(self, call: Call) -> Iterator[str]:
        """Validate the call and yield its ARN; raises the kind's "not found" for an unknown one."""
        validate("sagemaker", call.operation, call.params)
        arn: str = call.params["ResourceArn"]
        try:
            yield arn
        except KeyError as exc:
            raise self._kinds[_segment(call)].not_found.raised(name=arn.rpartition("/")[2], arn=arn) from exc


def _segment(call: Call) -> str:
    """Return the type in the ARN of a call: `training-job` of `arn:aws:sagemaker:<region>:<account>:training-job/x`."""
    return str(call.params.get("ResourceArn")).rpartition(":")[2].partition("/")[0]


def _limited(tags: dict[str, str]) -> dict[str, str]:
    if len(tags) > MAX_TAGS:
        raise invalid(f"The maximum number of tags on a resource is {MAX_TAGS}")
    return tags


def _tag_list(tags: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags]

"""CloudWatch Logs for SageMaker's log groups: streams and lines are computed from the resources that write them."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from hack.sandbox.aws.records.resource import AnyKind, LogStream, Store, partition
from hack.sandbox.aws.records.validation import validate
from hack.sandbox.aws.wire import ApiError, Call

_MAX_EVENTS = 10_000
_MAX_STREAMS = 50


class LogsApi:
    """The read operations of CloudWatch Logs on the groups of the given kinds; `knows` checks for such a group."""

    def __init__(self, kinds: Iterable[AnyKind], store: Store) -> None:
        self._kinds = [kind for kind in kinds if kind.log_group]
        self._store = store

    def knows(self, call: Call) -> bool:
        """Return whether the call concerns a SageMaker log group."""
        return self._kind(_group(call)) is not None

    def operations(self) -> dict[str, Callable[[Call], dict[str, Any]]]:
        """Return operation name → handler."""
        return {
            "DescribeLogStreams": self.describe_streams,
            "GetLogEvents": self.get_events,
            "FilterLogEvents": self.filter_events,
        }

    def describe_streams(self, call: Call) -> dict[str, Any]:
        """Return the streams of a group by name or by last event, a page of at most 50."""
        validate("logs", call.operation, call.params)
        params = call.params
        if params.get("orderBy") == "LastEventTime" and params.get("logStreamNamePrefix"):
            raise ApiError("InvalidParameterException", "Cannot order by LastEventTime with a logStreamNamePrefix.")
        streams = [s for s in self._streams(call) if s.name.startswith(params.get("logStreamNamePrefix") or "")]
        by_time = params.get("orderBy") == "LastEventTime"
        streams.sort(
            key=lambda s: (s.lines[-1][0] if by_time and s.lines else 0, s.name), reverse=bool(params.get("descending"))
        )
        start, end = _page(params.get("nextToken"), params.get("limit") or _MAX_STREAMS)
        answer: dict[str, Any] = {"logStreams": [self._described(call, stream) for stream in streams[start:end]]}
        return answer | ({"nextToken": str(end)} if end < len(streams) else {})

    def get_events(self, call: Call) -> dict[str, Any]:
        """Return the lines of one stream; tokens count lines, and at either end the same token is returned."""
        validate("logs", call.operation, call.params)
        params = call.params
        stream = next((s for s in self._streams(call) if s.name == params["logStreamName"]), None)
        if stream is None:
            raise ApiError("ResourceNotFoundException", "The specified log stream does not exist.")
        lines = [line for line in stream.lines if _is_between(line[0], params)]
        limit = params.get("limit") or _MAX_EVENTS
        direction, _, position = str(params.get("nextToken") or "").partition("/")
        if direction == "f" or (not direction and params.get("startFromHead")):
            start = min(_number(position or "0"), len(lines))
            end = min(start + limit, len(lines))
        else:
            end = min(_number(position), len(lines)) if position else len(lines)
            start = max(0, end - limit)
        return {
            "events": [
                {"timestamp": _ms(at), "message": text, "ingestionTime": _ms(at)} for at, text in lines[start:end]
            ],
            "nextForwardToken": f"f/{end}",
            "nextBackwardToken": f"b/{start}",
        }

    def filter_events(self, call: Call) -> dict[str, Any]:
        """Return lines of several streams in order of time; a filter pattern is a list of required words."""
        validate("logs", call.operation, call.params)
        params = call.params
        names, prefix = params.get("logStreamNames"), params.get("logStreamNamePrefix") or ""
        if names and prefix:
            raise ApiError("InvalidParameterException", "logStreamNames and logStreamNamePrefix cannot both be set.")
        words = str(params.get("filterPattern") or "").replace('"', " ").split()
        found = sorted(
            (at, stream.name, number, text)
            for stream in self._streams(call)
            if stream.name.startswith(prefix) and (not names or stream.name in names)
            for number, (at, text) in enumerate(stream.lines)
            if _is_between(at, params) and all(word in text for word in words)
        )
        start, end = _page(params.get("nextToken"), params.get("limit") or _MAX_EVENTS)
        events = [
            {
                "logStreamName": name,
                "timestamp": _ms(at),
                "message": text,
                "ingestionTime": _ms(at),
                "eventId": f"{_ms(at):020d}{number:036d}",
            }
            for at, name, number, text in found[start:end]
        ]
        answer: dict[str, Any] = {"events": events, "searchedLogStreams": []}
        return answer | ({"nextToken": str(end)} if end < len(found) else {})

    def _kind(self, group: str) -> AnyKind | None:
        """Return the kind of the resources that write to a group."""
        return next(
            (
                kind
                for kind in self._kinds
                if group == kind.log_group or (kind.has_group_each and group.startswith(f"{kind.log_group}/"))
            ),
            None,
        )

    def _streams(self, call: Call) -> list[LogStream]:
        """Return the streams of the group, or fail as AWS does before its first line."""
        group = _group(call)
        kind = self._kind(group)
        writers = self._store.list(kind, call) if kind is not None else ()
        streams = [
            stream
            for writer in writers
            if kind is not None and kind.group(writer) == group
            for stream in kind.log_lines(writer, call.now)
        ]
        if not streams:
            raise ApiError("ResourceNotFoundException", "The specified log group does not exist.")
        return streams

    def _described(self, call: Call, stream: LogStream) -> dict[str, Any]:
        place = f"arn:{partition(call.region)}:logs:{call.region}:{call.account}"
        arn = f"{place}:log-group:{_group(call)}:log-stream:{stream.name}"
        answer = {"logStreamName": stream.name, "creationTime": _ms(stream.created_at), "arn": arn, "storedBytes": 0}
        if stream.lines:
            first, last = _ms(stream.lines[0][0]), _ms(stream.lines[-1][0])
            answer |= {"firstEventTimestamp": first, "lastEventTimestamp": last, "lastIngestionTime": last}
        return answer


def _group(call: Call) -> str:
    return str(call.params.get("logGroupName") or call.params.get("logGroupIdentifier"))


def _is_between(at: float, params: Mapping[str, Any]) -> bool:
    """Return whether a line is from startTime (inclusive) to endTime (exclusive), both in milliseconds."""
    end = params.get("endTime")
    return (params.get("startTime") or 0) <= _ms(at) and (end is None or _ms(at) < end)


def _ms(at: float) -> int:
    return int(at * 1000)


def _page(token: str | None, size: int) -> tuple[int, int]:
    start = _number(token) if token else 0
    return start, start + size


def _number(token: str) -> int:
    if not token.isdecimal():
        raise ApiError("InvalidParameterException", "The specified nextToken is invalid.")
    return int(token)

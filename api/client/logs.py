"""Reads the log of a job or an endpoint from CloudWatch, and follows it: what `kubectl smlogs` does, as an iterator."""

import os
import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from botocore import xform_name
from botocore.exceptions import BotoCoreError
from botocore.exceptions import ClientError as AwsError

from api.client.errors import ClientError
from controller.aws.errors import CallError, classify
from controller.aws.targets import Target, TargetDefaults
from controller.runtime.clock import Clock
from controller.smlogs import selection, wording
from controller.smlogs.cloudwatch import LogReader, TuningMembers
from controller.smlogs.command_line.options import Options
from controller.smlogs.events import Seen, Window
from controller.smlogs.follow import Follower, Rhythm
from controller.smlogs.kinds import LOG_KINDS, LogKind
from controller.smlogs.patience import Patience, Pause
from controller.smlogs.reading import Progress, first_ms, milliseconds, read
from controller.smlogs.subject import Subject

_ATTEMPTS: Final = 5
_ATTEMPTS_FOLLOWING: Final = 12
"""As those of `kubectl smlogs`: following survives about two minutes of throttling."""
_KINDS: Final = {kind.kind: kind for kind in LOG_KINDS}

Look = Callable[[], Subject | None]
"""Returns the object as it is now, None once it was deleted."""


def kind_of(kind: str) -> LogKind:
    """Return what logs need to know of a kind. Raises `ClientError` for one that writes none."""
    if kind not in _KINDS:
        raise ClientError("NoLogs", f"a {kind} writes no log")
    return _KINDS[kind]


class Log:
    """The log of one object. `connect` is `boto3.client` or what botocore has for it, `say` gets what delays lines."""

    def __init__(self, options: Options, connect: Any, say: Callable[[str], None], clock: Clock, pause: Pause) -> None:
        self._options = options
        self._aws = _Aws(connect)
        self._say = say
        self._clock = clock
        self._pause = pause
        self._patience = Patience(
            attempts=_ATTEMPTS_FOLLOWING if options.follow else _ATTEMPTS,
            pause=pause,
            clock=clock,
            rng=random.Random(),  # noqa: S311 - the jitter of pauses needs no cryptographic randomness
            tell=say,
        )

    def lines(self, subject: Subject, look: Look) -> Iterator[str]:
        """Yield lines by time; with `follow` also those to come, until the job has ended. Raises `ClientError`.

        A log group that does not exist yet has no lines.
        """
        if self._options.follow:
            subject = self._until_created(subject, look)
        if not subject.may_exist:
            is_over = subject.has_ended or subject.is_stalled
            raise ClientError("NotCreated" if is_over else "Pending", wording.not_created(subject))
        target = TargetDefaults.of(aws_region="", aws_endpoint_url="", environment=os.environ).resolve(
            {"sageMakerEndpoint": subject.sagemaker_endpoint}, recorded_region=subject.region
        )
        members = None
        if subject.kind.is_tuning:
            members = TuningMembers(self._aws, target, subject.aws_name, self._patience, self._clock)
        chosen = selection.of(subject, "", members)
        try:
            yield from self._lines(LogReader(self._aws, target, chosen, self._patience), subject, look)
        except CallError as error:
            raise ClientError(error.code, wording.of_aws(error, subject.region, chosen.group)) from error

    def _lines(self, reader: LogReader, subject: Subject, look: Look) -> Iterator[str]:
        now = self._clock.utcnow()
        progress = Progress(Seen(), Window(first_ms(self._options, subject, now)))
        for batch in read(reader, progress, tail=self._options.tail, now_ms=milliseconds(now)):
            yield from (event.message.removesuffix("\n") for event in batch)
        if self._options.follow:
            follower = Follower(reader, look, _Iteration(), self._pause, self._clock)
            for batch in follower.batches(subject, progress):
                yield from (event.message.removesuffix("\n") for event in batch)

    def _until_created(self, subject: Subject, look: Look) -> Subject:
        """Wait until the resource exists at AWS, or never will. Raises `ClientError` when the object is deleted."""
        said = ""
        while not (subject.may_exist or subject.is_stalled or subject.has_ended):
            if (words := wording.not_created(subject)) != said:
                self._say(words)
                said = words
            self._pause(Rhythm().look_s)
            found = look()
            if found is None or found.uid != subject.uid:
                raise ClientError("Deleted", wording.ended(None, subject))
            subject = found
        return subject


class _Iteration:
    """The `Audience` that a `for` is: it ends following by ending itself, and needs no status."""

    printed = 0

    def check_reader(self) -> None:
        """Do nothing."""

    def status(self, words: str) -> None:
        """Do nothing."""


class _Aws:
    """Calls of AWS by clients that `connect` makes, one for each service and region."""

    def __init__(self, connect: Any) -> None:
        self._connect = connect
        self._clients: dict[tuple[str, str], Any] = {}

    def call(
        self, target: Target, service: str, operation: str, request: Mapping[str, Any], **_caller: object
    ) -> dict[str, Any]:
        """Call an operation and return its response. Raises `CallError`."""
        try:
            client = self._client(target, service)
            answer: dict[str, Any] = getattr(client, xform_name(operation))(**request)
        except (AwsError, BotoCoreError) as error:
            raise classify(operation, error) from error
        return answer

    def _client(self, target: Target, service: str) -> Any:
        key = (service, target.region)
        if key not in self._clients:
            endpoint = {"endpoint_url": target.endpoint} if target.endpoint and service == "sagemaker" else {}
            self._clients[key] = self._connect(service, region_name=target.region, **endpoint)
        return self._clients[key]

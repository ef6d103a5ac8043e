"""Runs the plugin: the object, the header, the lines, and following. Handles errors, does not end the process."""

import logging
import random
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final, TextIO

from controller.aws.clients import AwsApi, Clients, ClientSettings
from controller.aws.errors import CallError
from controller.aws.limits.budgets import Budgets
from controller.aws.sagemaker import Api
from controller.aws.targets import TargetDefaults
from controller.runtime.clock import Clock, SystemClock
from controller.smlogs import selection, wording
from controller.smlogs.cloudwatch import LIMITS, LogReader, MergedReader, TuningMembers
from controller.smlogs.cluster import Lookup
from controller.smlogs.command_line.options import ALL_LINES, JSON, Options
from controller.smlogs.events import Seen, Window
from controller.smlogs.follow import Follower, Rhythm
from controller.smlogs.kubectl import Kubectl, KubectlError
from controller.smlogs.patience import Patience, Pause
from controller.smlogs.printing.lines import Format, JsonLines, Lines
from controller.smlogs.printing.output import Output, wants_colours
from controller.smlogs.reading import Progress, Reader, first_ms, milliseconds, read
from controller.smlogs.subject import Subject
from controller.version import version

_ATTEMPTS: Final = 5
"""For existing lines: the last error is reported after some ten seconds."""
_ATTEMPTS_FOLLOWING: Final = 12
"""For new lines: survives about two minutes of network trouble or throttling."""


class SmlogsError(Exception):
    """The plugin cannot continue; the message is for users, and complete."""


class Session:
    """One run, with all its effects. `pause` waits; tests pass one that moves their clock."""

    def __init__(
        self, options: Options, environ: Mapping[str, str], output: Output, clock: Clock, pause: Pause, api: Api
    ) -> None:
        self._rhythm = Rhythm()
        self._options = options
        self._environ = environ
        self._output = output
        self._clock = clock
        self._pause = pause
        self._api = api
        attempts = _ATTEMPTS_FOLLOWING if options.follow else _ATTEMPTS
        # the jitter of pauses needs no cryptographic randomness
        self._patience = Patience(
            attempts=attempts,
            pause=pause,
            clock=clock,
            rng=random.Random(),  # noqa: S311
            tell=output.status,
        )

    def run(self, lookup: Lookup) -> None:
        """Print the requested lines. Raises `SmlogsError`; KeyboardInterrupt and BrokenPipeError pass through."""
        try:
            subject = lookup.first()
            if self._options.follow:
                subject = self._until_created(subject, lookup.again)
            if not subject.aws_name or (subject.is_stalled and not subject.may_exist):
                raise SmlogsError(wording.not_created(subject))
            if not subject.region:
                raise SmlogsError(wording.no_region(subject))
            self._output.say(subject.header)
            self._print(subject, lookup.again)
        except KubectlError as error:
            raise SmlogsError(wording.of_cluster(error, self._options.kind, self._options.name)) from error

    def _until_created(self, subject: Subject, look: Callable[[], Subject | None]) -> Subject:
        """Wait until the resource exists at AWS, or never will. Raises `SmlogsError` when the object is deleted."""
        while not (subject.may_exist or subject.is_stalled or subject.has_ended):
            self._output.check_reader()
            self._output.status(wording.not_created(subject))
            self._pause(self._rhythm.look_s)
            found = look()
            if found is None:
                raise SmlogsError(wording.ended(None, subject))
            subject = found
        return subject

    def _print(self, subject: Subject, look: Callable[[], Subject | None]) -> None:
        options, now = self._options, self._clock.utcnow()
        group, reader = self._reader(subject)
        progress = Progress(Seen(), Window(first_ms(options, subject, now)))
        try:
            self._output.status("reading the log")
            for batch in read(reader, progress, tail=options.tail, now_ms=milliseconds(now)):
                self._output.show(batch)
            if not self._output.printed:
                self._explain_silence(subject)
            if options.follow:
                follower = Follower(reader, look, self._output, self._pause, self._clock, self._rhythm)
                for batch in follower.batches(subject, progress):
                    self._output.show(batch)
                self._output.say(wording.ended(follower.latest, subject))
        except CallError as error:
            raise SmlogsError(wording.of_aws(error, subject.region, group)) from error
        self._output.clear_status()

    def _explain_silence(self, subject: Subject) -> None:
        """Print why no line was printed. Raises `SmlogsError` if there is no resource that could write lines."""
        options = self._options
        if not subject.may_exist and not options.follow:
            raise SmlogsError(wording.not_created(subject))
        is_since = options.since_s is not None or options.since_time is not None
        is_narrowed = bool(options.search_prefix) or is_since or options.tail != ALL_LINES
        if options.tail != 0:
            words = wording.no_lines(subject, is_narrowed=is_narrowed)
            is_waiting = options.follow and not subject.has_ended
            self._output.say(f"{words}; waiting for them" if is_waiting else words)

    def _reader(self, subject: Subject) -> tuple[str, Reader]:
        """Return the log group, or the first of several, and what reads the lines."""
        defaults = TargetDefaults.of(aws_region="", aws_endpoint_url="", environment=self._environ)
        spec = {"sageMakerEndpoint": subject.sagemaker_endpoint}
        target = defaults.resolve(spec, recorded_region=subject.region)
        if subject.kind.step_groups:
            selections = selection.of_steps(subject, self._options.search_prefix)
            readers = [LogReader(self._api, target, each, self._patience) for each in selections]
            return selections[0].group, MergedReader(readers)
        members = None
        if subject.kind.is_tuning:
            members = TuningMembers(self._api, target, subject.aws_name, self._patience, self._clock)
        chosen = selection.of(subject, self._options.search_prefix, members)
        return chosen.group, LogReader(self._api, target, chosen, self._patience)


MOST_FOLLOWED: Final = 10
"""Logs that are followed at once: each polls AWS, within one budget."""


def run(options: Options, environ: Mapping[str, str], out: TextIO, err: TextIO) -> int:
    """Run the plugin with `options`. Returns the exit code: 0, or 1 after a message on `err`.

    Blocks until all lines are printed, with `follow` until the job has ended. Raises KeyboardInterrupt and
    BrokenPipeError.
    """
    never = threading.Event()

    def pause(seconds: float) -> None:
        never.wait(seconds)

    # what fails is reported below; the libraries' own logs would only repeat it
    logging.getLogger().addHandler(logging.NullHandler())
    clock = SystemClock()
    api = AwsApi(Clients(ClientSettings(version())), Budgets(clock, None, LIMITS), clock, None)
    shown, lock = _format(options, out, environ), threading.Lock()
    main_output = Output(out, err, shown, lock)
    kubectl = Kubectl(options.kubectl_flags, environ, main_output.say)

    def print_log(name: str) -> None:
        output = main_output if name == options.name else Output(out, err, shown, lock, has_status=False)
        lookup = Lookup(kubectl, options.kind, name, clock)
        Session(options, environ, output, clock, pause, api).run(lookup)

    try:
        return print_all(_names(options, kubectl), print_log, main_output.say, at_once=options.follow)
    except SmlogsError as failure:
        main_output.say(f"error: {failure}")
        return 1
    finally:
        main_output.clear_status()


def _format(options: Options, out: TextIO, environ: Mapping[str, str]) -> Format:
    if options.output == JSON:
        return JsonLines()
    return Lines(
        hide_stream=options.hide_log_stream_name,
        timestamps=options.timestamps,
        is_coloured=wants_colours(out, environ),
    )


def _names(options: Options, kubectl: Kubectl) -> list[str]:
    """Return the names of the objects. Raises `SmlogsError` if a selector selects none, or too many to follow."""
    if not options.selector:
        return [options.name]
    resource = options.kind.resource
    try:
        names = kubectl.names(f"{resource.plural}.{resource.group}", options.selector)
    except KubectlError as error:
        raise SmlogsError(wording.of_cluster(error, options.kind, "")) from error
    if not names:
        raise SmlogsError(f"no {options.kind.kind} has the labels {options.selector} in this namespace")
    if options.follow and len(names) > MOST_FOLLOWED:
        raise SmlogsError(f"{len(names)} objects have these labels, and -f follows {MOST_FOLLOWED} at most")
    return names


def print_all(
    names: Sequence[str], print_log: Callable[[str], None], say: Callable[[str], None], *, at_once: bool
) -> int:
    """Print the logs of objects, one after the other or at once. Returns 1 if one of several failed, which is said.

    Raises the `SmlogsError` of a single one, and every other exception, at once: the other threads end with the
    process.
    """
    if len(names) == 1:
        print_log(names[0])
        return 0
    if not at_once:
        return max([_failed(partial(print_log, name), say) for name in names])
    from concurrent.futures import ThreadPoolExecutor, as_completed  # noqa: PLC0415 - seldom needed

    pool = ThreadPoolExecutor(len(names), thread_name_prefix="log")
    futures = [pool.submit(_failed, partial(print_log, name), say) for name in names]
    try:
        return max(future.result() for future in as_completed(futures))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _failed(print_one: Callable[[], None], say: Callable[[str], None]) -> int:
    try:
        print_one()
    except SmlogsError as failure:
        say(f"error: {failure}")
        return 1
    return 0

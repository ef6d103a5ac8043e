"""What the user asked for: the flags of the plugin, and a command line read into `Options`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from controller import flagvalues
from controller.smlogs import kinds
from controller.smlogs.flags import Flag, UsageError, parse
from controller.smlogs.kinds import LogKind

ALL_LINES: Final = -1
"""`--tail` as kubectl writes "no limit"."""

LOG_FLAGS: Final = (
    Flag("follow", "Keep printing new lines until the job has ended", short="f", default=False),
    Flag("hide-log-stream-name", "Do not print the log stream in front of each line", default=False),
    Flag(
        "logSearchPrefix",
        "Print only streams whose name goes on with this text, e.g. algo-4",
        short="p",
        placeholder="string",
    ),
    Flag(
        "since",
        "Print only lines newer than this, e.g. 5s, 2m or 3h (default: all)",
        placeholder="duration",
        read=flagvalues.duration(0.001),
        default=None,
    ),
    Flag(
        "tail",
        "Print only this many of the latest lines (default: all)",
        placeholder="int",
        read=flagvalues.whole(ALL_LINES, 10_000_000),
        default=ALL_LINES,
    ),
    Flag("timestamps", "Print the time in front of each line; --timestamps=false leaves it out", default=True),
)
CLUSTER_FLAGS: Final = (
    Flag("context", "Name of the kubeconfig context to use", placeholder="string"),
    Flag("kubeconfig", "Path of the kubeconfig file, or of several, as in KUBECONFIG", placeholder="string"),
    Flag(
        "namespace",
        "Namespace of the resource (default: that of the context)",
        short="n",
        placeholder="string",
        read=flagvalues.namespace,
    ),
)
HELP_FLAG: Final = Flag("help", "help for smlogs", short="h", default=False)


@dataclass(frozen=True, slots=True)
class Options:
    """A request for logs."""

    kind: LogKind
    name: str
    """Name of the Kubernetes object."""
    namespace: str = ""
    """Empty: that of the context."""
    context: str = ""
    kubeconfig: str = ""
    follow: bool = False
    hide_log_stream_name: bool = False
    timestamps: bool = True
    search_prefix: str = ""
    tail: int = ALL_LINES
    since_s: float | None = None


@dataclass(frozen=True, slots=True)
class HelpWanted:
    """A request for the help text, of one command or of all."""

    kind: LogKind | None = None


def read(tokens: Sequence[str]) -> Options | HelpWanted:
    """What a command line asks for. Raises `UsageError`."""
    line = parse((*LOG_FLAGS, *CLUSTER_FLAGS, HELP_FLAG), tokens)
    arguments = list(line.arguments)
    wants_help = line.values["help"] or not arguments
    if arguments and arguments[0].lower() == "help":
        wants_help = True
        del arguments[0]
    if not arguments:
        return HelpWanted()
    command, *names = arguments
    if not names and command.count("/") == 1:  # TYPE/NAME, as kubectl writes it
        command, *names = command.split("/")
    kind = kinds.find(command)
    if kind is None:
        raise UsageError(f'unknown command "{command}" for "smlogs"')
    if wants_help:
        return HelpWanted(kind)
    if len(names) != 1 or not names[0]:
        got = " ".join(names)
        raise UsageError(f'expected exactly one resource name, got [{got}]; "kubectl get {kind.kind}" lists them')
    values = line.values
    return Options(
        kind=kind,
        name=names[0],
        namespace=values["namespace"],
        context=values["context"],
        kubeconfig=values["kubeconfig"],
        follow=values["follow"],
        hide_log_stream_name=values["hide-log-stream-name"],
        timestamps=values["timestamps"],
        search_prefix=values["logSearchPrefix"],
        tail=values["tail"],
        since_s=values["since"],
    )

"""The options of the plugin: its flags, and a command line parsed into `Options`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from controller import flags
from controller.smlogs import kinds
from controller.smlogs.command_line.flags import Flag, UsageError, parse
from controller.smlogs.kinds import LogKind

ALL_LINES: Final = -1
"""`--tail` as kubectl writes "no limit"."""

TEXT: Final = "text"
JSON: Final = "json"
"""Values of `--output`."""


def _time(text: str) -> datetime:
    """Parse a time of RFC 3339. Raises ValueError."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        time = None
    if time is None or time.tzinfo is None or "T" not in text.upper():
        raise ValueError("must be a time of RFC 3339 such as 2030-01-02T03:04:05Z")
    return time.astimezone(UTC)


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
        "output",
        "Format of the lines: text, or json with one object a line",
        short="o",
        placeholder="string",
        read=flags.one_of(TEXT, JSON),
        default=TEXT,
    ),
    Flag(
        "selector",
        "Print the lines of all objects with these labels, e.g. team=a; no NAME then",
        short="l",
        placeholder="string",
    ),
    Flag(
        "since",
        "Print only lines newer than this, e.g. 5s, 2m or 3h (default: all)",
        placeholder="duration",
        read=flags.duration(0.001),
        default=None,
    ),
    Flag(
        "since-time",
        "Print only lines from this time on, e.g. 2030-01-02T03:04:05Z (default: all)",
        placeholder="time",
        read=_time,
        default=None,
    ),
    Flag(
        "tail",
        "Print only this many of the latest lines (default: all)",
        placeholder="int",
        read=flags.whole(ALL_LINES, 10_000_000),
        default=ALL_LINES,
    ),
    Flag("timestamps", "Print the time in front of each line; --timestamps=false leaves it out", default=True),
)
CLUSTER_FLAGS: Final = (
    Flag("as", "User to impersonate", placeholder="string"),
    Flag("as-group", "Group to impersonate; may be repeated", placeholder="string"),
    Flag("as-uid", "UID to impersonate", placeholder="string"),
    Flag("certificate-authority", "Certificates that vouch for the API server", placeholder="file"),
    Flag("client-certificate", "Certificate to show to the API server", placeholder="file"),
    Flag("client-key", "Key of that certificate", placeholder="file"),
    Flag("cluster", "Name of the kubeconfig cluster to use", placeholder="string"),
    Flag("context", "Name of the kubeconfig context to use", placeholder="string"),
    Flag("insecure-skip-tls-verify", "Trust any API server", default=False),
    Flag("kubeconfig", "Path of the kubeconfig file", placeholder="file"),
    Flag("namespace", "Namespace of the resource (default: that of the context)", short="n", placeholder="string"),
    Flag("request-timeout", "How long one request to the API server may take (0: no limit)", placeholder="duration"),
    Flag("server", "Address of the API server", short="s", placeholder="url"),
    Flag("tls-server-name", "Name that the API server's certificate must have", placeholder="string"),
    Flag("token", "Bearer token for the API server", placeholder="string"),
    Flag("user", "Name of the kubeconfig user to use", placeholder="string"),
)
"""kubectl's own flags, which are passed to kubectl: so their defaults are kubectl's, too. The first plugin used
`default` if no namespace was given; with a context that has another one, that is never intended (D-48)."""
HELP_FLAG: Final = Flag("help", "help for smlogs", short="h", default=False)
VERSION_FLAG: Final = Flag("version", "Print the version", default=False)


@dataclass(frozen=True, slots=True)
class Options:
    """A request for logs."""

    kind: LogKind
    name: str
    """Name of the Kubernetes object; empty with a selector."""
    kubectl_flags: tuple[str, ...] = ()
    """The given `CLUSTER_FLAGS`, as arguments for kubectl."""
    follow: bool = False
    hide_log_stream_name: bool = False
    timestamps: bool = True
    search_prefix: str = ""
    tail: int = ALL_LINES
    since_s: float | None = None
    since_time: datetime | None = None
    output: str = TEXT
    selector: str = ""
    """Labels of the objects, as kubectl writes them."""


@dataclass(frozen=True, slots=True)
class HelpWanted:
    """A request for the help text, of one command or of all."""

    kind: LogKind | None = None


@dataclass(frozen=True, slots=True)
class VersionWanted:
    """A request for the version."""


def read(tokens: Sequence[str]) -> Options | HelpWanted | VersionWanted:
    """Parse a command line. Raises `UsageError`."""
    line = parse((*LOG_FLAGS, *CLUSTER_FLAGS, HELP_FLAG, VERSION_FLAG), tokens)
    arguments = list(line.arguments)
    if line.values["version"] or arguments == ["version"]:
        return VersionWanted()
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
        raise UsageError(f'unknown command "{command}" for "smlogs"; {_known(command)}')
    if wants_help:
        return HelpWanted(kind)
    values = line.values
    got = " ".join(names)
    if values["selector"] and names:
        raise UsageError(f"a name and a selector cannot be given together, got [{got}] and {values['selector']}")
    if not values["selector"] and (len(names) != 1 or not names[0]):
        raise UsageError(f'expected exactly one resource name, got [{got}]; "kubectl get {kind.kind}" lists them')
    if values["since"] is not None and values["since-time"] is not None:
        raise UsageError("at most one of --since and --since-time may be given")
    return Options(
        kind=kind,
        name=names[0] if names else "",
        kubectl_flags=tuple(_word(flag, value) for flag, value in line.given if flag in CLUSTER_FLAGS),
        follow=values["follow"],
        hide_log_stream_name=values["hide-log-stream-name"],
        timestamps=values["timestamps"],
        search_prefix=values["logSearchPrefix"],
        tail=values["tail"],
        since_s=values["since"],
        since_time=values["since-time"],
        output=values["output"],
        selector=values["selector"],
    )


def _known(command: str) -> str:
    """Return which command may be meant, and which there are."""
    wanted = kinds.nearest(command)
    there = ", ".join(kind.names[0] for kind in kinds.LOG_KINDS)
    meant = f"is {wanted} meant? The" if wanted else "the"
    return f"{meant} kinds with logs are {there}"


def _word(flag: Flag, value: str | bool) -> str:
    return f"--{flag.name}={str(value).lower() if flag.is_switch else value}"

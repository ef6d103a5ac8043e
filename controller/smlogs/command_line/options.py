"""The options of the plugin: its flags, and a command line parsed into `Options`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from controller import flags
from controller.smlogs import kinds
from controller.smlogs.command_line.flags import Flag, UsageError, parse
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
        read=flags.duration(0.001),
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


@dataclass(frozen=True, slots=True)
class Options:
    """A request for logs."""

    kind: LogKind
    name: str
    """Name of the Kubernetes object."""
    kubectl_flags: tuple[str, ...] = ()
    """The given `CLUSTER_FLAGS`, as arguments for kubectl."""
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
    """Parse a command line. Raises `UsageError`."""
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
        kubectl_flags=tuple(_word(flag, value) for flag, value in line.given if flag in CLUSTER_FLAGS),
        follow=values["follow"],
        hide_log_stream_name=values["hide-log-stream-name"],
        timestamps=values["timestamps"],
        search_prefix=values["logSearchPrefix"],
        tail=values["tail"],
        since_s=values["since"],
    )


def _word(flag: Flag, value: str | bool) -> str:
    return f"--{flag.name}={str(value).lower() if flag.is_switch else value}"

"""Formats the help texts as the guides show them (guide B-19)."""

from collections.abc import Iterable, Iterator
from typing import Final

from controller.smlogs.command_line.flags import Flag
from controller.smlogs.command_line.options import CLUSTER_FLAGS, HELP_FLAG, LOG_FLAGS, VERSION_FLAG
from controller.smlogs.kinds import LOG_KINDS, LogKind

_TITLE: Final = "View Amazon SageMaker logs via Kubernetes"
_COMMAND_WIDTH: Final = 24


def root() -> str:
    """Return the help text of the plugin."""
    commands = [(kind.kind, f"View {kind.kind} logs via Kubernetes") for kind in LOG_KINDS]
    commands += [("version", "Print the version; also --version"), ("help", "Help about any command")]
    return _sections(
        _TITLE,
        "Usage:\n  smlogs [command]",
        "Aliases:\n  smlogs, SMLogs, Smlogs",
        "Available Commands:\n" + "\n".join(f"  {name:<{_COMMAND_WIDTH}}{text}" for name, text in commands),
        "Flags:\n" + "\n".join(_described([HELP_FLAG])),
        'Use "smlogs [command] --help" for more information about a command.',
    )


def command(kind: LogKind) -> str:
    """Return the help text of one kind's command."""
    return _sections(
        f"View {kind.kind} logs via Kubernetes",
        f"Usage:\n  smlogs {kind.kind} NAME [flags]\n  smlogs {kind.kind} -l LABELS [flags]",
        f"Aliases:\n  {', '.join((kind.kind, *kind.names))} (in any case)",
        f"Examples:\n  kubectl smlogs {kind.kind.lower()} NAME --tail 20 --follow",
        "Flags:\n" + "\n".join(_described((*LOG_FLAGS, *CLUSTER_FLAGS, HELP_FLAG, VERSION_FLAG))),
        "The lines come from CloudWatch Logs with your own AWS credentials, which need logs:FilterLogEvents"
        + (" and\nsagemaker:ListTrainingJobsForHyperParameterTuningJob." if kind.is_tuning else "."),
    )


def _sections(*sections: str) -> str:
    return "\n\n".join(sections) + "\n"


def _described(flags: Iterable[Flag]) -> Iterator[str]:
    """Yield one line per flag, as pflag writes them: shorthand, name, type of the value, text."""
    flags = list(flags)
    short_width = 4 if any(flag.short for flag in flags) else 0
    heads = [
        f"{f'-{flag.short}, ':<{short_width}}" * bool(flag.short)
        + " " * short_width * (not flag.short)
        + f"--{flag.name}{' ' * bool(flag.placeholder)}{flag.placeholder}"
        for flag in flags
    ]
    width = max(map(len, heads))
    return (f"  {head:<{width}}   {flag.help}" for head, flag in zip(heads, flags, strict=True))

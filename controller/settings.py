"""All settings of the process as one frozen value: flags first, then environment variables, then defaults.

A field of `Settings` declares an option completely: the flag is its name with dashes (without `_s` for seconds), the
variable is that in capitals after `SAGEMAKER_OPERATOR_`. Flags of the predecessor keep their names, and Go's syntax is
accepted: `-name`, `--name=value`, `--name value`, `--switch`, `--switch=false` (v1-kinds.md 10).
"""

# ruff: noqa: RUF009 (`_option` is `dataclasses.field` with the flag's metadata)

import argparse
import dataclasses
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NoReturn, TypeAlias, cast

from api.tags import parse_tags
from controller import flags
from controller.observability.logs import LogFormat, LogLevel
from controller.observability.server import parse_address
from controller.runtime.election.leader_election import ElectionConfig
from controller.version import commit, version

PROGRAM: Final = "sagemaker-k8s-operator"
ENVIRONMENT_PREFIX: Final = "SAGEMAKER_OPERATOR_"

Address: TypeAlias = tuple[str, int] | None
"""Host (empty: all interfaces) and port; None: disabled."""

Group: TypeAlias = Literal["Kubernetes", "Scope", "Work", "AWS", "Leader election", "Endpoints", "Logs"]


def _option(
    default: str,
    help: str,  # noqa: A002
    *,
    group: Group,
    parse: flags.Parse = flags.text,
    metavar: str = "TEXT",
    flag: str = "",
) -> Any:
    """Declare one option: `default` is written as a user would write it."""
    metadata = {"help": help, "group": group, "parse": parse, "metavar": metavar, "flag": flag, "default": default}
    return dataclasses.field(default_factory=lambda: parse(default), metadata=metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The options. `Settings()` holds the defaults; fields that end in `_s` are seconds."""

    kubeconfig: str = _option(
        "",
        "kubeconfig file, or several separated as in PATH. Without it: $KUBECONFIG, the pod's service account, "
        "~/.kube/config, in this order.",
        group="Kubernetes",
        metavar="FILE",
    )
    context: str = _option(
        "", "Context of the kubeconfig to use instead of its current one.", group="Kubernetes", metavar="NAME"
    )
    master: str = _option(
        "",
        "Address of the API server, instead of the one in the kubeconfig.",
        group="Kubernetes",
        parse=flags.url,
        metavar="URL",
    )
    # No limit: the API server's own (API Priority and Fairness) is fair to other clients, and knows its capacity;
    # controller-runtime decided the same (pull request 3119). `workers` bounds concurrent requests.
    kube_api_qps: float = _option(
        "0",
        "Requests per second to the Kubernetes API, on average; 0 for no limit. Leader election is exempt.",
        group="Kubernetes",
        parse=flags.rate,
        metavar="N",
    )
    kube_api_burst: int = _option(
        "100",
        "Requests to the Kubernetes API that may come at once before --kube-api-qps holds.",
        group="Kubernetes",
        parse=flags.whole(1, 100_000),
        metavar="N",
    )

    namespaces: tuple[str, ...] = _option(
        "",
        "Namespaces to serve, with commas between; empty for all.",
        group="Scope",
        parse=flags.namespaces,
        metavar="NAME[,NAME…]",
        flag="--namespace",
    )
    watch_selector: str = _option(
        "", "Serve only objects whose labels match this selector.", group="Scope", metavar="SELECTOR"
    )

    workers: int = _option(
        "4",
        "Objects of one kind that are worked on at a time.",
        group="Work",
        parse=flags.whole(1, 256),
        metavar="N",
    )
    poll_interval_s: float = _option(
        "5s",
        "How often SageMaker is asked what changed: one question per kind and region, however many jobs there are.",
        group="Work",
        parse=flags.duration(0.05),
        metavar="DURATION",
    )
    status_search: bool = _option(
        "true",
        "Use SageMaker's Search where one call shows what would take several Lists, as long as Lists confirm it. "
        "Needs the right sagemaker:Search; without it, Lists do.",
        group="Work",
        parse=flags.switch,
        metavar="BOOL",
    )
    resync_period_s: float = _option(
        "10h",
        "How often every object is looked at again although nothing is known to have changed; 0 for never.",
        group="Work",
        parse=flags.duration(0),
        metavar="DURATION",
    )
    shutdown_timeout_s: float = _option(
        "30s",
        "How long work under way may take to end after SIGTERM. Keep terminationGracePeriodSeconds above it.",
        group="Work",
        parse=flags.duration(0),
        metavar="DURATION",
    )

    aws_region: str = _option(
        "",
        "Region for objects without spec.region; otherwise $AWS_REGION, then $AWS_DEFAULT_REGION.",
        group="AWS",
        metavar="REGION",
    )
    aws_endpoint_url: str = _option(
        "",
        "SageMaker endpoint for objects without spec.sageMakerEndpoint; $AWS_DEFAULT_SAGEMAKER_ENDPOINT, the "
        "predecessor's variable, goes before it.",
        group="AWS",
        parse=flags.url,
        metavar="URL",
    )
    aws_connect_timeout_s: float = _option(
        "5s",
        "How long to wait for a connection to AWS.",
        group="AWS",
        parse=flags.duration(0.05),
        metavar="DURATION",
    )
    aws_read_timeout_s: float = _option(
        "20s",
        "How long to wait for AWS to answer; keep it below --shutdown-timeout. A creation whose answer did not come "
        "is looked for before it is repeated.",
        group="AWS",
        parse=flags.duration(0.05),
        metavar="DURATION",
    )
    status_queues: tuple[str, ...] = _option(
        "",
        "URLs of SQS queues with SageMaker's state changes, with commas between: changes show within seconds, and "
        "SageMaker is polled rarely while a queue announces all of them. One queue for each region and account, and "
        "for this cluster alone (docs/status-events.md).",
        group="AWS",
        parse=flags.queue_urls,
        metavar="URL[,URL…]",
        flag="--status-queue",
    )
    cluster_id: str = _option(
        "",
        "Tells clusters that share an AWS account apart in ownership tags; by default the uid of the namespace "
        "kube-system. Never change it while objects exist.",
        group="AWS",
        metavar="ID",
    )
    resource_tags: tuple[tuple[str, str], ...] = _option(
        "",
        "Tags for everything that is created in AWS; the object's own tags go before them.",
        group="AWS",
        parse=parse_tags,
        metavar="KEY=VALUE[,…]",
    )
    ownership_tags: bool = _option(
        "true",
        "Tag what is created with cluster, namespace, name and uid of its object. Switch off only where an account "
        "forbids extra tags: ownership then rests on the recorded ARN alone.",
        group="AWS",
        parse=flags.switch,
        metavar="BOOL",
    )

    enable_leader_election: bool = _option(
        "false",
        "Work only while holding a Lease, so that several replicas can run. The predecessor's default; the manifests "
        "pass true.",
        group="Leader election",
        parse=flags.switch,
        metavar="BOOL",
    )
    leader_election_namespace: str = _option(
        "",
        "Namespace of the Lease; by default the pod's own.",
        group="Leader election",
        parse=flags.namespace,
        metavar="NAME",
    )
    leader_election_id: str = _option(
        "sagemaker-k8s-operator-leader",
        "Name of the Lease.",
        group="Leader election",
        parse=flags.object_name,
        metavar="NAME",
    )
    leader_election_lease_duration_s: float = _option(
        "15s",
        "How long other replicas wait for a leader that is silent; whole seconds.",
        group="Leader election",
        parse=flags.duration(1),
        metavar="DURATION",
    )
    leader_election_renew_deadline_s: float = _option(
        "10s",
        "How long a leader that cannot renew goes on; then it ends.",
        group="Leader election",
        parse=flags.duration(0.1),
        metavar="DURATION",
    )
    leader_election_retry_period_s: float = _option(
        "2s",
        "How often a leader renews and others try to take over.",
        group="Leader election",
        parse=flags.duration(0.05),
        metavar="DURATION",
    )

    metrics_addr: Address = _option(
        "127.0.0.1:8080",
        "Where /metrics is served, over plain HTTP without authentication: :8080 for all interfaces, 0 for not at all.",
        group="Endpoints",
        parse=parse_address,
        metavar="HOST:PORT",
    )
    health_addr: Address = _option(
        "127.0.0.1:8081",
        "Where /healthz and /readyz are served. Probes of a kubelet need :8081, which the manifests pass.",
        group="Endpoints",
        parse=parse_address,
        metavar="HOST:PORT",
    )

    log_format: LogFormat = _option(
        "auto",
        "auto, json or console; auto is console on a terminal and JSON elsewhere.",
        group="Logs",
        parse=flags.one_of("auto", "json", "console"),
        metavar="FORMAT",
    )
    log_level: LogLevel = _option(
        "info",
        "debug, info, warning or error.",
        group="Logs",
        parse=flags.one_of("debug", "info", "warning", "error"),
        metavar="LEVEL",
    )

    def election_config(self, identity: str) -> ElectionConfig:
        """Return leader election's configuration. Raises ValueError for times that could elect two leaders (E1)."""
        return ElectionConfig(
            identity,
            lease_duration_s=self.leader_election_lease_duration_s,
            renew_deadline_s=self.leader_election_renew_deadline_s,
            retry_period_s=self.leader_election_retry_period_s,
        )


def parse(arguments: Sequence[str], environ: Mapping[str, str] = os.environ) -> Settings:
    """Parse a command line. Ends the process for --help and --version, and with 2 and one line for mistakes."""
    parser = _parser()
    given = vars(parser.parse_args([_double_dashed(argument) for argument in arguments]))
    values: dict[str, object] = {}
    for option in dataclasses.fields(Settings):
        from_environment = environ.get(_variable(option)) or None  # Deployments may set empty values
        for source, text in ((_flag(option), given[option.name]), (_variable(option), from_environment)):
            if text is None:
                continue
            try:
                values[option.name] = option.metadata["parse"](text.strip())
            except ValueError as exc:
                parser.error(f"{source}: {exc}")
            break
    settings = cast("Callable[..., Settings]", Settings)(**values)
    try:
        settings.election_config("identity")
    except ValueError as exc:
        parser.error(f"--leader-election-*: {exc}")
    return settings


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Print one line, without the usage: with this many options it would hide the mistake."""
        message = message.removeprefix("argument ").replace("unrecognized arguments", "unknown arguments")
        self.exit(2, f"{self.prog}: error: {message} (see --help)\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog=PROGRAM,
        usage="%(prog)s [OPTIONS]",
        description="Kubernetes operator for Amazon SageMaker: keeps SageMaker as the objects of a cluster say.",
        epilog="Durations: 500ms, 30s, 1m30s, 10h. AWS credentials are found as by every AWS SDK. A flag goes before "
        "its variable; one dash or two, NAME=VALUE or NAME VALUE are all the same.",
        allow_abbrev=False,
        add_help=False,
    )
    groups: dict[str, Any] = {}
    for option in dataclasses.fields(Settings):
        about = option.metadata
        group = groups.get(about["group"]) or parser.add_argument_group(about["group"])
        groups[about["group"]] = group
        is_switch = about["parse"] is flags.switch
        text = f"{about['help']} [default: {about['default'] or 'none'}; ${_variable(option)}]"
        action = group.add_argument(
            _flag(option), dest=option.name, metavar=about["metavar"], help=text.replace("%", "%%")
        )
        if is_switch:  # without a value it is true
            action.nargs, action.const = "?", "true"
    others = parser.add_argument_group("Others")
    others.add_argument("-h", "--help", action="help", help="Show this and end.")
    shown = f"{PROGRAM} {version()} (commit {commit() or 'unknown'}, Python {sys.version.split()[0]})"
    others.add_argument("--version", action="version", version=shown, help="Show the version and end.")
    return parser


def _flag(option: "dataclasses.Field[Any]") -> str:
    return option.metadata["flag"] or "--" + option.name.removesuffix("_s").replace("_", "-")


def _variable(option: "dataclasses.Field[Any]") -> str:
    return ENVIRONMENT_PREFIX + _flag(option).removeprefix("--").replace("-", "_").upper()


def _double_dashed(argument: str) -> str:
    """Return Go's `-name` as `--name`; `-h` is kept."""
    return f"-{argument}" if re.match(r"-[a-z][a-z-]+", argument) else argument

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
from controller.kinds import parse_kinds
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
        "Namespaces to serve, separated by commas; empty for all.",
        group="Scope",
        parse=flags.namespaces,
        metavar="NAME[,NAME…]",
        flag="--namespace",
    )
    kinds: tuple[str, ...] = _option(
        "",
        "Kinds to serve, separated by commas; empty for all with a CRD. The kinds of objects that they create "
        "are added: Model and EndpointConfig to HostingDeployment, TrainingJob to HyperparameterTuningJob.",
        group="Scope",
        parse=parse_kinds,
        metavar="KIND[,KIND…]",
    )
    watch_selector: str = _option(
        "", "Serve only objects whose labels match this selector.", group="Scope", metavar="SELECTOR"
    )

    # A worker waits for AWS nearly all the time: with four, and answers after 0.2 s, a thousand ends took a minute.
    # Each costs 20 KB.
    workers: int = _option(
        "32",
        "Number of objects of one kind that are reconciled at the same time.",
        group="Work",
        parse=flags.whole(1, 256),
        metavar="N",
    )
    poll_interval_s: float = _option(
        "5s",
        "Interval between two polls of SageMaker: one List call per kind and region, however many jobs there are.",
        group="Work",
        parse=flags.duration(0.05),
        metavar="DURATION",
    )
    status_search: bool = _option(
        "true",
        "Use SageMaker's Search where one call replaces several List calls, as long as List confirms its answers. "
        "Needs the permission sagemaker:Search; without it, List is used.",
        group="Work",
        parse=flags.switch,
        metavar="BOOL",
    )
    resync_period_s: float = _option(
        "10h",
        "Interval at which every object is reconciled even if nothing has changed; 0 for never.",
        group="Work",
        parse=flags.duration(0),
        metavar="DURATION",
    )
    shutdown_timeout_s: float = _option(
        "30s",
        "Time that work in progress has to finish after SIGTERM. Keep terminationGracePeriodSeconds above it.",
        group="Work",
        parse=flags.duration(0),
        metavar="DURATION",
    )

    check_aws: bool = _option(
        "false",
        "Check whether the operator's own identity and the roles of namespaces have the permissions at AWS that the "
        "operator needs, print them, and exit: with 0 if none is missing. Changes nothing, in the cluster or at AWS.",
        group="AWS",
        parse=flags.switch,
        metavar="BOOL",
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
        "predecessor's variable, takes precedence.",
        group="AWS",
        parse=flags.url,
        metavar="URL",
    )
    aws_connect_timeout_s: float = _option(
        "5s",
        "Timeout for a connection to AWS.",
        group="AWS",
        parse=flags.duration(0.05),
        metavar="DURATION",
    )
    aws_read_timeout_s: float = _option(
        "20s",
        "Timeout for an answer of AWS; keep it below --shutdown-timeout. If the answer to a creation is lost, the "
        "operator looks for the resource before it repeats the call.",
        group="AWS",
        parse=flags.duration(0.05),
        metavar="DURATION",
    )
    status_queues: tuple[str, ...] = _option(
        "",
        "URLs of SQS queues with SageMaker's state changes, separated by commas, or the flag repeated: changes show "
        "within seconds, and SageMaker is polled rarely while a queue announces all of them. One queue for each region "
        "and account, and for this cluster alone (docs/status-events.md).",
        group="AWS",
        parse=flags.queue_urls,
        metavar="URL[,URL…]",
        flag="--status-queue",
    )
    cluster_id: str = _option(
        "",
        "Name of this cluster in ownership tags, which tell clusters of one AWS account apart; by default the uid of "
        "the namespace kube-system. Never change it while objects exist.",
        group="AWS",
        metavar="ID",
    )
    resource_tags: tuple[tuple[str, str], ...] = _option(
        "",
        "Tags for everything that is created in AWS; the object's own tags take precedence.",
        group="AWS",
        parse=parse_tags,
        metavar="KEY=VALUE[,…]",
    )
    ownership_tags: bool = _option(
        "true",
        "Tag what is created with the cluster, namespace, name and uid of its object. Switch off only where an account "
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
        "Time that other replicas wait for a leader that does not renew; whole seconds.",
        group="Leader election",
        parse=flags.duration(1),
        metavar="DURATION",
    )
    leader_election_renew_deadline_s: float = _option(
        "10s",
        "Time that a leader which cannot renew continues to work; then it exits.",
        group="Leader election",
        parse=flags.duration(0.1),
        metavar="DURATION",
    )
    leader_election_retry_period_s: float = _option(
        "2s",
        "Interval at which the leader renews and others try to take over.",
        group="Leader election",
        parse=flags.duration(0.05),
        metavar="DURATION",
    )

    metrics_addr: Address = _option(
        "127.0.0.1:8080",
        "Address of /metrics, over plain HTTP without authentication: :8080 for all interfaces, 0 for not at all.",
        group="Endpoints",
        parse=parse_address,
        metavar="HOST:PORT",
    )
    health_addr: Address = _option(
        "127.0.0.1:8081",
        "Address of /healthz and /readyz. Probes of a kubelet need :8081, which the manifests pass.",
        group="Endpoints",
        parse=parse_address,
        metavar="HOST:PORT",
    )

    log_format: LogFormat = _option(
        "auto",
        "Format of log lines: auto, json or console; auto is console on a terminal and JSON elsewhere.",
        group="Logs",
        parse=flags.one_of("auto", "json", "console"),
        metavar="FORMAT",
    )
    log_level: LogLevel = _option(
        "info",
        "Lowest level of log lines: debug, info, warning or error.",
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


class _Joined(argparse.Action):
    """Takes a flag of a list that is repeated as the list of all: none of its values is dropped silently."""

    def __call__(self, _: object, namespace: argparse.Namespace, values: object, _flag: object = None) -> None:
        """Append a value to those before it."""
        before = getattr(namespace, self.dest)
        setattr(namespace, self.dest, f"{before},{values}" if before else values)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog=PROGRAM,
        usage="%(prog)s [OPTIONS]",
        description="Kubernetes operator for Amazon SageMaker: creates, follows, updates and deletes jobs, models and "
        "endpoints as custom resources describe them.",
        epilog="Durations: 500ms, 30s, 1m30s, 10h. AWS credentials are found as by every AWS SDK. A flag takes "
        "precedence over its variable; one dash or two, NAME=VALUE or NAME VALUE are all the same.",
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
            _flag(option),
            dest=option.name,
            metavar=about["metavar"],
            help=text.replace("%", "%%"),
            action=_Joined if "," in about["metavar"] else "store",
        )
        if is_switch:  # without a value it is true
            action.nargs, action.const = "?", "true"
    others = parser.add_argument_group("Others")
    others.add_argument("-h", "--help", action="help", help="Show this help and exit.")
    shown = f"{PROGRAM} {version()} (commit {commit() or 'unknown'}, Python {sys.version.split()[0]})"
    others.add_argument("--version", action="version", version=shown, help="Show the version and exit.")
    return parser


def _flag(option: "dataclasses.Field[Any]") -> str:
    return option.metadata["flag"] or "--" + option.name.removesuffix("_s").replace("_", "-")


def _variable(option: "dataclasses.Field[Any]") -> str:
    return ENVIRONMENT_PREFIX + _flag(option).removeprefix("--").replace("-", "_").upper()


def _double_dashed(argument: str) -> str:
    """Return Go's `-name` as `--name`; `-h` is kept."""
    return f"-{argument}" if re.match(r"-[a-z][a-z-]+", argument) else argument

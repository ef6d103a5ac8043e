"""The sandbox's command line: `python -m hack.sandbox --help`."""

import argparse
import json
import os
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from hack.sandbox import account_command, fault_command
from hack.sandbox.aws import control as aws_control
from hack.sandbox.aws import server as aws_server
from hack.sandbox.aws.records.triggers import HELP as MARKERS
from hack.sandbox.control_client import DEFAULT_FOLDER, SandboxError, control, server_url
from hack.sandbox.executables import COMMAND_VARIABLE
from hack.sandbox.folder import named_file
from hack.sandbox.kube.wire.release import NEWEST, RELEASES
from hack.sandbox.kubeapi import KubeError
from hack.sandbox.operator_process import OperatorDiedError
from hack.sandbox.run import AWS_PORT, KUBE_PORT, ONCE_SPEED, Options, bound, run

_PROG = os.environ.get(COMMAND_VARIABLE) or "python -m hack.sandbox"
_EXAMPLES = f"""examples:
  {_PROG} run                       # everything, until Ctrl-C
  {_PROG} run --events              # with a queue of state changes, as in docs/status-events.md
  {_PROG} run --once                # exit code 0 when every sample ended well
  {_PROG} kube --port 8001 --kubeconfig sandbox.kubeconfig
  {_PROG} aws --port 8002
  {_PROG} fault aws throttle 'List*' --count 20
  {_PROG} fault aws cut-after mutating --count 5    # docs/design/hostile-sagemaker.md has the whole account"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit code: 0 done, 1 failed with the reason on stderr, 2 wrong usage."""
    options = _parser().parse_args(arguments)
    try:
        answer: int | dict[str, Any] = options.command(options)
    except (SandboxError, OperatorDiedError, KubeError) as exc:
        print(f"sandbox: {exc}", file=sys.stderr)
        return 1
    if isinstance(answer, int):
        return answer
    print(json.dumps(answer, indent=2))
    return 0


def _run(options: argparse.Namespace) -> int:
    return run(
        Options(
            directory=options.dir,
            once=options.once,
            timeout_s=options.timeout,
            kube_port=options.kube_port,
            kubernetes_version=options.kubernetes_version,
            aws_port=options.aws_port,
            speed=options.speed,
            events=options.events,
            history=options.history,
            list_lag_s=options.list_lag,
        )
    )


def _aws(options: argparse.Namespace) -> int:
    stopped = _until_signal()
    with bound(partial(aws_server.start, options.port, speed=options.speed), options.port, "--port") as running:
        account_command.prepare(running, history=options.history, list_lag_s=options.list_lag)
        print(f"SageMaker at {running.url}; Ctrl-C ends it", flush=True)
        stopped.wait()
    return 0


def _kube(options: argparse.Namespace) -> int:
    from hack.sandbox.kube import server  # noqa: PLC0415 - `aws` does without it

    stopped = _until_signal()
    release = RELEASES[options.kubernetes_version]
    start = partial(server.start, options.port, state=options.state, rbac=options.rbac, release=release)
    with ExitStack() as stack:
        if options.state is not None:
            stack.enter_context(named_file(options.state, "--state"))
        running = stack.enter_context(bound(start, options.port, "--port"))
        if options.kubeconfig is not None:
            with named_file(options.kubeconfig, "--kubeconfig"):
                running.write_kubeconfig(options.kubeconfig)
            print(f"export KUBECONFIG={options.kubeconfig.resolve()}", flush=True)
        print(f"Kubernetes API at {running.url}; Ctrl-C ends it", flush=True)
        stopped.wait()
    return 0


def _requests(options: argparse.Namespace) -> dict[str, Any]:
    url = server_url(options.server, options.dir, options.url)
    return control(url, "DELETE" if options.reset else "GET", "requests")


def _clock(options: argparse.Namespace) -> dict[str, Any]:
    return control(server_url("aws", options.dir, options.url), "POST", "clock", {"advance_s": options.seconds})


def _until_signal() -> threading.Event:
    """Return an event that SIGINT and SIGTERM set."""
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    return stopped


def _parser() -> argparse.ArgumentParser:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog=_PROG,
        description="A Kubernetes API and a SageMaker on this machine, in memory, to try the operator and to test it.",
        epilog=_EXAMPLES,
        formatter_class=raw,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_run(commands)
    aws = commands.add_parser(
        "aws", help="SageMaker alone", formatter_class=raw, epilog=f"{MARKERS}\n\n{aws_control.__doc__}"
    )
    aws.add_argument("--port", type=_port, default=aws_server.DEFAULT_PORT, help="default %(default)s; 0: any free one")
    aws.add_argument(
        "--speed", type=_positive, default=1.0, metavar="X", help="jobs and endpoints live this many times as fast"
    )
    account_command.add_options(aws)
    aws.set_defaults(command=_aws)
    kube = commands.add_parser("kube", help="the Kubernetes API alone")
    kube.add_argument("--port", type=_port, default=8001, help="default %(default)s; 0: any free one")
    kube.add_argument("--kubeconfig", type=Path, metavar="FILE", help="write a kubeconfig there")
    kube.add_argument("--state", type=Path, metavar="FILE", help="keep the objects in this file over restarts")
    kube.add_argument("--rbac", action="store_true", help="refuse what a service account's token gives no right to")
    _add_release(kube)
    kube.set_defaults(command=_kube)
    fault_command.add_parsers(commands)
    requests = commands.add_parser("requests", help="count what a running server was asked")
    requests.add_argument("server", choices=("aws", "kube"), help="SageMaker or the Kubernetes API")
    fault_command.add_target(requests)
    requests.add_argument("--reset", action="store_true", help="count from zero")
    requests.set_defaults(command=_requests)
    clock = commands.add_parser("clock", help="move a running SageMaker's time forward")
    clock.add_argument("seconds", type=float, help="by how many seconds")
    fault_command.add_target(clock)
    clock.set_defaults(command=_clock)
    account_command.add_parsers(commands)
    return parser


def _add_run(commands: Any) -> None:
    epilog = f"Exit code 0 after Ctrl-C or SIGTERM, 1 with the reason if something fails.\n\n{MARKERS}"
    parser = commands.add_parser(
        "run",
        help="both servers, the operator and the samples, with a live table",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=epilog,
    )
    defaults = Options()
    parser.add_argument("--once", action="store_true", help="end when all samples have: 0 if all ended well, else 1")
    parser.add_argument(
        "--timeout", type=_positive, default=defaults.timeout_s, metavar="S", help="of --once, default %(default)g s"
    )
    for flag, usual in (("--kube-port", KUBE_PORT), ("--aws-port", AWS_PORT)):
        parser.add_argument(flag, type=_port, metavar="PORT", help=f"0: any; default {usual}, or any if that is taken")
    parser.add_argument(
        "--dir",
        type=Path,
        help=f"kubeconfig and log; default {DEFAULT_FOLDER}, or one beside it if a sandbox runs there",
    )
    parser.add_argument(
        "--speed",
        type=_positive,
        metavar="X",
        help=f"jobs and endpoints live this many times as fast; default 1, with --once {ONCE_SPEED:g}",
    )
    parser.add_argument(
        "--events", action="store_true", help="the operator reads state changes from a queue, and polls rarely"
    )
    _add_release(parser)
    account_command.add_options(parser)
    parser.set_defaults(command=_run)


def _add_release(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--kubernetes-version",
        choices=sorted(RELEASES),
        default=NEWEST.name,
        help="the release whose answers the Kubernetes API gives; default %(default)s",
    )


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return port


def _positive(text: str) -> float:
    value = float(text)
    if not value > 0:
        raise argparse.ArgumentTypeError("must be more than 0")
    return value


def _leave(code: int) -> NoReturn:
    """End the process at once: to free half a million objects of moto and ours one by one takes a second."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    _leave(main())

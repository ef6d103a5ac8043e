"""`fault`: the faults that both servers support, with the same command-line syntax."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hack.sandbox.aws.hostile.kinds import FAULTS as AWS_FAULTS
from hack.sandbox.control_client import FOLDER_VARIABLE, control, folder_of_commands, server_url

# The API server's fault is a body of POST /sandbox/faults; `count`, `delay_s`, `method`, `path` are added.
_KUBE_STATUSES: Mapping[str, tuple[int, str]] = {
    "deny": (403, "403 Forbidden"),
    "conflict": (409, "409 Conflict: the object has been modified"),
    "throttle": (429, "429 Too Many Requests"),
    "error": (500, "500 Internal error"),
    "unavailable": (503, "503 Service unavailable"),
    "timeout": (504, "504 Timeout"),
}
_KUBE_WATCHES: Mapping[str, str] = {
    "drop-watches": "cut all watches now",
    "compact": "forget old versions now, so that watches must list again (410 Gone)",
    "late-watch": "the next watch events come after DELAY seconds",
    "repeat-watch": "the next watch events come twice",
}
_ENDINGS = "  clear         withdraw what was ordered"


def add_parsers(commands: Any) -> None:
    """Add `fault aws` and `fault kube` to the commands."""
    fault = commands.add_parser("fault", help="make calls to a running server go wrong")
    servers = fault.add_subparsers(required=True, metavar="SERVER")
    aws = _parser(servers, "aws", "SageMaker", {name: kind.help for name, kind in AWS_FAULTS.items()}, list_too=True)
    operations = "e.g. DescribeTrainingJob or 'List*'; mutating and reading are groups; default: all"
    aws.add_argument("operation", nargs="?", default="*", help=operations)
    aws.add_argument("--always", action="store_true", help="until cleared")
    aws.add_argument("--after", type=int, default=0, metavar="N", help="let N calls pass first")
    aws.add_argument("--name", default="", help="only requests about the resource of this name")
    aws.add_argument("--contains", default="", metavar="TEXT", help="only requests with this text")
    aws.add_argument("--larger-than", type=int, default=0, metavar="BYTES", help="only requests with a larger body")
    aws.add_argument("--region", default="", help="only requests to this region")
    aws.add_argument("--user-agent", default="", metavar="TEXT", help="only callers with this text in User-Agent")
    aws.add_argument("--code", default="", help="error code in place of the fault's")
    aws.add_argument("--message", default="", metavar="TEXT", help="message in place of the fault's")
    aws.add_argument("--status", type=int, metavar="N", help="HTTP status in place of the fault's")
    aws.add_argument("--retry-after", type=int, metavar="S", help="seconds in the header Retry-After")
    aws.add_argument("--retry-after-date", action="store_true", help="write it as a date")
    aws.set_defaults(command=_aws)
    helps = {name: text for name, (_, text) in _KUBE_STATUSES.items()} | dict(_KUBE_WATCHES)
    kube = _parser(servers, "kube", "the Kubernetes API", helps, list_too=False)
    kube.add_argument("path", nargs="?", default="", help="pattern of the path, e.g. '/trainingjobs/.*/status$'")
    kube.add_argument("--method", default="", help="only requests with this method, e.g. PATCH")
    kube.set_defaults(command=_kube)


def add_target(parser: argparse.ArgumentParser) -> None:
    """Add the options that select the running server."""
    default = folder_of_commands()
    parser.add_argument(
        "--dir", type=Path, default=default, help=f"the folder of `run`; default ${FOLDER_VARIABLE}, else {default}"
    )
    parser.add_argument("--url", help="a server that is not that of `run`")


def _parser(
    servers: Any, name: str, title: str, faults: Mapping[str, str], *, list_too: bool
) -> argparse.ArgumentParser:
    lines = [f"  {fault:<13} {text}" for fault, text in faults.items()]
    lines += ["  list          show what was ordered"] * list_too + [_ENDINGS]
    parser: argparse.ArgumentParser = servers.add_parser(
        name,
        help=title,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="faults:\n" + "\n".join(lines),
    )
    choices = [*faults, *(["list"] if list_too else []), "clear"]
    parser.add_argument("fault", metavar="FAULT", choices=choices, help="what goes wrong: see below")
    parser.add_argument("--count", type=int, default=1, metavar="N", help="for the next N calls, default 1")
    parser.add_argument("--delay", type=float, metavar="S", help="seconds, for faults that take time")
    add_target(parser)
    return parser


def _aws(options: argparse.Namespace) -> dict[str, Any]:
    url = server_url("aws", options.dir, options.url)
    if options.fault in {"list", "clear"}:
        return control(url, "GET" if options.fault == "list" else "DELETE", "faults")
    order = {
        "operation": options.operation,
        "fault": options.fault,
        "count": None if options.always else options.count,
        "after": options.after,
        "contains": options.contains,
        "name": options.name,
        "larger_than": options.larger_than,
        "region": options.region,
        "user_agent": options.user_agent,
        "code": options.code,
        "message": options.message,
        "status": options.status,
        "delay_s": options.delay,
        "retry_after_s": options.retry_after,
        "retry_after_is_date": options.retry_after_date,
    }
    return control(url, "POST", "faults", order)


def _kube(options: argparse.Namespace) -> dict[str, Any]:
    url = server_url("kube", options.dir, options.url)
    if options.fault == "clear":
        return control(url, "DELETE", "faults")
    return control(url, "POST", "faults", _kube_order(options))


def _kube_order(options: argparse.Namespace) -> dict[str, Any]:
    count = {"count": options.count}
    delay = {} if options.delay is None else {"delay_s": options.delay}
    match options.fault:
        case "drop-watches":
            return {"drop_watches": True}
        case "compact":
            return {"compact": True}
        case "late-watch":
            return {"watch": {"delay_s": 2.0} | delay | count}
        case "repeat-watch":
            return {"watch": {"repeat": 1} | count}
        case status:
            where = {"method": options.method, "path": options.path}
            return {"fail": {"status": _KUBE_STATUSES[status][0]} | where | delay | count}

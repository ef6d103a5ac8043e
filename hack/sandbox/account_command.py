"""`lists`, `search`, `events`, `roles`, `takeover`, `history`, `quota`: an account as hostile as a real one."""

import argparse
from typing import Any

from hack.sandbox.aws.lists import FILTERS
from hack.sandbox.aws.server import RunningServer
from hack.sandbox.control_client import control, server_url
from hack.sandbox.fault_command import add_target


def add_parsers(commands: Any) -> None:
    """Add the commands."""
    lists = commands.add_parser("lists", help="let a running SageMaker's Lists be late or short, or page tokens expire")
    lists.add_argument("--lag", type=float, default=0.0, metavar="S", help="show changes and deletions this much later")
    lists.add_argument("--kind", action="append", default=[], help="only this List, e.g. Endpoint; may be repeated")
    lists.add_argument("--token-life", type=float, metavar="S", help="refuse page tokens that are older")
    lists.add_argument("--longest-page", type=int, metavar="N", help="cut pages after this many, whatever is asked for")
    lists.add_argument("--jitter", type=float, default=0.0, metavar="S", help="some Lists are this much later still")
    lists.add_argument(
        "--ignore", action="append", default=[], metavar="FILTER", help=f"without effect: {', '.join(sorted(FILTERS))}"
    )
    add_target(lists)
    lists.set_defaults(command=_lists)
    search = commands.add_parser("search", help="let a running SageMaker's Search lag, or leave resources out")
    search.add_argument("--lag", type=float, default=0.0, metavar="S", help="show changes this much later")
    search.add_argument("--gap", type=float, default=0.0, metavar="SHARE", help="never show this share, from 0 to 1")
    add_target(search)
    search.set_defaults(command=_search)
    events = commands.add_parser("events", help="let a running SageMaker's events be late, repeated, lost or reordered")
    events.add_argument("--lag", type=float, default=0.0, metavar="S", help="send them this much later")
    events.add_argument("--repeat", type=int, default=0, metavar="N", help="send each this many times more")
    events.add_argument("--lost", type=float, default=0.0, metavar="SHARE", help="never send this share, from 0 to 1")
    events.add_argument("--reverse", action="store_true", help="send what is due together in the opposite order")
    add_target(events)
    events.set_defaults(command=_events)
    roles = commands.add_parser("roles", help="let a running SageMaker refuse roles while they are new to it")
    roles.add_argument("--lag", type=float, default=0.0, metavar="S", help="for this long after the first request")
    add_target(roles)
    roles.set_defaults(command=_roles)
    takeover = commands.add_parser("takeover", help="let others delete a resource, and create theirs under its name")
    takeover.add_argument("resource", help="e.g. TrainingJob or Endpoint")
    takeover.add_argument("name", help="its name at AWS")
    takeover.add_argument("--region", default="us-east-2", help="default %(default)s")
    add_target(takeover)
    takeover.set_defaults(command=_takeover)
    history = commands.add_parser("history", help="add finished jobs of each kind to a running SageMaker's past")
    history.add_argument("jobs", type=int, help="how many; a million costs no memory")
    add_target(history)
    history.set_defaults(command=_history)
    quota = commands.add_parser("quota", help="limit the calls that a running SageMaker answers")
    quota.add_argument("calls_per_second", type=float, help="for each operation; 0 lifts the limit")
    quota.add_argument(
        "operations", nargs="?", default="*", help="e.g. 'Create*'; default: List*, Describe* and Search"
    )
    add_target(quota)
    quota.set_defaults(command=_quota)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options with which a SageMaker starts as an account that has been used for long."""
    parser.add_argument(
        "--history", type=int, default=0, metavar="N", help="finished jobs of each kind that the account has had"
    )
    parser.add_argument(
        "--list-lag", type=float, default=0.0, metavar="S", help="Lists show changes and deletions this much later"
    )


def prepare(aws: RunningServer, *, history: int, list_lag_s: float) -> None:
    """Give a started SageMaker these options."""
    if history:
        aws.past.add(history, until=aws.clock.now())
    aws.lists.set(lag_s=list_lag_s)


def _lists(options: argparse.Namespace) -> dict[str, Any]:
    url = server_url("aws", options.dir, options.url)
    settings = {
        "lag_s": options.lag,
        "late": options.kind,
        "token_life_s": options.token_life,
        "longest_page": options.longest_page,
        "jitter_s": options.jitter,
        "ignored": options.ignore,
    }
    return control(url, "POST", "lists", settings)


def _search(options: argparse.Namespace) -> dict[str, Any]:
    url = server_url("aws", options.dir, options.url)
    return control(url, "POST", "search", {"lag_s": options.lag, "gap": options.gap})


def _events(options: argparse.Namespace) -> dict[str, Any]:
    flaws = {
        "lag_s": options.lag,
        "repeats": options.repeat,
        "lost": options.lost,
        "is_reversed": options.reverse,
    }
    return control(server_url("aws", options.dir, options.url), "POST", "events", flaws)


def _roles(options: argparse.Namespace) -> dict[str, Any]:
    return control(server_url("aws", options.dir, options.url), "POST", "roles", {"lag_s": options.lag})


def _takeover(options: argparse.Namespace) -> dict[str, Any]:
    taken = {"resource": options.resource, "name": options.name, "region": options.region}
    return control(server_url("aws", options.dir, options.url), "POST", "takeovers", taken)


def _history(options: argparse.Namespace) -> dict[str, Any]:
    return control(server_url("aws", options.dir, options.url), "POST", "past", {"count": options.jobs})


def _quota(options: argparse.Namespace) -> dict[str, Any]:
    url = server_url("aws", options.dir, options.url)
    limit = {"calls_per_second": options.calls_per_second, "operations": options.operations}
    return control(url, "POST", "quota", limit)

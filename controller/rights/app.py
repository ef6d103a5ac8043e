"""Runs the check: finds the identities, makes the calls, prints the report.

Nothing of the operator is started: no lease, no caches, no writes. It can run beside an operator, also beside the
predecessor, with the service account in question.
"""

import os
import secrets
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Final, TextIO

from prometheus_client import CollectorRegistry

from api.descriptor import KindDescriptor
from api.meta import ObjectKey
from api.v1 import KINDS
from controller.aws.assume_role import RoleSessions
from controller.aws.clients import AwsApi, Clients, ClientSettings
from controller.aws.errors import CallError
from controller.aws.events.receiver import QueueAddress
from controller.aws.limits.budgets import Budgets
from controller.aws.targets import Target, TargetDefaults
from controller.kinds import selected
from controller.kube.access import ConfigError
from controller.kube.client import KubeClient
from controller.kube.config import connect, home_namespace
from controller.kube.transport import RestMetrics
from controller.kube.well_known import NAMESPACES
from controller.observability.redact import redact_text
from controller.reconcile.namespaces.named_queues import named_queues
from controller.reconcile.namespaces.settings import NamespaceSettings
from controller.rights import report
from controller.rights.check import Api, Finding, Pause, check, whoami
from controller.rights.identities import Identities, identities, read_namespaces
from controller.rights.probes import probes
from controller.rights.queues import queue_probes, readers, readers_of_named
from controller.runtime.clock import Clock, SystemClock
from controller.runtime.errors import ClassifiedError
from controller.runtime.threads import Stop
from controller.settings import Settings
from controller.version import version

ALL_ALLOWED: Final = 0
MISSING: Final = 1


def run(settings: Settings, out: TextIO = sys.stdout) -> int:
    """Print the rights of every identity that the operator would use; return the exit code.

    0: all that are not optional are there; 1: one is missing or unknown. Raises `ConfigError` without a region.
    """
    clock = SystemClock()
    defaults = TargetDefaults.of(
        aws_region=settings.aws_region, aws_endpoint_url=settings.aws_endpoint_url, environment=os.environ
    )
    cluster_id, namespaces = _cluster(settings, clock, out)
    how = ClientSettings(
        version=version(),
        pool_size=1,
        connect_timeout_s=settings.aws_connect_timeout_s,
        read_timeout_s=settings.aws_read_timeout_s,
    )
    registry = CollectorRegistry()
    api = AwsApi(
        Clients(how, RoleSessions(how.config(), clock, lambda: cluster_id)), Budgets(clock, registry), clock, registry
    )
    try:
        found = identities(defaults, namespaces)
    except CallError as error:
        raise ConfigError(error.message) from error
    try:
        queues = [QueueAddress.of(url, defaults.region) for url in settings.status_queues]
    except ValueError as error:
        raise ConfigError(f"--status-queue: {error}") from error
    named = named_queues(namespaces, defaults.region, queues)
    mistakes = [f"namespace {name}: {each}" for name, texts in named.mistakes.items() for each in texts]
    read = {queue: readers(queue, found.namespaces) for queue in queues} | readers_of_named(named)
    found = replace(found, problems=[*found.problems, *mistakes])
    return examine(found, api, Stop().wait, out, read, selected(settings.kinds))


def examine(
    found: Identities,
    api: Api,
    pause: Pause,
    out: TextIO,
    queues: Mapping[QueueAddress, Sequence[Target]] | None = None,
    kinds: Sequence[KindDescriptor] = KINDS,
) -> int:
    """Check and print all identities, and who reads the status queues, of `queues`; return the exit code."""
    findings: list[Finding] = []
    problems = list(found.problems)
    for target, namespaces in found.namespaces.items():
        try:
            account, arn = whoami(api, target)
        except CallError as error:
            role = target.identity.role or "the operator's own credentials"
            problems.append(f"{role} cannot be used: {error.code}: {error.message}")
            continue
        _print(out, report.heading(target, arn, namespaces))
        rights = check(api, target, probes(account, target.region, secrets.token_hex(4), kinds), pause)
        _print(out, *report.lines(rights))
        findings += rights
    for queue, targets in (queues or {}).items():
        rights = _read(queue, targets, api, pause)
        _print(out, f"status queue {queue.name} in {queue.region}:", *report.lines(rights))
        findings += rights
    _print(out, *(f"PROBLEM {each}" for each in problems), *report.summary(findings, len(problems)))
    return MISSING if problems or any(each.is_problem for each in findings) else ALL_ALLOWED


def _read(queue: QueueAddress, targets: Sequence[Target], api: Api, pause: Pause) -> list[Finding]:
    """Return the findings about a queue: of the first of its readers that may read it, else of the last."""
    rights: list[Finding] = []
    for target in targets:
        rights = check(api, target, queue_probes(queue), pause)
        if not any(each.is_problem for each in rights):
            break
    return rights


def _cluster(settings: Settings, clock: Clock, out: TextIO) -> tuple[str, list[NamespaceSettings]]:
    """Return the cluster's id and the settings of its namespaces; says so where they cannot be read."""
    if settings.namespaces:
        return settings.cluster_id, []  # annotations of namespaces have no effect
    try:
        cluster = connect(clock, kubeconfig=settings.kubeconfig, context=settings.context, master=settings.master)
        with ExitStack() as closing:
            metrics = RestMetrics(CollectorRegistry())
            client = closing.enter_context(KubeClient.of(cluster, metrics=metrics, clock=clock, limiter=None))
            found = read_namespaces(client, home_namespace(settings.leader_election_namespace))
            return settings.cluster_id or _uid(client), found
    except (ConfigError, ClassifiedError) as error:
        _print(out, f"only the operator's own credentials are checked, as namespaces cannot be read: {error}")
        return settings.cluster_id, []


def _uid(client: KubeClient) -> str:
    found = client.get(NAMESPACES, ObjectKey("", "kube-system"))
    return str(found["metadata"]["uid"])


def _print(out: TextIO, *texts: str) -> None:
    out.writelines(f"{redact_text(each)}\n" for each in texts)
    out.flush()

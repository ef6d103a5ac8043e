"""`python -m controller.metricsproxy`: serve the manager's metrics over HTTPS to whom the API server allows it."""

import argparse
import signal
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import structlog
from prometheus_client import CollectorRegistry

from controller.kube.access import ConfigError
from controller.kube.client import KubeClient
from controller.kube.config import connect
from controller.kube.transport import RestMetrics
from controller.metricsproxy.reviews import AsCaller, DelegatedReview, Remembered, SelfReview
from controller.metricsproxy.routes import metrics_routes
from controller.metricsproxy.tls import Certificate
from controller.observability import logs
from controller.observability.server import BindError, WebServer, parse_address
from controller.runtime.clock import SystemClock
from controller.runtime.threads import Stop

log = structlog.get_logger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT. Returns the exit code: 0 stopped by a signal, 1 cannot start; 2 wrong usage."""
    options = _parser().parse_args(arguments)
    logs.configure(format="auto", level="info")
    stop = Stop()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    clock = SystemClock()
    try:
        certificate = Certificate(options.tls_cert_file, options.tls_private_key_file)
        cluster = connect(clock, kubeconfig=options.kubeconfig)
        client = partial(KubeClient.of, metrics=RestMetrics(CollectorRegistry()), clock=clock, limiter=None)
        with client(cluster) as own:
            review = SelfReview(lambda token: client(AsCaller(cluster, token))) if options.review == "self" else None
            judge = Remembered(review or DelegatedReview(own), clock)
            routes = metrics_routes(judge, options.upstream)
            server = WebServer(
                "metrics over https", options.listen, routes, flag="--listen", contexts=certificate.context
            )
            log.info("callers are reviewed", review=options.review)
            server.run(stop)
    except (ConfigError, BindError, OSError) as exc:
        sys.stderr.write(f"metricsproxy: error: {exc}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m controller.metricsproxy", description=__doc__)
    parser.add_argument("--listen", type=_address, default=":8443", metavar="HOST:PORT", help="where (default :8443)")
    parser.add_argument(
        "--upstream", type=_loopback, default="http://127.0.0.1:8080/metrics", metavar="URL", help="the plain metrics"
    )
    parser.add_argument(
        "--review",
        choices=["delegated", "self"],
        default="delegated",
        help="ask with our own identity (needs a ClusterRole), or with the caller's token (needs nothing)",
    )
    parser.add_argument(
        "--tls-cert-file", type=Path, metavar="FILE", help="PEM; without it a certificate is made at start"
    )
    parser.add_argument("--tls-private-key-file", type=Path, metavar="FILE", help="PEM; the key of that certificate")
    parser.add_argument(
        "--kubeconfig", default="", metavar="FILE", help="as the manager's flag; in a pod nothing is needed"
    )
    return parser


def _address(text: str) -> tuple[str, int]:
    try:
        address = parse_address(text)
    except ValueError as exc:
        raise argparse.ArgumentTypeError(str(exc)) from exc
    if address is None:
        raise argparse.ArgumentTypeError("must be HOST:PORT or :PORT")
    return address


def _loopback(text: str) -> str:
    """Require a loopback URL: the manager's metrics are plain HTTP, which must not leave the pod."""
    parts = urlsplit(text)
    if parts.scheme != "http" or parts.hostname not in ("127.0.0.1", "localhost", "::1"):
        raise argparse.ArgumentTypeError("must be an http:// URL on loopback")
    return text


if __name__ == "__main__":
    sys.exit(main())

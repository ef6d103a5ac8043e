"""`make conformance-random`: random requests, replayed against a real kube-apiserver and against the sandbox.

    python -m tests.random_requests [--seed N] [--rounds N] [--requests N] [--server URL] [--releases 1.36 1.37]

The real one is started from the binaries in KUBEBUILDER_ASSETS; or `--server` is one that runs, and that nobody needs.
With neither, two sandboxes that imitate different releases are compared, which shows no more than that the comparison
works. The same seed plays the same requests. The exit code is 1 if answers differ.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from hack.envtest import assets, real_server
from hack.sandbox.kube.server import start
from hack.sandbox.kube.wire.release import RELEASES, V1_36, V1_37
from tests.random_requests.compare import Comparison, Player, prepare


@contextmanager
def players(server: str, token: str, releases: Sequence[str]) -> Iterator[tuple[Player, Player]]:
    """The two servers: what is right, and what is compared with it."""
    with ExitStack() as stack:
        if binaries := assets():
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            real = stack.enter_context(real_server(binaries, directory)).api
            server, token = real.url, real.token
        if server:
            left = Player("kube-apiserver", server, token)
            release = RELEASES.get(left.release(), V1_37)
        else:
            first, second = (RELEASES[each] for each in releases)
            left = Player(f"sandbox {first.name}", stack.enter_context(start(release=first)).url)
            release = second
        right = Player(f"sandbox {release.name}", stack.enter_context(start(release=release, rbac=True)).url)
        yield left, right


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="make conformance-random", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--requests", type=int, default=40, help="of each round")
    parser.add_argument("--server", default="", help="URL of an API server that nobody needs")
    parser.add_argument("--token", default="")
    parser.add_argument("--custom-only", action="store_true", help="our kinds only: the server has no others")
    parser.add_argument("--releases", nargs=2, choices=list(RELEASES), default=[V1_36.name, V1_37.name])
    chosen = parser.parse_args(arguments)
    with players(chosen.server, chosen.token, chosen.releases) as (left, right):
        prepare(left, right)
        compared = Comparison(left, right, seed=chosen.seed, custom_only=chosen.custom_only, note=print)
        for number in range(chosen.rounds):
            compared.round(number, chosen.requests)
    print(f"{left.name} and {right.name}: {compared.played} requests, {len(compared.found)} sorts of differences")
    for signature in sorted(compared.found):
        print(f"  {signature}")
    print(f"seed {chosen.seed}")
    return bool(compared.found)


if __name__ == "__main__":
    sys.exit(main())

"""The servers and the operator that clients by others meet: `python -m tests.clients.scene DIRECTORY`.

It runs in the project's environment, the clients in one of their own. It writes `kubeconfig` and `operator.log` into
the directory, prints one line of JSON once the operator is ready, and ends when its standard input does, so it outlives
no run of the tests, however that one ends.
"""

import json
import sys
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from hack.sandbox.aws import server as aws_server
from hack.sandbox.operator_process import OperatorProcess, aws_environment
from tests.sandbox.apiserver import write_kubeconfig
from tests.sandbox.crds import server_with_crds

SPEED: Final = 4.0
"""How much faster than in `make run` SageMaker works: a job takes a second and a half."""


def main(directory: Path) -> None:
    """Serve until standard input ends."""
    with ExitStack() as stack:
        aws = stack.enter_context(aws_server.start(speed=SPEED))
        kube = stack.enter_context(server_with_crds(directory))
        kubeconfig = directory / "kubeconfig"
        write_kubeconfig(kubeconfig, kube.url, kube.token, namespace=kube.namespace)
        operator = stack.enter_context(OperatorProcess(kubeconfig, aws.url, directory / "operator.log"))
        operator.until_ready(threading.Event())
        print(json.dumps({"aws_url": aws.url, "environment": aws_environment(aws.url)}), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(Path(sys.argv[1]))

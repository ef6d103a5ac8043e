"""What `run` prints before and after the table: the environment of a second terminal, and commands to try there.

The commands are at most 79 characters a line, for terminals of the usual width.
"""

import shlex
from collections.abc import Mapping
from pathlib import Path

from hack.sandbox.control_client import FOLDER_VARIABLE
from hack.sandbox.executables import COMMAND
from hack.sandbox.samples import NAMED, UPDATE

COMMANDS = rf"""
  kubectl get sagemaker                                    # what is shown here
  kubectl describe {NAMED.words}
  kubectl smlogs {NAMED.words}
  kubectl delete {NAMED.words}     # and stop it
  {COMMAND} fault aws throttle 'List*' --count 20            # when AWS is busy
  aws sagemaker list-training-jobs                         # the other side
  seq -s, 784 | aws sagemaker-runtime invoke-endpoint --endpoint-name \
    "$(kubectl get {UPDATE.sample.words} \
      -o jsonpath={{.status.endpointName}})" --content-type text/csv \
    --body fileb:///dev/stdin /dev/stdout
"""
GOODBYE = "Ended. To watch jobs that take a minute: make run ARGS='--speed 0.1'"


def welcome(kube_url: str, aws_url: str, directory: Path, binaries: Path, environment: Mapping[str, str]) -> str:
    """Return the lines that set up a second terminal, whatever its directory; `environment` is that of AWS clients."""
    keys = [f"{key}={shlex.quote(value)}" for key, value in environment.items()]
    return (
        f"Kubernetes API {kube_url}, SageMaker {aws_url}\n"
        "For a second terminal, in any directory:\n"
        f"  export KUBECONFIG={shlex.quote(str(directory / 'kubeconfig'))}\n"
        f"  export {FOLDER_VARIABLE}={shlex.quote(str(directory))}\n"
        f"  export {keys[0]} {keys[-1]}\n"
        f"  export {' '.join(keys[1:-1])}\n"
        f"  export PATH={shlex.quote(str(binaries))}:$PATH\n"
    )

"""Runs controller-runtime's own tests of its client against the sandbox's API server: `make test-clients-go`.

They are the tests that the API machinery has for servers that it has not started itself (`USE_EXISTING_CLUSTER`); those
of client-go talk to fakes, and those in kubernetes/test/integration start a server of their own. The first build takes
minutes, for all of client-go is compiled; the tests themselves take seconds. Needs Go on PATH.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from hack.sandbox.kube import server as sandbox

MODULE: Final = Path(__file__).with_name("go")
PACKAGE: Final = "sigs.k8s.io/controller-runtime/pkg/client"
NOT_SERVED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "non-namespace object": "they make Nodes",
        "ClientWithFieldValidation": "it makes a Node",
        "with metadata objects should delete an object": "it makes a Node",
        "CSRs": "CertificateSigningRequests",
        "[Ee]vict": "the subresource eviction of Pods",
        "Pod bindings": "the subresource binding of Pods",
    }
)
"""Names of tests -> what they need of a cluster that the sandbox does not serve."""


def main(arguments: list[str]) -> int:
    """Build and run the tests; `arguments` go to ginkgo. Returns the exit code."""
    with tempfile.TemporaryDirectory() as directory, sandbox.start() as server:
        binary, kubeconfig = Path(directory) / "client.test", Path(directory) / "kubeconfig"
        server.write_kubeconfig(kubeconfig)
        try:
            subprocess.run(["go", "test", "-c", "-o", str(binary), PACKAGE], cwd=MODULE, check=True)
            found = subprocess.run(
                ["go", "list", "-f", "{{.Dir}}", PACKAGE], cwd=MODULE, check=True, capture_output=True, text=True
            )
        except FileNotFoundError:
            print("error: these tests need Go on PATH (1.26 or newer)", file=sys.stderr)
            return 1
        skipped = "|".join(NOT_SERVED)
        done = subprocess.run(
            [str(binary), f"-ginkgo.skip={skipped}", "-ginkgo.no-color", *arguments],
            cwd=found.stdout.strip(),  # where the CRDs of the tests are
            env={**os.environ, "USE_EXISTING_CLUSTER": "true", "KUBECONFIG": str(kubeconfig)},
            check=False,
        )
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

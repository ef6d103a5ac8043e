"""What the process of the operator loads: each library costs every replica memory, and time at each start."""

import subprocess
import sys

from tests.unit.test_layering import ROOT

UNWANTED = frozenset({"kubernetes", "boto3", "s3transfer", "requests", "oauthlib", "pydantic", "websocket", "yaml"})
"""The `kubernetes` package, which is for kubeconfigs and proxies, with what it brings along, and boto3."""


def test_the_operator_loads_only_what_every_pod_needs() -> None:
    """In a process of its own: this one has loaded everything."""
    code = "import sys, controller.__main__; print(*{name.partition('.')[0] for name in sys.modules})"

    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert "botocore" in loaded.stdout.split()
    assert not UNWANTED & set(loaded.stdout.split())

"""What the process of the operator loads: each library costs every replica memory, and time at each start."""

import json
import subprocess
import sys
from functools import cache
from typing import Any

from tests.unit.test_layering import ROOT

UNWANTED = frozenset({"kubernetes", "boto3", "s3transfer", "requests", "oauthlib", "pydantic", "websocket", "yaml"})
"""The `kubernetes` package, which is for kubeconfigs and proxies, with what it brings along, and boto3."""
SELDOM = frozenset({"controller.rights", "difflib"})
"""What is loaded where it is used, which most processes never do: `--check-aws`, hints at a wrong region or value."""
_CODE = """
import gc, json, sys
sys.modules["rich"] = None  # as in the image: structlog would load it, and what it needs
gc.collect()
gc.set_threshold(5_000)  # more than the compilation of the first file takes, where that is not cached
before = gc.get_stats()
import controller.__main__
collections = sum(each["collections"] for each in gc.get_stats()) - sum(each["collections"] for each in before)
print(json.dumps({
    "modules": sorted(sys.modules), "collections": collections, "frozen": gc.get_freeze_count(),
    "enabled": gc.isenabled(), "followed": len(gc.get_objects()),
}))
"""


def test_the_operator_loads_only_what_every_pod_needs() -> None:
    """In a process of its own: this one has loaded everything."""
    modules = set(loaded()["modules"])

    assert "botocore" in modules
    assert not UNWANTED & {name.partition(".")[0] for name in modules}
    assert not SELDOM & modules


def test_a_start_does_not_look_for_garbage_in_what_it_loads() -> None:
    """Nearly all of it stays. The collector works from then on, on what comes into being since."""
    seen = loaded()

    assert seen["collections"] == 0
    assert seen["frozen"] > 50_000
    assert seen["followed"] < 1_000
    assert seen["enabled"]


@cache
def loaded() -> Any:
    """What a new process is like once it has loaded the operator."""
    found = subprocess.run([sys.executable, "-c", _CODE], cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(found.stdout)

"""What `run` applies: the CRDs, and the samples that can end well without a reader's own account."""

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
CRDS = REPOSITORY / "config" / "crd" / "bases"
# In the order of the table. Not here: xgboost-mnist-trainingjob-endpoint.yaml, which names an endpoint of its reader's.
SAMPLES = (
    "xgboost-mnist-trainingjob.yaml",
    "xgboost-mnist-trainingjob-spot.yaml",
    "xgboost-mnist-trainingjob-debugger.yaml",
    "xgboost-mnist-trainingjob-efs.yaml",
    "xgboost-mnist-trainingjob-fsx.yaml",
)


def sample_paths() -> list[Path]:
    """Return the samples' files."""
    return [REPOSITORY / "samples" / name for name in SAMPLES]


def crd_paths() -> list[Path]:
    """Return the generated CRDs' files."""
    return sorted(CRDS.glob("*.yaml"))

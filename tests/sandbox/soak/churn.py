"""Objects that come and go without end: what the operator holds must not grow with the number it has ever seen."""

import random
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.sandbox.harness import Operator
from tests.sandbox.soak.driver import Soak
from tests.sandbox.soak.manifests import drawn
from tests.sandbox.soak.scene import Scene

_ALIVE: Final = 60
"""Objects that are there at a time."""
_EVERY_S: Final = 30.0
_PACE_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Sample:
    """What a process holds."""

    objects: int
    """Created so far."""
    resident_mb: float
    threads: int
    descriptors: int

    @classmethod
    def of(cls, operator: Operator, objects: int) -> "Sample":
        """From /proc; Linux only."""
        process = Path(f"/proc/{operator.process.pid}")
        status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
        resident_mb = int(status["VmRSS"].split()[0]) / 1024
        return cls(objects, resident_mb, int(status["Threads"]), len(list((process / "fd").iterdir())))


def churn(scene: Scene, seed: int, seconds: float) -> list[Sample]:
    """Create and delete for so long; what the one operator held, sampled on the way."""
    rng, made, samples = random.Random(seed), 0, []
    Soak(scene, seed).prepare()
    deadline, due = time.monotonic() + seconds, time.monotonic()
    while time.monotonic() < deadline:
        obj = drawn(rng)
        obj["metadata"]["annotations"] = {}
        obj["metadata"]["name"] += f"-{made}"  # names that nobody has had before: no memory is found again
        made += scene.create(obj) is not None
        if made % 5 == 0:
            objects = [each for each in scene.objects() if not each["metadata"].get("deletionTimestamp")]
            for each in rng.sample(objects, max(len(objects) - _ALIVE, 0)):
                scene.delete(each)
        if time.monotonic() >= due:
            due += _EVERY_S
            samples.append(Sample.of(scene.operators[0], made))
            print(samples[-1], flush=True)
        time.sleep(_PACE_S)
    return samples

"""Measures the runtime: bytes per object in the store, and operations a second of queue, store and informer.

Run `python -m hack.bench.runtime [objects]`. Objects are TrainingJobs as in a busy cluster: different names, uids,
roles, buckets and states, three conditions each. Memory is the growth of the resident set, after a collection. Rates
are per second of CPU time, so that load on the machine hardly changes them.
"""

import gc
import random
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar
from uuid import UUID

import orjson
from prometheus_client import CollectorRegistry

from api.meta import JsonObject, ObjectKey, Resource
from controller.runtime.cache.handlers import EnqueueHandler
from controller.runtime.cache.informer import Informer
from controller.runtime.cache.informer_metrics import InformerMetrics
from controller.runtime.cache.reflector import ListPage, WatchEvent
from controller.runtime.cache.store import Store
from controller.runtime.clock import SystemClock
from controller.runtime.errors import ClassifiedError, ErrorClass
from controller.runtime.queue.queue_metrics import QueueMetrics
from controller.runtime.queue.work_queue import WorkQueue
from controller.runtime.threads import Stop

T = TypeVar("T")

JOBS: Final = Resource("sagemaker.aws.amazon.com", "v1", "trainingjobs", "TrainingJob")
PAGE: Final = 500
EVENTS: Final = 20_000
OPERATIONS: Final = 100_000


def training_job(rng: random.Random, number: int, version: int) -> bytes:
    """Return a TrainingJob as the API server sends it, managedFields included."""
    team, project = f"team-{number % 40}", rng.choice(("churn", "forecast", "vision", "ranking", "speech"))
    name = f"{project}-{rng.choice(('xgboost', 'linear', 'resnet'))}-{number}"
    uid = str(UUID(int=rng.getrandbits(128), version=4))
    job_name = f"{name[:30]}-{uid.replace('-', '')}"
    region = rng.choice(("us-west-2", "us-east-1", "eu-west-1"))
    bucket = f"s3://{team}-{project}-data/{rng.getrandbits(32):08x}"
    state = rng.choice(("InProgress", "Completed", "Completed", "Completed", "Failed", "Stopped"))
    stamp = f"2026-11-{rng.randint(1, 28):02}T{rng.randint(0, 23):02}:{rng.randint(0, 59):02}:{rng.randint(0, 59):02}Z"
    obj = {
        "apiVersion": JOBS.api_version,
        "kind": JOBS.kind,
        "metadata": {
            "name": name,
            "namespace": team,
            "uid": uid,
            "resourceVersion": str(version),
            "generation": 2,
            "creationTimestamp": stamp,
            "finalizers": ["sagemaker-operator-finalizer"],
            "labels": {"project": project, "run": f"{rng.getrandbits(40):010x}"},
            "managedFields": [
                {
                    "manager": manager,
                    "operation": "Update",
                    "apiVersion": JOBS.api_version,
                    "time": stamp,
                    "fieldsType": "FieldsV1",
                    "fieldsV1": {
                        "f:spec": {f"f:{field}": {} for field in ("roleArn", "region", "resourceConfig", "tags")}
                    },
                }
                for manager in ("kubectl-client-side-apply", "sagemaker-operator")
            ],
        },
        "spec": {
            "trainingJobName": job_name,
            "roleArn": f"arn:aws:iam::{100000000000 + number % 7}:role/service-role/SageMaker-{team}",
            "region": region,
            "algorithmSpecification": {
                "trainingImage": f"433757028032.dkr.ecr.{region}.amazonaws.com/xgboost:{rng.randint(1, 3)}",
                "trainingInputMode": "File",
            },
            "outputDataConfig": {"s3OutputPath": f"{bucket}/models/"},
            "inputDataConfig": [
                {
                    "channelName": channel,
                    "dataSource": {
                        "s3DataSource": {
                            "s3DataType": "S3Prefix",
                            "s3Uri": f"{bucket}/{channel}/",
                            "s3DataDistributionType": "FullyReplicated",
                        }
                    },
                    "contentType": "text/csv",
                    "compressionType": "None",
                }
                for channel in ("train", "validation")
            ],
            "resourceConfig": {
                "instanceCount": rng.randint(1, 8),
                "instanceType": rng.choice(("ml.m4.xlarge", "ml.p3.2xlarge", "ml.c5.4xlarge")),
                "volumeSizeInGB": rng.choice((5, 30, 100)),
            },
            "stoppingCondition": {"maxRuntimeInSeconds": 86400},
            "hyperParameters": [
                {"name": parameter, "value": f"{rng.random():.4f}"}
                for parameter in ("max_depth", "eta", "gamma", "min_child_weight", "subsample", "num_round")
            ],
        },
        "status": {
            "trainingJobStatus": state,
            "secondaryStatus": "Training" if state == "InProgress" else state,
            "sageMakerTrainingJobName": job_name,
            "cloudWatchLogUrl": f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}"
            f"#logStream:group=/aws/sagemaker/TrainingJobs;prefix={job_name};streamFilter=typeLogStreamPrefix",
            "awsResource": {"name": job_name, "region": region, "partition": "aws", "createdAt": stamp},
            "lastCheckTime": stamp,
            "conditions": [
                {
                    "type": kind,
                    "status": rng.choice(("True", "False")),
                    "reason": state,
                    "message": "",
                    "lastTransitionTime": stamp,
                    "observedGeneration": 2,
                }
                for kind in ("Ready", "Synced", "Reconciling")
            ],
        },
    }
    return orjson.dumps(obj)


def resident_bytes() -> int:
    """Return the process's resident set (Linux)."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


class Generated:
    """A `ListerWatcher` and its own `WatchStream`: pages of generated jobs, then events about them, then the end.

    Objects are decoded from JSON as an adapter would; the reported times exclude generating them.
    """

    def __init__(self, objects: int, stop: Stop, *, events: int) -> None:
        self._rng = random.Random(1)
        self._objects = objects
        self._stop = stop
        self._events = [training_job(self._rng, self._rng.randrange(objects), 10_000_000 + n) for n in range(events)]
        self.made_s = 0.0
        self.watched_at = 0.0

    def list(self, *, resource_version: str, limit: int | None, continue_token: str | None) -> ListPage:
        """Make the next page of jobs."""
        del resource_version, limit
        start = time.process_time()
        first = int(continue_token or "0")
        numbers = range(first, min(first + PAGE, self._objects))
        made = [training_job(self._rng, number, number) for number in numbers]
        self.made_s += time.process_time() - start
        token = str(numbers.stop) if numbers.stop < self._objects else ""
        return ListPage([orjson.loads(data) for data in made], "1", token)

    def watch(self, *, resource_version: str, timeout_s: int, initial_events: bool = False) -> Self:
        """Return itself as the stream of events; raises ClassifiedError where a streamed list is wanted."""
        if initial_events:
            raise ClassifiedError(ErrorClass.INVALID, "Invalid", "not streamed")
        del resource_version, timeout_s
        self.watched_at = time.process_time()
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None, /
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[WatchEvent]:
        return self

    def __next__(self) -> WatchEvent:
        if not self._events:
            self._stop.set()
            raise StopIteration
        return WatchEvent("MODIFIED", orjson.loads(self._events.pop()))

    def close(self) -> None:
        """Do nothing: there is no connection."""


def by_job_name(obj: JsonObject) -> Iterable[str]:
    """Yield the name in SageMaker."""
    return (obj["spec"]["trainingJobName"],)


def by_project(obj: JsonObject) -> Iterable[str]:
    """Yield a value that many objects share."""
    return (obj["metadata"]["labels"]["project"],)


def per_second(count: int, act: Callable[[], object]) -> str:
    """Time one call of `act`, which does `count` operations."""
    start = time.process_time()
    act()
    took = time.process_time() - start
    return f"{count / took:>12,.0f} /s   ({took / count * 1e6:.1f} µs each)"


def each(act: Callable[[T], object], things: list[T]) -> str:
    """Time `act` for each item; results are dropped."""

    def all_of_them() -> None:
        for thing in things:
            act(thing)

    return per_second(len(things), all_of_them)


def bench_informer(objects: int) -> Store:
    """List, then watch, into a store with two indexes and a queue; prints rates and memory."""
    registry, clock, stop = CollectorRegistry(), SystemClock(), Stop()
    store = Store({"job name": by_job_name, "project": by_project})
    queue: WorkQueue[ObjectKey] = WorkQueue("jobs", metrics=QueueMetrics(registry), clock=clock)
    source = Generated(objects, stop, events=EVENTS)
    informer = Informer(JOBS, source, store, metrics=InformerMetrics(registry), clock=clock)
    informer.add_handler(EnqueueHandler(queue))
    before = resident_bytes()
    start = time.process_time()
    informer.run(stop)
    end = time.process_time()
    listed_s = source.watched_at - start - source.made_s
    print(f"initial list to queue {objects / listed_s:>12,.0f} objects/s")
    print(f"watch events to queue {EVENTS / (end - source.watched_at):>12,.0f} /s")
    while (handed := queue.get() if len(queue) else None) is not None:
        queue.done(handed.key)
    del queue, informer, source, registry
    json_bytes = sum(len(store.get_bytes(key) or b"") for key in store.keys()[:1000]) / min(1000, objects)
    print(f"JSON of an object     {json_bytes:>12,.0f} bytes")
    print(f"store, 2 indexes      {(resident_bytes() - before) / objects:>12,.0f} bytes/object resident")
    return store


def bench_store(store: Store) -> None:
    """Measure reads, writes and a relist of a full store."""
    rng = random.Random(2)
    keys = store.keys()
    chosen = [rng.choice(keys) for _ in range(20_000)]
    versions = [orjson.loads(training_job(rng, rng.randrange(len(keys)), 20_000_000 + n)) for n in range(10_000)]
    print("store get             " + each(store.get, chosen))
    print("store version         " + each(store.resource_version, chosen))
    print("store upsert          " + each(store.upsert, versions))
    start, took, before, peak = 0.0, 0.0, resident_bytes(), 0
    replacement = store.replacement()
    for first in range(0, len(keys), PAGE):
        objects = [obj for key in keys[first : first + PAGE] if (obj := store.get(key)) is not None]
        start = time.process_time()
        replacement.add(objects)
        took += time.process_time() - start
    start = time.process_time()
    replaced = replacement.commit()
    committed_s = time.process_time() - start
    peak = resident_bytes()
    print(
        f"relist, unchanged     {len(keys) / (took + committed_s):>12,.0f} objects/s, swap {committed_s * 1e3:.0f} ms"
    )
    print(f"relist, unchanged     {(peak - before) / len(keys):>12,.0f} bytes/object more while old and new exist")
    del replaced


def bench_queue() -> None:
    """Measure one thread: add, get, done; and delayed adds."""
    registry = CollectorRegistry()
    queue: WorkQueue[ObjectKey] = WorkQueue("queue", metrics=QueueMetrics(registry), clock=SystemClock())
    keys = [ObjectKey("team", f"job-{number}") for number in range(OPERATIONS)]

    def cycle() -> None:
        for key in keys:
            queue.add(key)
        for _ in keys:
            handed = queue.get()
            assert handed is not None
            queue.done(handed.key)

    def delay() -> None:
        for key in keys:
            queue.add_after(key, 3600)

    print("queue add, get, done  " + per_second(OPERATIONS, cycle))
    print("queue add_after       " + per_second(OPERATIONS, delay))


def main() -> None:
    """Run all with the number of objects given on the command line, 100,000 by default."""
    objects = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    bench_queue()
    bench_store(bench_informer(objects))


if __name__ == "__main__":
    main()

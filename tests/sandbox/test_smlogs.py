"""`kubectl smlogs` as its users run it: a process that the real kubectl finds on PATH, against API server and AWS."""

import os
import pty
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
import yaml

from api.meta import JsonObject
from hack.background import in_background
from tests.deadline import eventually
from tests.sandbox.conftest import World
from tests.sandbox.harness import named
from tests.sandbox.smlogs_scene import LIMIT_S, Scene

pytestmark = pytest.mark.sandbox
LINE = re.compile(
    r"(?P<stream>\S+/algo-\d-\d+) (?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d*[1-9])? \+0000 UTC) (?P<text>.*)"
)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Servers for all tests of this module."""
    with ExitStack() as stack:
        yield Scene(tmp_path_factory.mktemp("smlogs"), stack)


@pytest.fixture
def scene(servers: Scene) -> Iterator[Scene]:
    """The servers, without objects and jobs."""
    yield servers
    servers.reset()


def test_kubectl_finds_the_plugin_and_shows_the_guides_help(scene: Scene) -> None:
    """B-18, B-19."""
    done = scene.smlogs()
    assert done.returncode == 0
    assert done.stdout.startswith("View Amazon SageMaker logs via Kubernetes\n\nUsage:\n  smlogs [command]\n")


@pytest.mark.guide("F-3e")
def test_a_training_jobs_log_is_printed_as_the_guide_shows_it(scene: Scene) -> None:
    """B-28: header on stderr; stream, time and message on stdout, in order of time over all instances.

    The job `foo` is not `foo-more` (D-48).
    """
    scene.training_job("foo", instances=2)
    scene.training_job("foo-more")
    scene.aws.clock.advance(400)
    done = scene.smlogs("trainingjob", "foo")
    assert done.returncode == 0
    assert done.stderr == (
        '"foo" has SageMaker TrainingJobName "foo" in region "us-east-2", status "InProgress" and secondary status '
        '"Training"\n'
    )
    found = [LINE.fullmatch(line) for line in done.stdout.splitlines()]
    lines = [line for line in found if line]
    assert len(lines) == len(found) > 10
    assert {line["stream"].rpartition("-")[0] for line in lines} == {"foo/algo-1", "foo/algo-2"}
    assert [line["time"] for line in lines] == sorted(line["time"] for line in lines)
    assert len({line[0] for line in lines}) == len(lines)


@pytest.mark.guide("F-3d")
def test_flags_choose_what_is_printed_and_how(scene: Scene) -> None:
    """Guide F-3d, and kubectl's own `--tail`."""
    scene.training_job("foo", instances=2)
    scene.aws.clock.advance(400)
    everything = scene.plugin("TrainingJobs", "foo", "-p", "algo-2").stdout.splitlines()
    assert {line.partition("-1")[0] for line in everything} == {"foo/algo-2"}
    bare = scene.plugin(
        *("trainingjob", "foo", "-p", "algo-2", "--hide-log-stream-name", "--timestamps=false", "--tail=3")
    ).stdout.splitlines()
    texts = [LINE.sub(r"\g<text>", line) for line in everything]
    assert bare == texts[-3:]


@pytest.mark.parametrize(
    ("kind", "word", "create"),
    [
        ("BatchTransformJob", "TransformJobName", Scene.transform_job),
        ("ProcessingJob", "ProcessingJobName", Scene.processing_job),
    ],
    ids=["transform", "processing"],
)
def test_other_jobs_have_logs_too(scene: Scene, kind: str, word: str, create: Callable[[Scene, str], None]) -> None:
    """B-43a; processing jobs have logs here, too (D-48)."""
    create(scene, "mine")
    scene.aws.clock.advance(1000)
    done = scene.plugin(kind.lower(), "mine")
    assert done.stderr == f'"mine" has SageMaker {word} "mine" in region "us-east-2", status "InProgress"\n'
    lines = done.stdout.splitlines()
    assert len(lines) > 2
    assert all(line.startswith("mine/") for line in lines)


def test_a_components_log_is_that_of_its_copies(scene: Scene) -> None:
    """Each component has a log group of its own, /aws/sagemaker/InferenceComponents/NAME."""
    scene.component("mine")
    scene.component("mine-too")
    scene.aws.clock.advance(1000)
    done = scene.plugin("component", "mine")
    assert (
        done.stderr == '"mine" has SageMaker InferenceComponentName "mine" in region "us-east-2", status "InService"\n'
    )
    streams = {line.partition(" ")[0] for line in done.stdout.splitlines()}
    assert len(streams) == 2
    assert all(stream.startswith("all/") for stream in streams)


def test_an_endpoints_log_is_that_of_its_instances(scene: Scene) -> None:
    """Each endpoint has a log group of its own; a variant's instances are its streams."""
    scene.endpoint("mine")
    scene.endpoint("mine-too")
    scene.aws.clock.advance(1000)
    done = scene.plugin("hostingdeployment", "mine")
    assert done.stderr == '"mine" has SageMaker EndpointName "mine" in region "us-east-2", status "InService"\n'
    streams = {line.partition(" ")[0] for line in done.stdout.splitlines()}
    assert len(streams) == 2
    assert all(stream.startswith("AllTraffic/") for stream in streams)


@pytest.mark.guide("F-3b")
def test_a_tuning_jobs_log_is_that_of_its_training_jobs(scene: Scene) -> None:
    """Also of those that it launches while it is followed; the tuning job `tune-more` begins with the same letters."""
    scene.tuning_job("tune")
    scene.tuning_job("tune-more")
    with scene.following("hyperparametertuningjob", "tune") as following:
        scene.aws.clock.advance(100)
        following.until_lines(2)
        assert len(jobs_in(following.lines)) == 2
        scene.aws.clock.advance(2000)
        eventually(lambda: len(jobs_in(following.lines)) == 3, what="the third training job's lines are printed")
        scene.status("HyperparameterTuningJob", "tune", {"hyperParameterTuningJobStatus": "Completed"})
        assert following.process.wait(LIMIT_S) == 0
        once = scene.plugin("HyperparameterTuningJobs", "tune").stdout.splitlines()
        assert sorted(following.lines) == sorted(once)
    assert all(re.fullmatch(r"tune-\d{3}-[0-9a-f]{8}", job) for job in jobs_in(once))


def jobs_in(lines: list[str]) -> set[str]:
    """Training jobs whose lines there are."""
    return {line.partition("/")[0] for line in lines}


def test_followed_lines_are_those_of_a_finished_log(scene: Scene) -> None:
    """Lines are printed as they appear, none twice; it ends when the job has ended and its last lines are out."""
    scene.training_job("foo", instances=2)
    with scene.following("trainingjob", "foo") as following:
        for second in (40, 100, 100):
            before = len(following.lines)
            scene.aws.clock.advance(second)
            following.until_lines(before + 2)
        scene.aws.clock.advance(200)
        scene.status("TrainingJob", "foo", {"trainingJobStatus": "Completed", "secondaryStatus": "Completed"})
        assert following.process.wait(LIMIT_S) == 0
        assert following.said[-1] == 'TrainingJob "foo" has ended with status "Completed"'
        assert sorted(following.lines) == sorted(scene.plugin("trainingjob", "foo").stdout.splitlines())


def test_throttling_costs_time_and_no_line(scene: Scene) -> None:
    """It is waited out, without a word into a pipe."""
    scene.training_job("foo")
    scene.aws.clock.advance(400)
    undisturbed = scene.plugin("trainingjob", "foo")
    scene.aws.faults.add("FilterLogEvents", "throttle", count=2)
    throttled = scene.plugin("trainingjob", "foo")
    assert (throttled.stdout, throttled.stderr) == (undisturbed.stdout, undisturbed.stderr)
    assert scene.aws.requests.count("FilterLogEvents") >= 4


def test_namespace_and_cluster_are_those_of_the_context(scene: Scene) -> None:
    """D-48: the context's namespace, `--context`, `-n`, and KUBECONFIG with several files."""
    scene.namespace("team")
    scene.training_job("foo", namespace="team")
    scene.aws.clock.advance(400)
    document = yaml.safe_load(scene.kubeconfig.read_text())
    document["contexts"].append(
        {"name": "team", "context": {**document["contexts"][0]["context"], "namespace": "team"}}
    )
    contexts = {"apiVersion": "v1", "kind": "Config", "contexts": document["contexts"][1:]}
    more = scene.directory / "more-contexts"
    more.write_text(yaml.safe_dump(contexts))
    several = {"KUBECONFIG": f"{more}:{scene.directory / 'missing'}:{scene.kubeconfig}"}
    assert scene.plugin("trainingjob", "foo", "-n", "team").returncode == 0
    assert scene.plugin("trainingjob", "foo", "--context", "team", **several).returncode == 0
    missing = scene.plugin("trainingjob", "foo", **several)
    assert missing.returncode == 1
    assert missing.stderr.startswith('error: TrainingJob "foo" not found; "kubectl get TrainingJob')


def test_what_is_missing_is_said_in_one_line(scene: Scene) -> None:
    """No traceback, exit code 1: permission, credentials, cluster, context, job."""
    scene.training_job("foo")
    scene.aws.clock.advance(100)
    scene.object("TrainingJob", "pending", {"additional": "ResourceLimitExceeded: 0 instances"})
    closed = scene.directory / "closed"
    closed.write_text(scene.kubeconfig.read_text().replace(scene.kube.url, "http://127.0.0.1:1"))
    scene.aws.faults.add("FilterLogEvents", "deny")
    said = {
        case: (done.returncode, done.stderr.splitlines()[-1])
        for case, done in {
            "denied": scene.plugin("trainingjob", "foo"),
            "no credentials": scene.plugin("trainingjob", "foo", AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY=""),
            "no cluster": scene.plugin("trainingjob", "foo", KUBECONFIG=str(closed)),
            "no context": scene.plugin("trainingjob", "foo", "--context", "other"),
            "no job yet": scene.plugin("trainingjob", "pending"),
            "no line yet": scene.plugin("trainingjob", "foo", "-p", "algo-9"),
        }.items()
    }
    beginnings = {
        "denied": (1, "error: access denied: your AWS identity lacks the IAM action logs:FilterLogEvents on log group"),
        "no credentials": (1, "error: no usable AWS credentials: Unable to locate credentials; set them up"),
        "no cluster": (1, "error: the cluster cannot be reached: The connection to the server 127.0.0.1:1 was refused"),
        "no context": (1, "error: Error in configuration: context was not found for specified context: other"),
        "no job yet": (
            *(1, 'error: TrainingJob "pending" has not been created in SageMaker yet: ResourceLimitExceeded: 0 inst'),
        ),
        "no line yet": (0, 'TrainingJob "foo" has no log lines that match; its status is InProgress/Training'),
    }
    assert {case: (code, words[: len(beginnings[case][1])]) for case, (code, words) in said.items()} == beginnings


def test_ctrl_c_ends_it_quietly(scene: Scene) -> None:
    """130, as of a shell's commands; also where it was started with SIGINT ignored, by `&` in a script."""
    scene.training_job("foo")
    scene.aws.clock.advance(100)
    with scene.following(command=in_background(scene.command("trainingjob", "foo", "--follow"))) as following:
        following.until_lines(2)
        following.process.send_signal(signal.SIGINT)
        assert following.process.wait(LIMIT_S) == 130
        assert len(following.said) == 1


def test_a_closed_pipe_ends_it_quietly(scene: Scene) -> None:
    """`kubectl smlogs … -f | head -1`: 141, also when the job writes nothing more."""
    scene.training_job("foo")
    scene.aws.clock.advance(100)
    piped = f"set -o pipefail; {' '.join(scene.command('trainingjob', 'foo', '-f'))} | head -1; exit $?"
    with scene.following(command=["bash", "-c", piped]) as following:
        assert following.process.wait(LIMIT_S) == 141
        assert len(following.lines) == 1
        assert len(following.said) == 1


def test_a_terminal_shows_colours_and_a_status_line(scene: Scene) -> None:
    """One colour per instance; what is going on is shown in a line that the next output replaces."""
    scene.training_job("foo", instances=2)
    scene.aws.clock.advance(100)
    ours, theirs = pty.openpty()
    done = subprocess.run(
        scene.command("trainingjob", "foo"),
        env=scene.environment,
        cwd=scene.directory,
        stdout=theirs,
        stderr=theirs,
        timeout=LIMIT_S,
        check=False,
    )
    os.set_blocking(ours, False)
    text = os.read(ours, 1 << 20).decode()
    os.close(ours)
    os.close(theirs)
    assert done.returncode == 0
    colours = dict(re.findall(r"\x1b\[(?P<colour>\d+)m(foo/algo-\d)", text))
    assert sorted(colours.values()) == ["foo/algo-1", "foo/algo-2"]
    assert "\r\x1b[Kreading the log\r\x1b[K" in text


def test_the_operators_own_status_ends_a_follower(world: World, manifest: JsonObject, servers: Scene) -> None:
    """With the operator at work: apply, follow at once, and see the whole log of the job."""
    operator = world.operator().until_ready()
    world.api.create(named(manifest, "guide"))
    environment = {"KUBECONFIG": str(world.direct_kubeconfig), "AWS_ENDPOINT_URL": world.aws.url}
    followed = servers.smlogs("trainingjob", "guide", "--follow", **environment)
    assert followed.returncode == 0, followed.stderr
    assert followed.stderr.splitlines()[-1] == 'TrainingJob "guide" has ended with status "Completed"'
    once = servers.plugin("trainingjob", "guide", **environment)
    assert followed.stdout == once.stdout
    assert "Training finished" in once.stdout
    assert operator.terminate() == 0

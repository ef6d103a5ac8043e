"""The sandbox's command line as its users and scripts meet it: real processes, exit codes, files, signals."""

import contextlib
import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest

from api.v1 import KINDS
from hack import tools
from hack.background import in_background
from hack.sandbox import executables, folder
from hack.sandbox.__main__ import main
from hack.sandbox.aws import server as aws_server
from hack.sandbox.aws.hostile.kinds import FAULTS
from hack.sandbox.control_client import SandboxError
from hack.sandbox.kube import server as kube_server
from hack.sandbox.kubeapi import KubeApi
from hack.sandbox.operator_process import OperatorDiedError, poll_interval_ms
from hack.sandbox.run import ONCE_SPEED, Goal, Options, Show, listening, run
from hack.sandbox.samples import SAMPLES, UPDATE, Sample, crd_paths
from hack.sandbox.show.rows import GOOD, Row
from tests.deadline import PATIENCE_S

pytestmark = pytest.mark.sandbox
REPOSITORY = Path(__file__).resolve().parents[2]
STAND_IN = REPOSITORY / "tests" / "sandbox" / "standin_operator.py"
LIMIT_S = PATIENCE_S


@contextlib.contextmanager
def started(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """`python -m hack.sandbox … &`, with SIGINT ignored as in a script; killed if the test forgets it."""
    command = in_background([sys.executable, "-m", "hack.sandbox", *arguments])
    with subprocess.Popen(
        command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
    ) as process:
        try:
            yield process
        finally:
            process.kill()


TRAINING = tuple(sample for sample in SAMPLES if "trainingjob" in sample.file)


def said(process: subprocess.Popen[str], pattern: str) -> re.Match[str]:
    """The first line of output that matches. Fails when the process ends, or stays silent for too long, instead."""
    assert process.stdout is not None
    assert process.stderr is not None
    watchdog = threading.Timer(LIMIT_S, process.kill)
    watchdog.start()
    try:
        for line in process.stdout:
            found = re.search(pattern, line)
            if found:
                return found
        raise AssertionError(f"nothing like {pattern!r} was printed; stderr: {process.stderr.read()}")
    finally:
        watchdog.cancel()
        watchdog.join()


def stand_in(behaviour: str) -> tuple[str, ...]:
    """The command of a stand-in operator."""
    return (sys.executable, str(STAND_IN), behaviour)


def options(directory: Path, behaviour: str) -> Options:
    """`run --once` with any free ports and a stand-in operator, which knows training jobs only."""
    return Options(
        directory=directory,
        once=True,
        timeout_s=LIMIT_S,
        kube_port=0,
        aws_port=0,
        executables=directory / "bin",
        operator=stand_in(behaviour),
        samples=TRAINING,
    )


@pytest.mark.parametrize(
    "command",
    [
        [],
        ["run"],
        ["kube"],
        ["aws"],
        ["fault"],
        ["fault", "aws"],
        ["fault", "kube"],
        ["requests"],
        ["clock"],
        ["quota"],
        ["lists"],
        ["history"],
        ["search"],
        ["events"],
        ["roles"],
        ["takeover"],
    ],
)
def test_every_command_explains_itself(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """`--help` is exit code 0 and fits its purpose."""
    with pytest.raises(SystemExit) as ended:
        main([*command, "--help"])
    assert ended.value.code == 0
    assert "usage: python -m hack.sandbox" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments", [[], ["fly"], ["fault", "aws", "earthquake"], ["run", "--timeout", "0"], ["aws", "--port", "70000"]]
)
def test_wrong_usage_is_exit_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """As of every command-line tool."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage:" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_sagemaker_alone_serves_until_a_signal(number: signal.Signals) -> None:
    """Ctrl-C and SIGTERM are a clean end, whether it was started in the foreground or by `&` in a script."""
    with started("aws", "--port", "0", "--history", "1000000") as process:
        url = said(process, r"SageMaker at (\S+);")[1]
        client = boto3.client(
            "sagemaker",
            endpoint_url=url,
            region_name="us-east-2",
            aws_access_key_id="a",
            aws_secret_access_key="b",
        )
        assert client.list_training_jobs()["TrainingJobSummaries"][0]["TrainingJobName"] == "past-00999999"
        client.close()
        process.send_signal(number)
        assert process.wait(LIMIT_S) == 0


def test_a_running_sagemaker_takes_faults_tells_requests_and_skips_time(capsys: pytest.CaptureFixture[str]) -> None:
    """`fault`, `requests` and `clock` work on any server given by --url."""
    with aws_server.start() as aws:
        assert main(["fault", "aws", "throttle", "List*", "--count", "2", "--url", aws.url]) == 0
        assert json.loads(capsys.readouterr().out)["faults"][0]["count"] == 2
        assert main(["fault", "aws", "clear", "--url", aws.url]) == 0
        assert main(["fault", "aws", "list", "--url", aws.url]) == 0
        assert '"faults": []' in capsys.readouterr().out
        assert main(["fault", "aws", "throttle", "--count", "0", "--url", aws.url]) == 1
        assert "count must be at least 1" in capsys.readouterr().err
        assert main(["clock", "3600", "--url", aws.url]) == 0
        assert json.loads(capsys.readouterr().out)["now"] > time.time() + 3000
        assert main(["quota", "2", "--url", aws.url]) == 0
        assert json.loads(capsys.readouterr().out) == {"calls_per_second": 2.0, "operations": "*"}
        assert main(["lists", "--lag", "75", "--kind", "Endpoint", "--longest-page", "20", "--url", aws.url]) == 0
        late = {"lag_s": 75.0, "late": ["Endpoint"], "token_life_s": None, "longest_page": 20}
        assert json.loads(capsys.readouterr().out) == late | {"jitter_s": 0.0, "ignored": []}
        assert main(["history", "20000", "--url", aws.url]) == 0
        assert json.loads(capsys.readouterr().out) == {"count": 20000}
        assert main(["requests", "aws", "--url", aws.url]) == 0
        assert json.loads(capsys.readouterr().out) == {"requests": {}, "errors": {}}


def test_every_fault_of_sagemaker_can_be_ordered(capsys: pytest.CaptureFixture[str]) -> None:
    """What --help lists is what the server takes."""
    with aws_server.start() as aws:
        for fault in FAULTS:
            assert main(["fault", "aws", fault, "--always", "--url", aws.url]) == 0
        assert [order["fault"] for order in aws.faults.pending()] == list(FAULTS)


@pytest.mark.parametrize(
    ("fault", "status"),
    [("deny", 403), ("conflict", 409), ("throttle", 429), ("error", 500), ("unavailable", 503), ("timeout", 504)],
)
def test_a_running_api_server_fails_the_requests_that_were_chosen(
    fault: str, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """By pattern of the path and by count."""
    with kube_server.start() as kube:
        assert main(["fault", "kube", fault, "/namespaces$", "--url", kube.url]) == 0
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{kube.url}/api/v1/namespaces", timeout=PATIENCE_S)
        refused.value.close()
        assert refused.value.code == status
        with urllib.request.urlopen(f"{kube.url}/api/v1/namespaces", timeout=PATIENCE_S) as answer:
            assert answer.status == 200
        assert main(["requests", "kube", "--url", kube.url]) == 0
        assert '"resource": "namespaces"' in capsys.readouterr().out


@pytest.mark.parametrize("fault", ["drop-watches", "compact", "late-watch", "repeat-watch", "clear"])
def test_a_running_api_server_disturbs_its_watches(fault: str) -> None:
    """What --help lists is what the server takes."""
    with kube_server.start() as kube:
        assert main(["fault", "kube", fault, "--url", kube.url]) == 0


def test_without_a_sandbox_a_fault_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line and exit code 1, no traceback."""
    assert main(["fault", "aws", "throttle", "--dir", str(tmp_path)]) == 1
    assert capsys.readouterr().err == (
        f"sandbox: no sandbox runs in {tmp_path}: start one with `make run`, or give --url\n"
    )


NOTHING_THERE = "no sandbox runs in"
NO_ADDRESS = "is not the address of a sandbox's server"


@pytest.mark.parametrize(
    ("command", "text"),
    [
        pytest.param(["run", "--dir", "{file}/x"], "cannot be written (Not a directory)", id="folder below a file"),
        pytest.param(["kube", "--kubeconfig", "{file}/x"], "choose another with --kubeconfig", id="kubeconfig"),
        pytest.param(["kube", "--state", "{file}/x"], "choose another with --state", id="state in no folder"),
        pytest.param(["kube", "--state", "{file}"], "it is not a state that this server saved", id="state of others"),
        pytest.param(["clock", "1", "--url", "nonsense"], NO_ADDRESS, id="no URL"),
        pytest.param(["clock", "1", "--url", "ftp://x"], "ftp://x does not answer", id="not HTTP"),
        pytest.param(["clock", "1", "--url", "http://127.0.0.1:port"], NO_ADDRESS, id="no port"),
        pytest.param(["clock", "1", "--url", "http://127.0.0.1:1"], "does not answer", id="nobody there"),
        pytest.param(["requests", "aws", "--dir", "{file}"], NOTHING_THERE, id="not a sandbox's folder"),
        pytest.param(["requests", "aws", "--dir", "{folder}"], NOTHING_THERE, id="a folder with other content"),
    ],
)
def test_what_a_user_mistypes_is_explained_in_one_line(
    command: list[str], text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1 and what to do; never a traceback."""
    file = tmp_path / "file"
    file.write_text("[]")
    (tmp_path / "sandbox.json").write_text("[]")
    ports = {"run": ["--kube-port", "0", "--aws-port", "0"], "kube": ["--port", "0"]}.get(command[0], [])
    filled = [each.format(file=file, folder=tmp_path) for each in command]
    assert main([*filled, *ports]) == 1
    error = capsys.readouterr().err
    assert error.startswith("sandbox: ")
    assert text in error
    assert error.count("\n") == 1


def test_a_page_of_another_server_is_no_answer(capsys: pytest.CaptureFixture[str]) -> None:
    """As of a proxy, or of a web application on that port."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        assert main(["requests", "aws", "--url", f"http://127.0.0.1:{server.server_port}"]) == 1
        thread.join()
    assert NO_ADDRESS in capsys.readouterr().err


def test_two_sandboxes_of_one_checkout_have_folders_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second takes the next folder; where a folder was asked for, it is refused. All are free again at the end."""
    monkeypatch.setattr(folder, "DEFAULT_FOLDER", tmp_path / "box")
    with folder.claimed(None) as first, folder.claimed(None) as second, folder.claimed(None) as third:
        assert [each.name for each in (first, second, third)] == ["box", "box-2", "box-3"]
        with pytest.raises(SandboxError, match=r"another sandbox runs in .*box-2; choose another folder with --dir"):
            folder.claimed(second).__enter__()
    with folder.claimed(None) as again:
        assert again == first


def test_a_sandbox_without_a_wanted_port_takes_another_one_where_the_usual_is_taken() -> None:
    """So that a second one just starts; a port that was asked for is insisted on."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        with listening(aws_server.start, None, taken, "--aws-port") as second:
            assert not second.url.endswith(f":{taken}")
        with pytest.raises(SandboxError, match=f"port {taken} cannot be used"):
            listening(aws_server.start, taken, taken, "--aws-port")


def test_the_printed_commands_work_in_any_directory(tmp_path: Path) -> None:
    """`kubectl` and `sandbox` are executables in the environment; they find the checkout and the running sandbox."""
    binaries = tmp_path / "bin with space"
    executables.install(binaries)
    with aws_server.start() as aws:
        (tmp_path / "sandbox.json").write_text(json.dumps({"aws": aws.url}))
        environment = {**os.environ, "PATH": f"{binaries}:{os.environ['PATH']}", "SANDBOX_DIR": str(tmp_path)}

        def output(*command: str) -> str:
            return subprocess.run(
                command, cwd="/", env=environment, check=True, capture_output=True, text=True, timeout=LIMIT_S
            ).stdout

        assert json.loads(output("sandbox", "fault", "aws", "throttle", "List*"))["faults"][0]["operation"] == "List*"
        assert aws.faults.pending()[0]["operation"] == "List*"
    assert "gitVersion" in output("kubectl", "version", "--client", "--output=json")


def test_a_launcher_is_never_taken_for_the_tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would start itself, for ever."""
    executables.install(tmp_path)
    real = tools.find("kubectl")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert shutil.which("kubectl") == str(tmp_path / "kubectl")
    assert tools.find("kubectl") == real


@pytest.mark.parametrize(
    ("command", "flag"),
    [
        (["aws"], "--port"),
        (["kube"], "--port"),
        (["run", "--aws-port", "0"], "--kube-port"),
        (["run", "--kube-port", "0"], "--aws-port"),
    ],
)
def test_a_taken_port_is_explained_in_one_line(
    command: list[str], flag: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Which port, and which option chooses another."""
    monkeypatch.chdir(tmp_path)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert main([*command, flag, str(port)]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"sandbox: port {port} cannot be used")
    assert f"choose another with {flag}" in error
    assert error.count("\n") == 1


def test_the_kubernetes_api_alone_writes_a_kubeconfig(tmp_path: Path) -> None:
    """A kubeconfig that kubectl and the operator can use."""
    kubeconfig = tmp_path / "kubeconfig"
    with started("kube", "--port", "0", "--kubeconfig", str(kubeconfig)) as process:
        url = said(process, r"Kubernetes API at (\S+);")[1]
        assert url in kubeconfig.read_text()
        process.send_signal(signal.SIGTERM)
        assert process.wait(LIMIT_S) == 0


def test_run_once_applies_the_samples_and_ends_when_all_have_ended(tmp_path: Path) -> None:
    """`make run ARGS=--once`: each status change is a line, and the files are where the README says."""
    out = io.StringIO()
    assert run(options(tmp_path, "well"), out) == 0
    text = out.getvalue()
    assert f"export KUBECONFIG={tmp_path}/kubeconfig" in text
    assert "AWS_ENDPOINT_URL=http://127.0.0.1:" in text
    assert f"export PATH={tmp_path}/bin:$PATH" in text, "with kubectl and the sandbox's own command"
    assert f"export SANDBOX_DIR={tmp_path}" in text
    assert re.search(r"default +trainingjob/xgboost-mnist-from-for-s3 +Completed", text)
    assert "kubectl describe" not in text, "nothing is left to be described"
    assert text.splitlines()[-1].startswith("Ended.")
    assert "stand-in operator, well" in (tmp_path / "operator.log").read_text()
    assert not (tmp_path / "sandbox.json").exists()


def test_run_once_with_the_operator_itself_completes_every_sample(tmp_path: Path) -> None:
    """`make run ARGS=--once` as CI runs it."""
    arguments = ["--once", "--kube-port", "0", "--aws-port", "0", "--dir", str(tmp_path)]
    with started("run", *arguments) as process:
        output, errors = process.communicate(timeout=LIMIT_S)
    assert (process.returncode, errors) == (0, "")
    ended = set(re.findall(rf"(\S+/\S+) +(?:{'|'.join(GOOD)})\b", output))
    assert {sample.key for sample in SAMPLES} <= ended


@pytest.mark.parametrize(
    ("once", "speed", "pace"), [(False, None, 1.0), (True, None, ONCE_SPEED), (True, 1.0, 1.0), (False, 0.1, 0.1)]
)
def test_once_is_faster_unless_a_speed_is_given(once: bool, speed: float | None, pace: float) -> None:
    """Nobody watches `--once`, which CI and a first try wait for."""
    assert Options(once=once, speed=speed).pace == pace


@pytest.mark.parametrize(("speed", "interval_ms"), [(0.1, 500), (1, 500), (4, 125), (100, 100)])
def test_the_operator_polls_as_often_as_jobs_of_that_speed_need(speed: float, interval_ms: int) -> None:
    """Twice in the shortest stage, but no more than ten times a second: polls cost time, too."""
    assert poll_interval_ms(speed) == interval_ms


def test_run_once_fails_with_the_reason_of_the_job_that_failed(tmp_path: Path) -> None:
    """Which object, which state, why."""
    with pytest.raises(SandboxError, match=r"trainingjob/xgboost-mnist-from-for-s3 is Failed: made so"):
        run(options(tmp_path, "fails"), io.StringIO())


def test_run_once_has_a_time_limit(tmp_path: Path) -> None:
    """A job that never ends is named when the time is over, which here is as soon as its state was shown."""
    out = io.StringIO()
    shown = re.compile(r"trainingjob/xgboost-mnist-from-for-s3 +InProgress\n")

    def monotonic() -> float:
        return time.monotonic() + (2 * LIMIT_S if shown.search(out.getvalue()) else 0.0)

    with pytest.raises(SandboxError, match=r"time is over.*trainingjob/xgboost-mnist-from-for-s3 is InProgress"):
        run(options(tmp_path, "stuck"), out, monotonic)
    assert shown.search(out.getvalue())


def test_an_operator_that_dies_ends_the_run_with_its_last_words(tmp_path: Path) -> None:
    """Exit code and the tail of the log, so that nobody has to look for it."""
    with pytest.raises(OperatorDiedError, match=r"exit code 3.*\n(.*\n)*.*the stand-in gives up"):
        run(options(tmp_path, "dies"), io.StringIO())


ENDED = Row("TrainingJob", "default", "a", "Completed", "", "", "")


@pytest.mark.parametrize(
    ("rows", "now", "outcome"),
    [
        pytest.param([ENDED, replace(ENDED, name="b")], 0, True, id="both ended well"),
        pytest.param([ENDED, replace(ENDED, name="b", status="InProgress")], 0, False, id="one still runs"),
        pytest.param(
            [replace(ENDED, status="Failed"), replace(ENDED, name="b", status="InProgress")],
            0,
            False,
            id="one failed, one runs",
        ),
        pytest.param(
            [replace(ENDED, status="Failed", message="x"), replace(ENDED, name="b")],
            0,
            r"^not all .*: trainingjob/a is Failed: x$",
            id="one failed",
        ),
        pytest.param(
            [ENDED, replace(ENDED, name="b", status="InProgress")],
            9,
            r"^time is over.*: trainingjob/b is InProgress$",
            id="one is late",
        ),
        pytest.param([ENDED, replace(ENDED, name="c", status="Failed")], 0, False, id="one is gone"),
        pytest.param([ENDED], 9, "trainingjob/b does not exist", id="one is still gone when time is over"),
    ],
)
def test_once_waits_for_all_samples_and_for_nothing_else(rows: list[Row], now: float, outcome: bool | str) -> None:
    """All ends are awaited, so that the reason lists everything that went wrong."""
    goal = Goal(frozenset({"trainingjob/a", "trainingjob/b"}), deadline=5)
    if isinstance(outcome, bool):
        assert goal.is_reached(rows, now) is outcome
    else:
        with pytest.raises(SandboxError, match=outcome):
            goal.is_reached(rows, now)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("behaviour", ["stuck", "stubborn"])
def test_run_ends_cleanly_on_a_signal(tmp_path: Path, number: signal.Signals, behaviour: str) -> None:
    """Exit code 0, the operator is gone, whether it had become ready or not; also with SIGINT ignored at the start."""
    code = (
        "import sys; from pathlib import Path;"
        "from hack.sandbox.run import Options, run; from hack.sandbox.samples import SAMPLES;"
        f"sys.exit(run(Options(Path({str(tmp_path)!r}), Path({str(tmp_path / 'bin')!r}), kube_port=0, aws_port=0,"
        f" samples=SAMPLES[:1],"
        f" operator={stand_in(behaviour)!r})))"
    )
    with subprocess.Popen(
        in_background([sys.executable, "-c", code]),
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        said(process, "InProgress" if behaviour == "stuck" else "export AWS")
        process.send_signal(number)
        output, errors = process.communicate(timeout=LIMIT_S)
    assert (process.returncode, errors) == (0, "")
    assert output.splitlines()[-1].startswith("Ended."), "one line"
    for pid in re.findall(r"as process (\d+)", (tmp_path / "operator.log").read_text()):
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid), 0)


def test_the_readers_own_aws_account_is_out_of_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the shell has set: the operator gets the sandbox's endpoint and keys, and no profile."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID", "AWS_ROLE_ARN"):
        monkeypatch.setenv(name, "mine")
    dump = "import json, os, sys; json.dump(dict(os.environ), open(sys.argv[1], 'w')); sys.exit(7)"
    file = tmp_path / "environment"
    command = (sys.executable, "-c", dump, str(file))
    with pytest.raises(OperatorDiedError, match="exit code 7"):
        run(Options(tmp_path, tmp_path / "bin", kube_port=0, aws_port=0, operator=command), io.StringIO())
    seen = {key: value for key, value in json.loads(file.read_text()).items() if key.startswith("AWS_")}
    assert "mine" not in seen.values()
    assert seen["AWS_DEFAULT_SAGEMAKER_ENDPOINT"] == seen["AWS_ENDPOINT_URL"]
    assert seen["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull


def test_all_files_to_apply_exist() -> None:
    """The lists name what the repository has."""
    assert all(sample.path.is_file() for sample in (*SAMPLES, UPDATE.sample))
    assert crd_paths()


def test_every_kind_has_a_sample_in_the_show() -> None:
    """A kind joins the show with its reconciler."""
    assert {sample.manifest["kind"] for sample in SAMPLES} == {kind.kind for kind in KINDS}


def status_of(sample: Sample, **status: object) -> dict[str, object]:
    """The object that a sample becomes, with this status."""
    metadata = {**sample.manifest["metadata"], "namespace": "default"}
    return {"kind": sample.manifest["kind"], "metadata": metadata, "status": status}


MODEL = next(sample for sample in SAMPLES if sample.manifest["kind"] == "Model")


class Applied(KubeApi):
    """Remembers what is applied."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:1")
        self.manifests: list[Mapping[str, Any]] = []

    def apply(self, manifest: Mapping[str, Any]) -> dict[str, Any]:
        """Remember a manifest."""
        self.manifests.append(manifest)
        return dict(manifest)


def test_the_deployment_is_updated_once_everything_has_ended_well() -> None:
    """The show: samples, then one live update, and it is over when the new instances serve."""
    api, told = Applied(), list[str]()
    show = Show(api, (MODEL, UPDATE.sample), UPDATE)
    one, two = ({"variantName": "all-traffic", "currentInstanceCount": count} for count in (1, 2))
    created = status_of(MODEL, status="Created")
    course: list[tuple[dict[str, object], int, bool]] = [
        ({"endpointStatus": "Creating"}, 2, False),
        ({"endpointStatus": "InService", "productionVariants": [one]}, 3, False),
        ({"endpointStatus": "Updating", "productionVariants": [one]}, 3, False),
        ({"endpointStatus": "InService", "productionVariants": [one]}, 3, False),
        ({"endpointStatus": "InService", "productionVariants": [two]}, 3, True),
    ]
    assert [show.apply_next() for _ in range(3)] == [True, False, False]
    for status, applied, is_over in course:
        objects = [created, status_of(UPDATE.sample, **status)]
        show.advance(objects, told.append)
        assert (len(api.manifests), show.is_over(objects)) == (applied, is_over)
    assert api.manifests[-1]["spec"]["productionVariants"][0]["initialInstanceCount"] == 2
    assert told == ["Now a live update: hostingdeployment/host-xgboost: initialInstanceCount becomes 2"]

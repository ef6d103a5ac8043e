"""What the image promises, read from the Dockerfile; tests/image runs what was built of it."""

import ast
import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from api.v1 import KINDS
from hack import slim
from hack.bench.processes import memory_settings
from tests.dockerfile import DOCKERFILE, stages
from tests.documents import documents
from tests.syntax import tree

ROOT = DOCKERFILE.parent
ARGUMENTS, STAGES = stages(DOCKERFILE.read_text())
FINAL = STAGES[-1]


def containers() -> list[dict[str, object]]:
    """Containers of the Deployment."""
    (deployment,) = [
        each for each in documents(ROOT / "release" / "rolebased" / "installer.yaml") if each["kind"] == "Deployment"
    ]
    pod: dict[str, list[dict[str, object]]] = deployment["spec"]["template"]["spec"]
    return pod["containers"]


def test_both_bases_can_be_pinned_by_digest_and_have_one_python() -> None:
    """`--build-arg`; byte code and compiled extensions of one Python minor version do not run in another."""
    assert [each.base for each in STAGES] == ["${BUILD_IMAGE}", "${BASE_IMAGE}"]
    assert ARGUMENTS == {
        "BUILD_IMAGE": "python:3.13-slim-trixie",
        "BASE_IMAGE": "gcr.io/distroless/python3-debian13:nonroot",  # Debian 13 has Python 3.13
    }


def test_the_last_stage_only_takes_what_the_first_has_built() -> None:
    """No package manager, compiler or source tree: nothing is copied from the context, nothing installed."""
    assert [rest.split() for rest in FINAL.all("COPY")] == [["--from=build", "/app", "/app"]]
    assert not FINAL.all("ADD")
    assert not any(re.search(r"\b(pip|apt|apt-get|apk)\b", rest) for rest in FINAL.all("RUN"))


def test_it_runs_as_the_user_that_the_deployment_names() -> None:
    """A number, which `runAsNonRoot` can be checked against, set before anything runs."""
    deployment = next(
        each for each in documents(ROOT / "release" / "rolebased" / "installer.yaml") if each["kind"] == "Deployment"
    )
    context = deployment["spec"]["template"]["spec"]["securityContext"]
    assert FINAL.one("USER") == f"{context['runAsUser']}:{context['runAsGroup']}"
    words = [word for word, _ in FINAL.instructions]
    assert words.index("USER") < words.index("RUN")


def test_the_manager_is_the_entry_point_and_the_front_end_starts_likewise() -> None:
    """Exec form: signals reach Python, and there is no shell. `python3` from PATH, so that other bases serve, too."""
    manager, proxy = containers()
    assert FINAL.form("ENTRYPOINT") == ["python3", "-m", "controller"]
    assert "command" not in manager
    assert proxy["command"] == ["python3", "-m", "controller.metricsproxy"]
    assert FINAL.form("RUN")[0] == "python3"


def test_the_modules_that_the_build_tries_exist() -> None:
    """In the image that it has made, as the last step: those of both containers, and of the plugin."""
    (imported,) = ast.parse(FINAL.form("RUN")[-1]).body
    assert isinstance(imported, ast.Import)
    names = [each.name for each in imported.names]
    assert {"controller.app", "controller.metricsproxy.__main__", "controller.smlogs.app"} <= {*names}
    assert all(find_spec(name) for name in names)


def test_every_installed_file_has_a_hash_of_the_lock() -> None:
    """And nothing else is resolved or fetched: not the build backend, not what a dependency asks for."""
    installs = [
        part for rest in STAGES[0].all("RUN") for part in rest.split("&&") if re.search(r"\bpip\b.* install\b", part)
    ]
    assert len(installs) == 4
    assert STAGES[0].variables("ENV")["PIP_NO_DEPS"] == "1"
    for each in installs:
        assert "--require-hashes" in each or "--no-build-isolation" in each
    assert any("requirements/image.txt" in each for each in installs)


def test_the_image_has_its_bill_of_materials() -> None:
    """Written after slimming: of what is left."""
    built = STAGES[0].all("RUN")[-1]
    assert 0 < built.index("slim.py /app") < built.index("sbom.py /app requirements/image.txt /app/sbom.cdx.json")


def test_nothing_is_written_below_the_read_only_root() -> None:
    """Byte code is made by the build; at run time Python writes none."""
    variables = FINAL.variables("ENV")
    assert variables["PYTHONPATH"] == "/app"
    assert variables["PYTHONDONTWRITEBYTECODE"] == "1"
    assert "compileall" in STAGES[0].all("RUN")[-1]


def test_all_threads_have_one_heap() -> None:
    """A heap for each of a hundred keeps what each once needed; benchmarks run the operator like this, too."""
    assert FINAL.variables("ENV")["MALLOC_ARENA_MAX"] == "1"
    assert memory_settings(ROOT) == {"MALLOC_ARENA_MAX": "1"}


def test_the_image_tells_the_commit_that_it_was_built_from() -> None:
    """`sagemaker_operator_build_info` and the user agent (controller/version.py)."""
    assert "OPERATOR_COMMIT" in FINAL.variables("ARG")
    assert FINAL.variables("ENV")["OPERATOR_COMMIT"] == "${OPERATOR_COMMIT}"
    assert FINAL.variables("LABEL")["org.opencontainers.image.revision"] == "${OPERATOR_COMMIT}"


def test_the_context_has_every_file_that_is_copied() -> None:
    """.dockerignore leaves out whole folders, which is how COPY comes to find nothing."""
    rules = (ROOT / ".dockerignore").read_text().split()
    for rest in STAGES[0].all("COPY"):
        for source in rest.split()[:-1]:
            assert (ROOT / source).exists()
            top = source.partition("/")[0]
            assert top not in rules
            assert f"{top}/*" not in rules or f"!{source}" in rules


def test_every_aws_service_that_is_called_keeps_its_model() -> None:
    """Services of the kinds, and those that the code names in a call."""
    called = {kind.service for kind in KINDS}
    for path in (ROOT / "controller").rglob("*.py"):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", "") or getattr(node.func, "id", "")
                service = {"call": node.args[1:2], "client": node.args[:1], "create_client": node.args[:1]}
                called |= {each.value for each in service.get(name, ()) if isinstance(each, ast.Constant)}
    assert {"logs", "sts"} <= called, "the search above finds what is there"
    assert called <= set(slim.SERVICES)


@pytest.fixture
def installation(tmp_path: Path) -> Path:
    """What pip lays down, in small."""
    for service in (*slim.SERVICES, "ec2"):
        (tmp_path / "botocore" / "data" / service / "1").mkdir(parents=True)
    for file in (
        "botocore/data/endpoints.json",
        "kubernetes/aio/__init__.py",
        "kubernetes/client/__init__.py",
        "kubernetes/client/api/__init__.py",
        "kubernetes/client/api/core_v1_api.py",
        "kubernetes/client/api/custom_objects_api.py",
        "kubernetes/client/models/v1_pod.py",
        "aiohttp/__init__.py",
        "aiohttp/deep/er.py",
        "orjson/__init__.py",
    ):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    for name, files in {"aiohttp": ["__init__.py", "deep/er.py"], "orjson": ["__init__.py"]}.items():
        info = tmp_path / f"{name}-1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
        record = [*(f"{name}/{file}" for file in files), f"{info.name}/METADATA", f"{info.name}/RECORD"]
        (info / "RECORD").write_text("".join(f"{each},,\n" for each in record))
    return tmp_path


def test_slimming_takes_what_is_listed_and_leaves_the_rest(installation: Path) -> None:
    """Models of other services, classes for other APIs, the asynchronous client with its distributions. Twice."""
    for _ in range(2):
        slim.slim(installation)

    left = {str(path.relative_to(installation)) for path in installation.rglob("*") if path.is_file()}
    assert left == {
        "botocore/data/endpoints.json",
        "kubernetes/client/__init__.py",
        "kubernetes/client/api/__init__.py",
        "kubernetes/client/api/custom_objects_api.py",
        "orjson/__init__.py",
        "orjson-1.dist-info/METADATA",
        "orjson-1.dist-info/RECORD",
    }
    assert not (installation / "aiohttp").exists()
    assert {path.name for path in (installation / "botocore" / "data").iterdir() if path.is_dir()} == set(slim.SERVICES)


def test_a_service_that_botocore_does_not_know_stops_the_build(installation: Path) -> None:
    """A renamed model must not be found out at run time."""
    (installation / "botocore" / "data" / "sts" / "1").rmdir()
    (installation / "botocore" / "data" / "sts").rmdir()

    with pytest.raises(FileNotFoundError, match="sts: botocore has no model of this service"):
        slim.slim(installation)


def test_what_is_installed_here_serves_the_operator() -> None:
    """The proof that the build makes, made on this environment: the list of services has no wrong name."""
    assert slim.prove() > 100

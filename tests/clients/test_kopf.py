"""An operator that a user has written with kopf, at work on the same objects as ours."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, config
from kubernetes.client import ApiException

from tests.clients.conftest import Manifest, Scene
from tests.deadline import eventually

JOBS = ("sagemaker.aws.amazon.com", "v1", "default", "trainingjobs")
HANDLERS = Path(__file__).with_name("kopf_handlers.py")


@pytest.fixture
def kopf(scene: Scene, tmp_path: Path, client_command: Callable[[str], str]) -> Iterator[Path]:
    """`kopf run` in the background; its log."""
    log = tmp_path / "kopf.log"
    command = [client_command("kopf"), "run", "--standalone", "--namespace", "default", str(HANDLERS)]
    with log.open("wb") as sink:
        process = subprocess.Popen(command, stdout=sink, stderr=subprocess.STDOUT, cwd=tmp_path)
    try:
        yield log
    finally:
        process.terminate()
        process.wait()


def test_two_operators_share_an_object(kopf: Path, scene: Scene, job: Callable[..., Manifest]) -> None:
    """Each with its own finalizer, neither undoes what the other writes, and the object goes when both let it go."""
    with config.new_client_from_config(str(scene.kubeconfig)) as api:
        objects, events = client.CustomObjectsApi(api), client.CoreV1Api(api)
        manifest = job()
        name = manifest["metadata"]["name"]
        manifest["metadata"]["labels"]["kopf"] = "mine"
        objects.create_namespaced_custom_object(*JOBS, manifest)

        def current() -> dict[str, Any]:
            found: dict[str, Any] = objects.get_namespaced_custom_object(*JOBS, name)
            return found

        def is_noted() -> bool:
            assert "Traceback" not in kopf.read_text()
            return current()["metadata"].get("annotations", {}).get("example.com/status") == "Completed"

        eventually(is_noted, what="kopf has seen what our operator wrote into the status")
        done = current()
        assert done["metadata"]["annotations"]["example.com/region"] == "us-east-2"
        assert len(done["metadata"]["finalizers"]) == 2
        assert {"type": "Ready", "status": "True"}.items() <= done["status"]["conditions"][0].items()

        objects.delete_namespaced_custom_object(*JOBS, name)

        def is_gone() -> bool:
            try:
                current()
            except ApiException as refused:
                return refused.status == 404
            return False

        eventually(is_gone, what="both operators have let go")
        said = events.list_namespaced_event("default", field_selector=f"involvedObject.name={name},reason=CleanedUp")
        assert [event.message for event in said.items] == [f"default/{name} is cleaned up"]

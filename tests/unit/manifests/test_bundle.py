"""The bundle for OLM: what is released, in the form that OLM installs (operator-framework, bundle format)."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from api.v1 import KINDS
from controller.settings import parse
from hack.crds import ROOT
from hack.manifests import bundle
from tests.documents import documents

IMAGE = "registry.example:5000/operator@sha256:" + "ab" * 32
CREATED_BY_OLM = {"Namespace", "ServiceAccount", "RoleBinding", "ClusterRoleBinding", "Deployment"}


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    """The bundle."""
    return bundle.generate(ROOT / "config", image=IMAGE)


@pytest.fixture(scope="module")
def version(files: dict[str, str]) -> dict[str, Any]:
    """Its ClusterServiceVersion."""
    name = f"manifests/{bundle.PACKAGE}.clusterserviceversion.yaml"
    found: dict[str, Any] = yaml.load(files[name], Loader=yaml.CSafeLoader)
    return found


def released() -> dict[tuple[str, str], dict[str, Any]]:
    """The objects of the cluster-wide installer."""
    objects = documents(ROOT / "release" / "rolebased" / "installer.yaml")
    return {(each["kind"], each["metadata"]["name"]): each for each in objects}


def test_every_object_of_a_release_is_in_it_or_made_by_olm(files: dict[str, str], version: dict[str, Any]) -> None:
    """Roles of the operator are permissions of the version; other objects are files, without a namespace."""
    manifests = [yaml.load(text, Loader=yaml.CSafeLoader) for name, text in files.items() if name.startswith("man")]
    install = version["spec"]["install"]["spec"]
    granted = [rule for key in ("permissions", "clusterPermissions") for each in install[key] for rule in each["rules"]]
    there = {(each["kind"], each["metadata"]["name"]): each for each in manifests}
    for (kind, name), obj in released().items():
        if kind in CREATED_BY_OLM:
            assert (kind, name) not in there
        elif (kind, name) in there:
            assert "namespace" not in there[kind, name]["metadata"]
        else:
            assert kind in ("Role", "ClusterRole")
            assert all(rule in granted for rule in obj["rules"]), name
    bound = [obj["roleRef"]["name"] for (kind, _), obj in released().items() if kind.endswith("RoleBinding")]
    rules = [rule for (kind, name), obj in released().items() if name in bound for rule in obj.get("rules", ())]
    assert len(granted) == len(rules) > 8


def test_the_deployment_is_the_released_one_with_the_namespaces_of_the_group(version: dict[str, Any]) -> None:
    """Users are chosen by OpenShift's namespaces; the flag reads what OLM writes: names with commas, or nothing."""
    (deployment,) = version["spec"]["install"]["spec"]["deployments"]
    ((_, wanted),) = [each for each in released().items() if each[0][0] == "Deployment"]
    spec, expected = deployment["spec"]["template"]["spec"], wanted["spec"]["template"]["spec"]
    assert deployment["spec"]["selector"] == wanted["spec"]["selector"]
    assert spec["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    assert [each["image"] for each in spec["containers"]] == [IMAGE, IMAGE]
    assert [each["args"] for each in spec["containers"]] == [each["args"] for each in expected["containers"]]
    (added,) = [each for each in spec["containers"][0]["env"] if each not in expected["containers"][0]["env"]]
    assert added["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.annotations['olm.targetNamespaces']"}}
    arguments = spec["containers"][0]["args"]
    for text, namespaces in (("", ()), ("a", ("a",)), ("a,b", ("a", "b"))):
        assert parse(arguments, environ={added["name"]: text}).namespaces == namespaces
    accounts = {
        each["serviceAccountName"]
        for key in ("permissions", "clusterPermissions")
        for each in version["spec"]["install"]["spec"][key]
    }
    assert accounts == {spec["serviceAccountName"]}


def test_a_console_shows_kinds_with_examples_and_an_icon(version: dict[str, Any]) -> None:
    """Each kind that is owned is in the bundle, and has an example."""
    owned = version["spec"]["customresourcedefinitions"]["owned"]
    assert [each["kind"] for each in owned] == [kind.kind for kind in KINDS]
    assert all(("CustomResourceDefinition", each["name"]) in released() for each in owned)
    examples = json.loads(version["metadata"]["annotations"]["alm-examples"])
    assert [each["kind"] for each in examples] == [kind.kind for kind in KINDS]
    (icon,) = version["spec"]["icon"]
    assert base64.b64decode(icon["base64data"]).startswith(b"<svg")
    assert {each["type"] for each in version["spec"]["installModes"] if each["supported"]} == {
        "OwnNamespace",
        "AllNamespaces",
    }
    assert version["metadata"]["name"] == f"{bundle.PACKAGE}.v{version['spec']['version']}"


def test_the_labels_of_the_image_are_the_annotations(files: dict[str, str]) -> None:
    """A catalog reads either."""
    annotations = yaml.safe_load(files["metadata/annotations.yaml"])["annotations"]
    labels = [line.removeprefix("LABEL ") for line in files["Dockerfile"].splitlines() if line.startswith("LABEL ")]
    assert dict(each.split("=", 1) for each in labels) == annotations
    assert len(annotations) == 6


def test_the_command_replaces_what_an_earlier_one_has_written(
    files: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of an earlier version would be installed with it."""
    monkeypatch.setattr(bundle, "generate", lambda config, image: files if image == IMAGE else {})
    stale = tmp_path / "bundle" / "manifests" / "stale.yaml"
    stale.parent.mkdir(parents=True)
    stale.touch()
    assert bundle.main(["--output", str(tmp_path / "bundle"), "--image", IMAGE]) == 0
    assert not stale.exists()
    assert (tmp_path / "bundle" / "metadata" / "annotations.yaml").exists()

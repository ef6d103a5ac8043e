"""`python -m hack.manifests --kinds`: installers, policy and kube-state-metrics of some kinds."""

import json
from pathlib import Path

import pytest

from controller.settings import parse
from hack.crds import ROOT
from hack.manifests.__main__ import main as generate
from tests.documents import document, documents


def test_installers_of_some_kinds_have_only_their_crds_rights_and_flag(tmp_path: Path) -> None:
    """Everything else is as in `release/`."""
    assert generate(["--kinds", "models", "--to", str(tmp_path)]) == 0

    objects = documents(tmp_path / "rolebased" / "installer.yaml")
    (crd,) = [each for each in objects if each["kind"] == "CustomResourceDefinition"]
    assert crd["spec"]["names"]["kind"] == "Model"
    (deployment,) = [each for each in objects if each["kind"] == "Deployment"]
    manager = deployment["spec"]["template"]["spec"]["containers"][0]
    assert parse(manager["args"], environ={}).kinds == ("Model",)
    for file in ("rolebased/installer.yaml", "rolebased/namespaced/operator.yaml"):
        (role,) = [each for each in documents(tmp_path / file) if each["metadata"]["name"].endswith("-manager-role")]
        ours = [rule["resources"] for rule in role["rules"] if rule["apiGroups"] == ["sagemaker.aws.amazon.com"]]
        assert ours == [["models"], ["models/status"]]
    policy = json.loads((tmp_path / "iam.json").read_text())
    actions = {action for statement in policy["Statement"] for action in statement["Action"]}
    assert {"sagemaker:CreateModel", "iam:PassRole"} <= actions
    assert not any("Endpoint" in action or "Job" in action for action in actions)


def test_kube_state_metrics_is_configured_for_these_kinds_alone(tmp_path: Path) -> None:
    """It would look for CRDs that are not there. The rest is as in `config/`, so that `kubectl apply -k` works."""
    assert generate(["--kinds", "HostingDeployment", "--to", str(tmp_path)]) == 0

    folder, shipped = tmp_path / "kube-state-metrics", ROOT / "config" / "kube-state-metrics"
    assert {each.name for each in folder.iterdir()} == {each.name for each in shipped.iterdir()}
    installed = {
        each["spec"]["names"]["kind"]: each["spec"]["names"]["plural"]
        for each in documents(tmp_path / "rolebased" / "installer.yaml")
        if each["kind"] == "CustomResourceDefinition"
    }
    assert installed.keys() == {"HostingDeployment", "Model", "EndpointConfig"}
    configuration = document(folder / "config.yaml")
    everything = document(shipped / "config.yaml")["spec"]["resources"]
    assert configuration["spec"]["resources"] == [
        each for each in everything if each["groupVersionKind"]["kind"] in installed
    ]
    values = document(folder / "helm-values.yaml")
    assert values["customResourceState"]["config"] == configuration
    ours, _ = values["rbac"]["extraRules"]
    assert ours["resources"] == sorted(installed.values())
    assert document(folder / "role.yaml")["rules"] == values["rbac"]["extraRules"]
    assert (folder / "kustomization.yaml").read_text() == (shipped / "kustomization.yaml").read_text()


@pytest.mark.parametrize("arguments", [["--kinds", "Model"], ["--to", "x"], ["--kinds", "Modle", "--to", "x"]])
def test_half_a_command_is_refused(arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--kinds` alone must not overwrite the shipped manifests."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        generate(arguments)
    assert ended.value.code == 2
    assert list(tmp_path.iterdir()) == []

"""The namespace of the context, out of one kubeconfig or several, or of the pod (D-48)."""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from controller.smlogs.namespace import current


def kubeconfig(directory: Path, name: str, contexts: dict[str, str], active: str = "") -> Path:
    """A kubeconfig whose contexts have these namespaces."""
    document: dict[str, Any] = {
        "contexts": [
            {"name": context, "context": {"cluster": "c"} | ({"namespace": namespace} if namespace else {})}
            for context, namespace in contexts.items()
        ]
    }
    if active:
        document["current-context"] = active
    file = directory / name
    file.write_text(yaml.safe_dump(document))
    return file


@pytest.mark.parametrize(
    ("context", "namespace"),
    [("", "team"), ("prod", "team"), ("dev", "sandbox"), ("bare", "default"), ("missing", "default")],
)
def test_the_namespace_is_that_of_the_context_in_use(tmp_path: Path, context: str, namespace: str) -> None:
    """`--context` chooses; a context without a namespace means `default`."""
    file = kubeconfig(tmp_path, "config", {"prod": "team", "dev": "sandbox", "bare": ""}, "prod")
    assert current(kubeconfig=str(file), context=context, environ={}) == namespace


def test_of_several_files_the_first_to_say_it_wins(tmp_path: Path) -> None:
    """kubectl's rule for KUBECONFIG, for the current context and for contexts; files that are missing do not matter."""
    files = (
        tmp_path / "missing",
        kubeconfig(tmp_path, "a", {"prod": "first"}),
        kubeconfig(tmp_path, "b", {"prod": "second", "dev": "sandbox"}, "prod"),
        kubeconfig(tmp_path, "c", {}, "dev"),
    )
    environment = {"KUBECONFIG": os.pathsep.join(map(str, files))}
    assert current(kubeconfig="", context="", environ=environment) == "first"
    assert current(kubeconfig="", context="dev", environ=environment) == "sandbox"


def test_the_flag_wins_over_the_variable(tmp_path: Path) -> None:
    """As for the cluster itself."""
    flag, variable = (kubeconfig(tmp_path, name, {"x": name}, "x") for name in ("flag", "variable"))
    assert current(kubeconfig=str(flag), context="", environ={"KUBECONFIG": str(variable)}) == "flag"


def test_in_a_pod_it_is_that_of_the_service_account(tmp_path: Path) -> None:
    """As kubectl does there; not where a kubeconfig is given."""
    file = tmp_path / "namespace"
    file.write_text("jobs\n")
    pod = {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}
    assert current(kubeconfig="", context="", environ=pod, service_account=file) == "jobs"
    given = str(kubeconfig(tmp_path, "config", {"x": "team"}, "x"))
    assert current(kubeconfig=given, context="", environ=pod, service_account=file) == "team"
    assert current(kubeconfig="", context="", environ=pod, service_account=tmp_path / "none") == "default"

"""Every manifest against the schemas that Kubernetes publishes, of the oldest and the newest version that is served.

kubernetes-validate carries them, in the strict form that knows no other fields than the declared ones: what kubeconform
does, offline. Kinds of the Prometheus operator have no schema here; their queries are run by test_alerts.py.
"""

import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from api.v1 import KINDS
from hack import tools
from hack.manifests import release
from tests.late import Late
from tests.sandbox.harness import REPOSITORY
from tests.sandbox.installation import CHARTS

jsonschema = Late("jsonschema")
kubernetes_schemas = Late("kubernetes_validate.utils")
referencing = Late("referencing")

pytestmark = pytest.mark.sandbox

VERSIONS = ("1.25.0", "1.36.0", "1.37.0")
FOREIGN = {"monitoring.coreos.com/v1"}
KUSTOMIZATIONS = sorted(path.parent for path in (REPOSITORY / "config").rglob("kustomization.yaml"))
RELEASES = sorted((REPOSITORY / "release").rglob("*.yaml"))
CRD_CHART = CHARTS / "installer" / "namespaced" / "crd_chart"


@pytest.mark.parametrize("directory", KUSTOMIZATIONS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_what_kustomize_builds_is_valid(directory: Path) -> None:
    """Each kustomization below config/, also those that only others use."""
    check(release.build(directory.parent, directory.name))


@pytest.mark.parametrize("file", RELEASES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_released_files_are_valid(file: Path) -> None:
    """What users apply."""
    check(file.read_text())


def test_what_the_chart_of_the_crds_renders_is_valid() -> None:
    """Those of the operator: test_operator_charts.py, which renders them with all values."""
    command = [str(tools.find("helm")), "template", "a-release", str(CRD_CHART), "--set=commonLabels.team=ml"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    check(done.stdout)
    assert done.stdout.count("team: ml") == len(KINDS)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"replicas": "two"}, "replicas: 'two' is not of type"),
        ({"replica": 2}, "'replica' was unexpected"),
    ],
)
def test_mistakes_would_be_found(change: dict[str, Any], words: str) -> None:
    """Wrong types and unknown fields, deep in an object: the check above has teeth."""
    text = (REPOSITORY / "release/rolebased/installer.yaml").read_text()
    objects = list(yaml.load_all(text, Loader=yaml.CSafeLoader))
    (deployment,) = [each for each in objects if each["kind"] == "Deployment"]
    deployment["spec"] |= change
    assert [each for each in problems(deployment, VERSIONS[-1]) if words in each]


def check(text: str) -> None:
    """Fails with each object's problems."""
    check_objects([each for each in yaml.load_all(text, Loader=yaml.CSafeLoader) if each])


def check_objects(objects: list[dict[str, Any]]) -> None:
    """Do the same for objects; every one must be of a kind that is known, or foreign by name."""
    assert objects
    found = [
        f"{version} {each['kind']} {each['metadata']['name']}: {problem}"
        for each in objects
        if each["apiVersion"] not in FOREIGN
        for version in VERSIONS
        for problem in problems(each, version)
    ]
    assert found == []


def problems(obj: dict[str, Any], version: str) -> list[str]:
    """What the schema of the object's kind says against it, as `path: message`."""
    validator = validator_of(obj["kind"], obj["apiVersion"], version)
    return [f"{'.'.join(map(str, error.absolute_path))}: {error.message}" for error in validator.iter_errors(obj)]


@cache
def validator_of(kind: str, api_version: str, version: str) -> Any:
    """For one kind. Raises FileNotFoundError for kinds that this version of Kubernetes does not serve."""
    group, _, name = api_version.rpartition("/")
    short = "-".join(part for part in (group.partition(".")[0], name) if part)
    schema = kubernetes_schemas.schema_contents(f"{folder(version)}/{kind.lower()}-{short}.json", version)
    registry = referencing.Resource.from_contents(schema) @ definitions(version)
    return jsonschema.Draft202012Validator(schema, registry=registry)


@cache
def definitions(version: str) -> Any:
    """What the schemas of one version refer to: five megabytes, read once."""
    contents = kubernetes_schemas.schema_contents(f"{folder(version)}/_definitions.json", version)
    return referencing.Resource.from_contents(contents) @ referencing.Registry()


def folder(version: str) -> str:
    """Where the package keeps the strict schemas of a version."""
    return f"kubernetes-json-schema/v{version}-local-strict"

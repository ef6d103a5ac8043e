"""Each value of the operator's charts has the effect that the README of the chart names, rendered by the real helm.

A run of helm costs as much as a hundred cells, so that one renders what a whole table is compared with.
"""

import copy
import json
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from api.meta import JsonObject
from api.v1 import KINDS
from controller.kinds import selected
from hack import tools
from hack.manifests import chart_metadata, charts, release
from hack.manifests.roles import kind_rules
from tests.documents import documents
from tests.late import Late
from tests.sandbox.installation import CHARTS, INSTALLER, NAMESPACE, NAMESPACED
from tests.sandbox.operator_values import EVERYTHING, NOTHING
from tests.sandbox.test_schemas import check_objects
from tests.tables import each_cell

jsonschema = Late("jsonschema")

pytestmark = pytest.mark.sandbox

OPERATORS: Final = (charts.CLUSTER, charts.OPERATOR)
DEFAULT: Final[dict[str, Any]] = {}
ADDITIONS: Final = {"networkPolicy": {"enabled": True}, "grafanaDashboard": {"enabled": True}}
VALUES: Final = {
    "default": DEFAULT,
    "everything": EVERYTHING,
    "nothing": NOTHING,
    "scraped": ADDITIONS | {"prometheus": {"enabled": True}},
}
ACCOUNT: Final = "sagemaker-k8s-operator-default"
MANAGER: Final = "sagemaker-k8s-operator-controller-manager"
SERVICE: Final = f"{MANAGER}-metrics-service"
SCRAPER: Final = "sagemaker-k8s-operator-metrics-scraper"


@cache
def rendered(chart: str, values: str) -> dict[tuple[str, str], JsonObject]:
    """The objects of a chart by kind and name."""
    command = [str(tools.find("helm")), "template", "ours", str(CHARTS / chart), f"--namespace={NAMESPACE}"]
    given = yaml.safe_dump(VALUES[values])
    done = subprocess.run([*command, "--values=-"], input=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    objects = [each for each in yaml.load_all(done.stdout, Loader=yaml.CSafeLoader) if each]
    found = {(each["kind"], each["metadata"]["name"]): each for each in objects}
    assert len(found) == len(objects), "no object twice"
    return found


def at(value: Any, path: str) -> Any:
    """What is at a path of keys and positions; None where there is none."""
    for key in filter(None, path.split("/")):
        if isinstance(value, list):
            value = value[int(key)] if int(key) < len(value) else None
        elif value is not None:
            value = value.get(key)
    return value


DEPLOYMENT: Final = ("Deployment", MANAGER)
POD: Final = "spec/template/spec"
FIRST: Final = f"{POD}/containers/0"
SECOND: Final = f"{POD}/containers/1"
MONITOR: Final = ("ServiceMonitor", MANAGER)
RULES: Final = ("PrometheusRule", MANAGER)
DASHBOARD: Final = ("ConfigMap", "sagemaker-k8s-operator-dashboard")
DIGEST: Final = EVERYTHING["image"]["digest"]
IMAGE: Final = f"registry.example:5000/operator:20261130@{DIGEST}"
QUEUES: Final = ",".join(EVERYTHING["statusQueues"])

EFFECTS: Final[list[tuple[str, tuple[str, str], str, Any]]] = [
    ("roleArn", ("ServiceAccount", "mine"), "metadata/annotations/eks.amazonaws.com|role-arn", EVERYTHING["roleArn"]),
    ("image.repository", DEPLOYMENT, f"{FIRST}/image", IMAGE),
    ("image.tag", DEPLOYMENT, f"{SECOND}/image", IMAGE),
    ("image.digest", ("Pod", "sagemaker-k8s-operator-test-metrics"), "spec/containers/0/image", IMAGE),
    ("image.pullPolicy", DEPLOYMENT, f"{SECOND}/imagePullPolicy", "Always"),
    ("imagePullSecrets", ("ServiceAccount", "mine"), "imagePullSecrets", [{"name": "registry"}]),
    ("replicas", DEPLOYMENT, "spec/replicas", 3),
    ("resources", DEPLOYMENT, f"{FIRST}/resources", EVERYTHING["resources"]),
    (
        "podSecurityContext",
        DEPLOYMENT,
        f"{POD}/securityContext",
        {
            "runAsGroup": 65532,
            "runAsNonRoot": True,
            "seccompProfile": {"type": "RuntimeDefault"},
            "supplementalGroups": [7],
        },
    ),
    ("securityContext", DEPLOYMENT, f"{FIRST}/securityContext/readOnlyRootFilesystem", False),
    ("securityContext", DEPLOYMENT, f"{SECOND}/securityContext/readOnlyRootFilesystem", False),
    (
        "metricsProxy.certificateSecret",
        DEPLOYMENT,
        f"{SECOND}/args",
        [
            "--listen=:8443",
            "--upstream=http://127.0.0.1:8080/metrics",
            "--tls-cert-file=/etc/metrics-certificate/tls.crt",
            "--tls-private-key-file=/etc/metrics-certificate/tls.key",
        ],
    ),
    (
        "metricsProxy.certificateSecret",
        DEPLOYMENT,
        f"{SECOND}/volumeMounts",
        [{"mountPath": "/etc/metrics-certificate", "name": "metrics-certificate", "readOnly": True}],
    ),
    (
        "metricsProxy.certificateSecret",
        DEPLOYMENT,
        f"{POD}/volumes/0",
        {"name": "metrics-certificate", "secret": {"secretName": "metrics-tls"}},
    ),
    ("metricsProxy.resources", DEPLOYMENT, f"{SECOND}/resources/limits/memory", "1Gi"),
    ("kinds", DEPLOYMENT, f"{FIRST}/args/3", "--kinds=TrainingJob,HostingDeployment"),
    ("statusQueues", DEPLOYMENT, f"{FIRST}/args/4", f"--status-queue={QUEUES}"),
    ("extraArgs", DEPLOYMENT, f"{FIRST}/args/5", "--log-level=debug"),
    ("extraEnv", DEPLOYMENT, f"{FIRST}/env/1", {"name": "HTTPS_PROXY", "value": "http://proxy:3128"}),
    ("extraVolumes", DEPLOYMENT, f"{POD}/volumes/1", EVERYTHING["extraVolumes"][0]),
    ("extraVolumeMounts", DEPLOYMENT, f"{FIRST}/volumeMounts", EVERYTHING["extraVolumeMounts"]),
    ("serviceAccount.create", ("ServiceAccount", "mine"), "kind", "ServiceAccount"),
    ("serviceAccount.name", DEPLOYMENT, f"{POD}/serviceAccountName", "mine"),
    ("serviceAccount.annotations", ("ServiceAccount", "mine"), "metadata/annotations/owner", "us"),
    ("commonLabels", ("Service", SERVICE), "metadata/labels/team", "ml"),
    ("commonLabels", DEPLOYMENT, "spec/template/metadata/labels/app.kubernetes.io|part-of", "platform"),
    ("podAnnotations", DEPLOYMENT, "spec/template/metadata/annotations/scan", "no"),
    ("podLabels", DEPLOYMENT, "spec/template/metadata/labels/tier", "control"),
    ("nodeSelector", DEPLOYMENT, f"{POD}/nodeSelector", {"disk": "ssd"}),
    ("nodeSelector", ("Pod", "sagemaker-k8s-operator-test-metrics"), "spec/nodeSelector", {"disk": "ssd"}),
    ("affinity", DEPLOYMENT, f"{POD}/affinity", EVERYTHING["affinity"]),
    ("tolerations", DEPLOYMENT, f"{POD}/tolerations", [{"operator": "Exists"}]),
    ("topologySpreadConstraints", DEPLOYMENT, f"{POD}/topologySpreadConstraints/0/topologyKey", "rack"),
    ("priorityClassName", DEPLOYMENT, f"{POD}/priorityClassName", "system-cluster-critical"),
    ("podDisruptionBudget", ("PodDisruptionBudget", MANAGER), "kind", None),
    ("networkPolicy", ("NetworkPolicy", MANAGER), "kind", "NetworkPolicy"),
    ("prometheus.enabled", MONITOR, "kind", "ServiceMonitor"),
    ("prometheus.labels", MONITOR, "metadata/labels/release", "prometheus"),
    ("prometheus.labels", RULES, "metadata/labels/release", "prometheus"),
    ("prometheus.interval", MONITOR, "spec/endpoints/0/interval", "1m"),
    (
        "prometheus.credentials.name",
        MONITOR,
        "spec/endpoints/0/authorization",
        {"credentials": {"name": "scraper", "key": "bearer"}},
    ),
    ("prometheus.credentials.name", ("ServiceAccount", SCRAPER), "kind", None),
    ("prometheus.credentials.name", ("Secret", f"{SCRAPER}-token"), "kind", None),
    ("prometheus.credentials.name", ("ClusterRoleBinding", SCRAPER), "kind", None),
    ("prometheus.credentials.key", MONITOR, "spec/endpoints/0/authorization/credentials/key", "bearer"),
    ("prometheus.tlsConfig", MONITOR, "spec/endpoints/0/tlsConfig", {"serverName": "operator"}),
    (
        "prometheus.runbookUrlPrefix",
        RULES,
        "spec/groups/0/rules/0/annotations/runbook_url",
        "https://wiki.example/SageMakerOperatorDown.md",
    ),
    ("grafanaDashboard.enabled", DASHBOARD, "kind", "ConfigMap"),
    ("grafanaDashboard.labels", DASHBOARD, "metadata/labels/dashboards", "yes"),
    ("grafanaDashboard.annotations", DASHBOARD, "metadata/annotations", {"folder": "ML"}),
    ("tests.checkAws", ("Pod", "sagemaker-k8s-operator-test-check-aws"), "kind", None),
]
"""Value, the object on which it has an effect, where, and what is there; `|` stands for a slash in a key."""


def effects(chart: str) -> list[Any]:
    """The cells for a chart; the front end of the one for a namespace has a flag of its own."""
    cells = []
    for value, found, path, wanted in EFFECTS:
        expected = copy.deepcopy(wanted)
        if chart == charts.OPERATOR:
            if path == f"{SECOND}/args":
                expected.insert(2, "--review=self")
            if path.startswith(f"{FIRST}/args/"):
                path = f"{FIRST}/args/{int(path.rpartition('/')[2]) + 1}"  # --namespace is before it
        cells.append(pytest.param(chart, found, path, expected, id=f"{value}: {found[0]} {path}"))
    return cells


@each_cell({chart: effects(chart) for chart in OPERATORS})
def test_each_value_has_its_effect(chart: str, found: tuple[str, str], path: str, wanted: Any) -> None:
    """The table above, in one rendering of each chart."""
    value: Any = rendered(chart, "everything").get(found)
    for key in path.split("/"):
        value = at(value, key) if "|" not in key else (value or {}).get(key.replace("|", "/"))
    assert value == wanted


@pytest.mark.parametrize("values", VALUES)
@pytest.mark.parametrize("chart", OPERATORS)
def test_what_a_chart_renders_is_valid(chart: str, values: str) -> None:
    """With the values as they are, everything changed, and everything off, by the schemas of Kubernetes."""
    # the CRDs are those of the chart of the CRDs
    check_objects([obj for (kind, _), obj in rendered(chart, values).items() if kind != "CustomResourceDefinition"])


def leaves(schema: JsonObject, path: str = "") -> set[str]:
    """The values that a schema knows, as far as the README lists them."""
    found: set[str] = set()
    for key, below in schema["properties"].items():
        nested = below.get("properties") and not below.get("description")
        found |= leaves(below, f"{path}{key}.") if nested else {f"{path}{key}"}
    return found - {"global"}


def schema_of(chart: str) -> JsonObject:
    """The schema of a chart's values."""
    found: JsonObject = json.loads((CHARTS / chart / "values.schema.json").read_text("utf-8"))
    return found


def test_no_value_is_without_a_row_in_the_table_and_in_the_readme() -> None:
    """A new value is a row above; the README is made of the schema."""
    known = leaves(schema_of(charts.CLUSTER))
    assert len(known) > 35
    assert {value for value, *_ in EFFECTS} == known
    page = (CHARTS / charts.CLUSTER / "README.md").read_text("utf-8")
    assert set(re.findall(r"^\| `([^`]+)` \|.*\| [^|]+ \|$", page, re.MULTILINE)) == known


@pytest.mark.parametrize("chart", OPERATORS)
def test_default_values_give_what_is_released(chart: str) -> None:
    """But for Helm's labels, the namespace that its user makes, and the pods of `helm test`."""
    file = INSTALLER if chart == charts.CLUSTER else NAMESPACED / "operator.yaml"
    released = {(each["kind"], each["metadata"]["name"]): copy.deepcopy(each) for each in documents(file)}
    made = copy.deepcopy(rendered(chart, "default"))
    assert [name for kind, name in made.keys() - released.keys() if kind != "Pod"] == []
    assert {kind for kind, _ in released.keys() - made.keys()} <= {"Namespace"}
    for key in released.keys() & made.keys():
        text = json.dumps(without_labels(made[key]), sort_keys=True)
        wanted = json.dumps(without_labels(released[key]), sort_keys=True)
        assert text.replace('"helm.sh/resource-policy": "keep", ', "") == wanted.replace(
            "PLACEHOLDER-NAMESPACE", NAMESPACE
        )


def rights(rules: list[JsonObject]) -> set[tuple[str, str, str]]:
    """Group, resource and verb of everything that rules allow."""
    return {
        (group, resource, verb)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


@pytest.mark.parametrize("chart", OPERATORS)
def test_selected_kinds_are_all_that_the_operator_has_rights_for(chart: str) -> None:
    """With the kinds of the objects that they create; and the chart for a cluster has no other CRDs."""
    objects, kinds = rendered(chart, "everything"), selected(EVERYTHING["kinds"])
    some, every = (
        rights(obj["rules"])
        for each in (objects, rendered(chart, "default"))
        for (_, name), obj in each.items()
        if name == "sagemaker-k8s-operator-manager-role"
    )
    of_some, of_every = rights(kind_rules(kinds)), rights(kind_rules(KINDS))
    assert of_some <= some
    assert some - of_some == every - of_every
    assert ("", "configmaps", "get") in every - some, "Pipeline is not among them"
    crds = {obj["spec"]["names"]["kind"] for (kind, _), obj in objects.items() if kind == "CustomResourceDefinition"}
    assert crds == ({kind.kind for kind in kinds} if chart == charts.CLUSTER else set())
    assert len(kinds) < len(KINDS)


def without_labels(obj: JsonObject) -> JsonObject:
    """The object without the standard labels."""
    for metadata in (obj["metadata"], at(obj, "spec/template/metadata") or {}):
        own = {
            key: value
            for key, value in metadata.pop("labels", {}).items()
            if not key.startswith(("app.kubernetes.io/", "helm.sh/"))
        }
        if own:
            metadata["labels"] = own
    return obj


@pytest.mark.parametrize("values", VALUES)
@pytest.mark.parametrize("chart", OPERATORS)
def test_every_object_and_pod_has_the_recommended_labels(chart: str, values: str) -> None:
    """https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/"""
    for obj in rendered(chart, values).values():
        labels = obj["metadata"]["labels"]
        assert labels["app.kubernetes.io/name"] == "sagemaker-k8s-operator"
        assert labels["app.kubernetes.io/instance"] == "ours"
        assert labels["app.kubernetes.io/managed-by"] == "Helm"
        assert labels["app.kubernetes.io/version"] == chart_metadata.version()
        assert labels["helm.sh/chart"] == f"sagemaker-k8s-operator-{chart_metadata.version()}"
    pod = rendered(chart, values)[DEPLOYMENT]["spec"]["template"]["metadata"]["labels"]
    assert pod["app.kubernetes.io/name"] == "sagemaker-k8s-operator"
    assert "helm.sh/chart" not in pod, "a change of the chart alone restarts nothing"


@pytest.mark.parametrize("values", VALUES)
@pytest.mark.parametrize("chart", OPERATORS)
def test_no_value_changes_a_selector_or_takes_pods_out_of_it(chart: str, values: str) -> None:
    """A Deployment's selector cannot be changed: an upgrade would fail. Labels of values cannot override its labels."""
    objects = rendered(chart, values)
    ours = {"control-plane": "controller-manager"}
    assert objects[DEPLOYMENT]["spec"]["selector"] == {"matchLabels": ours}
    assert ours.items() <= objects[DEPLOYMENT]["spec"]["template"]["metadata"]["labels"].items()
    assert objects["Service", SERVICE]["spec"]["selector"] == ours
    assert ours.items() <= objects["Service", SERVICE]["metadata"]["labels"].items(), "the ServiceMonitor selects it"
    for kind in ("PodDisruptionBudget", "NetworkPolicy", "ServiceMonitor"):
        if obj := objects.get((kind, MANAGER)):
            assert (obj["spec"].get("selector") or obj["spec"]["podSelector"]) == {"matchLabels": ours}
    tests = [obj for (kind, _), obj in objects.items() if kind == "Pod"]
    assert tests
    assert not any(ours.items() <= obj["metadata"]["labels"].items() for obj in tests)


@pytest.mark.parametrize("chart", OPERATORS)
def test_who_scrapes_has_an_identity_of_its_own(chart: str) -> None:
    """No file in Prometheus' container is named (arbitraryFSAccessThroughSMs); outside a namespace nothing is made."""
    objects = rendered(chart, "scraped")
    (endpoint,) = objects[MONITOR]["spec"]["endpoints"]
    assert "bearerTokenFile" not in endpoint
    assert endpoint["authorization"] == {"credentials": {"name": f"{SCRAPER}-token", "key": "token"}}
    assert endpoint["tlsConfig"] == {"insecureSkipVerify": True}
    token = objects["Secret", f"{SCRAPER}-token"]
    assert token["type"] == "kubernetes.io/service-account-token"
    assert token["metadata"]["annotations"] == {"kubernetes.io/service-account.name": SCRAPER}
    assert ("ServiceAccount", SCRAPER) in objects
    binding = objects.get(("ClusterRoleBinding", SCRAPER))
    assert (binding is not None) == (chart == charts.CLUSTER)
    if binding:
        assert binding["roleRef"]["name"] == "sagemaker-k8s-operator-metrics-reader"
        assert binding["subjects"] == [{"kind": "ServiceAccount", "name": SCRAPER, "namespace": NAMESPACE}]


@pytest.mark.parametrize("chart", OPERATORS)
def test_an_account_of_others_is_used_and_not_made(chart: str) -> None:
    """Everything that names the account names that one."""
    objects = rendered(chart, "nothing")
    assert [name for kind, name in objects if kind == "ServiceAccount"] == [SCRAPER]
    assert objects[DEPLOYMENT]["spec"]["template"]["spec"]["serviceAccountName"] == "theirs"
    subjects = [subject["name"] for obj in objects.values() for subject in obj.get("subjects") or ()]
    assert {*subjects} - {SCRAPER} == {"theirs"}
    assert ACCOUNT not in json.dumps([*objects.values()])


@pytest.mark.parametrize("chart", OPERATORS)
def test_a_mounted_certificate_is_verified_by_its_authority(chart: str) -> None:
    """For the name that cert-manager is asked for: that of the Service."""
    (endpoint,) = rendered(chart, "nothing")[MONITOR]["spec"]["endpoints"]
    assert endpoint["tlsConfig"] == {
        "ca": {"secret": {"name": "metrics-tls", "key": "ca.crt"}},
        "serverName": f"{SERVICE}.{NAMESPACE}.svc",
    }


@pytest.mark.parametrize("chart", OPERATORS)
def test_helm_test_runs_as_the_operator_does(chart: str) -> None:
    """Account, image and variables are the operator's, so that what the check finds holds for it."""
    objects = rendered(chart, "default")
    manager = objects[DEPLOYMENT]["spec"]["template"]["spec"]
    pods = [objects["Pod", f"sagemaker-k8s-operator-test-{name}"] for name in ("metrics", "check-aws")]
    for pod in pods:
        assert pod["metadata"]["annotations"]["helm.sh/hook"] == "test"
        assert pod["spec"]["restartPolicy"] == "Never"
        for key in ("serviceAccountName", "securityContext"):
            assert pod["spec"][key] == manager[key]
        for key in ("image", "imagePullPolicy", "securityContext"):
            assert pod["spec"]["containers"][0][key] == manager["containers"][0][key]
    metrics, rights = (pod["spec"]["containers"][0] for pod in pods)
    assert metrics["command"] == ["python3", "-c", (charts.FILES / "answers.py").read_text("utf-8")]
    assert metrics["args"] == [f"https://{SERVICE}.{NAMESPACE}.svc:8443/metrics"]
    served = [f"--namespace={NAMESPACE}"] if chart == charts.OPERATOR else []
    assert rights["args"] == ["--check-aws", *served]
    assert rights["env"] == manager["containers"][0]["env"]


TAG, SHA = "v2", f"sha256:{'ab' * 32}"
IMAGES: Final[list[tuple[JsonObject, str]]] = [
    ({"tag": TAG}, f"mine:{TAG}"),
    ({"tag": 1.5}, "mine:1.5"),
    ({"tag": 20261130}, "mine:20261130"),
    ({"tag": ""}, "mine:VERSION"),
    ({"tag": None}, "mine:VERSION"),
    ({}, "mine:VERSION"),
    ({"tag": "", "digest": ""}, "mine:VERSION"),
    ({"tag": "", "digest": SHA}, f"mine@{SHA}"),
    ({"tag": None, "digest": SHA}, f"mine@{SHA}"),
    ({"digest": SHA}, f"mine@{SHA}"),
    ({"tag": TAG, "digest": SHA}, f"mine:{TAG}@{SHA}"),
    ({"tag": 0, "digest": SHA}, f"mine:0@{SHA}"),
]
"""Tag and digest as in a values file, and the image of them."""


def test_an_image_is_named_by_tag_digest_or_both(tmp_path: Path) -> None:
    """All rows in one run of helm, by the helper that every container uses."""
    for file in ("_helpers.tpl", "_operator.tpl"):
        target = tmp_path / "templates" / file
        target.parent.mkdir(exist_ok=True)
        shutil.copy(CHARTS / charts.CLUSTER / "templates" / file, target)
    (tmp_path / "Chart.yaml").write_text("{apiVersion: v2, name: images, version: 1.2.3, appVersion: VERSION}")
    rows = '{{ include "sagemaker.image" (dict "Values" (dict "image" .) "Chart" $.Chart) | quote }}'
    (tmp_path / "templates/images.yaml").write_text(f"images:\n{{{{- range .Values.rows }}}}\n- {rows}\n{{{{- end }}}}")
    values = yaml.safe_dump({"rows": [{"repository": "mine", **given} for given, _ in IMAGES]})
    command = [str(tools.find("helm")), "template", "x", str(tmp_path), "--values=-"]
    done = subprocess.run(command, input=values, capture_output=True, text=True, check=True)
    assert yaml.safe_load(done.stdout)["images"] == [image for _, image in IMAGES]
    schema = jsonschema.Draft7Validator(schema_of(charts.CLUSTER))
    assert [given for given, _ in IMAGES if not schema.is_valid({"image": {"repository": "mine", **given}})] == []


@pytest.mark.parametrize(
    ("image", "parts"),
    [
        ("operator", ("operator", "", "")),
        ("operator:v1", ("operator", "v1", "")),
        ("localhost:5000/operator", ("localhost:5000/operator", "", "")),
        ("localhost:5000/team/operator:v1", ("localhost:5000/team/operator", "v1", "")),
        (f"localhost:5000/operator@{SHA}", ("localhost:5000/operator", "", SHA)),
        (f"operator:v1@{SHA}", ("operator", "v1", SHA)),
    ],
)
def test_the_image_of_make_manifests_is_taken_apart(image: str, parts: tuple[str, str, str]) -> None:
    """Into the values of the charts, of which a registry's port and a digest are no tag."""
    assert release.parts(image) == parts


def misspelt(values: JsonObject, schema: JsonObject) -> list[JsonObject]:
    """The values with one key misspelt, for every key that the schema declares and not a user may choose."""
    found: list[JsonObject] = []
    for key, below in schema.get("properties", {}).items():
        if key in values:
            found.append({(f"{name}x" if name == key else name): value for name, value in values.items()})
            found += [values | {key: each} for each in misspelt(values[key], below)] if below.get("properties") else []
    return found


@pytest.mark.parametrize("chart", OPERATORS)
def test_a_typo_in_any_key_is_refused(chart: str) -> None:
    """Otherwise a value has no effect, and nothing says so."""
    schema = schema_of(chart)
    validator = jsonschema.Draft7Validator(schema)
    values = yaml.safe_load((CHARTS / chart / "values.yaml").read_text("utf-8"))
    assert validator.is_valid(values)
    assert validator.is_valid(EVERYTHING)
    typos = misspelt(values, schema)
    assert len(typos) > 40
    assert [each for each in typos if validator.is_valid(each)] == []


REFUSED: Final = [
    {"image": {"repository": "mine", "digest": "sha256:abc"}},
    {"image": {"repository": "mine", "digest": "ab" * 32}},
    {"image": {"repository": ""}},
    {"commonLabels": {"a": 1}},
    {"prometheus": {"enabled": True, "labels": {"a": True}}},
    {"prometheus": {"enabled": True, "interval": "30"}},
    {"prometheus": {"enabled": True, "credentials": {"secret": "a"}}},
    {"serviceAccount": {"create": "no"}},
    {"extraVolumes": [{"emptyDir": {}}]},
    {"extraVolumeMounts": [{"name": "a", "path": "/b"}]},
    {"topologySpreadConstraints": [{"topologyKey": "a"}]},
    {"metricsProxy": {"certificate": "a"}},
]


@pytest.mark.parametrize("wrong", REFUSED, ids=json.dumps)
def test_a_value_that_the_api_would_refuse_is_refused(wrong: JsonObject) -> None:
    """By its schema, as Helm applies it before it renders."""
    values = yaml.safe_load((CHARTS / charts.CLUSTER / "values.yaml").read_text("utf-8"))
    assert not jsonschema.Draft7Validator(schema_of(charts.CLUSTER)).is_valid(values | wrong)


@pytest.mark.parametrize("folder", chart_metadata.CHARTS)
def test_a_chart_has_the_version_of_the_release_and_what_a_catalogue_shows(folder: str) -> None:
    """Artifact Hub: home, sources, icon, licence; the operator's charts list the CRDs."""
    chart = yaml.safe_load((CHARTS / folder / "Chart.yaml").read_text("utf-8"))
    assert chart["version"] == chart["appVersion"] == chart_metadata.version()
    assert chart["sources"] == [chart["home"]]
    assert chart["icon"].startswith("data:image/svg+xml;base64,")
    assert chart["annotations"]["artifacthub.io/license"] == "Apache-2.0"
    if folder in (charts.CLUSTER, charts.CRDS):
        assert len(yaml.safe_load(chart["annotations"]["artifacthub.io/crds"])) == len(KINDS)
    assert (CHARTS / folder / "README.md").read_text("utf-8").count("\n| `") >= 1

"""The import arrows: app → reconcile → (aws | kube) → runtime → observability, api; nothing points up or sideways."""

from pathlib import Path

from tests.syntax import imports
from tests.tables import each_row

ROOT = Path(__file__).parents[2]
BELOW = {
    "api.client": ("api", "controller.aws", "controller.runtime", "controller.smlogs"),
    "api": (),
    "controller.observability": (),
    "controller.runtime": ("controller.observability.registry", "controller.observability.redact", "api.meta"),
    "controller.aws": ("controller.runtime", "controller.observability", "api"),
    "controller.kube": ("controller.runtime", "controller.observability", "api"),
    "controller.reconcile": (
        "controller.aws",
        "controller.kube",
        "controller.runtime",
        "controller.observability",
        "api",
    ),
    "controller.metricsproxy": ("controller.kube", "controller.runtime", "controller.observability", "api"),
    "controller.smlogs": (
        "controller.aws",
        "controller.runtime",
        "controller.observability",
        "controller.reconcile.reasons",
        "api",
    ),
}
"""What of ours each package may import, itself apart; modules directly in `controller` may import all of it."""
LEAVES = ("controller.flags", "controller.version")
"""Modules without imports of ours, which everybody in `controller` may use."""
ONLY_IN = {
    "kubernetes": ("controller.kube", "api.client"),
    "boto3": ("controller.aws", "api"),
    "botocore": ("controller.aws", "api", "api.client"),
}
RECONCILE = "controller.reconcile"
LIFE_CYCLES = ("job", "tuning", "execution", "resource", "in_place", "endpoint", "component", "scaling")
"""The folders of `reconcile` that are life-cycles. They know nothing of each other, but two of them are jobs."""
MAY_KNOW = {"tuning": ("job",), "execution": ("job",)}
DECIDING = (
    *(f"{life_cycle}.decide" for life_cycle in LIFE_CYCLES if life_cycle != "execution"),  # a job's are its own
    *(f"{life_cycle}.{module}" for life_cycle in ("resource", "endpoint") for module in ("drift", "observation")),
    *(
        f"endpoint.{module}"
        for module in (
            *("capacity", "children", "deletion", "desired", "in_service"),
            *("last_update", "status_fields", "updates"),
        )
    ),
    *(f"component.{module}" for module in ("desired", "observation")),
    *(
        f"mutable.{module}"
        for module in ("decide", "deletion", "in_service", "kind", "notes", "observation", "owners", "shown")
    ),
    *(f"mutable.compared.{module}" for module in ("attempt", "desired", "kind", "observation")),
    "managed.marker",
    "execution.shown_steps",
    "in_place.desired",
    "in_place.document",
    "in_place.observation",
    "job.changes",
    "job.observation",
    "scaling.drift",
    "tags.decide",
    "drift",
    "status",
    "hosting",
    "observation",
    "steps",
    "shared_decisions",
)
"""Modules (or folders) of `reconcile` that decide: frozen values in, frozen values out."""
UNDECIDED = (
    *("random", "structlog", "threading", "time"),
    *("controller.aws", "controller.kube"),
    *(
        f"{RECONCILE}.{module}"
        for module in (*("context", "effects", "managed", "passes", "ports", "served", "settings", "setup"),)
    ),
    "controller.runtime.clock",
)
"""What a decision must not depend on: effects, what a process remembers, clients, chance and time."""
BUT = ("controller.aws.errors",)
"""Values in which AWS answers."""
OURS = ("api", "controller", "hack", "tests")
FILES = sorted(path.relative_to(ROOT) for top in ("api", "controller") for path in (ROOT / top).rglob("*.py"))
MODULES = {".".join(path.with_suffix("").parts): path for path in FILES}
"""Files by dotted name; that of a package ends in `__init__`."""


def is_in(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


@each_row("path", FILES, ids=str)
def test_imports_point_downwards(path: Path) -> None:
    """CONTRIBUTING.md; also: no product code imports `hack` or `tests`, and each SDK has one place."""
    module = ".".join(path.with_suffix("").parts)
    home = next((package for package in BELOW if is_in(module, (package,))), "controller")
    allowed = (
        ("controller", "api")
        if home == "controller"
        else (home, *BELOW[home], *(() if is_in(home, ("api",)) else LEAVES))
    )

    names = list(imports(ROOT / path))
    upward = [name for name in names if is_in(name, OURS) and not is_in(name, allowed)]
    misplaced = [name for name in names for sdk, homes in ONLY_IN.items() if is_in(name, (sdk,)) and home not in homes]

    assert not upward, f"{module} may import {allowed} only"
    assert not misplaced, f"{module} is not the place for these"


def modules_of(*names: str) -> list[Path]:
    """The files of these modules or folders of `reconcile`, empty: all; fails for a name that none has."""
    found: list[Path] = []
    for name in names:
        under = f"{RECONCILE}.{name}".removesuffix(".")
        files = [path for module, path in MODULES.items() if is_in(module, (under,))]
        assert files, f"no module {under}"
        found += files
    return found


@each_row("life_cycle", LIFE_CYCLES)
def test_life_cycles_do_not_know_each_other(life_cycle: str) -> None:
    """What two of them need is a port, or stands beside them: each is read, changed and removed alone."""
    others = {each for each in LIFE_CYCLES if each not in (life_cycle, *MAY_KNOW.get(life_cycle, ()))}
    folders = tuple(f"{RECONCILE}.{each}" for each in others)

    sideways = [
        f"{path}: {name}" for path in modules_of(life_cycle) for name in imports(ROOT / path) if is_in(name, folders)
    ]

    assert not sideways


def test_what_all_life_cycles_share_knows_none_of_them() -> None:
    """The list of life-cycles is `controllers.py`."""
    folders = tuple(f"{RECONCILE}.{each}" for each in LIFE_CYCLES)
    inside = {path for each in LIFE_CYCLES for path in modules_of(each)}
    shared = [
        path for path in FILES if is_in(".".join(path.with_suffix("").parts), (RECONCILE,)) and path not in inside
    ]

    downwards = [f"{path}: {name}" for path in shared for name in imports(ROOT / path) if is_in(name, folders)]

    assert not downwards


@each_row("path", sorted(set(modules_of(*DECIDING))), ids=str)
def test_decisions_depend_on_what_is_observed_only(path: Path) -> None:
    """A decision can be made again by another process, at any time, from the same values: tables can test it."""
    wrong = [name for name in imports(ROOT / path) if is_in(name, UNDECIDED) and not is_in(name, BUT)]
    assert not wrong


def test_no_folder_of_reconcile_is_a_flat_room() -> None:
    """At most 15 modules in a folder, and 30 modules and folders on the top level."""
    top = Path(*RECONCILE.split("."))
    rooms = {path.relative_to(top).parts[0] for path in FILES if top in path.parents} - {"__init__.py"}
    folders = {path.parent for path in FILES if top in path.parents} - {top}
    crowded = {
        folder for folder in folders if sum(path.parent == folder and path.stem != "__init__" for path in FILES) > 15
    }

    assert len(rooms) <= 30
    assert not crowded


FOLDERS = sorted(
    path.parent.relative_to(ROOT)
    for top in ("api", "controller", "hack/sandbox")
    for path in (ROOT / top).rglob("__init__.py")
)


@each_row("folder", FOLDERS, ids=str)
def test_a_folder_can_be_taken_in_at_a_glance(folder: Path) -> None:
    """Fifteen modules at most: what grows beyond that is two things."""
    modules = [path.name for path in (ROOT / folder).glob("*.py") if path.name != "__init__.py"]

    assert len(modules) <= 15


@each_row("folder", FOLDERS, ids=str)
def test_rooms_form_no_circle(folder: Path) -> None:
    """The modules and folders in a folder can be put in an order in which each imports only earlier ones."""
    home = ".".join(folder.parts)
    rooms = {path.stem for path in (ROOT / folder).iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    needs: dict[str, set[str]] = {room: set() for room in rooms - {"__init__"}}
    for path in (ROOT / folder).rglob("*.py"):
        room = path.relative_to(ROOT / folder).parts[0].removesuffix(".py")
        inside = [name.removeprefix(f"{home}.").split(".")[0] for name in imports(ROOT / path) if is_in(name, (home,))]
        needs.setdefault(room, set()).update(each for each in inside if each in needs and each != room)
    left = dict(needs)
    while free := [room for room, others in left.items() if not others & left.keys()]:
        for room in free:
            del left[room]

    assert not left, "these import each other, or what does"

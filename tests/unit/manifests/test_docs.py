"""Pages for people: links lead somewhere, files and flags that commands name exist."""

import dataclasses
import re
from pathlib import Path

from controller.settings import Settings
from tests.tables import each_row

ROOT = Path(__file__).resolve().parents[3]
PAGES = sorted(path for path in (ROOT / "docs").rglob("*.md") if "api" not in path.relative_to(ROOT / "docs").parts)
IDS = [str(path.relative_to(ROOT)) for path in PAGES]

DESIGN = ROOT / "docs" / "design"
"""Facts about the first operator and the designs of others as well: their flags and paths are not ours."""

GUIDES = [path for path in PAGES if DESIGN not in path.parents]
GUIDE_IDS = [str(path.relative_to(ROOT)) for path in GUIDES]


@each_row("page", PAGES, ids=IDS)
def test_links_lead_to_files(page: Path) -> None:
    """Relative ones, outside code (patterns look like links); nobody looks after them by hand."""
    prose = re.sub(r"`[^`\n]*`", "", page.read_text())
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", prose)
    assert [target for target in targets if not (page.parent / target).exists()] == []


@each_row("page", GUIDES, ids=GUIDE_IDS)
def test_commands_name_files_of_the_repository(page: Path) -> None:
    """Paths below our folders. The page on new kinds names files that are yet to be made."""
    if page.name == "adding-a-kind.md":
        return
    named = re.findall(r"(?<![\w/.])((?:release|config|docs|samples|hack)/[\w./-]+)", page.read_text())
    assert [path for path in named if not (ROOT / path.rstrip(".")).exists()] == []


@each_row("page", GUIDES, ids=GUIDE_IDS)
def test_flags_of_the_operator_exist(page: Path) -> None:
    """Those that stand alone in back quotes."""
    of_others = {
        "--force-conflicts",
        "--insecure",
        "--ignore-not-found",
        "--take-ownership",
        "--tls-cert-file",
        "--tls-private-key-file",
    }
    of_others.add("--custom-resource-state-config-file")  # of kube-state-metrics
    flags = re.findall(r"`(--[a-z-]+)[`=]", page.read_text())
    known = {
        each.metadata["flag"] or "--" + each.name.removesuffix("_s").replace("_", "-")
        for each in dataclasses.fields(Settings)
    }
    known |= of_others
    assert [flag for flag in flags if flag not in known] == []

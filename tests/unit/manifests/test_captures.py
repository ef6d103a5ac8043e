"""Captured output in pages: what can be seen without running it. `python -m hack.captures --check` runs all of it."""

import re
from collections.abc import Iterator
from pathlib import Path

from api.descriptor import KindDescriptor
from api.v1 import KINDS
from controller.reconcile import reasons
from hack.captures import BLOCK, HEIGHT, REPOSITORY, SHOW, WIDTH, commands, compared, difference, normal, pages
from hack.sandbox.samples import NAMED, SAMPLES
from hack.sandbox.show.guidance import COMMANDS
from tests.tables import each_row

PAGES = pages()
IDS = [str(page.relative_to(REPOSITORY)) for page in PAGES]
TASKS = REPOSITORY / "docs" / "tasks"


def outputs(page: Path) -> Iterator[tuple[str, list[str]]]:
    """Commands of a page, each with the lines that it prints."""
    for block in BLOCK.finditer(page.read_text()):
        for part in re.split(r"^\$ ", block["text"], flags=re.MULTILINE)[1:]:
            command, *lines = part.splitlines()
            yield command, lines


def header(kind: KindDescriptor, *, is_wide: bool) -> list[str]:
    """The header of `kubectl get` for a kind."""
    columns = [column.name.upper() for column in kind.printer_columns if is_wide or not column.priority]
    return ["NAME", *columns, "READY", *(["REASON", "AGE"] if is_wide else [])]


def test_every_task_is_captured() -> None:
    """A page without output is a page that is not current."""
    assert {page for page in PAGES if page.parent == TASKS} == set(TASKS.glob("*.md"))
    assert {REPOSITORY / "README.md", REPOSITORY / "docs" / "sandbox.md"} <= set(PAGES)


@each_row("page", PAGES, ids=IDS)
def test_a_capture_holds_nothing_that_changes_from_run_to_run(page: Path) -> None:
    """Times, ids and ports: else each run would change the page."""
    for block in BLOCK.finditer(page.read_text()):
        assert commands(block["text"]), "a capture without a command"
        assert compared(normal(block["text"])) == compared(block["text"])


@each_row("page", PAGES, ids=IDS)
def test_captured_tables_have_the_columns_of_today(page: Path) -> None:
    """Those of the kinds' descriptors."""
    for command, lines in outputs(page):
        words = command.split()
        if words[:2] != ["kubectl", "get"] or "jsonpath" in command:
            continue
        named = re.split(r"[,/]", words[2])
        kinds = [kind for kind in KINDS if {kind.singular, kind.resource.plural, *kind.short_names} & set(named)]
        shown = [re.split(r" {2,}", line) for line in lines if line.startswith("NAME ")]
        assert shown, f"{command} shows no table"
        assert all(each in [header(kind, is_wide="-o wide" in command) for kind in kinds] for each in shown)


@each_row("page", PAGES, ids=IDS)
def test_captured_conditions_and_events_exist(page: Path) -> None:
    """Types and reasons are those of the one table."""
    types = {each.name for each in reasons.CONDITIONS}
    known = {each.name for each in reasons.REASONS} | types
    events = {each.name for each in reasons.EVENTS}
    text = "\n".join(line for _, lines in outputs(page) for line in lines)
    assert set(re.findall(r"^ {4}Type: +(\w+)$", text, re.MULTILINE)) <= types
    assert set(re.findall(r"^ {4}Reason: +(\w+)$", text, re.MULTILINE)) <= known
    assert set(re.findall(r"^  (?:Normal|Warning) +(\w+) ", text, re.MULTILINE)) <= events


def test_the_captured_show_is_that_of_a_usual_terminal() -> None:
    """80 by 24, with the commands of today, all samples, and the one that the commands name."""
    ((_, lines),) = [each for page in PAGES for each in outputs(page) if each[0] == SHOW]
    text = "\n".join(lines)
    assert COMMANDS.strip("\n") in text
    table = text.partition(COMMANDS)[2].strip("\n").splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert len(table) <= HEIGHT
    assert table[0].split() == ["KIND", "NAMESPACE", "NAME", "STATUS", "DONE", "AGE"]
    rows = [line for line in table if not line.startswith(" ")]  # the others say for what an object waits
    assert len(rows) == 1 + len(SAMPLES) + 1
    assert f" {NAMED.manifest['metadata']['name']} " in text


@each_row(
    ("printed", "shown"),
    [
        ("created 2026-11-30T17:23:56Z", "created 2030-01-02T03:04:05Z"),
        ("at 2026-11-30T17:23:56.549Z", "at 2030-01-02T03:04:05Z"),
        ("uid: 3e23ca67-dc6a-427d-90bd-d1ffb5b08497", "uid: 6d7f0a1b-2c3d-4e5f-8071-8293a4b5c6d7"),
        ("xgb-95b19bc7ea8d4ea6bf5f744a58e37a2d", "xgb-6d7f0a1b2c3d4e5f80718293a4b5c6d7"),
        ("job   True   12s", "job   True   5s"),
        ("  Normal  Created  3m7s (x2 over 5m)  operator", "  Normal  Created  5s    operator"),
        ("  Normal  Created  37s  operator", "  Normal  Created  5s   operator"),
        ("Replicas: 12", "Replicas: 12"),
        ("http://127.0.0.1:35249/x", "http://127.0.0.1:18444/x"),
    ],
)
def test_what_changes_from_run_to_run_is_made_equal(printed: str, shown: str) -> None:
    """With the same width, so that tables stay aligned."""
    assert normal(printed) == shown


@each_row(
    ("one", "other", "is_equal"),
    [
        ("a   5s\nb", "a 5s\nb", True),
        ("  Normal  A  5s\n  Warning  B  5s", "  Warning  B  5s\n  Normal  A  5s", True),
        ("best: x-003-1f2e3d4c", "best: x-007-1f2e3d4c", True),
        ("is none of the 225 values", "is none of the 230 values", True),
        ("a\nb", "b\na", False),
        ("a 1", "a 2", False),
    ],
)
def test_only_what_differs_by_chance_is_not_compared(one: str, other: str, is_equal: bool) -> None:
    """A check that fails without a reason is switched off."""
    assert (compared(one) == compared(other)) is is_equal
    assert bool(list(difference(one, other))) is not is_equal


def test_the_upgrade_applies_on_the_servers_side_throughout() -> None:
    """A plain apply needs an annotation with the whole object, which the largest CRDs come close to."""
    text = (REPOSITORY / "docs" / "upgrade.md").read_text()
    found = re.findall(r"kubectl (?:apply|diff)\b[^\n`]*", text)
    typed = [each for each in found if "-f" in each]
    assert typed
    assert [each for each in typed if "--server-side --force-conflicts" not in each] == []

"""Hooks of MkDocs: navigation as in the table of docs/README.md, and links to files that are not part of the site.

Pages link to each other and to the rest of the repository as they do there, where most people read them. Only this file
knows of the site: MkDocs loads it by its path, and passes the configuration and pages.
"""

import posixpath
import re
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
DOCS: Final = ROOT / "docs"
_LINK: Final = re.compile(r"\[([^\]]*)\]\(([^)\s]+)\)")
_ROW: Final = re.compile(r"^\| *(?:\*\*(?P<section>[^*]+)\*\*)?[^|]*\| *(?P<pages>.*?) *\|$")


def on_config(config: Any) -> Any:
    """Set the navigation: the rows of the table, then the pages that stand in none, by folder."""
    config["nav"] = navigation((DOCS / "README.md").read_text("utf-8"), pages())
    return config


def on_page_markdown(markdown: str, *, page: Any, config: Any, files: Any) -> str:  # noqa: ARG001 (MkDocs' names)
    """Return the page with links out of docs/ led to the repository."""
    return linked(markdown, page.file.src_uri, str(config["repo_url"]))


def pages() -> list[str]:
    """Return all pages, as paths below docs/."""
    return sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))


def navigation(table: str, every: list[str]) -> list[Any]:
    """Return MkDocs' `nav`: sections of the table with their pages, then the rest by folder."""
    nav: list[Any] = [{"Home": "README.md"}]
    placed = {"README.md"}
    section: list[Any] = []
    for row in filter(None, map(_ROW.match, table.splitlines())):
        if row["section"]:
            section = []
            nav.append({row["section"].capitalize(): section})
        for name, target in _LINK.findall(row["pages"]):
            if target in every and target not in placed:
                placed.add(target)
                section.append({name.capitalize(): target})
    rest: dict[str, list[str]] = {}
    for page in every:
        if page not in placed:
            rest.setdefault(posixpath.dirname(page), []).append(page)
    nav += [{folder.capitalize(): found} for folder, found in rest.items()]
    return [each for each in nav if next(iter(each.values()))]


def linked(markdown: str, page: str, repository: str) -> str:
    """Return the Markdown of a page with links to files outside of docs/, or to folders, led to the repository."""

    def lead(found: re.Match[str]) -> str:
        name, target = found.groups()
        path, _, anchor = target.partition("#")
        if not path or ":" in path:
            return found[0]
        inside = posixpath.normpath(posixpath.join("docs", posixpath.dirname(page), path))
        file = ROOT / inside
        if not file.exists() or (inside.startswith("docs/") and file.is_file()):
            return found[0]  # a broken link stays one, for MkDocs to find
        kind = "tree" if file.is_dir() else "blob"
        return f"[{name}]({repository}/{kind}/main/{inside}{'#' + anchor if anchor else ''})"

    return _LINK.sub(lead, markdown)

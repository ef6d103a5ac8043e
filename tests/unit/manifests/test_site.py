"""The hooks of the documentation's site: pages link as in the repository, and stand in the order of docs/README.md."""

import re
from typing import Final

from hack.site.hooks import DOCS, linked, navigation, pages
from tests.tables import each_row

REPOSITORY: Final = "https://git.example/operator"


@each_row(
    ("page", "link", "wanted"),
    [
        ("install.md", "aws-identity.md#check-it", "aws-identity.md#check-it"),
        ("api/README.md", "../install.md", "../install.md"),
        ("install.md", "#what-is-in-it", "#what-is-in-it"),
        ("install.md", "https://example.com/a.md", "https://example.com/a.md"),
        ("aws-identity.md", "iam/operator.json", "iam/operator.json"),
        ("README.md", "../README.md", f"{REPOSITORY}/blob/main/README.md"),
        ("README.md", "../samples", f"{REPOSITORY}/tree/main/samples"),
        ("schemas/README.md", "../../samples", f"{REPOSITORY}/tree/main/samples"),
        ("adding-a-kind.md", "../CONTRIBUTING.md#the-loop", f"{REPOSITORY}/blob/main/CONTRIBUTING.md#the-loop"),
        ("README.md", "nowhere.md", "nowhere.md"),
        ("README.md", "../nowhere.md", "../nowhere.md"),
        ("README.md", "iam", f"{REPOSITORY}/tree/main/docs/iam"),
    ],
)
def test_a_link_leads_where_it_leads_in_the_repository(page: str, link: str, wanted: str) -> None:
    """Only what is no file of docs/ needs another address."""
    assert linked(f"see [that]({link}), too", page, REPOSITORY) == f"see [that]({wanted}), too"


def placed(nav: object) -> list[str]:
    """All pages of a navigation, in order."""
    if isinstance(nav, str):
        return [nav]
    if isinstance(nav, dict):
        return [page for each in nav.values() for page in placed(each)]
    assert isinstance(nav, list)
    return [page for each in nav for page in placed(each)]


def test_every_page_has_one_place_in_the_navigation() -> None:
    """Those of the table in its order, and all others after them, such as the kinds' and the runbooks'."""
    table = (DOCS / "README.md").read_text("utf-8")
    found = placed(navigation(table, pages()))
    assert sorted(found) == pages()
    linked_pages = [page for page in re.findall(r"\]\(([^)#]+\.md)\)", table) if not page.startswith("..")]
    assert len(linked_pages) > 15
    assert found[: len(linked_pages) + 1] == ["README.md", *dict.fromkeys(linked_pages)]


def test_sections_are_the_first_column_of_the_table() -> None:
    """A row without one continues the section before it; a link out of docs/ is no page of the site."""
    table = "| **install** it | [install](install.md): a |\n| | [x](../x.md), [gitops](gitops.md): b |\n"
    nav = navigation(table, ["README.md", "api/a.md", "gitops.md", "install.md"])
    assert nav == [
        {"Home": "README.md"},
        {"Install": [{"Install": "install.md"}, {"Gitops": "gitops.md"}]},
        {"Api": ["api/a.md"]},
    ]

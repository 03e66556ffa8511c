"""The documentation agrees with the code: links, permitted imports, modules and functions."""

import ast
import os
import re
from pathlib import Path

import pytest
from stdp_docs import item_pages

from tests.rules.test_house import ARROWS, ROOT

DOCS = ROOT / "docs"
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *(page for page in sorted(DOCS.rglob("*.md")) if "_build" not in page.parts),
]
ARCHITECTURE = DOCS / "architecture.md"


def anchors(page):
    """Return the anchors of a page: its headings as GitHub and MyST spell them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_files_are_valid(page):
    """Every relative link and image exists, and so does the heading it points to.

    Pages of the site that are generated when it is built count as files of `docs`.
    """
    generated = {DOCS / name for name in item_pages.pages()}
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    links = re.findall(r"\]\(([^)\s]+)\)", text)
    local = [link for link in links if not link.startswith("https://")]
    assert len(local) > 10 or page.name != "README.md"
    for link in local:
        path, _, anchor = link.partition("#")
        target = Path(os.path.normpath(page.parent / path)) if path else page
        assert target.exists() or target in generated, link
        assert not anchor or anchor in anchors(target), link


def test_the_readme_is_one_page():
    """What for, two commands, two pictures, seven examples, where next, in 150 lines at most."""
    text = (ROOT / "README.md").read_text()
    assert len(text.splitlines()) <= 150
    assert len(re.findall(r"^!\[", text, re.MULTILINE)) == 2
    examples = text.partition("## Seven examples\n")[2].partition("\n## ")[0]
    assert len(re.findall(r"^\*\*", examples, re.MULTILINE)) == 7


@pytest.mark.parametrize("package", ARROWS)
def test_the_architecture_has_the_permitted_imports(package):
    """The rows of the tables on the folders are those of the table that is tested."""
    section = ARCHITECTURE.read_text().partition(f"### `{package}/`")[2].partition("\n#")[0]
    rows = dict(re.findall(r"^\| `(\w+)/` \|.*\| ([^|]+) \|$", section, re.MULTILINE))
    assert rows.keys() == ARROWS[package].keys()
    above = []
    for folder, allowed in rows.items():
        named = {"-": [], "all above": above}.get(allowed, allowed.split(", "))
        assert sorted(named) == sorted(ARROWS[package][folder]), folder
        above = [*above, folder]


def test_the_architecture_names_what_exists():
    """Each `folder.module`, with a function or class after it or not, is in one of the packages."""
    folders = "|".join(folder for rows in ARROWS.values() for folder in rows)
    names = re.findall(rf"`((?:{folders})\.\w+(?:\.\w+)?)(?<!\.html)`", ARCHITECTURE.read_text())
    assert len(names) > 20
    for name in names:
        folder, module, *rest = name.split(".")
        files = [ROOT / package / folder / f"{module}.py" for package in ARROWS]
        defined = [_defined(file.read_text()) for file in files if file.exists()]
        assert any(set(rest) <= names_there for names_there in defined), name


def _defined(source):
    """Return the names that a module defines at its top level."""
    found = set()
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return found

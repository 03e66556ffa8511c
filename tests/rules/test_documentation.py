"""The documentation agrees with the code: links, permitted imports, modules and functions."""

import ast
import re

import pytest

from tests.rules.test_house import ARROWS, ROOT

PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/architecture.md",
    "docs/public_reports.md",
)
ARCHITECTURE = ROOT / "docs" / "architecture.md"


def anchors(page):
    """Return the anchors of a page: headings as GitHub spells them, and explicit ones."""
    text = page.read_text()
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    spelled = {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}
    return spelled | set(re.findall(r'<a name="([^"]+)">', text))


@pytest.mark.parametrize("name", PAGES)
def test_links_between_files_are_valid(name):
    """Every relative link and image exists, and so does the heading it points to."""
    page = ROOT / name
    links = re.findall(r'\]\(([^)\s]+)\)|src="([^"]+)"', page.read_text())
    local = [one or other for one, other in links if not (one or other).startswith("https://")]
    assert len(local) > 20 or name != "README.md"
    for link in local:
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


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

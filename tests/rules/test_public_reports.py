"""The page on public reports agrees with the tests."""

import ast
import re

import pytest

from tests.rules.test_house import ROOT

PAGE = ROOT / "docs" / "public_reports.md"


def rows():
    """Return the rows of all tables as lists of their cells."""
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("|")]
    cells = [re.split(r"(?<!\\)\|", line)[1:-1] for line in lines]
    return [row for row in cells if row[0].strip(" -") and row[-1].strip() != "Test"]


@pytest.fixture(scope="module")
def names():
    """Return the names of all tests."""
    found = set()
    for file in (ROOT / "tests").rglob("test_*.py"):
        tree = ast.walk(ast.parse(file.read_text()))
        found |= {node.name for node in tree if isinstance(node, ast.FunctionDef)}
    return {name for name in found if name.startswith("test_")}


def test_every_row_has_tests_that_exist(names):
    """By their names in the last column."""
    assert len(rows()) > 80
    for row in rows():
        tests = re.findall(r"`(\w+)`", row[-1])
        assert tests, row
        assert not set(tests) - names, row


def test_every_report_is_given_once():
    """Rows of reports have addresses of public issues, and none is there twice."""
    reports = [row for row in rows() if len(row) == 4]
    found = [re.findall(r"\]\((\S+)\)", row[0]) for row in reports]
    addresses = [address for row in found for address in row]
    assert len(addresses) >= len(reports) > 40
    assert all(found)
    assert len(set(addresses)) == len(addresses)
    public = r"https://github\.com/[\w-]+/[\w.-]+/(?:issues|pull)/\d+"
    assert not [address for address in addresses if not re.fullmatch(public, address)]

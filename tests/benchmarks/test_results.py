"""`RESULTS.md` has one version: sections of another one are not kept."""

from tests.benchmarks.results import Results

NAMES = ["a", "b", "c"]


def test_a_section_replaces_itself_and_keeps_the_others(tmp_path):
    """What is written is read again; a section that is measured again replaces the earlier one."""
    path = tmp_path / "RESULTS.md"
    first = Results("Version 1", {}).with_section("b", "| B |").with_section("a", "| A |\n\nmore")
    first.write(path, NAMES, "How.")
    again = Results.of_version(path, "Version 1")
    assert again == first
    again.with_section("b", "| B2 |").write(path, NAMES, "How.")
    assert Results.of_version(path, "Version 1").sections == {"a": "| A |\n\nmore", "b": "| B2 |"}


def test_sections_of_another_version_are_not_kept(tmp_path):
    """A file of other circumstances reads as empty, and so does a missing one."""
    path = tmp_path / "RESULTS.md"
    assert Results.of_version(path, "Version 1").sections == {}
    Results("Version 1", {"a": "| A |"}).write(path, NAMES, "How.")
    assert Results.of_version(path, "Version 2").sections == {}


def test_the_text_is_in_order_and_names_what_is_missing():
    """Sections come in the given order; those without results are named above them."""
    results = Results("Version 1", {"c": "| C |", "a": "| A |"})
    text = results.text(NAMES, "How.")
    assert results.missing(NAMES) == ["b"]
    assert "Not measured with this version: b." in text
    assert text.index("## `a`") < text.index("## `c`")
    assert "Not measured" not in results.with_section("b", "| B |").text(NAMES, "How.")

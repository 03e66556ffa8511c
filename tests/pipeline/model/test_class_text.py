"""The source text of a class in a file: what belongs to it, and what changes it."""

import itertools

import pytest

from pipeline.model.class_text import class_text, classes_in, fields_in
from pipeline.model.errors import RequestError
from pipeline.model.inputs import InputProcess
from pipeline.model.plasticity import RULES, Rule
from tests.support.rule_files import CLOCK, HARD, SOFT, replaced


def test_a_file_of_one_class_is_its_own_text():
    """Nothing is added or left out, and every line has its number in the file."""
    found = class_text(SOFT, Rule)
    assert found.text == SOFT
    assert found.name == "SoftBounds"
    assert found.lines == tuple(range(1, SOFT.count("\n") + 1))
    assert class_text(HARD, Rule).text == HARD


PARTS = {
    "imports": "import math\nfrom pipeline import Rule as Base, where\n",
    "constants": "A, B = 1.0, 2.0\nC: float = 3\n",
    "changed": "C += 1\nfor C in (1.0, 2.0):\n    pass\nTABLE = [1]\nTABLE.append(2)\n"
    "TABLE[0] = 3\n",
    "functions": "def inner(w):\n    return A * w\n\n\n"
    "def outer(w):\n    return inner(w) + C + TABLE[0]\n",
    "unneeded": "import scipy\nD = scipy.e\n\n\ndef other():\n    return D\n\n\nprint('text')\n",
    "script": "if __name__ == '__main__':\n    import scipy\n    print(Mine)\n",
    "classes": "class Mine(Base):\n    x = math.e\n\n    def potentiate(w, t, f):\n"
    "        return outer(w)\n\n\nclass Others(Mine):\n    pass\n",
}


def test_a_class_and_what_it_refers_to():
    """Directly or through others, with statements that change it; nothing else is in the text."""
    found = class_text("\n\n".join(PARTS.values()), Rule, "Mine").text
    kept_ones = ("import math", "Rule as Base", "A, B =", "C: float", "C += 1", "for C in", "inner")
    for kept in (*kept_ones, "TABLE = [1]", "TABLE.append(2)", "TABLE[0] = 3"):
        assert kept in found
    for left in ("scipy", "D =", "other()", "print", "__main__", "class Others"):
        assert left not in found
    assert class_text(found, Rule).text == found  # the text of a text is the same


def test_additions_elsewhere_do_not_change_a_text():
    """Before, behind and between; comments belong to the definition that follows."""
    parts = [
        f"# about\n{HARD}",
        "def unused():\n    pass\n",
        "class Z(Rule):\n    pass\n",
        "x = 1\n",
    ]
    expected = class_text(parts[0], Rule).text
    for some in itertools.permutations(parts):
        text = "\n\n".join(some)
        found = class_text(text, Rule, "HardBounds")
        assert found.text == expected
        numbered = text.split("\n")
        assert [numbered[n - 1] for n in found.lines] == expected.split("\n")[:-1]


def test_a_comment_or_a_line_of_the_class_changes_it():
    """They are its text."""
    for change in (
        ("LTP in", "LTP as"),
        ("    def d", "    # new\n    def d"),
        ("1 - w", "1 -  w"),
    ):
        changed = replaced(SOFT, change)
        assert class_text(changed, Rule).text == changed != SOFT


def test_line_ends_and_a_decorator_that_registers_are_not_in_the_text():
    """A file from another system, or a script, has the same text."""
    assert class_text(SOFT.replace("\n", "\r\n"), Rule).text == SOFT
    assert class_text(SOFT.replace("\n", "\r"), Rule).text == SOFT
    script = f"import pipeline\n\n\n@pipeline.register\n{SOFT}\npipeline.sweep(None, {{}})\n"
    assert class_text(script, Rule).text == SOFT


def test_statements_that_share_a_line_stay_together():
    """Half a line is not taken."""
    text = "a = 1; b = 2\n" + replaced(SOFT, ("fields.A * w", "b * w"))
    assert class_text(text, Rule).text.startswith("a = 1; b = 2\n")


def test_classes_and_fields_are_found_without_running_the_file():
    """By their bases: of this package under any name, or in the file; helpers are no choice."""
    text = (
        "import pipeline\nfrom pipeline.model.pair_rules import PairRule as P\nraise SystemExit\n"
        "class _Base(Rule):\n    b: float = quantity('b')\nclass A(pipeline.Rule):\n"
        "    c = pipeline.quantity('c'); d = 3\nclass B(_Base):\n    pass\nclass C(P):\n    pass\n"
        "class D:\n    e = quantity('e')\n"
    )
    assert classes_in(text, Rule) == ["_Base", "A", "B", "C"]
    assert classes_in(text, InputProcess) == []
    assert classes_in(CLOCK, InputProcess) == ["Clock"]
    assert fields_in(text, Rule) == ["b", "c"]
    with pytest.raises(RequestError, match=r"must name one of .* from Rule: :A or :B or :C$"):
        class_text(text, Rule)


def test_a_class_text_makes_the_class():
    """Executed alone, with the names that are provided; by its own name and that of the rule."""
    text = class_text("\n\n".join(PARTS.values()).replace("math.e", "1"), Rule, "Mine").text
    text = replaced(
        text, ("    x = 1\n", "    traces = {}\n\n    def depress(w, t, f):\n        return w\n")
    )
    made = RULES.class_of(text, "Mine")
    assert made is RULES.class_of(text, "Mine")
    assert RULES.class_of(text, "mine") is made
    assert made.potentiate(2.0, None, None) == 2.0 + 2.0 + 3

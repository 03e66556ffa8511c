"""What is refused of files of rules and processes: one line, exit code 2, nothing written."""

import re
from pathlib import Path

import pytest

from pipeline.model.inputs import PROCESSES
from pipeline.model.plasticity import RULES
from tests.conftest import SMALL
from tests.support.rule_files import CLOCK, HARD, SOFT, replaced

pytestmark = pytest.mark.long


@pytest.fixture(autouse=True)
def unregistered():
    """Forget the classes of a test, as another process would."""
    yield
    for registry in (RULES, PROCESSES):
        for name, cls in registry.classes().items():
            if cls.source:
                registry.unregister(name)


@pytest.fixture
def refused(command, tmp_path):
    """Run a command that must be refused in one line before anything is written; return the line.

    The dry run refuses it in the same words.
    """

    def line(*words, engine="reference"):
        given = (*SMALL, f"run.engine={engine}", "name=a", *words)
        before = sorted(tmp_path.rglob("*"))
        run, dry = command(*given), command(*given, "dry_run=true")
        assert (run.code, dry.code) == (2, 2), run
        assert run.err.count("\n") == 1
        assert run.err == dry.err
        assert sorted(tmp_path.rglob("*")) == before
        return run.err.removeprefix("error: ").rstrip("\n")

    return line


LTP = "return w + fields.A * (1 - w) * traces.x_pre"
IMPORTS = "must be an import of __future__, collections, dataclasses, functools, itertools, math"

#: What is wrong with a file: changes of `SOFT`, and how the message goes on after its name.
WRONG = {
    "a syntax error": ((("def depress(", "def depress(:"),), "line 11: must be Python"),
    "no class of the kind": ((("(Rule)", ""),), "must define a class derived from Rule"),
    "a foreign import": (
        (("class Soft", "import scipy\nclass Soft"), ("fields.A *", "scipy.e * fields.A *")),
        f"line 1: import scipy: {IMPORTS}",
    ),
    "an import within a function": (
        ((LTP, f"import os; {LTP}"),), f"line 9: import os: {IMPORTS}",
    ),
    "an import from its package": (
        (("class Soft", "from .room import room\nclass Soft"), ("(1 - w)", "room(w)")),
        f"line 1: from .room import room: {IMPORTS}",
    ),
    "an import of everything": (
        (("class Soft", "from math import *\nclass Soft"),),
        "line 1: from math import *: must name what it imports",
    ),
    "a missing function": (
        (("def depress", "def depres"),), "SoftBounds must define depress(w, traces, fields)",
    ),
    "a function with self": (
        (("def depress(w", "def depress(self, w"),),
        "SoftBounds must define depress(w, traces, fields), with these three arguments",
    ),
    "no traces": (
        (("    traces =", "    spike_traces ="),),
        'SoftBounds must define traces, such as {"x_pre": Trace(PRE, "tau")}, or {} without any',
    ),
    "a missing field": (
        (("- fields.A *", "- fields.B *"),), "line 12: B: must be one of A, tau",
    ),
    "a missing trace": (
        (("* traces.x_post", "* traces.y"),), "line 12: y: must be one of x_pre, x_post",
    ),
    "a missing time constant": (
        (('Trace(PRE, "tau")', 'Trace(PRE, "tau_x")'),),
        "soft_bounds: trace x_pre must be on side PRE or POST, and its time constant one of the",
    ),
    "a time constant of text": (
        (('Trace(PRE, "tau")', 'Trace(PRE, "rule")'),),
        "SoftBounds must give the trace x_pre a time constant that is a number, not rule",
    ),
    "a field in contradiction to ours": (
        (("A =", "A_plus ="), ("fields.A *", "fields.A_plus *"), ('"amplitude"', '"a", "mV"')),
        "stdp.A_plus: must have the unit, kind and neutral value that it has in additive",
    ),
    "a default out of bounds": (
        (("=0.01", "=-1"),), "stdp.A=-1: amplitude must be a finite number >= 0",
    ),
    "a field of no kind": (
        (("=0.01", "=1, kind=list"),),
        "SoftBounds must declare its field A with the kind float, int, bool or str",
    ),
    "a misspelt bound": (
        (("at_least", "at_leats"),),
        "line 4: TypeError: Quantity.__init__() got an unexpected keyword argument 'at_leats'",
    ),
    "a field of another section": (
        (("A =", "rate_hz ="), ("fields.A *", "fields.rate_hz *")),
        "SoftBounds must name its field rate_hz otherwise: the name is taken",
    ),
    "a field that figures use": (
        (("A =", "interval ="), ("fields.A *", "fields.interval *")),
        "SoftBounds must name its field interval otherwise: the name is taken",
    ),
    "a field in another alphabet": (
        (("A =", "α ="), ("fields.A *", "fields.α *")),
        "SoftBounds must name its field α by letters, digits and underscores, a letter first",
    ),
    "a plain annotation": (
        (("class", "@dataclass(frozen=True)\nclass"), ("    tau =", "    tau: float ="),
         ("    A =", "    B: float = 1\n    A: float =")),
        "SoftBounds must declare its field B as in B: float = quantity(",
    ),
    "our name": (
        (("    A =", '    name = "additive"\n    A ='),),
        "stdp.rule=additive: is the name of a built-in variant; choose another",
    ),
    "a name of two words": (
        (("    A =", '    name = "a b"\n    A ='),),
        "stdp.rule=a b: a name must be up to 60 letters",
    ),
    "another shape": (
        ((LTP, "return np.zeros(4) + fields.A"),),
        "soft_bounds: potentiate must return an array of the weights' shape",
    ),
    "one number": (
        ((LTP, "return 0.5"),),
        "soft_bounds: potentiate must return an array of the weights' shape",
    ),
    "a mean over synapses": (
        ((LTP, "return w + np.mean(w)"),),
        "soft_bounds: potentiate must give a real number for each weight by itself",
    ),
    "complex numbers": (
        ((LTP, "return w + 1j"),),
        "soft_bounds: potentiate must give a real number for each weight by itself",
    ),
    "a branch": (
        ((LTP, "return w if w > 0.5 else 2 * w"),),
        "line 9: must work on arrays; write branches as where(condition, a, b)",
    ),
    "an unknown name": (
        ((LTP, f"{LTP} + rest"),),
        "line 9: name 'rest' is not defined; without an import there are Any, ClassVar, POST, PRE",
    ),
    "an error": (
        (("    A =", "    B = 1 / 0\n    A ="),), "line 4: ZeroDivisionError: division by",
    ),
    "an exit": (
        (("    A =", "    raise SystemExit('stop')\n    A ="),), "line 4: SystemExit: stop",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "message"), WRONG.values(), ids=WRONG)
def test_a_file_that_cannot_be_used(refused, tmp_path, changes, message):
    """The line names the file as it was typed, and where its own code fails the line there."""
    (tmp_path / "rule.py").write_text(replaced(SOFT, *changes))
    assert refused("stdp.rule=rule.py").startswith(f"stdp.rule=rule.py: {message}")


#: Values that are not finite: the line of LTP, at which weight or trace, and the value.
NOT_FINITE = {
    "at weight 0": ("return w + 1e-9 / w", "inf at w=0, x_pre=0, x_post=0, with A=0.01, tau=20"),
    "at weight 1": ("return w + np.log(1 - w)", "-inf at w=1, x_pre=0"),
    "between two weights": ("return np.sqrt(np.abs(w - 0.33) - 0.001)", "nan at w=0.33, "),
    "where a trace adds up": ("return w + np.sqrt(1 - traces.x_pre)", "nan at w=0, x_pre=2, "),
    "at a typed value": ("return w + np.sqrt(0.5 - fields.A) * traces.x_pre", "nan at w=0, x_pre="),
}


@pytest.mark.parametrize(("line", "where"), NOT_FINITE.values(), ids=NOT_FINITE)
def test_a_value_that_is_not_finite(refused, tmp_path, line, where):
    """At one of 101 weights, or at a trace; the message has both, and the fields."""
    (tmp_path / "rule.py").write_text(replaced(SOFT, (LTP, line)))
    typed = ["stdp.A=0.1,0.7"] if "fields.A" in line else []
    said = refused("stdp.rule=rule.py", *typed)
    assert said.startswith("stdp.rule=soft_bounds: potentiate must be finite for weights in [0, 1]")
    assert f"it is {where}" in said
    assert not typed or "with A=0.7" in said


@pytest.mark.parametrize(
    "line",
    [
        "return w + 1e6 * traces.x_pre",  # clipped
        "return w - 5.0 + 0.0 * traces.x_pre",
        "return w + np.log(1.001 - w) * traces.x_pre",
    ],
)
def test_values_beyond_the_bounds_are_clipped(command, tmp_path, line):
    """They are no error."""
    (tmp_path / "rule.py").write_text(replaced(SOFT, (LTP, line)))
    made = command(*SMALL, "run.engine=reference", "stdp.rule=rule.py", "name=a")
    assert made.code == 0, made.err


def test_a_set_trace_is_tried_up_to_one(command, refused, tmp_path):
    """What is finite there only is allowed for a trace that a spike sets."""
    adding = replaced(SOFT, (LTP, "return w + np.sqrt(1 - traces.x_pre)"))
    setting = replaced(
        adding, ('"x_pre": Trace(PRE, "tau")', '"x_pre": Trace(PRE, "tau", sets=True)')
    )
    (tmp_path / "rule.py").write_text(setting)
    assert command(*SMALL, "run.engine=reference", "stdp.rule=rule.py", "name=b").code == 0
    (tmp_path / "rule.py").write_text(adding)
    assert "nan at w=0, x_pre=2" in refused("stdp.rule=rule.py")


def test_what_does_not_compile_is_refused_unless_the_reference_is_asked(command, refused, tmp_path):
    """By the engine that is the default too; the message has the line of code."""
    line = "return w + fields.A * np.clip(traces.x_pre, 0, 1)"
    (tmp_path / "rule.py").write_text(replaced(SOFT, (LTP, line)))
    said = refused("stdp.rule=rule.py", engine="compiled")
    assert said.startswith("stdp.rule=soft_bounds: does not compile (no compiled form of clip(")
    assert f"in: {line}); write it with arithmetic" in said
    assert said.endswith("with run.engine=reference")
    made = command(*SMALL, "run.engine=reference", "stdp.rule=rule.py", "name=b")
    assert made.code == 0, made.err


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("none.py", "must be a file that exists; there is none in {here}"),
        ("/none/none.py:A", "must be a file that exists; there is none"),
        ("folder.py", "must be a file that exists; there is none in {here}"),
        ("latin.py", "must be text in UTF-8 (invalid continuation byte)"),
        ("two.py", "must name one of its classes derived from Rule: :SoftBounds or :HardBounds"),
        ("two.py:Soft", "must name one of its classes derived from Rule: :SoftBounds or :Hard"),
        ("clock.py", "must define a class derived from Rule"),
    ],
)
def test_a_file_that_is_not_there(refused, tmp_path, reference, message):
    """Or a class, or none of the kind; relative paths are of the working directory."""
    (tmp_path / "folder.py").mkdir()
    (tmp_path / "latin.py").write_bytes("# é\n".encode("latin-1"))
    (tmp_path / "two.py").write_text(SOFT + HARD)
    (tmp_path / "clock.py").write_text(CLOCK)
    said = refused(f"stdp.rule={reference}")
    assert said.startswith(f"stdp.rule={reference}: {message.format(here=tmp_path)}")


@pytest.mark.parametrize("value", ["rule.txt:A", "rule:A", "rule.py:", "rule.py:a.B", "additiv"])
def test_what_is_neither_a_name_nor_a_file(refused, value):
    """The message has both forms."""
    said = refused(f"stdp.rule={value}")
    assert said.startswith(f"stdp.rule={value}: must be additive or ")
    assert said.endswith(", or a class in a Python file, stdp.rule=FILE.py:CLASS")


@pytest.mark.parametrize("reference", ["soft.py", "soft.py:SoftBounds"])
def test_a_file_in_place_of_a_parameter_set(refused, tmp_path, reference):
    """The message has the key that takes one, in place of where a yaml of that name would be."""
    (tmp_path / "soft.py").write_text(SOFT)
    said = refused(f"stdp='{reference}'")
    assert said.startswith(f"stdp={reference}: must be additive or ")
    assert said.endswith(f"; a class in a Python file is stdp.rule={reference}")


def test_fields_that_no_rule_of_the_request_has(refused, tmp_path):
    """Typed, swept, or without a value; in a yaml that names the rule, too."""
    (tmp_path / "soft.py").write_text(SOFT)
    (tmp_path / "hard.py").write_text(HARD)
    known = "(known: stdp.rule, stdp.A, stdp.tau)"
    said = refused("stdp.rule=soft.py", "stdp.A_plus=0.1")
    assert said.startswith("stdp.A_plus=0.1: a field of additive, gutig, ")
    assert said.endswith(f", not of stdp.rule=soft_bounds; did you mean stdp.A? {known}")
    assert refused("stdp.rule=soft.py,additive", "stdp.x=1").startswith("stdp.x=1: unknown key")
    said = refused("stdp.rule=soft.py,hard.py", "stdp.ltd_share=1,2")
    assert said.startswith(
        "stdp.ltd_share: must not be an axis together with stdp.rule=soft_bounds"
    )
    missing = "missing; it needs a value for stdp.rule"
    assert refused("stdp.rule=hard.py").startswith(f"stdp.ltd_share: {missing}=hard_bounds, typed")
    assert refused("stdp.rule=soft.py,gutig").startswith(f"stdp.mu: {missing}=gutig, typed or of a")
    assert refused("stdp.rule=soft.py", "stdp.A=-1").startswith("stdp.A=-1: amplitude must be a")
    assert refused("stdp.rule=soft.py", "stdp.A=0.1,-1").startswith("stdp.A=-1: amplitude must")
    (tmp_path / "own/stdp").mkdir(parents=True)
    (tmp_path / "own/stdp/mine.yaml").write_text("rule: soft.py\nA_plus: 0.1\n")
    said = refused("--config-dir", "own", "stdp=mine")
    assert said.startswith("stdp.A_plus=0.1: a field of additive, gutig, ")
    assert said.endswith(f", not of stdp.rule=soft_bounds; did you mean stdp.A? {known}")
    said = refused("stdp.rule=soft.py,additive", "stdp=notebook,song_abbott_2001")
    assert said == "stdp.rule: must not be an axis together with stdp, whose choices name their own"


def test_two_files_with_one_name(refused, tmp_path):
    """One dimension cannot hold both; a name of its own makes them differ."""
    for name in ("one", "two"):
        (tmp_path / f"{name}.py").write_text(replaced(SOFT, ("0.01", f"0.0{len(name)}")))
    (tmp_path / "two.py").write_text(replaced(SOFT, ("(1 - w)", "(1 - w**2)")))
    said = refused("stdp.rule=one.py,two.py")
    assert said == (
        'stdp.rule=two.py: has the name soft_bounds of one.py; write name = "..." in one of both '
        "classes"
    )


@pytest.fixture
def begun(command, tmp_path):
    """An experiment with a rule of a file."""
    (tmp_path / "soft.py").write_text(SOFT)
    words = (*SMALL, "run.engine=reference", "stdp.rule=soft.py", "seed=1", "name=a")
    assert command(*words).code == 0
    (kept,) = Path("outputs/a/given").iterdir()
    return kept


def test_a_file_that_has_changed_since(refused, begun, tmp_path):
    """The message has the line, the value that goes on with the kept text, and the other way."""
    (tmp_path / "soft.py").write_text(replaced(SOFT, ("(1 - w)", "(1 - w) ** 2")))
    assert refused("stdp.rule=soft.py", "seed=1,2") == (
        "outputs/a: its points are of another text of stdp.rule=soft_bounds (line 9: "
        f"'{LTP}' there and '{LTP.replace('(1 - w)', '(1 - w) ** 2')}' here); name the kept one "
        f"to go on, stdp.rule={begun}, or choose another name"
    )


def test_a_rule_that_is_not_named_any_more(refused, begun, tmp_path):
    """What the directory has of it is not run unasked, nor dropped."""
    RULES.unregister("soft_bounds")
    assert refused("stdp.rule=additive", "seed=1") == (
        "outputs/a: holds points of stdp.rule=soft_bounds, whose source is not named now; add the "
        f"kept one, stdp.rule={begun}, or choose another name"
    )


def test_the_advice_for_a_changed_file_works(command, begun, tmp_path):
    """The kept text goes on; under another class name, both are in one experiment."""
    other = replaced(SOFT, ("SoftBounds", "Softer"), ("(1 - w)", "(1 - w) ** 2"))
    (tmp_path / "soft.py").write_text(other)
    words = (*SMALL, "run.engine=reference", "name=a")
    both = command(*words, f"stdp.rule={begun},soft.py", "seed=1,2")
    assert both.code == 0, both.err
    assert "4 points" in both.out
    assert "1 finished before" in both.out


def test_an_interrupted_experiment_knows_its_source(refused, begun, tmp_path):
    """Before `results.nc` is written, from `configuration.yaml` alone; and the other way round."""
    (tmp_path / "soft.py").write_text(replaced(SOFT, ("(1 - w)", "(1 - w) ** 2")))
    results = Path("outputs/a/results.nc")
    kept = results.read_bytes()
    results.unlink()
    assert "another text of stdp.rule=soft_bounds" in refused("stdp.rule=soft.py", "seed=1")
    results.write_bytes(kept)
    Path("outputs/a/configuration.yaml").unlink()
    assert "another text of stdp.rule=soft_bounds" in refused("stdp.rule=soft.py", "seed=1")


PROCESS_WRONG = {
    "no events": (
        (("def events", "def spikes"),), "Clock must define events(self, dt, n_steps, seed)",
    ),
    "no class of the kind": ((("(InputProcess)", ""),), "must define a class derived from InputPr"),
    "a field of ours": (
        (("delay =", "rate_hz ="), ("self.delay", "self.rate_hz"), ('"ms"', '"s"')),
        "input.rate_hz: must have the unit, kind and neutral value that it has in",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "message"), PROCESS_WRONG.values(), ids=PROCESS_WRONG)
def test_a_process_that_cannot_be_used(refused, tmp_path, changes, message):
    """As of a rule."""
    (tmp_path / "clock.py").write_text(replaced(CLOCK, *changes))
    said = refused("input.process=clock.py")
    assert re.match(rf"input\.process=clock\.py: {re.escape(message)}", said), said

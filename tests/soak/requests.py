"""Make random requests: each is accepted or refused in one line, and a refusal writes nothing."""

from __future__ import annotations

import contextlib
import io
import os
import random
import sys
from collections import Counter
from pathlib import Path
from unittest import mock

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

import pipeline
from pipeline.composition.known_keys import known_keys
from pipeline.composition.run_settings import RunSettings
from pipeline.model.parameters import all_quantities

PROGRAM = str(Path(pipeline.__file__).with_name("__main__.py"))

#: Values of every kind that the override grammar has, and some that it does not.
VALUES = [
    *("", " ", "-1", "0", "1", "1.5", "nan", "inf", "-inf", "1e400", "1e308", "5e-324", "0x10"),
    *("1_000", "abc", "'10'", "null", "true", "[1,2]", "{a:1}", "1,2", "1,1", "2,1,nan", ",", "("),
    *("range(3)", "range(3,1)", "range(0,1,0)", "range(0,1,1e-9)", "range(-2,2)", "choice(1,2)"),
    *("choice()", "sort(3,1,2)", "shuffle(1,2)", "interval(0,1)", "glob(*)", "poisson", "notebook"),
    *("poisson,notebook", "loky", "=", "${seed}", "${nothing}", "${input.rate_hz}", "../x", "/etc"),
]

values = st.one_of(
    st.sampled_from(VALUES),
    st.floats().map(repr),
    st.integers().map(str),
    st.lists(st.floats(-10, 1e4).map(repr), min_size=2, max_size=4).map(",".join),
    st.text(max_size=8),
)
keys = st.one_of(
    st.sampled_from(known_keys()),
    st.sampled_from(known_keys()).map(lambda key: key[:-1]),
    st.sampled_from(["hydra.sweeper.params.seed", "hydra/sweeper", "axes", "stdp.", ".", "a.b.c"]),
    st.text(max_size=8),
)
overrides = st.builds(
    lambda sign, key, value: f"{sign}{key}={value}",
    st.sampled_from(["", "", "", "", "+", "++", "~"]),
    keys,
    values,
).filter(lambda word: not word.startswith(("name", "outputs", "run.n_jobs", "-")))


def wrong_values() -> st.SearchStrategy[str]:
    """Return overrides of known keys, each with a value that its bounds exclude."""
    quantities = all_quantities() | {
        RunSettings.key(n): q for n, q in RunSettings.quantities().items()
    }
    wrong = ["name=../x", "name=/etc/x", "name=", "name=.", "name=a/../../b", "name=[1]"]
    wrong += ["outputs=", "outputs=/proc/none", "outputs=/dev/null"]
    for key, quantity in quantities.items():
        wrong += [f"{key}=elephant", f"{key}=nan", f"{key}=[1]", f"{key}={{a:1}}"]
        if not quantity.null:
            wrong.append(f"{key}=null")
        if quantity.at_least is not None:
            wrong.append(f"{key}={quantity.at_least - 1:.15g}")
        if quantity.above is not None:
            wrong.append(f"{key}={quantity.above:.15g}")
        if quantity.at_most is not None:
            wrong.append(f"{key}={quantity.at_most * 1.5:.15g}")
    return st.sampled_from(wrong)


def ask(words: list[str], folder: Path) -> tuple[int, str, str]:
    """Run the command in this process; return exit code, standard output and standard error."""
    from pipeline.cli import main

    out, err = io.StringIO(), io.StringIO()
    with (
        contextlib.chdir(folder),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        mock.patch.object(sys, "argv", [PROGRAM, *words]),
        mock.patch.dict(os.environ, HYDRA_FULL_ERROR="0"),
    ):
        try:
            main()
            code = 0
        except SystemExit as exit_:
            code = exit_.code
    return code, out.getvalue(), err.getvalue()


def assert_refused(words: list[str], answer: tuple[int, str, str], folder: Path) -> None:
    """Check for exit code 2, one line of error message, and no file."""
    code, out, err = answer
    assert code == 2, (words, answer)
    assert out == "", (words, answer)
    assert err.startswith("error: "), (words, answer)
    assert len(err.splitlines()) == 1, (words, answer)
    assert list(folder.iterdir()) == [], words


def make_requests(n_requests: int, chance: random.Random, folder: Path) -> Counter:
    """Make valid and invalid requests; return the counts of answers by kind."""
    tried: Counter = Counter()
    calm = settings(
        max_examples=n_requests // 2,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )

    @seed(chance.randrange(2**32))
    @calm
    @given(st.lists(overrides, min_size=1, max_size=3), st.booleans())
    def any_request(words: list[str], sweep: bool) -> None:
        words = [*(["-m"] if sweep else []), *words, "dry_run=true"]
        answer = ask(words, folder)
        if answer[0] == 0:
            tried["accepted (dry run)"] += 1
            assert answer[1].startswith("points: "), (words, answer)
            assert list(folder.iterdir()) == [], words
        else:
            tried["refused"] += 1
            assert_refused(words, answer, folder)

    @seed(chance.randrange(2**32))
    @calm
    @given(wrong_values(), st.booleans())
    def wrong_request(word: str, sweep: bool) -> None:
        words = ["-m", word, "seed=1,2"] if sweep and not word.startswith("seed") else [word]
        tried["refused"] += 1
        assert_refused(words, ask(words, folder), folder)

    any_request()
    wrong_request()
    return tried

"""`+size=quick`: a smaller size of the experiment, whichever is named first."""

import pytest

import pipeline
from pipeline.composition.compose import composition
from pipeline.composition.experiment_size import with_size_of_experiment
from pipeline.model.errors import RequestError

EXPERIMENT, SIZE = "+experiment=song2000_latency", "+size=quick"


@pytest.mark.parametrize("overrides", [(EXPERIMENT, SIZE), (SIZE, EXPERIMENT)])
def test_the_size_is_that_of_the_experiment_and_overrides_it(overrides):
    """20 s instead of 100 s, and one seed, in either order."""
    composed = composition(with_size_of_experiment(overrides))
    assert composed.configuration.simulation.duration == 20_000
    assert composed.loaded.axes == {"seed": "range(1)"}
    assert pipeline.configure(EXPERIMENT).simulation.duration == 100_000


def test_the_command_line_overrides_the_size():
    """A key that is typed holds."""
    typed = pipeline.configure(EXPERIMENT, "simulation.duration=15000", SIZE)
    assert typed.simulation.duration == 15_000


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ((SIZE,), r"^size=quick: must be used together with \+experiment=NAME$"),
        (("+experiment=seeds", SIZE), r"^size=quick: \+experiment=seeds has none; .*song2000"),
        ((EXPERIMENT, "+size=huge"), r"^size=huge: .* has none; sizes are quick$"),
        ((EXPERIMENT, "size=quick"), r"^size=quick: must be written with a plus, \+size=quick$"),
    ],
)
def test_a_size_that_is_not_there_is_refused(overrides, message):
    """In one line that says what there is."""
    with pytest.raises(RequestError, match=message):
        pipeline.configure(*overrides)


def test_the_command_runs_and_answers(command):
    """With the axes of the size; `size=?` lists the experiments that have one."""
    ended = command(SIZE, EXPERIMENT, "dry_run=true")
    assert ended.code == 0, ended.err
    assert "duration: 20 s of model time per point" in ended.out
    assert "+size=quick/song2000_latency" in command("size=?").out
    refused = command("+experiment=seeds", SIZE)
    assert (refused.code, refused.err.count("\n")) == (2, 1)

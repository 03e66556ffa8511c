"""Inputs of reports that users of other tools made in public; see docs/public_reports.md."""

import decimal
import os
import warnings

import numpy as np
import pytest
import xarray as xr

import pipeline
from pipeline.model.errors import RequestError
from pipeline.request import grammar
from tests.conftest import SMALL


@pytest.fixture
def settings_of_the_caller():
    """Change what the modules decimal, numpy, warnings and xarray let a program set for itself."""
    with (
        decimal.localcontext(decimal.Context(prec=2, rounding=decimal.ROUND_UP)),
        np.errstate(all="raise"),
        np.printoptions(precision=1, threshold=2, floatmode="fixed"),
        xr.set_options(keep_attrs=False, arithmetic_join="outer"),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("error")
        yield


def values_of(text):
    """Return the values of a sweep as a command line gives them."""
    return grammar.values_of(grammar.parser().parse_override(f"input.rate_hz={text}"))


def test_settings_of_the_caller_change_no_result(configure, tmp_path, settings_of_the_caller):
    """Times, ranges, weights and the file are those of a program that has set nothing."""
    fine = configure("simulation.dt=0.12345", "record=history", "record.weight_interval=12.345")
    assert pipeline.simulate(fine)["sample_time"].values[:3].tolist() == [12.345, 24.69, 37.035]
    assert values_of("range(1000.5,1003,1)") == [1000.5, 1001.5, 1002.5]
    swept = pipeline.sweep(fine, {"seed": [1, 2], "input.rate_hz": [0, 33.25]}, tmp_path / "x")
    with decimal.localcontext(decimal.Context()), np.errstate(all="ignore"):
        again = pipeline.sweep(fine, {"seed": [1, 2], "input.rate_hz": [0, 33.25]})
    xr.testing.assert_equal(
        swept.drop_vars(["wall_time", "made_by"]), again.drop_vars(["wall_time", "made_by"])
    )
    assert swept["weight"].attrs == again["weight"].attrs


@pytest.mark.parametrize("words", [[], ["dry_run=true"], ["-m", "seed=1,2"]])
def test_a_current_directory_that_was_removed_is_named(command, tmp_path, monkeypatch, words):
    """One line instead of "No such file or directory"."""
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    ended = command(*SMALL, *words)
    assert ended.code == 2
    assert ended.err == "error: the current directory was removed; change to one that exists\n"


def test_an_error_below_an_extension_module_is_shown(command, monkeypatch):
    """Frames of Cython have no `__name__`, and an error there is raised as it is."""
    import netCDF4

    def fail(*_, **__):
        exec(
            "raise UnicodeEncodeError('utf-8', 'a', 0, 1, 'why')",
            {"UnicodeEncodeError": UnicodeEncodeError},
        )

    monkeypatch.setattr(netCDF4, "Dataset", fail)
    with pytest.raises(UnicodeEncodeError, match="why"):
        command(*SMALL)


@pytest.mark.parametrize("call", [pipeline.plan, pipeline.sweep])
def test_a_folder_whose_name_netcdf_cannot_encode_is_refused_first(configure, tmp_path, call):
    """A name in Latin-1, where file names are UTF-8: refused before any point, nothing written."""
    folder = tmp_path / "caf\udce9"
    folder.mkdir()
    for path in (folder, folder / "outputs" / "x"):
        with pytest.raises(RequestError, match="netCDF takes only paths in utf-8"):
            call(configure(), {"seed": [1, 2]}, path)
    assert not list(folder.iterdir())


@pytest.mark.parametrize("limit", ["", "all"])
def test_a_limit_of_cores_that_cannot_be_read_ends_nothing(configure, monkeypatch, caplog, limit):
    """Joblib reads it from the environment or a control group; all cores are used."""
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", limit)
    plan = pipeline.plan(configure("simulation.duration=1e6"), {"seed": range(100)})
    assert plan.n_workers == len(os.sched_getaffinity(0))
    assert "the limit of cores cannot be read" in caplog.text

"""The scripts of the documentation that open `results.nc` in MATLAB (here Octave), R and Julia."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass

import netCDF4
import pytest
import xarray as xr

import pipeline
from tests.conftest import ROOT, SMALL

pytestmark = pytest.mark.long


@dataclass(frozen=True)
class Language:
    """How a script of one page is run, and how it names the point that it opens."""

    program: tuple[str, ...]
    evaluate: str
    needs: str
    point: str


LANGUAGES = {
    "matlab": Language(
        ("octave", "--no-gui", "--quiet", "--no-init-file"),
        "--eval",
        "pkg load netcdf; exit(isempty(available_graphics_toolkits()))",
        "'rate_hz', {}, 'tau_plus', 20, 'seed', {}",
    ),
    "r": Language(
        ("Rscript", "--vanilla"), "-e", "library(ncdf4)", "rate_hz = {}, tau_plus = 20, seed = {}"
    ),
    "julia": Language(
        ("julia", "--startup-file=no"),
        "-e",
        "using NCDatasets, Plots",
        '"rate_hz" => {}, "tau_plus" => 20, "seed" => {}',
    ),
}


def script_of(page):
    """Return the script of a page."""
    text = (ROOT / "docs" / "how_to" / f"{page}.md").read_text()
    (script,) = re.findall(rf"```{page}\n(.*?)```", text, re.DOTALL)
    return script


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Sweep into `outputs/demo`: 7 points are done, 5 of the union were never requested."""
    folder = tmp_path_factory.mktemp("languages")
    configuration = pipeline.configure(*SMALL)
    for rates, tau_plus, seeds in (
        ([20, 40], [10, 20], [1]),
        ([40], [10, 20], [0]),
        ([60], [10], [0]),
    ):
        axes = {"input.rate_hz": rates, "stdp.tau_plus": tau_plus, "seed": seeds}
        pipeline.sweep(configuration, axes, folder / "outputs/demo", backend="sequential")
    return folder


@pytest.fixture
def results(folder):
    """The results that the scripts open."""
    with xr.open_dataset(folder / "outputs/demo/results.nc") as dataset:
        yield dataset


@pytest.fixture(scope="module", params=LANGUAGES)
def page(request):
    """A page whose language can be run here."""
    language = LANGUAGES[request.param]
    program = language.program[0]
    if shutil.which(program) is None:
        pytest.skip(reason=f"{program} is not installed")
    checked = [*language.program, language.evaluate, language.needs]
    if subprocess.run(checked, capture_output=True, check=False).returncode != 0:
        pytest.skip(reason=f"{program} cannot do: {language.needs}")
    return request.param


@pytest.fixture(scope="module")
def run(page, folder):
    """Run the script of a page, at the point that it names or at another."""
    language = LANGUAGES[page]

    def ended(rate_hz=40, seed=1):
        script = script_of(page)
        assert script.count(language.point.format(40, 1)) == 1
        script = script.replace(language.point.format(40, 1), language.point.format(rate_hz, seed))
        (folder / "script.m").write_text(script)  # Octave goes by the ending, the others do not
        (folder / "weights.png").unlink(missing_ok=True)
        return subprocess.run(
            [*language.program, "script.m"],
            cwd=folder,
            env=os.environ | {"GKSwstype": "100"},  # Plots of Julia: without a screen
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return ended


def test_a_script_prints_the_numbers_of_the_file(run, folder, results):
    """Status, rate and weights of a point, and means over the seeds that are done; a histogram."""
    done = run()
    assert done.returncode == 0, done.stderr
    point = results.sel(rate_hz=40, tau_plus=20, seed=1)
    expected = [
        "status: done",
        f"output rate: {point['output_rate'].item():.6f} Hz",
        f"mean of 40 weights: {point['weight'].astype(float).mean().item():.6f}",
    ]
    mean_rate = results["output_rate"].mean("seed")  # which leaves out the points that are not done
    n_runs = (results["status"] == 0).sum("seed")
    for rate_hz in (20, 40, 60):
        for tau_plus in (10, 20):
            at = {"rate_hz": rate_hz, "tau_plus": tau_plus}
            mean = f"{mean_rate.sel(at).item():.6f}".replace("nan", "NaN")
            runs = f"runs: {n_runs.sel(at).item()}"
            expected.append(f"rate_hz = {rate_hz}, tau_plus = {tau_plus}: {mean} Hz, {runs}")
    assert [line.rstrip() for line in done.stdout.splitlines()] == expected
    assert "rate_hz = 60, tau_plus = 20: NaN Hz, runs: 0" in expected
    assert (folder / "weights.png").read_bytes().startswith(b"\x89PNG")


def test_a_point_that_was_not_run_is_missing(run):
    """Its status says so, and its results are NaN."""
    done = run(rate_hz=20, seed=0)
    assert done.stdout.splitlines()[0].rstrip() == "status: missing"
    assert done.stdout.splitlines()[1:3] == ["output rate: NaN Hz", "mean of 40 weights: NaN"]


def test_a_value_that_is_not_in_the_file_is_named(run):
    """With the values that there are; nothing is taken from the nearest point."""
    ended = run(seed=7)
    assert ended.returncode != 0
    assert re.search(r"seed = 7: the file has \[?0,? 1\]?$", ended.stderr, re.MULTILINE)


#: Of each page: what prints the index of the choice, with the page's expression in place of `{}`.
PRINTED = {
    "matlab": "pkg load netcdf; file = 'results.nc'; disp({})",
    "r": 'library(ncdf4); sweep <- nc_open("results.nc"); cat({})',
    "julia": 'using NCDatasets; NCDataset("results.nc") do sweep; '
    'print(findfirst(==("notebook"), {})); end',
}


def test_the_name_of_a_choice_is_found(page, tmp_path):
    """By the expression of the page, also among names of unlike lengths."""
    axes = {"stdp": ["song_abbott_2001", "notebook"]}
    pipeline.sweep(pipeline.configure(*SMALL), axes, tmp_path, backend="sequential")
    text = (ROOT / "docs" / "how_to" / f"{page}.md").read_text()
    (expression,) = re.findall(r"`((?:find|which|\[rstrip)\(?.*stdp.*?)`", text)
    language = LANGUAGES[page]
    done = subprocess.run(
        [*language.program, language.evaluate, PRINTED[page].format(expression)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-1] == "2"


def test_a_file_has_only_what_the_page_on_julia_says(folder):
    """No groups, plain types, one fill value of the variable's type, no packing, no dates.

    What NCDatasets.jl reads without conversion; its script uses names that are in the file.
    """
    script = script_of("julia")
    with netCDF4.Dataset(folder / "outputs/demo/results.nc") as file:
        assert not file.groups
        for types in (file.cmptypes, file.vltypes, file.enumtypes):
            assert not types
        for variable in file.variables.values():
            attributes = variable.ncattrs()
            assert not {"missing_value", "scale_factor", "add_offset", "calendar"} & {*attributes}
            if "units" in attributes:
                assert " since " not in variable.units
            if "_FillValue" in attributes:
                assert variable.getncattr("_FillValue").dtype == variable.dtype
        names = {*re.findall(r'(?:sweep\[|at_point\()"(\w+)"', script)}
        assert names == {"status", "output_rate", "weight", "rate_hz", "tau_plus"}
        assert names <= {*file.variables}
        for axis in re.findall(r'"(\w+)" =>', script):
            assert file[axis].dimensions == (axis,)
        for name, attribute in re.findall(r'sweep\["(\w+)"\]\.attrib\["(\w+)"\]', script):
            assert attribute in file[name].ncattrs()

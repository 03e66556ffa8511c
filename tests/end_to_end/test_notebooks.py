"""The notebooks run, show the numbers of their text, and are stored without outputs."""

import ast
import asyncio
import json
import os
import re
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "analysis" / "notebooks").glob("*.ipynb"))
GALLERY = ROOT / "analysis" / "gallery"

#: How many figures each notebook shows.
N_FIGURES = {
    "1_tutorial": 9,
    "2_sweep": 6,
    "3_post_hoc": 1,
    "4_inference": 3,
    "5_sensitivity": 1,
    "6_search": 2,
}

#: The optional package that a notebook needs, and what its cell `sizes` is here instead: it runs in
#: seconds, and its numbers mean nothing.
SMALL = {
    "4_inference": ("sbi", "n_simulations, n_truths, n_samples = 400, 40, 200"),
    "5_sensitivity": ("SALib", "n_base = 8"),
    "6_search": ("optuna", "n_rounds, batch, n_seeds = 2, 6, 3"),
}


def refuse_absent(name):
    """Skip the test where the package of a notebook is not installed."""
    if name in SMALL and not find_spec(SMALL[name][0]):
        pytest.skip(reason=f"{SMALL[name][0]} is not installed: make test-inference")


def made_small(name, notebook):
    """Replace the cell `sizes` of a notebook that has one."""
    for cell in notebook.cells if name in SMALL else ():
        if cell["id"] == "sizes":
            cell["source"] = SMALL[name][1]
    return notebook


def cells(file, kind):
    """Return the sources of a notebook's cells of one kind."""
    notebook = json.loads(file.read_text())
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == kind]


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """Run all notebooks concurrently with this Python, each in a separate directory."""
    nbclient = pytest.importorskip("nbclient", reason="notebooks need nbclient to run")
    pytest.importorskip("ipykernel", reason="notebooks need ipykernel to run")
    import nbformat

    home = tmp_path_factory.mktemp("jupyter")
    kernel = home / "kernels" / "python3" / "kernel.json"
    kernel.parent.mkdir(parents=True)
    start = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    kernel.write_text(json.dumps({"argv": start, "display_name": "", "language": "python"}))
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environment = {"PYTHONPATH": path, "IPYTHONDIR": str(home / "ipython"), "TMPDIR": str(home)}

    async def run_all():
        present = [f for f in NOTEBOOKS if f.stem not in SMALL or find_spec(SMALL[f.stem][0])]
        notebooks = {file.stem: made_small(file.stem, nbformat.read(file, 4)) for file in present}
        runs = []
        for name, notebook in notebooks.items():
            resources = {"metadata": {"path": str(tmp_path_factory.mktemp(name))}}
            client = nbclient.NotebookClient(notebook, timeout=120, resources=resources)
            runs.append(client.async_execute(env=os.environ | environment))
        await asyncio.gather(*runs)
        return notebooks

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PATH", str(home))
        patch.setenv("JUPYTER_RUNTIME_DIR", str(home / "runtime"))
        return asyncio.run(run_all())


def outputs(notebook):
    """Yield all outputs of a notebook that has run."""
    for cell in notebook.cells:
        yield from cell.get("outputs", [])


def printed(notebook):
    """Return the text that a notebook printed."""
    return "".join(output.text for output in outputs(notebook) if output.output_type == "stream")


def test_every_notebook_is_known():
    """There is a number of figures for every notebook."""
    assert [file.stem for file in NOTEBOOKS] == list(N_FIGURES)


@pytest.mark.parametrize("name", N_FIGURES)
def test_notebook_runs_and_shows_its_figures(executed, name):
    """A notebook runs to its end without an error or a warning and shows its figures."""
    refuse_absent(name)
    found = list(outputs(executed[name]))
    assert sum("image/png" in output.get("data", {}) for output in found) == N_FIGURES[name]
    assert "Warning" not in printed(executed[name])


def test_tutorial_has_the_numbers_of_the_tutorial(executed):
    """Spike counts, weights and window values are those of the tutorial's exercises."""
    text = printed(executed["1_tutorial"])
    for number in (
        "2.04 -7.946e-03  1.306e+00",  # the window: right, and as the notebook has it
        "[1 2 1 0 4]",
        "7 output spikes\nmean weight 0.9967",
        "15 Hz: 1,219 output spikes, mean weight 0.60378",
        "30 Hz: 1,234 output spikes, mean weight 0.28809",
    ):
        assert number in text


def test_tutorial_distinguishes_transient_and_equilibrium(executed):
    """At both rates nothing has settled after 120 s, and all has after 32,000 s."""
    answers = re.findall("(?:not )?settled(?= |\n)", printed(executed["1_tutorial"]))
    assert [answer for answer in answers if answer] == ["not settled"] * 2 + ["settled"] * 3


def test_sweep_names_the_silent_points_and_those_not_settled(executed):
    """The lowest rate is silent at all ratios; at 15 Hz and 1.1 settling takes over 4,000 s."""
    lines = [" ".join(line.split()) for line in printed(executed["2_sweep"]).splitlines()]
    assert "10.0 True True True True" in lines
    assert "15.0 settled settled not settled not settled" in lines
    assert sum(bool(re.match(r"15\.0 settled \d+\.0 ", line)) for line in lines) == 1


def test_post_hoc_reads_an_experiment_of_the_command_line(executed):
    """The experiment of twelve points is listed and opened, and all have settled."""
    text = printed(executed["3_post_hoc"])
    assert "rate_hz 15,20,30; seed 0..3" in text
    assert "['rate_hz', 'seed']" in text
    assert len(re.findall(r"^\d+\.0 +settled ", text, re.MULTILINE)) == 3


@pytest.mark.parametrize("name", SMALL)
def test_sizes_of_a_notebook_are_names_of_its_cell(name):
    """What is set here instead sets the names that the notebook sets."""
    notebook = json.loads((ROOT / "analysis" / "notebooks" / f"{name}.ipynb").read_text())
    (cell,) = (cell for cell in notebook["cells"] if cell["id"] == "sizes")
    assert "".join(cell["source"]).partition("=")[0] == SMALL[name][1].partition("=")[0]


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_notebook_is_stored_without_outputs(file):
    """No outputs, no counts, no metadata except the kernel; every cell has a unique id."""
    notebook = json.loads(file.read_text())
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert notebook["metadata"] == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for cell in notebook["cells"]:
        assert cell["metadata"] == {}
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_notebook_defines_nothing(file):
    """A notebook only calls the packages: it defines no function, lambda or class."""
    forbidden = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
    for source in cells(file, "code"):
        lines = [line for line in source.splitlines() if not line.startswith(("!", "%"))]
        tree = ast.parse("\n".join(lines))
        assert not [node for node in ast.walk(tree) if isinstance(node, forbidden)]


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_gallery_shows_the_notebook_as_it_is(file):
    """The page of `make gallery` has all cells of its notebook, and images below 300 kB."""
    page = (GALLERY / f"{file.stem}.md").read_text()
    for source in cells(file, "code") + cells(file, "markdown"):
        assert source in page
    images = [part.partition(")")[0] for part in page.split("![png](")[1:]]
    assert len(images) == N_FIGURES[file.stem]
    for image in images:
        assert (GALLERY / image).stat().st_size < 300_000

"""The report: one page that needs nothing else, with all that a file tells and what to doubt."""

import base64
import contextlib
import html
import io
import json
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import matplotlib.pyplot as plt
import netCDF4
import numpy as np
import pytest
from matplotlib.figure import Figure

import pipeline
from analysis.__main__ import main
from analysis.figures.facets import slices
from analysis.figures.registry import FigureSpec
from analysis.measures.measured import MeasuredDataset
from analysis.reading.dataset import open_results
from analysis.report import page as report_page
from analysis.report.markup import element
from analysis.report.summary import summary
from pipeline.execution import batch
from pipeline.model import reference
from tests.conftest import SMALL

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)

HOSTILE = (
    '"><script>alert(1)</script><img src="http://evil.example/a.png" onerror=alert(2)> & \u202e'
)


@dataclass
class Page(HTMLParser):
    """What a page has in it."""

    text: str
    title: str = ""
    tags: list = field(default_factory=list)
    words: dict = field(default_factory=dict)
    rows: dict = field(default_factory=dict)

    def __post_init__(self):
        super().__init__()
        self._open, self._section = [], ""
        self.feed(self.text)
        assert not self._open, self._open

    def handle_starttag(self, tag, attrs):  # noqa: D102
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img"):
            self._open.append(tag)
        if tag == "section":
            self._section = dict(attrs)["id"]
        if tag == "tr":
            self.rows.setdefault(self._section, []).append([])
        if tag in ("td", "th"):
            self.rows[self._section][-1].append("")

    def handle_endtag(self, tag):  # noqa: D102
        assert self._open.pop() == tag

    def handle_data(self, data):  # noqa: D102
        if self._open[-1:] == ["title"]:
            self.title += data
        self.words[self._section] = f"{self.words.get(self._section, '')} {data}"
        if {"td", "th"} & set(self._open):
            self.rows[self._section][-1][-1] += data

    def all(self, name):
        """Return the attributes of all elements of a kind."""
        return [attributes for tag, attributes in self.tags if tag == name]

    def row(self, section, first):
        """Return the one row of a part that begins with a word."""
        (row,) = [row for row in self.rows[section] if row[0] == first]
        return row[1:]


def report_of(*arguments):
    """Write a report by the command line; return its path as printed, and what is in it."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert main([*map(str, arguments), "--report"]) == 0
    path = Path(out.getvalue().strip())
    return path, Page(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def experiment(tmp_path_factory):
    """Keep an experiment with a silent rate, weights on their way, and a seed that fails."""

    def fail_or_run(configuration, *arguments):
        if configuration.seed == 3:
            raise ArithmeticError("no <b>luck</b>")
        return reference.run(configuration, *arguments)

    folder = tmp_path_factory.mktemp("report") / "outputs" / "study" / "one"
    more = ("simulation.duration=1000", "record.weight_interval=50")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch, "engine_named", lambda name: fail_or_run)
        axes = {"input.rate_hz": [0, 60], "seed": [1, 2, 3]}
        pipeline.sweep(pipeline.configure(*SMALL, *more), axes, folder, backend="sequential")
    return folder


@pytest.fixture(scope="module")
def written(experiment):
    """Write its report once."""
    return report_of(experiment)


@pytest.fixture(scope="module")
def page(written):
    """Return what is in the report."""
    return written[1]


@pytest.fixture
def one_figure(monkeypatch):
    """Draw an empty square only, which is fast."""
    square = FigureSpec(
        "square", "A square", lambda study: "", lambda study: [("square", Figure((1, 1)), "")]
    )
    monkeypatch.setattr(report_page, "FIGURES", {"square": square})


@pytest.fixture
def copy(experiment, tmp_path):
    """Copy the experiment to a place with a blank in its name, without a report."""
    return shutil.copytree(experiment, tmp_path / "a copy", ignore=lambda *_: ["report.html"])


def change_runs(folder, *changes):
    """Let a file tell of a run for each change, which made none of the points but the last."""
    with netCDF4.Dataset(folder / "results.nc", "a") as file:
        (run,) = json.loads(file.runs)
        file.runs = json.dumps([run | change for change in changes])


def test_it_lies_beside_the_results_and_is_named_after_them(written, experiment):
    """The command prints its path; the title is what `name=` said, the points are counted."""
    path, page = written
    assert path == experiment / "report.html"
    assert page.title == "study/one"
    assert "6 points: 4 done, 2 failed." in page.words[""]
    assert not list(experiment.glob(".*.tmp"))


def test_every_figure_is_in_the_page(page, experiment):
    """As a PNG of 200 dpi with its name, caption and command; its words say what is on its axes."""
    names = [
        "weights",
        "rates_against_rate_hz",
        "cv_against_rate_hz",
        "mean_weight_against_rate_hz",
        "shares_against_rate_hz",
        "settling",
        "window",
        "weights_in_time_rate_hz=0.0",
        "weights_in_time_rate_hz=60.0",
    ]
    assert [figure["id"] for figure in page.all("figure")] == [f"figure-{name}" for name in names]
    images = dict(zip(names, page.all("img"), strict=True))
    for image in images.values():
        kind, _, data = image["src"].partition(",")
        assert kind == "data:image/png;base64"
        height, width, _ = plt.imread(io.BytesIO(base64.b64decode(data, validate=True))).shape
        assert width == pytest.approx(int(image["width"]) * 200 / 130, abs=2)
        assert height == pytest.approx(int(image["height"]) * 200 / 130, abs=2)
    alt = images["rates_against_rate_hz"]["alt"]
    assert alt.startswith("Output rate. Against input rate. Over 1 s, mean of 2 seeds")
    assert alt.endswith("Across: Input rate (Hz). Up: Output firing rate (Hz).")
    assert "Time difference t_pre - t_post (ms)" in images["window"]["alt"]
    for kind in ("weights", "rates", "weights_in_time"):
        assert f"python -m analysis {experiment} --figure {kind}" in page.words["figures"]
    assert "STDP window. Spikes in one time step count as both" in page.words["figures"]


def test_axes_and_configuration_are_those_of_the_file(page):
    """Axes with key, unit and values; parameters by section, the swept ones marked."""
    assert page.row("axes", "rate_hz") == ["input.rate_hz", "Input rate", "Hz", "2", "0, 60"]
    assert page.row("axes", "seed") == ["seed", "Random seed", "", "3", "1, 2, 3"]
    assert page.row("configuration", "n_synapses") == ["40", ""]
    assert page.row("configuration", "A_minus") == ["null: 0.0088", "LTD amplitude"]
    assert page.row("configuration", "tau_minus") == ["null: 20 ms", "LTD time constant"]
    assert page.row("configuration", "rate_hz") == ["0, 60 Hz", "Input rate swept"]
    marked = [row[0] for row in page.rows["configuration"] if row[2].endswith("swept")]
    assert marked == ["rate_hz", "seed"]


def test_what_the_choices_of_a_group_set_is_told(keep, one_figure):
    """A swept group is a row of its own, and each key that it sets has the values of all."""
    folder = keep("rules", {"stdp": ["notebook", "song_abbott_2001"]})
    _, page = report_of(folder)
    assert page.row("configuration", "stdp") == ["notebook, song_abbott_2001", "STDP rule swept"]
    values = "notebook: 0.008, song_abbott_2001: 0.005"
    assert page.row("configuration", "A_plus") == [values, "set by stdp"]


def test_what_to_doubt_stands_in_a_box(page):
    """Failed points with their reasons, silent ones, those on the way, each by its values."""
    words = " ".join(page.words["warnings"].split())
    reason = "ArithmeticError: no <b>luck</b>"
    assert (
        f"Failed: 2 of 6 points. rate_hz = 0 Hz, seed = 3: {reason} "
        f"rate_hz = 60 Hz, seed = 3: {reason} "
        "Silent, the neuron never fired and no weight rose: 1 of 2 points. rate_hz = 0 Hz "
        "Not settled, the weights were still on the way to equilibrium: 1 of 2 points. "
        "rate_hz = 60 Hz"
    ) in words
    assert "Too short" not in words


def test_holes_are_named_and_so_is_what_cannot_be_told(keep, one_figure):
    """Ten missing points by their values and how many more; that no history was recorded, once."""
    folder = keep("grown", {"input.rate_hz": [30], "seed": range(6)})
    keep("grown", {"input.rate_hz": [20, 50, 60], "seed": [0]})
    _, page = report_of(folder)
    words = " ".join(page.words["warnings"].split())
    assert "Missing, not run yet or nobody asked for them: 15 of 24 points. rate_hz = " in words
    assert "and 5 more" in words
    assert words.count("rate_hz = ") == 10
    assert words.count("no history of weights was recorded (record=history)") == 1


def test_a_settled_run_of_committed_code_has_no_warnings(keep, one_figure):
    """The box then says so, and what it would have warned of."""
    folder = keep("calm", {}, "simulation.duration=1000", "record.weight_interval=50")
    change_runs(folder, {"git_dirty": "false"})
    with netCDF4.Dataset(folder / "results.nc", "a") as file:
        weights = np.tile(np.linspace(0, 1, 40), (20, 1))
        file["weight_history"][:] = np.random.default_rng(1).permuted(weights, axis=1)
    _, page = report_of(folder)
    assert "None: all points are done, fire and have settled" in page.words["warnings"]
    (box,) = [attributes for attributes in page.all("section") if attributes["id"] == "warnings"]
    assert box["class"] == "box"


def test_nothing_done_is_a_report_too(keep, fail_for_seed):
    """Why all points failed is just what one wants to read; without the table, that it is gone."""
    fail_for_seed(7, ArithmeticError("bad day"))
    folder = keep("failed", {"seed": [7]})
    _, page = report_of(folder)
    assert "No point is done" in page.words["warnings"]
    assert "seed = 7: ArithmeticError: bad day" in page.words["warnings"]
    assert not page.all("img")
    (folder / "failures.csv").write_text("what,is\nthis,table\n")
    _, page = report_of(folder)
    assert "seed = 7: no reason in failures.csv" in page.words["warnings"]


def test_runs_are_told_with_their_code(keep, one_figure):
    """Commit, changes and points of each; changes and several commits are warned of."""
    folder = keep("twice", {"seed": [1, 2]})
    calm = {"git_commit": "a" * 40, "git_dirty": "false", "command": "first command"}
    wild = {"git_commit": "b" * 40, "git_dirty": "true", "packages": {"numpy": "9.9"}}
    change_runs(folder, calm, wild)
    with netCDF4.Dataset(folder / "results.nc", "a") as file:
        file["made_by"][:] = [0, 1]
    _, page = report_of(folder)
    words = " ".join(page.words["warnings"].split())
    assert f"keeps the changes. run 2, on top of {'b' * 10} Made by 2 commits" in words
    first, second = page.row("provenance", "1"), page.row("provenance", "2")
    assert [first[i] for i in (1, 4, 5, 6)] == ["1", "a" * 10, "clean", "first command"]
    assert [second[i] for i in (1, 4, 5)] == ["1", "b" * 10, "changed"]
    assert f"numpy {np.__version__}; 9.9" in page.row("provenance", "packages")[0]
    _, page = report_of(folder, "--where", "seed=1")
    assert "Made by" not in page.words["warnings"]  # run 2 has no part in this point


def test_it_tells_how_to_make_it_again(page, experiment):
    """The recorded command, the comparison to the bit, the page itself."""
    with netCDF4.Dataset(experiment / "results.nc") as file:
        assert file.command in page.words["reproduce"]
    assert f"python -m pipeline.reproduce {experiment}" in page.words["reproduce"]
    assert f"python -m analysis {experiment} --report" in page.words["reproduce"]


def test_numbers_are_those_of_the_file(page, experiment):
    """A row per rate: mean over the seeds that are done, and whether it is the equilibrium."""
    with open_results(experiment) as dataset:
        rate = dataset["output_rate"].sel(rate_hz=60).mean("seed").item()
        weight = dataset["mean_weight"].sel(rate_hz=60).mean("seed").item()
    heading, silent, firing = page.rows["numbers"]
    silent, firing = (dict(zip(heading, row, strict=True)) for row in (silent, firing))
    assert (silent["Input rate (Hz)"], firing["Input rate (Hz)"]) == ("0", "60")
    assert firing["Output firing rate (Hz)"] == f"{rate:.4g}"
    assert firing["Mean final weight"] == f"{weight:.4g}"
    assert firing["Seeds done"] == "2 of 3"
    assert (silent["Settled"], firing["Settled"]) == ("silent", "no")


def test_of_many_cells_the_ranges_are_told(configure):
    """Least and largest of each quantity, and where they are."""
    axes = {"input.rate_hz": [60, 5], "stdp.tau_plus": range(10, 36)}
    dataset = pipeline.sweep(configure("simulation.duration=200"), axes, backend="sequential")
    heading, rows = summary(MeasuredDataset(dataset))
    rate = dataset["output_rate"]
    row = dict(zip(heading, rows[0], strict=True))
    assert row[""] == "Output firing rate (Hz)"
    assert row["Least"] == f"{rate.min():.4g}"
    assert row["Largest"] == f"{rate.max():.4g}"
    where = re.fullmatch(r"rate_hz = 60 Hz, tau_plus = (\d+) ms", rows[0][4])
    assert rate.sel(rate_hz=60, tau_plus=int(where[1])) == rate.max()


def test_an_interval_needs_three_seeds(configure):
    """With three the mean lies within it; without a sweep of seeds there is no such column."""
    dataset = pipeline.sweep(configure(), {"seed": range(3)}, backend="sequential")
    heading, (row,) = summary(MeasuredDataset(dataset))
    low, high = map(float, row[heading.index("95 % interval")].split(" to "))
    assert low < dataset["output_rate"].mean() < high
    heading, (row,) = summary(MeasuredDataset(dataset.isel(seed=slice(2))))
    assert row[heading.index("95 % interval")] == "–"
    heading, _ = summary(MeasuredDataset(dataset.isel(seed=0)))
    assert "95 % interval" not in heading


def test_the_page_needs_nothing_else(page):
    """No script, no file, no address: figures are in it, links lead to places in it."""
    assert not {"script", "link", "iframe", "object", "base"} & {tag for tag, _ in page.tags}
    sources = [attributes["src"] for _, attributes in page.tags if "src" in attributes]
    assert sources
    assert all(source.startswith("data:image/png;") for source in sources)
    links = [attributes["href"] for _, attributes in page.tags if "href" in attributes]
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {link.removeprefix("#") for link in links} == set(ids)
    (style,) = re.findall("<style>(.*?)</style>", page.text, re.DOTALL)
    assert not re.search(r"url\(|@import|//", style)
    assert page.all("html") == [{"lang": "en"}]


def test_what_a_file_says_is_words_and_no_markup(keep, one_figure):
    """Values, reasons and commands that look like HTML are shown as they are written."""
    folder = keep("hostile", {"seed": [1, 2]})
    change_runs(folder, {"command": HOSTILE, "git_commit": HOSTILE, "host": HOSTILE})
    with netCDF4.Dataset(folder / "results.nc", "a") as file:
        configuration = json.loads(file.configuration)
        key = HOSTILE.replace(".", "")  # a dot would begin another section
        configuration[key] = {key: HOSTILE}
        file.configuration = json.dumps(configuration)
        file.title = HOSTILE
        file["status"][1] = 1
        file["seed"].setncatts({"long_name": HOSTILE, "units": HOSTILE, "config_key": "seed"})
    (folder / "failures.csv").write_text(f'seed,reason\n2,"{HOSTILE.replace(chr(34), chr(39))}"\n')
    _, page = report_of(folder)
    assert not page.all("script")
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert {image["src"][:5] for image in page.all("img")} == {"data:"}
    key, shown = (words.replace("\u202e", r"\u202e") for words in (key, HOSTILE))
    assert page.row("configuration", key) == [shown, ""]
    for section in ("warnings", "axes", "provenance", "reproduce", ""):
        assert "<script>alert(1)</script>" in page.words[section], section


@pytest.mark.parametrize("words", ["a \"b\" <c> & 'd'", "\x00\x1b[2J", "\ud800", "two\nlines"])
def test_words_come_back_as_they_were(words):
    """Escaped in content and in attributes; what cannot be printed is written as its number."""
    text = element("p", words, title=words)
    text.encode()
    shown = words if words.replace("\n", "").isprintable() else ascii(words)[1:-1]
    assert html.unescape(text) == f'<p title="{shown}">{shown}</p>'


def test_where_and_at_restrict_it(copy, one_figure):
    """Only these points are counted, named and drawn; the commands say so."""
    _, page = report_of(copy, "--where", "input.rate_hz=60", "--where", "seed=1", "--at", "500")
    assert "1 point: 1 done." in page.words[""]
    assert "Only the points at Input rate 60 Hz, Random seed 1." in page.words[""]
    assert "Silent" not in page.words["warnings"]
    assert "Failed" not in page.words["warnings"]
    assert "Nothing was swept" in page.words["axes"]
    assert page.row("configuration", "rate_hz") == ["60 Hz", "Input rate one of 2 values"]
    chosen = "--where input.rate_hz=60 --where seed=1"
    command = f"python -m analysis '{copy}' --figure square {chosen} --at 500"
    assert command in page.words["figures"]
    command = f"python -m pipeline.reproduce '{copy}' {chosen}"
    assert re.search(rf"{re.escape(command)}\s+Write", page.words["reproduce"])


def test_what_was_left_out_while_drawing_is_told(keep, monkeypatch):
    """A kind with more figures than are drawn says so on the page."""

    def squares(study):
        for suffix, _, _ in slices(study.dataset, ["tau_plus"], by="status"):
            yield f"squares{suffix}", Figure((1, 1)), ""

    monkeypatch.setattr(
        report_page, "FIGURES", {"": FigureSpec("squares", "Squares", lambda _: "", squares)}
    )
    _, page = report_of(keep("many", {"stdp.tau_plus": [10, 15, 20, 25, 30]}))
    assert "squares: 5 figures of a kind: 3 are drawn; see --where" in page.words["figures"]
    assert len(page.all("figure")) == 3


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["nowhere"], "nowhere: must be an experiment directory"),
        (["a copy", "--where", "seed=9"], "--where seed=9: seed must be one of 1,2,3"),
        (["a copy", "--where", "rate"], "--where rate: must be KEY=VALUE with one of the axes"),
    ],
)
def test_a_senseless_request_is_one_line(words, told, copy, monkeypatch, capsys):
    """Exit code 2, and no page."""
    monkeypatch.chdir(copy.parent)
    assert main([*words, "--report"]) == 2
    assert not (copy / "report.html").exists()
    error = capsys.readouterr().err
    assert error.startswith(f"error: {told}")
    assert error.count("\n") == 1


def test_a_page_that_cannot_be_written_leaves_nothing(copy, one_figure, capsys):
    """What lies in its place stays, the half of a page goes, one line tells."""
    (copy / "report.html").mkdir()
    assert main([str(copy), "--report"]) == 2
    assert capsys.readouterr().err == (
        f"error: {copy / 'report.html'}: cannot be written (Is a directory)\n"
    )
    assert (copy / "report.html").is_dir()
    assert not list(copy.glob(".*.tmp"))


def test_a_directory_that_is_read_only_is_told_before_anything_is_drawn(copy, monkeypatch, capsys):
    """Drawing takes longer than one wants to wait for a refusal."""
    monkeypatch.setattr(report_page, "FIGURES", None)  # to touch it would be an error
    monkeypatch.setattr("os.access", lambda path, mode: False)  # whoever tests may be root
    assert main([str(copy), "--report"]) == 2
    assert "cannot be written (its directory is read-only)\n" in capsys.readouterr().err


def test_the_page_from_before_stays_until_the_new_one_is_whole(
    copy, one_figure, capsys, monkeypatch
):
    """Who has it open keeps reading it; a disk that fills leaves it as it was."""
    path, _ = report_of(copy)
    with path.open() as reader:
        before = path.read_text()
        report_of(copy, "--where", "seed=1")
        assert reader.read() == before
    before = path.read_text()

    def no_space(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", no_space)
    assert main([str(copy), "--report", "--where", "seed=2"]) == 2
    assert "cannot be written (No space left on device)" in capsys.readouterr().err
    assert path.read_text() == before
    assert not list(copy.glob(".*.tmp"))


#: Two frames hold the page at the width of a desk and of a phone; the title tells what they see.
_FRAMES = """<!DOCTYPE html><title>waiting</title>{frames}<script>
addEventListener("load", () => {{
  const seen = [];
  for (const frame of document.querySelectorAll("iframe")) {{
    const page = frame.contentDocument, root = page.documentElement;
    const images = [...page.images];
    seen.push({{
      width: root.clientWidth,
      needs: root.scrollWidth,
      drawn: images.filter((image) => image.complete && image.naturalWidth > 0).length,
      widest: Math.max(...images.map((image) => image.getBoundingClientRect().right)),
      box: getComputedStyle(page.getElementById("warnings")).borderLeftWidth,
    }});
  }}
  document.title = JSON.stringify(seen);
}});
</script>"""


_QUIETLY = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium or google-chrome")
def test_a_browser_shows_it_on_a_desk_and_on_a_phone(page, tmp_path):
    """At 1200 and 400 pixels all images are drawn, and the page does not scroll sideways."""
    frame = '<iframe srcdoc="{}" style="border:0;height:900px;width:{}px"></iframe>'
    frames = "".join(frame.format(html.escape(page.text), width) for width in (1200, 400))
    (tmp_path / "frames.html").write_text(_FRAMES.format(frames=frames), encoding="utf-8")
    done = subprocess.run(
        [
            CHROMIUM,
            *_QUIETLY,
            f"--user-data-dir={tmp_path / 'profile'}",
            "--virtual-time-budget=10000",
            "--dump-dom",
            (tmp_path / "frames.html").as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    (title,) = re.findall("<title>(.*?)</title>", done.stdout.partition("<iframe")[0])
    for width, seen in zip((1200, 400), json.loads(html.unescape(title)), strict=True):
        assert seen["drawn"] == len(page.all("img")) == 9
        assert width - 20 <= seen["width"] <= width  # but for a bar to scroll down
        assert seen["needs"] <= seen["width"]
        assert seen["widest"] <= seen["width"]
        assert float(seen["box"].removesuffix("px")) > 5  # the style has come with it

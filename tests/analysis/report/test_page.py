"""The page of the report: written atomically, self-contained, restricted by conditions."""

import html
import json
import re
import shutil
import subprocess

import pytest

from analysis.__main__ import main
from analysis.report import page as report_page
from tests.support.report import report_of

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)


def test_the_report_is_written_beside_the_results(written, experiment):
    """The command prints its path; the title is the experiment's name, points are counted."""
    path, page = written
    assert path == experiment / "report.html"
    assert page.title == "study/one"
    assert page.all("header") == [{}]
    counts = "6 points (2 parameter combinations, 3 seeds each): 4 done, 2 failed."
    assert counts in page.texts[""]
    assert not list(experiment.glob(".*.tmp"))


def test_the_page_is_self_contained(page):
    """No script, no other file, no address: images are embedded, links stay within the page."""
    assert not {"script", "link", "iframe", "object", "base"} & {tag for tag, _ in page.tags}
    sources = [attributes["src"] for _, attributes in page.tags if "src" in attributes]
    assert len(sources) == len(page.all("img")) == 9
    assert {source.partition(",")[0] for source in sources} == {"data:image/png;base64"}
    links = [attributes["href"] for _, attributes in page.tags if "href" in attributes]
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    leads_to = {link.removeprefix("#") for link in links}
    assert leads_to <= set(ids)
    alone = ("figure-weights", "figure-settling", "figure-rule")  # the links of their kinds do
    assert set(ids) - leads_to == set(alone)
    (style,) = re.findall("<style>(.*?)</style>", page.text, re.DOTALL)
    assert not re.search(r"url\(|@import|//", style)
    assert page.all("html") == [{"lang": "en"}]


def test_where_and_at_restrict_the_report(copy, one_figure):
    """Only these points are counted, listed and drawn; the commands contain the conditions."""
    _, page = report_of(copy, "--where", "input.rate_hz=60", "--where", "seed=1", "--at", "500")
    assert "1 point: 1 done." in page.texts[""]
    assert "Only the points at Input rate 60 Hz, Random seed 1." in page.texts[""]
    assert "Silent" not in page.texts["warnings"]
    assert "Failed" not in page.texts["warnings"]
    assert "Nothing was swept" in page.texts["axes"]
    assert page.row("configuration", "rate_hz") == ["60 Hz", "Input rate one of 2 values"]
    chosen = "--where input.rate_hz=60 --where seed=1"
    command = f"python -m analysis '{copy}' --figure square {chosen} --at 500"
    assert command in page.texts["figures"]
    command = f"python -m pipeline.reproduce '{copy}' {chosen}"
    assert re.search(rf"{re.escape(command)}\s+Write", page.texts["reproduce"])


def test_a_dot_for_each_seed_is_asked_of_the_report_too(copy, one_figure):
    """What draws the figures and the page again says so; what runs points does not."""
    _, page = report_of(copy, "--each-seed")
    assert f"python -m analysis '{copy}' --figure square --each-seed" in page.texts["figures"]
    assert f"python -m analysis '{copy}' --report --each-seed" in page.texts["reproduce"]
    assert re.search(
        rf"pipeline.reproduce '{re.escape(str(copy))}'\s+Write", page.texts["reproduce"]
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "nowhere: must be an experiment directory"),
        (["a copy", "--where", "seed=9"], "--where seed=9: seed must be one of 1,2,3"),
        (["a copy", "--where", "rate"], "--where rate: must be KEY=VALUE with one of the axes"),
    ],
)
def test_an_invalid_request_is_reported_in_one_line(arguments, message, copy, monkeypatch, capsys):
    """Exit code 2, and no page."""
    monkeypatch.chdir(copy.parent)
    assert main([*arguments, "--report"]) == 2
    assert not (copy / "report.html").exists()
    error = capsys.readouterr().err
    assert error.startswith(f"error: {message}")
    assert error.count("\n") == 1


def test_a_page_that_cannot_be_written_leaves_nothing(copy, one_figure, capsys):
    """A directory of that name stays, no temporary file does, the error is one line."""
    (copy / "report.html").mkdir()
    assert main([str(copy), "--report"]) == 2
    assert capsys.readouterr().err == (
        f"error: {copy / 'report.html'}: cannot be written (Is a directory)\n"
    )
    assert (copy / "report.html").is_dir()
    assert not list(copy.glob(".*.tmp"))


def test_a_read_only_directory_is_reported_before_drawing(copy, monkeypatch, capsys):
    """The registry of figures is not accessed."""
    monkeypatch.setattr(report_page, "FIGURES", None)  # iterating over it would be an error
    monkeypatch.setattr("os.access", lambda path, mode: False)  # root can write everywhere
    assert main([str(copy), "--report"]) == 2
    assert "cannot be written (its directory is read-only)\n" in capsys.readouterr().err


def test_the_previous_page_stays_until_the_new_one_is_complete(
    copy, one_figure, capsys, monkeypatch
):
    """An open file can be read to its end; a full disk leaves the page unchanged."""
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


#: A page with two frames of different width; its title becomes what they contain, as JSON.
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
def test_a_browser_displays_the_page_on_wide_and_narrow_screens(page, tmp_path):
    """At 1200 and 400 pixels all images are drawn, and nothing scrolls horizontally."""
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
        assert width - 20 <= seen["width"] <= width  # without the vertical scroll bar
        assert seen["needs"] <= seen["width"]
        assert seen["widest"] <= seen["width"]
        assert float(seen["box"].removesuffix("px")) > 5  # the style sheet applies

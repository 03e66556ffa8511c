"""Wheel and sdist: installed into an environment of their own, and used in a user's folder."""

import email
import json
import os
import re
import shlex
import subprocess
import sys
import tarfile
import zipfile

import pytest

from tests.conftest import ROOT
from tests.support.report import Page

pytestmark = pytest.mark.long

#: A folder of a user whose names are those of this project's packages and files.
NAMESAKES = {
    "analysis/__init__.py": "raise ImportError('the analysis of the user')\n",
    "pipeline.py": "raise ImportError('the pipeline of the user')\n",
    "stdp.py": "raise ImportError('the stdp of the user')\n",
    "hydra_plugins/pipeline_sweeper.py": "raise ImportError('the plugin of the user')\n",
    "conf/config.yaml": "defaults: [nothing]\n",
    "conf/experiment/demo.yaml": "nonsense: 1\n",
}


def built(source, folder, kind):
    """Build a wheel or an sdist of a source tree with the installed backend; return its path."""
    code = f"import sys; from hatchling import build; print(build.build_{kind}(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, folder],
        cwd=source,
        env=without_path(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder / done.stdout.split()[-1]


def without_path():
    """Return the environment of a user: nothing on the path of Python but what is installed."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


@pytest.fixture(scope="module")
def sdist(tmp_path_factory):
    """The sdist of the checkout."""
    return built(ROOT, tmp_path_factory.mktemp("sdist"), "sdist")


@pytest.fixture(scope="module")
def wheel(sdist, tmp_path_factory):
    """A wheel, built from the content of the sdist alone."""
    folder = tmp_path_factory.mktemp("wheel")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (source,) = folder.iterdir()
    return built(source, folder, "wheel")


@pytest.fixture(scope="module")
def environment(wheel, tmp_path_factory):
    """An environment with the wheel; its dependencies are those of the environment of the tests."""
    folder = tmp_path_factory.mktemp("installed") / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    pip = [sys.executable, "-m", "pip", "--python", folder / "bin" / "python", "install"]
    options = ["--no-deps", "--no-index", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *options, wheel], check=True, env=without_path())
    (packages,) = folder.glob("lib/python*/site-packages")
    # The files in these folders that would add the checkout to the path are not read.
    dependencies = [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
    (packages / "dependencies.pth").write_text("\n".join(dependencies))
    return folder


@pytest.fixture
def installed(environment, tmp_path):
    """Run the installed `stdp` in a folder whose names are those of this project."""
    for name, text in NAMESAKES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)

    def run(program, *arguments, folder="."):
        done = subprocess.run(
            [environment / "bin" / program, *arguments],
            cwd=tmp_path / folder,
            env=without_path() | {"XDG_CACHE_HOME": str(environment.parent / "cache")},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_the_wheel_of_the_sdist_is_that_of_the_checkout(wheel, tmp_path):
    """The sdist lacks nothing; the wheel has every configuration, and no top-level `conf`."""
    of_checkout = built(ROOT, tmp_path, "wheel")
    with zipfile.ZipFile(wheel) as one, zipfile.ZipFile(of_checkout) as other:
        names = set(one.namelist())
        assert names == set(other.namelist())
    conf = {str(file.relative_to(ROOT)) for file in (ROOT / "conf").rglob("*.yaml")}
    assert {f"pipeline/{name}" for name in conf} <= names
    top = {name.partition("/")[0] for name in names}
    (metadata,) = [name for name in top if name.endswith(".dist-info")]
    assert top == {"pipeline", "analysis", "hydra_plugins", "stdp", metadata}


def test_the_metadata_is_that_of_a_package_index(wheel):
    """Readme in Markdown, licence with its file, classifiers, lowest version of Python."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("/METADATA")]
        metadata = email.message_from_bytes(archive.read(name))
        assert name.replace("METADATA", "licenses/LICENSE") in archive.namelist()
    assert metadata["Description-Content-Type"] == "text/markdown"
    page = metadata.get_payload()
    assert page.startswith("# ")
    assert not re.findall(r"\]\((?!https://)|<!--", page)  # neither a link nor a comment is broken
    assert "spike for spike (differences)." in page
    assert metadata["License-Expression"] == "MIT"
    assert metadata["Requires-Python"] == ">=3.11"
    assert "Programming Language :: Python :: 3.13" in metadata.get_all("Classifier")


def test_the_installed_command_ignores_namesakes(installed, environment):
    """Run in worker processes, cite, list; kernels in the user's cache."""
    before = set(environment.rglob("*.o"))
    small = ("input.rate_hz=20,40", "stdp.tau_plus=20", "seed=1", "name=demo")
    workers = ("run.backend=loky", "run.n_jobs=2", "run.batch_size=1")
    words = ("+experiment=demo", *small, *workers)
    assert installed("stdp", "run", *words).startswith("2 points in ")
    assert "2 of 2 points are the same bit for bit" in installed(
        "stdp", "reproduce", "outputs/demo"
    )
    assert installed("stdp", "list").splitlines()[1].startswith("demo ")
    cached = (environment.parent / "cache").rglob("*.o")
    assert {file.name[:15] for file in cached} == {"kernel_additive"}
    assert set(environment.rglob("*.o")) == before == set()


def test_a_new_project_runs_as_its_readme_says(installed, tmp_path):
    """Its commands and its code in Python, as printed.

    The record has the files of the project; record and report have the commands of `stdp`.
    """
    installed("stdp", "init", "study")
    text = (tmp_path / "study" / "README.md").read_text()
    assert text.startswith("# study\n")
    (commands,) = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    said = [installed(*shlex.split(line), folder="study") for line in commands.splitlines()]
    assert said[0].startswith("18 points in ")
    assert said[1] == "outputs/my_rates/report.html\n"
    assert "18 of 18 points are the same bit for bit" in said[2]
    record = (tmp_path / "study/outputs/my_rates/provenance.json").read_text()
    (run,) = json.loads(record)["runs"]
    assert run["command"] == commands.splitlines()[0]
    conf = tmp_path / "study" / "conf"
    used = [conf / "experiment/my_rates.yaml", conf / "stdp/mine.yaml"]
    assert {*run["own_files"]} == {str(file) for file in used}
    assert said[3].startswith("2 points in ")
    assert said[4].startswith("2 points in ")
    (kept,) = (tmp_path / "study/outputs/my_rule/given").iterdir()
    assert kept.read_text() in (tmp_path / "study/rule.py").read_text()
    shown = Page((tmp_path / "study/outputs/my_rates/report.html").read_text()).texts["reproduce"]
    assert commands.splitlines()[2] in shown
    assert "stdp figures outputs/my_rates --report" in shown
    assert "python -m" not in shown
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    code += "print(dict(dataset['mean_weight'].sizes))"
    sizes = installed("python", "-P", "-c", code, folder="study")
    assert sizes == "{'rate_hz': 3, 'seed': 3}\n"

"""Repeated compositions: used again where they hold, from threads, within other Hydra programs."""

import os
import shutil
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import hydra
import pytest
from hydra import version
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.utils import setup_globals
from omegaconf import OmegaConf
from omegaconf.errors import ReadonlyConfigError

import pipeline
from pipeline.composition import compose, hydra_loader
from pipeline.composition.hydra_loader import load
from pipeline.model.errors import RequestError
from pipeline.model.plasticity import RULES

#: The source of a rule whose only field has a neutral value.
DRIFT = """
@dataclass(frozen=True)
class Drift(Rule):
    name: ClassVar[str] = "toy_drift"
    traces: ClassVar = {}
    drift: float = quantity("weight change by a spike", at_least=-1, neutral=NEUTRAL)

    @staticmethod
    def potentiate(w, traces, fields):
        return w + fields.drift

    @staticmethod
    def depress(w, traces, fields):
        return w
"""

#: A fixed time, so that two files can be given the same one.
STARTED = time.time()


@pytest.fixture
def compositions(monkeypatch):
    """Forget all compositions; list the overrides of each one that Hydra makes from now on."""
    made = []

    def recorded(folder, overrides, own):
        made.append(tuple(overrides))
        return load(folder, overrides, own)

    monkeypatch.setattr(compose, "load", recorded)
    compose._compositions.clear()
    yield made
    compose._compositions.clear()


@pytest.fixture
def conf(monkeypatch, tmp_path):
    """A copy of conf/ that a test may edit and that is trusted at once; modified an hour ago.

    No program can set the time of the status change, so nothing counts as too young.
    """
    monkeypatch.setattr(hydra_loader, "_COARSEST_TIME_STAMP", 0)
    folder = tmp_path / "conf"
    shutil.copytree(compose.CONF, folder)
    for path in (folder, *folder.rglob("*")):
        age(path)
    monkeypatch.setattr(compose, "CONF", folder)
    return folder


def age(path, seconds=3600):
    """Set the modification time of a file or folder into the past."""
    then = STARTED - seconds
    os.utime(path, (then, then))


def write(path, text, seconds=1800):
    """Write a file that looks as if it and its folder had been changed in the past."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(textwrap.dedent(text))
    age(path, seconds)
    age(path.parent, seconds)


def test_repeated_overrides_compose_once(compositions):
    """The same overrides give the same configuration without composing; others compose."""
    first = pipeline.configure("seed=3")
    assert pipeline.configure("seed=3") == first
    assert pipeline.configure("seed=4").seed == 4
    assert pipeline.configure("seed=3").overrides == ("seed=3",)
    assert compositions == [("seed=3",), ("seed=4",)]


def test_a_repeated_call_takes_microseconds():
    """The best of 200 repeated calls takes less than 0.2 ms."""
    times = []
    for _ in range(200):
        started = time.perf_counter()
        pipeline.configure("input.rate_hz=20", "stdp.A_plus=0.01")
        times.append(time.perf_counter() - started)
    assert min(times) < 2e-4


def test_an_edited_file_is_read_again(compositions, conf):
    """A changed value is seen, and a change of the same size at another time as well."""
    assert pipeline.configure().stdp.A_plus == 0.008
    file = conf / "stdp" / "notebook.yaml"
    text = file.read_text()
    write(file, text.replace("0.008", "0.0045"), seconds=1800)
    assert pipeline.configure().stdp.A_plus == 0.0045
    write(file, text.replace("0.008", "0.0055"), seconds=1799)
    assert pipeline.configure().stdp.A_plus == 0.0055
    file.unlink()
    with pytest.raises(RequestError, match=r"^stdp=notebook: must be .*song_abbott_2001 or "):
        pipeline.configure()


def test_another_file_of_the_same_time_and_size_is_read(compositions, conf):
    """A file that replaces another with its size and modification time is noticed."""
    file = conf / "stdp" / "notebook.yaml"
    pipeline.configure()
    other = conf / "other.yaml"
    other.write_text(file.read_text().replace("0.008", "0.009"))
    found = file.stat()
    os.utime(other, ns=(found.st_atime_ns, found.st_mtime_ns))
    other.replace(file)
    age(conf)
    age(file.parent)
    assert pipeline.configure().stdp.A_plus == 0.009


def test_an_edit_whose_time_is_set_back_is_read(compositions, conf):
    """A file that is overwritten in place with equal size and modification time is noticed."""
    file = conf / "stdp" / "notebook.yaml"
    assert pipeline.configure().stdp.A_plus == 0.008
    found = file.stat()
    file.write_text(file.read_text().replace("0.008", "0.009"))
    os.utime(file, ns=(found.st_atime_ns, found.st_mtime_ns))
    now = file.stat()
    assert (now.st_ino, now.st_size, now.st_mtime_ns) == (
        found.st_ino,
        found.st_size,
        found.st_mtime_ns,
    )
    assert pipeline.configure().stdp.A_plus == 0.009
    assert pipeline.configure().stdp.A_plus == 0.009
    assert len(compositions) == 2


def test_a_file_just_written_is_not_trusted(compositions, conf, monkeypatch):
    """While a time stamp could be that of two changes, every call composes, of whichever stamp."""
    monkeypatch.setattr(hydra_loader, "_COARSEST_TIME_STAMP", 600_000_000_000)
    file = conf / "stdp" / "notebook.yaml"
    for _ in range(2):  # modified an hour ago, as it seems
        assert pipeline.configure().stdp.A_plus == 0.008
    assert len(compositions) == 2
    age(file, seconds=-3600)  # modified in the future, as a server's clock may say
    monkeypatch.setattr(hydra_loader, "_COARSEST_TIME_STAMP", 0)
    for _ in range(2):
        assert pipeline.configure().stdp.A_plus == 0.008
    assert len(compositions) == 4


def test_a_new_file_that_is_found_first_is_read(compositions, conf):
    """A file that shadows a structured config decides from its appearance on."""
    pipeline.configure()
    write(conf / "neutral.yaml", "stdp: {}\n")
    age(conf)  # as old as before
    with pytest.raises(RequestError, match="^'neutral' is validated against ConfigStore schema"):
        pipeline.configure()
    (conf / "neutral.yaml").unlink()
    pipeline.configure()
    assert len(compositions) == 3


def test_a_new_folder_makes_a_key_a_group(compositions, conf):
    """What was no folder when a key was looked up is looked for again."""
    assert pipeline.configure("seed=5").seed == 5
    write(conf / "seed" / "5.yaml", "# @package _global_\nseed: 77\n")
    with pytest.raises(RequestError):  # `seed` is now a group, and in no defaults list
        pipeline.configure("seed=5")


def test_files_that_were_not_read_do_not_matter(compositions, conf):
    """An edit of a choice that is not chosen composes nothing."""
    pipeline.configure()
    file = conf / "stdp" / "song_abbott_2001.yaml"
    file.write_text("A_plus: 1\n")
    pipeline.configure()
    assert len(compositions) == 1


def test_the_environment_is_read_at_every_call(compositions, conf, monkeypatch):
    """What reads something else than the config is not kept: in overrides, files, defaults."""
    monkeypatch.setenv("A_PLUS", "0.001")
    monkeypatch.setenv("RULE", "notebook")
    number = "${oc.decode:${oc.env:A_PLUS}}"
    override = f"stdp.A_plus='{number}'"
    assert pipeline.configure(override).stdp.A_plus == 0.001
    monkeypatch.setenv("A_PLUS", "0.002")
    assert pipeline.configure(override).stdp.A_plus == 0.002
    write(conf / "stdp" / "mine.yaml", f"defaults: [notebook]\nA_plus: {number}\n")
    assert pipeline.configure("stdp=mine").stdp.A_plus == 0.002
    monkeypatch.setenv("A_PLUS", "0.003")
    assert pipeline.configure("stdp=mine").stdp.A_plus == 0.003
    choice = "defaults: [{override /stdp: '${oc.env:RULE}'}]"
    write(conf / "experiment" / "mine.yaml", f"# @package _global_\n{choice}\n")
    assert pipeline.configure("+experiment=mine").stdp.A_plus == 0.008
    assert pipeline.configure("stdp=${oc.env:RULE}").stdp.A_plus == 0.008
    monkeypatch.setenv("RULE", "song_abbott_2001")
    assert pipeline.configure("+experiment=mine").stdp.A_plus == 0.005
    assert pipeline.configure("stdp=${oc.env:RULE}").stdp.A_plus == 0.005


def test_a_reference_to_a_general_key_is_not_kept(compositions):
    """The name of an experiment has the time in it: what refers to it is composed again."""
    for _ in range(2):
        with pytest.raises(RequestError, match=r"^record\.dtype=run/20"):
            pipeline.configure("record.dtype=${name}")
    assert len(compositions) == 2


def test_references_within_the_config_are_kept(compositions):
    """`${stdp.tau_plus}` and `${oc.select:...}` read the config only."""
    for text in ("${stdp.tau_plus}", "${oc.select:stdp.tau_plus}"):
        compositions.clear()
        for _ in range(2):
            configuration = pipeline.configure(f"stdp.tau_minus={text}", "stdp.tau_plus=13")
            assert configuration.stdp.tau_minus == 13
        assert len(compositions) == 1


def test_registering_a_rule_composes_again(compositions, conf):
    """Neutral values come from the registered rules, of which there may be others each time."""
    write(conf / "stdp" / "drift.yaml", "rule: toy_drift\n")
    try:
        for neutral in (0.25, 0.5):
            RULES.register_source(DRIFT.replace("NEUTRAL", str(neutral)))
            assert pipeline.configure("stdp=drift").stdp.drift == neutral
    finally:
        RULES.unregister("toy_drift")
    with pytest.raises(RequestError, match=r"^stdp\.rule=toy_drift: must be additive"):
        pipeline.configure("stdp=drift")


def test_the_number_of_kept_compositions_is_bounded(compositions, monkeypatch):
    """The one whose last use is longest ago goes first."""
    monkeypatch.setattr(compose, "_MOST_COMPOSITIONS", 2)
    for text in ("seed=1", "seed=2", "seed=1", "seed=3", "seed=1", "seed=2"):
        pipeline.configure(text)
    assert compositions == [("seed=1",), ("seed=2",), ("seed=3",), ("seed=2",)]
    assert len(compose._compositions) == 2


def test_a_wrong_override_leaves_nothing(compositions):
    """An error is raised at every call."""
    for _ in range(2):
        with pytest.raises(RequestError, match=r"^stdp=unheard: must be"):
            pipeline.configure("stdp=unheard")
    assert not compose._compositions


def test_a_composed_config_cannot_be_changed(compositions):
    """It is shared by all callers."""
    with pytest.raises(ReadonlyConfigError):
        compose.composition(()).config.stdp.A_plus = 1


def test_threads_configure_at_the_same_time(compositions):
    """Eight threads get what each has asked for, with equal and with unlike overrides."""
    barrier = threading.Barrier(8)

    def ask(number):
        barrier.wait()
        return [pipeline.configure(f"seed={(number + i) % 4}").seed for i in range(3)]

    with ThreadPoolExecutor(8) as pool:
        seeds = list(pool.map(ask, range(8)))
    assert seeds == [[(number + i) % 4 for i in range(3)] for number in range(8)]
    assert sorted(compositions) == [(f"seed={i}",) for i in range(4)]


def test_another_hydra_program_stays_as_it_is(compositions, tmp_path):
    """Within another program's initialisation its loader, version and resolvers are untouched."""
    (tmp_path / "config.yaml").write_text("mine: 1\n")
    with hydra.initialize_config_dir(str(tmp_path), version_base="1.2", job_name="mine"):
        loader, base = GlobalHydra.instance().hydra, version.getbase()
        OmegaConf.register_new_resolver("now", lambda pattern: "mine", replace=True)
        assert pipeline.configure("seed=3").seed == 3
        assert GlobalHydra.instance().hydra is loader
        assert version.getbase() == base
        assert OmegaConf.create({"a": "${now:%Y}"}).a == "mine"
        assert hydra.compose("config").mine == 1
        with ThreadPoolExecutor(4) as pool:
            seeds = pool.map(lambda seed: pipeline.configure(f"seed={seed}").seed, range(4))
            assert list(seeds) == [0, 1, 2, 3]
        assert hydra.compose("config").mine == 1
    setup_globals()  # Hydra's own resolvers again
    assert not GlobalHydra.instance().is_initialized()
    pipeline.configure("seed=5")
    assert not GlobalHydra.instance().is_initialized()


def test_a_hydra_application_may_configure(tmp_path):
    """Within `@hydra.main` the application's own config and job are as without the call."""
    (tmp_path / "mine.yaml").write_text("value: 1\n")
    program = tmp_path / "program.py"
    program.write_text(
        textwrap.dedent(
            """
            import hydra
            import pipeline
            from hydra.core.hydra_config import HydraConfig


            @hydra.main(config_path=".", config_name="mine", version_base="1.3")
            def main(config):
                configuration = pipeline.configure("seed=7")
                again = hydra.compose("mine", ["value=2"])
                print(config.value, configuration.seed, again.value, HydraConfig.get().job.name)


            main()
            """
        )
    )
    done = subprocess.run(
        [sys.executable, program, "value=5", "hydra.run.dir=."],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(compose.CONF.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["5", "7", "2", "program"], done.stderr


def test_structured_configs_of_the_program_are_not_kept(compositions):
    """A choice that another program stores with Hydra may be stored anew at any time."""
    store, fields = ConfigStore.instance(), pipeline.configure().to_mapping()["stdp"]
    try:
        for amplitude in (0.001, 0.002):
            store.store(group="stdp", name="stored", node=fields | {"A_plus": amplitude})
            assert pipeline.configure("stdp=stored").stdp.A_plus == amplitude
    finally:
        del store.repo["stdp"]


def test_a_further_search_path_is_not_kept(compositions, tmp_path):
    """Files below `hydra.searchpath` are read at every call."""
    path = f"hydra.searchpath=[{tmp_path}]"
    for amplitude in (0.001, 0.002):
        write(tmp_path / "stdp" / "own.yaml", f"defaults: [notebook]\nA_plus: {amplitude}\n")
        assert pipeline.configure(path, "stdp=own").stdp.A_plus == amplitude


def test_the_choices_of_a_sweep_are_composed_once(compositions, configure):
    """A second sweep over groups composes nothing, and one over keys never does."""
    configuration = configure()
    axes = {"stdp": ["notebook", "song_abbott_2001"], "input": ["poisson", "notebook"]}
    pipeline.plan(configuration, {"seed": range(3)})
    assert len(compositions) == 1
    pipeline.plan(configuration, axes)
    assert len(compositions) == 5
    pipeline.plan(configuration, axes)
    assert len(compositions) == 5


def test_the_command_composes_once(command, monkeypatch):
    """Hydra would compose once more to learn its mode; what may not be swept is refused by it."""
    compose, composed = ConfigLoaderImpl._compose_config_from_defaults_list, []

    def counted(loader, *arguments, **more):
        composed.append(arguments)
        return compose(loader, *arguments, **more)

    monkeypatch.setattr(ConfigLoaderImpl, "_compose_config_from_defaults_list", counted)
    assert command("-m", "seed=1,2", "dry_run=true").out.startswith("points: 2")
    assert len(composed) == 1
    refused = command("-m", "hydra.job.chdir=true,false", "dry_run=true")
    assert refused.code == 2
    assert "Sweeping over Hydra's configuration is not supported" in refused.err

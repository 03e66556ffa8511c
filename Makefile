# make run:  a sweep, its netCDF file and its figures, in outputs/input_rates
# make test: the tests
# Both create the virtual environment .venv on first use.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Installs packages; what CI gives instead takes a quarter of the time.
INSTALLER ?= $(BIN)/python -m pip install --quiet --disable-pip-version-check

# A file of tests in one process, as many at a time as there are processors.
PYTEST := $(BIN)/python -m pytest --numprocesses auto --dist loadfile

.PHONY: run test test-long test-all test-lowest coverage test-brian2 compare test-slurm test-dask test-browser test-inference inference soak settle papers papers-broken lint format docs docs-examples gallery screenshots bench growth large peers clean

run: $(VENV)/.ready
	$(BIN)/python -m pipeline +experiment=input_rates name=input_rates
	$(BIN)/python -m analysis outputs/input_rates

test: $(VENV)/.ready
	$(PYTEST) -m 'not long'

# The tests that take long: whole commands, examples of all pages as printed, directories of earlier
# versions, notebooks, an installed package, fault injection, pages in a browser, a server of MLflow.
test-long: $(VENV)/.ready
	$(PYTEST) -m 'long and not cluster'

# All tests but those of Dask clusters, with all optional packages, among them MLflow with its server:
# about 1 GB more.
test-all: $(VENV)/.ready-all
	$(PYTEST) -m 'not cluster'

$(VENV)/.ready-all: $(VENV)/.ready
	$(INSTALLER) --editable '.[test-all]'
	@touch $@

# The same with the lowest declared version of each dependency, in an environment of its own.
test-lowest: .venv-lowest/.ready
	.venv-lowest/bin/python -m pytest --numprocesses auto --dist loadfile

.venv-lowest/.ready: pyproject.toml
	$(PYTHON) -m venv --clear $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check packaging
	$(@D)/bin/python -m tests.support.lowest > $(@D)/lowest.txt
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check \
		--constraint $(@D)/lowest.txt --editable '.[test]'
	@echo '*' > $(@D)/.gitignore
	@touch $@

# The same, and the lines of code that they execute, in half as much time again: of the test processes
# only, since those that they start are tested for run time, memory and signals.
coverage: $(VENV)/.ready
	$(PYTEST) --cov --cov-fail-under=93

# Both engines against Brian2 on the same input events; `make test-long` skips these tests where Brian2 is
# not installed.
test-brian2: $(VENV)/.ready .venv-brian2/.ready
	$(BIN)/python -m pytest tests/pipeline/engine/test_brian2.py

# Every rule, process and feature in Brian2 and in NEST on the same input, ten minutes: the results go to
# tests/compare/results.json, and their tables to docs/explanation/other_simulators.md.
compare: $(VENV)/.ready .venv-brian2/.ready .venv-nest/.ready
	$(BIN)/python -m tests.compare

# A sweep as an array of a Slurm that the tests start on this machine, as root; Debian's packages are
# installed where they are missing. `make test-long` skips these tests without them.
test-slurm: $(VENV)/.ready
	command -v slurmctld slurmd sbatch > /dev/null || { apt-get --quiet=2 update && \
		DEBIAN_FRONTEND=noninteractive apt-get --quiet=2 install --no-install-recommends \
		slurmctld slurmd slurm-client slurm-wlm-basic-plugins > /dev/null; }
	$(BIN)/python -m pytest -rs tests/slurm

# Sweeps on Dask clusters whose workers and schedulers are killed, come late or hang: some ten minutes.
test-dask: $(VENV)/.ready
	$(INSTALLER) --editable '.[dask]'
	$(BIN)/python -m pytest -rs tests/end_to_end/test_dask_clusters.py \
		tests/pipeline/execution/test_dask.py

# The pages of `stdp explore` and `stdp lab` in a headless Chromium, which must be installed; the
# environment variable CHROMIUM names another one. `make test-long` skips these tests where it is missing.
test-browser: $(VENV)/.ready
	$(INSTALLER) --editable '.[browser]'
	$(BIN)/python -m pytest tests/stdp/browser tests/stdp/test_pages.py

# The notebooks on sensitivity and search, and the calibration of a posterior, at small
# size. sbi brings PyTorch, some GB; `make test-long` skips these tests where it is missing.
test-inference: $(VENV)/.ready-inference
	$(BIN)/python -m pytest tests/inference tests/end_to_end/test_notebooks.py

# The calibration at full size, a quarter of an hour: the coverage is written to tests/inference/RESULTS.md.
inference: $(VENV)/.ready-inference
	$(BIN)/python -m tests.inference

$(VENV)/.ready-inference: $(VENV)/.ready
	$(INSTALLER) --editable '.[inference,sensitivity,search]'
	@touch $@

# Fault injection (kills, damaged files, full disks, invalid requests), about ten minutes; the counts
# are written to tests/soak/RESULTS.md.
soak: $(VENV)/.ready
	$(BIN)/python -m tests.soak

# Is what runs until they have settled end with still so after ten times as long? A quarter of an hour;
# counts and points are written to tests/settle/RESULTS.md.
settle: $(VENV)/.ready
	$(BIN)/python -m tests.settle

# The experiments of papers, whole; values go to tests/papers/results.json and the page docs/papers.md.
# What outputs/papers has is not run again.
papers: $(VENV)/.ready
	$(BIN)/python -m tests.papers

# Every change under which a quick test of a paper must fail, each in a process of its own.
papers-broken: $(VENV)/.ready
	$(BIN)/python -m tests.papers --broken

lint: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The site of the documentation, docs/_build/html/index.html; warnings are errors. Pages and figures of
# the reference are generated first, from the code (docs/stdp_docs).
docs: $(VENV)/.ready-docs
	PYTHONPATH=docs $(BIN)/python -m stdp_docs docs/_build/source
	$(BIN)/python -m sphinx --fail-on-warning --nitpicky --quiet --fresh-env \
		--conf-dir docs docs/_build/source docs/_build/html
	@echo docs/_build/html/index.html

$(VENV)/.ready-docs: $(VENV)/.ready
	$(INSTALLER) --editable '.[docs]'
	@touch $@

# All code blocks of README and docs, those that take minutes too; `make test-long` runs the others.
docs-examples: $(VENV)/.ready
	STDP_LONG_EXAMPLES=1 $(PYTEST) tests/end_to_end/test_printed_*.py

# Run the experiments of README and docs, draw their figures, and render the notebooks. Figures of
# papers are drawn from outputs/papers, which `make papers` completes first.
gallery: run papers $(VENV)/.ready-inference
	$(BIN)/python -m pipeline +experiment=equilibrium name=equilibrium
	$(BIN)/python -m analysis outputs/equilibrium --figure rates --figure phase_diagram \
		--figure durations
	$(BIN)/python -m analysis outputs/equilibrium --figure weights --where stdp.ltd_ratio=1.1
	$(BIN)/python -m pipeline +experiment=equilibrium stdp.ltd_ratio=1.1 record.weight_interval=1000 \
		name=approach
	$(BIN)/python -m analysis outputs/approach --figure settling
	$(BIN)/python -m pipeline simulation=exercise_2 synapse=exercise_2 input=notebook \
		input.rate_hz=10 record=everything name=exercise_2
	$(BIN)/python -m analysis outputs/exercise_2 --figure run
	mkdir -p analysis/gallery
	cp outputs/input_rates/figures/weights.png analysis/gallery/weights.png
	cp outputs/input_rates/figures/rates_against_rate_hz.png analysis/gallery/rates.png
	cp outputs/equilibrium/figures/weights_ltd_ratio=1.1.png analysis/gallery/equilibrium_weights.png
	cp outputs/equilibrium/figures/rates_against_rate_hz.png analysis/gallery/equilibrium_rates.png
	cp outputs/equilibrium/figures/phase_diagram.png \
		analysis/gallery/equilibrium_phase_diagram.png
	cp outputs/equilibrium/figures/durations.png analysis/gallery/equilibrium_durations.png
	cp outputs/approach/figures/settling.png analysis/gallery/equilibrium_settling.png
	cp outputs/exercise_2/figures/run.png analysis/gallery/exercise_2.png
	PYTHONPATH=docs $(BIN)/python -m stdp_docs.paper_figures outputs/papers
	rm -rf analysis/gallery/*.md analysis/gallery/*_files
	TQDM_DISABLE=1 $(BIN)/python -m jupyter nbconvert --log-level ERROR --to markdown --execute \
		--output-dir analysis/gallery analysis/notebooks/*.ipynb

# The pictures of docs/how_to/explore.md, in a minute; needs the browser of `make test-browser`.
screenshots: $(VENV)/.ready
	$(INSTALLER) --editable '.[browser]'
	$(BIN)/python -m tests.support.screenshots

# All benchmarks, some 20 minutes, to tests/benchmarks/RESULTS.md. The rows of the other simulators
# require `make peers` once and a C++ compiler, or BRIAN2_PYTHON and NEST_PYTHON; the row of C a C
# compiler. Some of them: python -m tests.benchmarks --only NAME, or --missing after an interruption.
bench: $(VENV)/.ready
	$(BIN)/python -m tests.benchmarks

# The figure of run time against size, docs/growth.png, about a minute; part of `make bench`.
growth: $(VENV)/.ready
	$(BIN)/python -m tests.benchmarks --only growth

# Time and memory of sweeps of a million points, in half an hour: a grid, the same in shards that are
# merged, and samples; the tables are in docs/explanation/speed.md.
large: $(VENV)/.ready
	$(BIN)/python -m tests.benchmarks.large

peers: .venv-brian2/.ready .venv-nest/.ready

.venv-brian2/.ready: PACKAGES = brian2 'numpy<2' cython setuptools
.venv-nest/.ready: PACKAGES = nest-simulator numpy

.venv-brian2/.ready .venv-nest/.ready:
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check $(PACKAGES)
	@echo '*' > $(@D)/.gitignore
	@touch $@

clean:
	rm -rf $(VENV) .venv-lowest .venv-brian2 .venv-nest .pytest_cache .ruff_cache .mypy_cache .hypothesis .coverage

$(VENV)/.ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(INSTALLER) --editable '.[test]'
	@touch $@

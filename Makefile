# make demo: the whole story. make test: checks and tests. Everything lives in .venv.
PYTHON ?= python3
# A CPU wheel by preference; TORCH="torch" with TORCH_INDEX= (empty) takes the platform's default, CUDA included.
TORCH ?= torch==2.13.0
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo setup test test-all check format bench bench-check bench-teach bench-kills bench-train bench-pretrained bench-generate bench-memory bench-ingest fuzz clean

demo: setup
	$(BIN)/clinragen run recipes/demo.toml

setup: $(READY)

$(READY): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	@echo "installing torch and the packages in pyproject.toml (a few minutes, once)"
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --retries 1 \
		$(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) "$(TORCH)"
	$(BIN)/pip install --quiet --disable-pip-version-check -e ".[dev]"
	@touch $@

check: setup
	$(BIN)/ruff format --check src tests scripts benchmarks
	$(BIN)/ruff check src tests scripts benchmarks
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell src tests docs recipes *.md

test: check
	$(BIN)/pytest -n 2 --dist loadfile -m "not slow"

test-all: check
	$(BIN)/pytest -n 2 --dist loadfile

format: setup
	$(BIN)/ruff format src tests scripts benchmarks
	$(BIN)/ruff check --fix src tests scripts benchmarks

bench: setup
	for script in benchmarks/bench_*.py; do $(BIN)/python $$script; done

# The checker: how fast, how often right on labelled claims, how many planted errors it catches.
bench-check: setup
	$(BIN)/python benchmarks/bench_check.py
	$(BIN)/python benchmarks/checker_accuracy.py
	$(BIN)/python benchmarks/planted_errors.py

# How busy the remote teacher keeps a server, and its own cost; what 50 kills do to its ledger.
bench-teach: setup
	$(BIN)/python benchmarks/bench_teach.py

bench-train: setup
	$(BIN)/python benchmarks/bench_train.py

# A pretrained model on a CPU: words trimmed, the record read once.
bench-pretrained: setup
	$(BIN)/python benchmarks/bench_pretrained.py

bench-generate: setup
	$(BIN)/python benchmarks/bench_generate.py

# Time and memory of a training step, as notes, batches and knowledge grow; also draws the figure of docs/training.md.
bench-memory: setup
	$(BIN)/python benchmarks/bench_memory.py docs/figures/memory.svg

# Ingest of MIMIC-IV-shaped files (some 10 GB of room), against pandas, which is installed for it.
bench-ingest: setup
	$(BIN)/pip install --quiet --disable-pip-version-check pandas
	$(BIN)/python benchmarks/bench_ingest.py

# Ten thousand damaged files: read, refused with one clear error, or a fault.
fuzz: setup
	$(BIN)/python benchmarks/fuzz_readers.py

bench-kills: setup
	$(BIN)/python benchmarks/bench_kills.py

clean:
	rm -rf $(VENV) runs .pytest_cache .mypy_cache .ruff_cache

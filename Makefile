# make run opens Latentarium, make test tests it; both do all the set-up there is.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
READY := $(VENV)/.ready
LANGUAGES := fr

.PHONY: run test test-slow fuzz check format bench screenshots messages setup clean

run: $(READY)
	@$(BIN)/python -m desktop $(ARGS)

test: $(READY)
	@$(BIN)/python -m pytest $(ARGS)

# The phenomena of the course, on the defaults, on three seeds.
test-slow: $(READY)
	@$(BIN)/python -m pytest -m slow $(ARGS)

# 10,000 mutated files through every reader of people's own data, and 1,000 mutated sessions.
fuzz: $(READY)
	@$(BIN)/python -m tests.fuzz $(ARGS)

check: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

format: $(READY)
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

# Ratios against peers in one run.
bench: $(READY)
	@$(BIN)/python -m tests.bench $(ARGS)

# Every picture in README and on the demo cards, from the real window.
screenshots: $(READY)
	@$(BIN)/python packaging/screenshots.py

# Collect new messages into the catalogues; tests fail while one is untranslated.
messages: $(READY)
	@$(BIN)/pybabel -q extract --no-wrap --sort-by-file --no-location -k _ -o assets/locale/latentarium.pot engine desktop
	@for l in $(LANGUAGES); do \
		$(BIN)/pybabel -q update --no-wrap --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date -D latentarium -i assets/locale/latentarium.pot \
			-o assets/locale/$$l/latentarium.po -l $$l; done
	@rm assets/locale/latentarium.pot

setup: $(READY)

$(READY): pyproject.toml
	@$(PYTHON) -c "import sys; sys.version_info >= (3, 11) or sys.exit('Latentarium needs Python 3.11 or newer; this is ' + sys.version.split()[0] + '. Name another with: make PYTHON=python3.11 run')"
	@echo "Setting up $(VENV): a few minutes, once."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[dev]"
	@touch $(READY)

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache

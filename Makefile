# Everything a fresh Linux machine with Python 3.11-3.13 and make needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export TF_CPP_MIN_LOG_LEVEL ?= 2

.PHONY: env run test lint test-slow docs lock clean

env: $(VENV)/.installed

# uv installs the lock file in seconds and compiles bytecode, without which importing TensorFlow takes 11 s.
$(VENV)/.installed: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
		|| { echo "recfactory needs Python 3.11 to 3.13; name one with: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python -r requirements.lock
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --no-deps --editable .
	touch $@

run: env
	$(BIN)/recfactory run examples/synthetic.yaml

lint: env
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --config setup.cfg

test: lint
	$(BIN)/pytest -m "not slow" -n 2 --dist loadfile

test-slow: env
	$(BIN)/pytest -m slow

docs: env
	$(BIN)/pdoc --docformat google --output-directory build/docs hw recfactory pipelines serving

lock: env
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --extra dev --no-annotate --no-header \
		pyproject.toml | sed "s/ ; python_full_version < .3.14. and platform_machine == .x86_64. and sys_platform == .linux.$$//" \
		> requirements.lock.new
	{ echo "# The one set of versions this project is tested with. Made by \`make lock\` from pyproject.toml."; \
		cat requirements.lock.new; } > requirements.lock && rm requirements.lock.new

clean:
	rm -rf $(VENV) runs build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

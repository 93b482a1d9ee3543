PYTHON ?= python3
BIN = .venv/bin
export OMP_NUM_THREADS = 1
export OPENBLAS_NUM_THREADS = 1

demo: .venv/made
	$(BIN)/tieline demo

test: .venv/test
	$(BIN)/python -m pytest -n 2

check: .venv/check
	$(BIN)/ruff format --check src tests benchmarks
	$(BIN)/ruff check src tests benchmarks
	$(BIN)/pyright

bench: .venv-bench/made
	.venv-bench/bin/python -m benchmarks $(NAME)

.venv/made: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q -e .
	touch $@

.venv/test: .venv/made
	$(BIN)/pip install -q -e ".[test]"
	touch $@

.venv/check: .venv/test
	$(BIN)/pip install -q -e ".[check]"
	touch $@

.venv-bench/made: pyproject.toml benchmarks/requirements.txt
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/pip install -q -e . -r benchmarks/requirements.txt
	touch $@

.PHONY: demo test check bench

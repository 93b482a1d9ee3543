# Every recipe can be typed by hand.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
NAME ?= sage_1d sage_2d fegapd sage_seeds sage_cost sage_mcmc active_fegapd pools calibration composition membrane tortuosity inverse search transfer volume_vae tofsims xrd fingerprint reliability workflow
BIN = .venv/bin
CODE = src tests benchmarks docs examples
# One thread a process: on small matrices several threads cost more than they bring.
export OMP_NUM_THREADS = 1
export OPENBLAS_NUM_THREADS = 1

.PHONY: demo test slow check bench docs figures clean

demo: .venv/made
	$(BIN)/tieline demo

test: .venv/test
	$(BIN)/python -m pytest -n 2

slow: .venv/test
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m slow $(if $(ONLY),-k '$(ONLY)')

check: .venv/check
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/pyright --pythonpath $(BIN)/python

bench: .venv-bench/made
	for name in $(NAME); do .venv-bench/bin/python -m benchmarks $$name || exit 1; done

docs: .venv/docs
	$(BIN)/python -m mkdocs build --strict

figures: .venv/docs
	$(BIN)/python docs/draw.py

clean:
	rm -rf .venv .venv-bench site tieline-demo

# A stamp file tells what an environment has; a change of pyproject.toml installs again. An environment that
# works is kept: made anew over itself by another Python, it would be half of each.
.venv/made: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install -q -e .
	touch $@

.venv/test: .venv/made
	$(BIN)/python -m pip install -q -e ".[test]"
	touch $@

.venv/check: .venv/test
	$(BIN)/python -m pip install -q -e ".[check]"
	touch $@

.venv/docs: .venv/made
	$(BIN)/python -m pip install -q -e ".[docs]"
	touch $@

.venv-bench/made: pyproject.toml benchmarks/requirements.txt
	test -x .venv-bench/bin/python || $(PYTHON) -m venv --clear .venv-bench
	.venv-bench/bin/python -m pip install -q -e . -r benchmarks/requirements.txt
	touch $@

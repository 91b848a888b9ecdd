# `make validate` and `make test` set up everything they need in .venv first; Python >= 3.11 is all they ask for.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: validate test test-gpu frameworks lint benchmark benchmark-gpu clean

validate: $(VENV)/report.done
	$(BIN)/python -m validation run --profile quick

# The adapters of torch and optax are tested where these are installed; `make test` alone says that they are not.
frameworks: $(VENV)/frameworks.done

test: $(VENV)/test.done
	$(BIN)/python -m pytest -n auto --dist worksteal

# With a CUDA device only; `make test` lists these tests as not run.
test-gpu: $(VENV)/gpu.done
	$(BIN)/python -m pytest -m gpu tests/devices

lint: $(VENV)/dev.done
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

benchmark: $(VENV)/report.done $(VENV)/benchmark.done
	$(BIN)/python -m validation.benchmarks.fused_step
	$(BIN)/python -m validation.benchmarks.prox_speed
	$(BIN)/python -m validation.benchmarks.tracker_overhead
	$(BIN)/python -m validation.benchmarks.training_step
	$(BIN)/python -m validation.benchmarks.linear_models
	$(BIN)/python -m validation.benchmarks.linear_costs

benchmark-gpu: $(VENV)/gpu.done
	$(BIN)/python -m validation.benchmarks.device_step

clean:
	rm -rf $(VENV) validation-report

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "$(PYTHON) is older than Python 3.11; name another one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# One stamp per extra (report, test, dev, benchmark), so that each command installs no more than it needs.
$(VENV)/%.done: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[$*]'
	@touch $@

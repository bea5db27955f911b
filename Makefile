# `make help` lists the commands.
PYTHON ?= python3
PY := .venv/bin/python
export PYTHON
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

.venv/.run: .requirements/run.txt .requirements/install.sh
	@.requirements/install.sh run

.venv/.dev: .requirements/dev.txt .requirements/install.sh
	@.requirements/install.sh dev

.PHONY: help
help: ## List the commands
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: .venv/.run ## Start the console, the device doors and the worker; Ctrl-C ends all of it
	@$(PY) manage.py setup
	@exec $(PY) manage.py serve

.PHONY: demo
demo: .venv/.run ## Load demo data: products, devices, a batch
	@$(PY) manage.py setup
	@$(PY) manage.py demo

.PHONY: test
test: .venv/.dev ## Run every test on private PostgreSQL and Redis, the storage part again on SQLite, then `make check`
	@$(PY) tests/services.py

.PHONY: test-fast
test-fast: .venv/.dev ## Run the quick tests on SQLite, with nothing else installed
	@$(PY) -m pytest -q -n 2 -m "not slow and not browser"

.PHONY: check
check: .venv/.dev ## Style, types, floors, migrations, Django's own checks
	@failed=0; for step in "ruff check ." "ruff format --check ." "mypy" "lint-imports" \
	  "python manage.py makemigrations --check --dry-run --settings tests.settings" "python tests/deployment.py"; \
	  do echo "-- $$step"; .venv/bin/$$step || failed=1; done; exit $$failed

.PHONY: bench
bench: .venv/.dev ## Measure, each figure beside its floor, at full size
	@$(PY) -m bench

.PHONY: bench-quick
bench-quick: .venv/.dev ## The same at a size that takes two minutes
	@$(PY) -m bench --quick

.PHONY: screenshots
screenshots: .venv/.dev ## Take the README's pictures anew, light and dark
	@$(PY) docs/screenshots/take.py

.PHONY: messages
messages: .venv/.dev ## Collect the console's texts into locale/ and compile the translations
	@$(PY) manage.py messages

.PHONY: lock
lock: .venv/.dev ## Resolve .requirements/*.in to the locked lists
	@cd .requirements && for list in run dev; do \
	  ../.venv/bin/uv pip compile $$list.in -o $$list.txt --quiet --upgrade --generate-hashes --universal --python-version 3.11 \
	    --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"; done

.PHONY: clean
clean: ## Remove the virtual environment and caches; the data folder stays
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis test-results
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@echo "Removed. The data folder (var/) was left alone."

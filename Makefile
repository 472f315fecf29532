# `make help` lists what there is. Nothing here needs root, and nothing outside this folder is written to.

PYTHON ?= python3
VENV   := .venv
RUN    := $(VENV)/bin
READY  := $(VENV)/.ready
HOME_DIR ?= var/home
TEST_OPTIONS ?= -n 2 --dist worksteal
# The tests that are about the rooms of [tool.coverage.run], not those that only pass through them.
COVERING := $(addprefix tests/unit/,crypto envelope policy audit exchange evidence test_xmlsafe.py store/test_tampering.py store/test_time_stamps.py store/test_token_making.py \
            store/test_erasure.py store/test_kept_checkpoints.py store/test_reindexing.py app/test_time_stamping.py app/test_record_watch.py app/test_witnessing.py app/test_retention.py \
            cli/test_peer_messages.py cli/test_call_messages.py cli/test_access_fields.py cli/test_record_page.py cli/test_log_tiles.py cli/test_officer_tokens.py cli/test_reindex.py) \
            tests/vectors tests/attacks/test_attachments.py tests/attacks/test_checkpoints_shown.py tests/attacks/test_statuses.py
# Each octet of a container of evidence and of an archive file, of which `make test` changes some.
EACH_OCTET := $(addprefix tests/unit/evidence/test_signature.py::test_a_changed_octet_of_, a_file_is_found_and_named the_container_is_found) \
            $(addprefix tests/unit/cli/test_archive.py::test_a_changed_octet_, of_an_archive_file_is_found_and_named under_a_checksum_that_fits_is_found_and_named)
TIME ?= 1200
KILLS ?= 1000
TARGET ?=
CHECKED := adapter bench examples scripts tests
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help setup demo test attacks endurance kills fuzz mutants coverage interop check types rules bench promises package audit serve lock docs clean

help: ## show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

setup: $(READY) ## make .venv with exactly what requirements.lock names (other targets do it when needed)

$(READY): requirements.lock pyproject.toml scripts/setup
	@PYTHON="$(PYTHON)" scripts/setup $(VENV)
	@touch $@

demo: $(READY) ## run a small federation with every refusal; KEEP=1 leaves it up and says how to call it
	@$(RUN)/adapter demo $(if $(KEEP),--keep)

test: $(READY) ## run all tests
	@$(RUN)/pytest $(TEST_OPTIONS)

interop: $(READY) ## run the tests with foreign software (PHP, Perl, Node, C++, Java, Go, .NET); names its versions
	@$(RUN)/pytest -n 2 --dist loadfile --no-loadscope-reorder -m interop tests/interop

attacks: $(READY) ## run every case of the attack suite, of which `make test` runs a part (some minutes)
	@ATTACKS=every $(RUN)/pytest $(TEST_OPTIONS) tests/attacks $(EACH_OCTET)

mutants: $(READY) ## change the code that opens, gates, trusts and decides: a test must notice; MODULES="crypto/open" for some
	@nice -n 15 $(RUN)/python -m scripts.mutants $(MODULES)

coverage: $(READY) ## every branch of crypto, envelope, policy, audit and xmlsafe is run by their tests; names the missing ones
	@rm -rf var/coverage && mkdir -p var/coverage
	@$(RUN)/coverage run -m pytest --quiet $(TEST_OPTIONS) $(COVERING)
	@$(RUN)/coverage combine --quiet
	@$(RUN)/coverage report

fuzz: $(READY) ## search for inputs that break something, 20 minutes a target (TIME=60 TARGET=gate for less)
	@$(RUN)/python -m tests.fuzz run --time $(TIME) $(addprefix --target ,$(TARGET))

endurance: $(READY) ## ten minutes of attacks on two running adapters while a calm client goes on; docs/limits.md
	@$(RUN)/python -m bench.endurance

kills: $(READY) ## SIGKILL writers of a record, then processes of two adapters, 1,000 times each; KILLS=50 for fewer
	@KILLS=$(KILLS) $(RUN)/pytest --quiet -o timeout=0 -k killed tests/unit/store/test_processes.py
	@$(RUN)/python -m tests.kills --kills $(KILLS)

check: $(READY) ## format, lint, types, floors, architecture, generated pages
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=target types rules

# The two halves of `make check`, side by side: mypy keeps one processor busy.
types: $(READY)
	@$(RUN)/mypy $(wildcard $(CHECKED:=/))

rules: $(READY)
	@$(RUN)/ruff format --check --quiet .
	@$(RUN)/ruff check --quiet .
	@$(RUN)/lint-imports --no-logo
	@$(RUN)/python scripts/generate_docs.py --check
	@$(RUN)/pytest --quiet -n 2 --deselect tests/architecture/test_errors.py::test_generated_pages_are_current tests/architecture

bench: $(READY) ## measure exchanges per second and CPU per exchange; writes bench/results/
	@$(RUN)/python -m bench
	@-$(RUN)/python -m bench.record
	@$(RUN)/python -m bench.directory

promises: $(READY) ## break each of the ten promises in a copy and see the named test fail; BREAKS='"no record"' for some
	@$(RUN)/python scripts/break_promises.py $(BREAKS)

package: $(READY) ## build wheel, sdist and bill of materials in dist/, twice, and compare the two
	@$(RUN)/python scripts/package.py dist

audit: $(READY) ## look for known weaknesses of what the lock names; says so when nobody can be asked
	@$(RUN)/python scripts/audit.py

serve: $(READY) ## run the adapter of var/home (HOME_DIR=... for another one)
	@$(RUN)/adapter serve --home $(HOME_DIR)

docs: $(READY) ## write the pages that are generated from the code
	@$(RUN)/python scripts/generate_docs.py

lock: ## resolve the dependencies again and write requirements.lock
	@PYTHON="$(PYTHON)" scripts/lock

clean: ## remove what the other targets made, but not .venv
	@rm -rf var build dist bench/results .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +

# SPDX-License-Identifier: Apache-2.0 OR MIT
# Front door. The build itself is CMake: see CMakePresets.json and CONTRIBUTING.md.

PREFIX ?= /usr/local
DESTDIR ?=

.PHONY: all single packages docs dist demo test quick lint coverage bench fuzz metal wcet small install clean help newcomer mutation prove soak cross-tests annotations nightly

all: ## build the libraries, the objects to preload and the tool into build/
	@scripts/setup build
	@scripts/build release

demo: ## record the C compiler at work, then say which allocator suits it: build/demo/report.html
	@scripts/fetch-uplot || true
	@scripts/setup build
	@BUILD_TARGET=products scripts/build release
	@scripts/demo

test: ## build everything and run every test
	@scripts/setup build test
	@scripts/build release
	@scripts/run-tests build

quick: ## the tests that take less than a minute together
	@scripts/quick-test

lint: ## formatting, layers, clang-tidy, cppcheck
	@scripts/setup build lint
	@scripts/lint

coverage: ## lines, branches and conditions of the core
	@scripts/coverage $(ARGS)

bench: ## measure beside other allocators, which it installs (ARGS="--json")
	@scripts/setup build bench
	@scripts/build release
	@scripts/bench $(ARGS)

fuzz: ## fuzz every target for a bounded time (SECONDS_EACH=60)
	@scripts/setup build test fuzz
	@scripts/fuzz

metal: ## boot machines without an operating system, and run the suites there
	@scripts/bare-metal

newcomer: ## a fresh Debian, git clone, make demo, make test: what a newcomer waits for (ARGS="--test")
	@scripts/newcomer $(ARGS)

wcet: all ## the longest path of the constant-time operations, in instructions
	@scripts/wcet

small: ## what small machines need: code, structure, least RAM, instructions, longest paths
	@scripts/setup build metal
	@scripts/code-size
	@scripts/least-ram
	@scripts/build release
	@scripts/wcet

mutation: ## change src/ in one place at a time; the tests must notice (ARGS="--all bitmap")
	@scripts/setup build test
	@scripts/mutation $(ARGS)

prove: ## prove the arithmetic of src/ for all values, with negative controls (ARGS="--controls=all")
	@scripts/setup prove
	@scripts/prove $(ARGS)

cross-tests: ## run the tests of the core under qemu-user (ARGS="s390x"): aarch64 armhf riscv64 s390x
	@scripts/setup build cross
	@scripts/cross-tests $(ARGS)

annotations: ## sanitizers and valgrind find mistakes inside pools, with ACRE_ANNOTATE
	@scripts/setup build fuzz bench
	@scripts/check-annotations

nightly: ## in full what .ci/run leaves out or samples: hours; goes on after a fault
	@bad=0; for check in "make mutation" "make fuzz" "make soak" "make annotations" "make cross-tests" \
	    "scripts/check-clang --tests" "scripts/check-programs build all" "scripts/check-suites build all" \
	    "scripts/check-tidy --deep" "scripts/check-targets --all" "scripts/check-configurations --all" "scripts/bare-metal --all" "build/tests/heap.lock_sections" "scripts/newcomer --test"; do \
	    echo "== $$check"; $$check || { bad=1; echo "FAILED: $$check"; }; done; exit $$bad

soak: ## a random model run of 10^7 operations for each allocator, the largest exhaustive search (ARGS="tlsf")
	@scripts/setup build test
	@scripts/build release
	@build/tests/model.random soak $(ARGS)
	@build/tests/exhaustive.states_full soak

single: ## write the core and each allocator as one header and one source: build/single
	@scripts/single

docs: ## build the site: guides, reference, documents: build/docs/index.html
	@scripts/setup docs
	@scripts/docs

dist: ## write the archives of a release: build/dist
	@scripts/dist

packages: ## write the packages for Zephyr, ESP-IDF, PlatformIO and Arduino: build/packages
	@scripts/packages

install: all ## install under DESTDIR and PREFIX
	@DESTDIR='$(DESTDIR)' cmake --install build --prefix '$(PREFIX)'

clean: ## remove build/
	rm -rf build

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' Makefile

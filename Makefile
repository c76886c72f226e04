# The targets that people and CI use; CMake (CMakePresets.json) does the work.
PREFIX  ?= /usr/local
DESTDIR ?=
JOBS    ?= $(shell nproc)
ARGS    ?=
PRESET  ?= release

BINARY = build/release/bin/etcd-monitor

.DEFAULT_GOAL := help
.PHONY: help deps build build-release test coverage lint fmt tidy run demo benchmark perf fuzz nightly install uninstall clean

help:  ## Show this list
	@sed -n 's/^\([a-z-]*\):.*  ## /\1	/p' $(MAKEFILE_LIST) | awk -F '\t' '{printf "  make %-14s %s\n", $$1, $$2}'

deps:  ## Install the packages that building and testing need (Debian, Ubuntu)
	scripts/install-deps.sh

# Cheap where nothing is missing: one question to dpkg a package.
.PHONY: have-build have-test
have-build:
	@scripts/install-deps.sh --check --build 2>/dev/null || scripts/install-deps.sh --build
have-test:
	@scripts/install-deps.sh --check 2>/dev/null || scripts/install-deps.sh

build: build-release  ## Build bin/etcd-monitor

build-release: have-build  ## The same: the release build
	cmake --preset release --log-level=WARNING >/dev/null
	cmake --build --preset release --parallel $(JOBS) --target etcd-monitor
	@mkdir -p bin && ln -sfn ../$(BINARY) bin/etcd-monitor

test: have-test  ## Build and run every test, on real etcd 3.4 and 3.5, then a short fuzz; PRESET=release, TESTS="-L unit"
	scripts/test.sh $(PRESET) $(TESTS)
	scripts/fuzz.sh $(or $(SECONDS),10)

coverage: have-test  ## Line coverage of src/; fails below 80 %
	scripts/coverage.sh 80

lint:  ## Layers, coroutines, sizes, words and format
	scripts/lint.sh

fmt:  ## Format the C++ files
	scripts/format.sh

tidy:  ## clang-tidy over everything
	scripts/tidy.sh --all

run: build  ## Build and run, with ARGS="--endpoints=..."
	bin/etcd-monitor $(ARGS)

demo: build  ## Three local etcd members and the monitor on them
	@command -v etcd >/dev/null || scripts/install-deps.sh --test
	bin/etcd-monitor demo $(ARGS)

benchmark: build  ## The product's benchmark on three local etcd members, with ARGS="write --clients=100"
	@command -v etcd >/dev/null || scripts/install-deps.sh --test
	scripts/benchmark.sh $(ARGS)

perf: have-test  ## Measure: writes docs/performance.md
	scripts/perf.sh

fuzz: have-test  ## Each fuzzer for SECONDS=60
	scripts/fuzz.sh $(or $(SECONDS),60)

nightly: have-test  ## What is too slow for every change: full tidy, headers, TSan, long fuzz, perf
	scripts/nightly.sh

install: build  ## Install below PREFIX (default /usr/local), honours DESTDIR
	cmake --build --preset release --parallel $(JOBS)
	DESTDIR=$(DESTDIR) cmake --install build/release --prefix $(PREFIX)

uninstall:  ## Remove what install put there
	@test -f build/release/install_manifest.txt || { echo "no build/release/install_manifest.txt: nothing is known to be installed"; exit 1; }
	xargs -d '\n' -I{} rm -fv -- "$(DESTDIR){}" <build/release/install_manifest.txt

clean:  ## Remove what was built
	rm -rf build bin

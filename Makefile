# Every target sets up what it needs. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

HOST ?= 127.0.0.1
PORT ?= 8080
MODELS ?= Examples/models
IMAGE ?= seqnorm
DOCKER ?= docker
BINARY := .build/release/seqnorm

.PHONY: help serve build test test-swift test-e2e schemathesis lint format arm64 bench soak fuzz sanitize image clean dependencies

help: ## what can be made
	@sed -nE 's/^([a-z0-9-]+):.*## (.*)/\1\t\2/p' Makefile | expand -t 14

serve: build ## build in release and serve MODELS on HOST:PORT
	@exec $(BINARY) serve --host $(HOST) --port $(PORT) --drain-delay 0 $(MODELS)

build: dependencies ## the release binary, .build/release/seqnorm
	@swift build -c release --static-swift-stdlib -Xswiftc -enforce-exclusivity=unchecked --product seqnorm

dependencies:
	@scripts/install-dependencies build

test: test-swift test-e2e ## every test: Swift's own, then the release binary over real sockets

test-swift: dependencies .venv/stamp
	@scripts/fetch-onnx-suite .venv/bin/python
	@mkdir -p .build
	@SWIFTNIO_STRICT=1 swift test 2>&1 | tee .build/test.log \
		|| { echo "Failed:"; grep -E '^✘|: error:|Fatal error|crashed' .build/test.log | tail -40; exit 1; }

test-e2e: build .venv/stamp
	@.venv/bin/pytest -q Tests/e2e

schemathesis: build .venv/stamp ## property tests of every route against openapi.yaml
	@scripts/schemathesis

lint: .venv/stamp ## format, import directions, container file; no build
	@scripts/lint

arm64: ## compile the kernels for arm64
	@scripts/check-arm64

format: ## rewrite the Swift files in the project's format
	@swift format -i --parallel --recursive Package.swift Sources Tests Fuzzing/Package.swift Fuzzing/Sources

bench: build .venv/stamp ## speed against onnxruntime and torch, cost of HTTP and JSON, memory, start
	@.venv/bin/pip install -q -r Benchmarks/requirements.txt
	@scripts/bench

soak: build .venv/stamp ## mixed load on the server, SECONDS long: no error, no memory, no file kept
	@.venv/bin/python Benchmarks/soak.py --seconds $(or $(SECONDS),1800) $(SOAK)

fuzz: dependencies ## search for models and requests that trap or hang, SECONDS long for each reader
	@for reader in models instances tensors lines fasta connections; do \
		scripts/fuzz $$reader $(or $(SECONDS),60); done

sanitize: dependencies ## tests of the server with ThreadSanitizer, and of what calls C with AddressSanitizer
	@scripts/sanitize thread
	@scripts/sanitize address

image: ## build the container image IMAGE
	@$(DOCKER) build -t $(IMAGE) .

clean: ## remove what was built
	@rm -rf .build .venv

.venv/stamp: Tests/e2e/requirements.txt
	@scripts/install-dependencies test
	@python3 -m venv .venv
	@.venv/bin/pip install -q --disable-pip-version-check -r Tests/e2e/requirements.txt
	@touch $@

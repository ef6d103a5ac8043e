# The development loop. `make` alone lists the targets; README.md and CONTRIBUTING.md say when to use which.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# What says that the environment has what running needs, and what tests and checks need in addition.
RUNS := $(VENV)/.ready-run
READY := $(VENV)/.ready-dev
ARGS ?=
# Images of containers and CIs set it. Without caches, each worker of the tests compiles all tests anew, and each operator
# and server that they start compiles all of its source: twice the time until the first test.
unexport PYTHONDONTWRITEBYTECODE
# kubectl on PATH, else the packaged one. Evaluated by the recipe, when the environment exists.
KUBECTL = "$$($(BIN)/python -m hack.tools kubectl)"
# As many processes as tests/workers.py says, by what ARGS selects; it has the order of the tests as well.
TEST_OPTIONS ?= -n auto

.PHONY: help
help:  ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^##@ / {printf "\n%s\n", substr($$0, 5)} /^[a-zA-Z_-]+:.*## / {printf "  %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ Try it

.PHONY: run
run: $(RUNS)  ## Start the sandbox (Kubernetes API, SageMaker, operator), run the samples, show them live; ARGS=--once ends by itself
	@$(BIN)/python -m hack.sandbox run $(ARGS)

##@ Develop

.PHONY: venv
venv: $(READY)  ## Make the environment in .venv, again only when dependencies changed

$(RUNS) $(READY): $(VENV)/.ready-%: setup.cfg pyproject.toml $(wildcard requirements/*.txt)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "error: Python 3.11 or newer is needed, $$($(PYTHON) --version) found; try: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m hack.setup $* --directory $(VENV)

.PHONY: lock
lock:  ## Write requirements/*.txt after a change of dependencies; ARGS=--upgrade takes the newest versions
	@$(PYTHON) -m hack.setup.lock $(ARGS)

.PHONY: wheels
wheels:  ## Show which systems and Pythons have wheels of all that is locked, by the package index's metadata
	@$(PYTHON) -m hack.setup.wheels $(ARGS)

.PHONY: test
test: $(READY)  ## Run all tests (unit, property, faults, sandbox end to end); ARGS selects, e.g. ARGS='-k informer'
	@$(BIN)/python -m pytest $(TEST_OPTIONS) $(ARGS)

# pytest would not heed --ignore for what is a path of its own.
FAST := tests/unit tests/property tests/faults

.PHONY: test-fast
test-fast: $(READY)  ## Run the tests without servers, operators and the large products, in less than a minute; ARGS narrows, e.g. ARGS='-k queue'
	@$(BIN)/python -m pytest -q $(TEST_OPTIONS) -o testpaths='$(FAST)' -m 'not long' $(ARGS)

.PHONY: test-stress
test-stress: $(READY)  ## Run tests on a busy machine, in the background, as another user, in random order; ARGS="--seed N --repeat M tests/…"
	@$(BIN)/python -m hack.stress $(ARGS)

END_TO_END := tests/sandbox/test_trainingjob_life.py tests/sandbox/test_crashes.py tests/sandbox/test_idle.py tests/sandbox/test_kubectl_trainingjob.py tests/sandbox/test_kubectl_guides.py

ON_REAL_SERVERS := tests/sandbox/test_manifests.py tests/sandbox/real_cluster.py

.PHONY: test-envtest
test-envtest: $(READY)  ## Run the end-to-end tests against the etcd and kube-apiserver in KUBEBUILDER_ASSETS
	@for each in etcd kube-apiserver; do test -x "$(KUBEBUILDER_ASSETS)/$$each" || \
	  { echo "error: set KUBEBUILDER_ASSETS to a directory with etcd and kube-apiserver (setup-envtest use -p path); no $$each in '$(KUBEBUILDER_ASSETS)'" >&2; exit 1; }; done
	@KUBEBUILDER_ASSETS="$(abspath $(KUBEBUILDER_ASSETS))" $(BIN)/python -m pytest $(TEST_OPTIONS) $(END_TO_END) $(ON_REAL_SERVERS) $(ARGS)

.PHONY: test-cluster
test-cluster: $(READY)  ## Run the end-to-end tests against the cluster of your kubeconfig, in a scratch namespace; installs the CRDs
	@$(KUBECTL) version --request-timeout=10s >/dev/null 2>&1 || \
	  { echo "error: kubectl reaches no cluster; set KUBECONFIG (and the context) to one where you may install CRDs" >&2; exit 1; }
	@TEST_CLUSTER=1 $(BIN)/python -m pytest $(END_TO_END) $(ARGS)

# They are more than all of ours, and pip takes minutes for them. Their warnings are theirs.
CLIENTS := build/clients
.PHONY: test-clients
test-clients: $(READY) $(CLIENTS)/.ready  ## Run clients by others (AWS CLI, sagemaker-core, kr8s, lightkube, kopf, kubernetes) against the sandbox
	@PROJECT_PYTHON="$(abspath $(BIN))/python" $(CLIENTS)/bin/python -m pytest -q -W ignore tests/clients $(ARGS)

$(CLIENTS)/.ready: tests/clients/requirements.txt
	@echo "Setting up $(CLIENTS), once ..."
	@$(PYTHON) -m venv --clear $(CLIENTS)
	@$(CLIENTS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/uv.txt
	@$(CLIENTS)/bin/uv pip install --quiet --python $(CLIENTS)/bin/python --requirement $<
	@touch $@

.PHONY: test-clients-go
test-clients-go: $(READY)  ## Run the client tests of the API machinery (controller-runtime) against the sandbox's API server; needs Go
	@$(BIN)/python -m tests.clients.controller_runtime $(ARGS)

.PHONY: test-state-metrics
test-state-metrics: $(READY)  ## Compare what kube-state-metrics (on PATH) exposes of our configuration with the objects of a sandbox
	@$(BIN)/python -m tests.clients.state_metrics

.PHONY: lint
lint: $(READY)  ## Check style and formatting with ruff
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

.PHONY: lint-dockerfile
lint-dockerfile: $(READY)  ## Check the Dockerfile with hadolint
	@$(BIN)/hadolint Dockerfile

.PHONY: fmt
fmt: $(READY)  ## Format and fix what can be fixed
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

.PHONY: type
type: $(READY)  ## Check types with mypy --strict
	@$(BIN)/mypy

.PHONY: check
check: lint lint-dockerfile type crds-check manifests-check chart site bundle dist test-image-build test  ## Everything that CI runs

.PHONY: soak
soak: $(READY)  ## Break the operator at random and judge what is left; ARGS="--seed N --minutes M"
	@$(BIN)/python -m tests.sandbox.soak $(ARGS)

.PHONY: hostile
hostile: $(READY)  ## Lose the answer to each change at AWS in every way, and play each other thing that AWS does to callers: 20 minutes
	@$(BIN)/python -m pytest -n 6 tests/sandbox/every_lost_answer.py tests/sandbox/every_hostile_story.py $(ARGS)

.PHONY: queue-faults
queue-faults: $(READY)  ## Send ten thousand messages without use to a status queue
	@$(BIN)/python -m pytest tests/sandbox/every_queue_fault.py $(ARGS)

.PHONY: explore
explore: $(READY)  ## Explore all interleavings of the life-cycles' small models; ARGS="--deep" takes some ten minutes
	@$(BIN)/python -m tests.faults.explorer $(ARGS)

.PHONY: every-property
every-property: $(READY)  ## Play every property of the CRDs from a manifest to AWS and back; ARGS="--seed N --kind KIND --path TEXT --nth K/N"
	@$(BIN)/python -m tests.every_property $(ARGS)

.PHONY: conformance-random
conformance-random: $(READY)  ## Compare the sandbox with the kube-apiserver in KUBEBUILDER_ASSETS by random requests; ARGS="--seed N --rounds M"
	@$(BIN)/python -m tests.random_requests $(ARGS)

.PHONY: bench
bench: $(READY)  ## Measure queue, store and informer on this machine (not a test)
	@$(BIN)/python -m hack.bench.runtime $(ARGS)

.PHONY: profile
profile: $(READY)  ## Show where the operator's CPU time and memory go, phase by phase; ARGS="--jobs N --what cpu --lines N"
	@$(BIN)/python -m hack.bench.profile $(ARGS)

.PHONY: bench-budgets
bench-budgets: $(READY)  ## Compare our call budgets with other ways to find AWS's rate, in simulated time
	@$(BIN)/python -m hack.bench.budgets

.PHONY: bench-growth
bench-growth: $(READY)  ## Measure what 1,000, 10,000 and 50,000 objects at rest cost: start, memory, resync; half an hour; ARGS="sizes"
	@$(BIN)/python -m hack.bench.growth $(ARGS)

.PHONY: bench-status
bench-status: $(READY)  ## Measure how soon status is shown, and its calls, in hard accounts: an hour; ARGS="--before DIR --jobs N"
	@$(BIN)/python -m hack.bench.status $(ARGS)

.PHONY: bench-peers
bench-peers: $(READY)  ## Run 1,000 jobs with the operator and others, in turns: an hour; ARGS="--before DIR --peer NAME=COMMAND"
	@$(PYTHON) -m hack.setup bench --directory build/kopf
	@$(BIN)/python -m hack.bench.peers --kopf-python build/kopf/bin/python $(ARGS)

##@ Generate

.PHONY: crds
crds: $(READY)  ## Regenerate config/crd/bases, docs/api and docs/schemas from the AWS service models
	@$(BIN)/python -m hack.crds $(ARGS)

.PHONY: crds-check
crds-check: $(READY)  ## Fail if the checked-in CRDs are not what the generator makes
	@$(BIN)/python -m hack.crds --check

.PHONY: manifests
manifests: crds  ## Rebuild release/, charts, roles, dashboard, IAM policies and docs/status.md; IMAGE=name:tag sets the image
	@$(BIN)/python -m hack.manifests $(if $(IMAGE),--image $(IMAGE))

.PHONY: manifests-check
manifests-check: $(READY)  ## Fail if what `make manifests` writes is not checked in
	@$(BIN)/python -m hack.manifests --check

.PHONY: bundle
bundle: $(READY)  ## Write the bundle for the Operator Lifecycle Manager to dist/bundle, checked by operator-sdk or operator-verify on PATH; IMAGE=
	@$(BIN)/python -m hack.manifests.bundle $(if $(IMAGE),--image $(IMAGE))
	@if command -v operator-sdk >/dev/null; then operator-sdk bundle validate dist/bundle --select-optional suite=operatorframework; \
	elif command -v operator-verify >/dev/null; then \
	  found="$$(operator-verify manifests dist/bundle/manifests 2>&1)" && test -z "$$found" || { echo "$$found" >&2; exit 1; }; fi

.PHONY: site
site:  ## Build the documentation as a site, dist/site/index.html; a broken link or anchor is an error
	@# an environment of its own: nothing else needs MkDocs
	@$(PYTHON) -m hack.setup site --directory build/site
	@# not --quiet: MkDocs counts what it does not show, and would pass
	@build/site/bin/mkdocs build --strict --config-file hack/site/mkdocs.yml

# The charts of the operator for a cluster and for a namespace have one name, so that each has a folder of its own.
CHARTS := installer/rolebased installer/namespaced/crd_chart installer/namespaced/operator_chart training-jobs hyperparameter-tuning-jobs batch-transform-jobs

.PHONY: chart
chart: $(READY)  ## Check the charts and pack them into dist/charts; OCI=oci://registry/path pushes each to the folder of its name there
	@helm="$$($(BIN)/python -m hack.tools helm)"; for chart in $(CHARTS); do \
	  folder="$$(basename "$$chart")" && rm -rf "dist/charts/$$folder" && "$$helm" lint --strict --quiet "hack/charts/$$chart" && \
	  "$$helm" package "hack/charts/$$chart" --destination "dist/charts/$$folder" || exit 1; \
	  test -z "$(OCI)" || "$$helm" push "dist/charts/$$folder"/*.tgz "$(OCI)/$$folder" $(ARGS) || exit 1; \
	done

##@ Release (docs/releasing.md)

# where a release's files will be: krew's manifest names them there
URL ?=

.PHONY: captures
captures: $(READY)  ## Run the commands that pages show, in sandboxes, and write what they print today: a minute; ARGS=page.md selects
	@$(BIN)/python -m hack.captures $(ARGS)

.PHONY: captures-check
captures-check: $(READY)  ## Fail if a page shows other output than today's (no part of `make test`, which checks what can be seen at once)
	@$(BIN)/python -m hack.captures --check $(ARGS)

.PHONY: smlogs
smlogs: $(READY)  ## Build kubectl smlogs as one file for any Python from 3.11, an archive for each system, and krew's manifest; URL=
	@$(BIN)/python -m hack.smlogs $(if $(URL),--url $(URL))

.PHONY: dist
dist: $(READY)  ## Build wheel, source archive, plugin, bill of materials and checksums, twice, and compare: dist/; URL=
	@$(BIN)/python -m hack.dist --verify $(if $(URL),--url $(URL))

##@ Image

ENGINE ?= docker
PLATFORMS ?= linux/amd64,linux/arm64

.PHONY: image
image:  ## Build the image with ENGINE (docker, podman or buildah); IMAGE=name:tag names it, ARGS adds options
	@$(ENGINE) build --build-arg OPERATOR_COMMIT="$$(git rev-parse --short HEAD)" -t $(or $(IMAGE),amazon-sagemaker-operator-for-k8s:v1) $(ARGS) .

.PHONY: image-multiarch
image-multiarch:  ## Build for amd64 and arm64 with docker buildx, attach provenance and bills of materials, and push to IMAGE
	@test -n "$(IMAGE)" || { echo "error: set IMAGE to a name in a registry that you can push to" >&2; exit 1; }
	@docker buildx build --platform $(PLATFORMS) --provenance=mode=max --sbom=true --push \
	  --build-arg OPERATOR_COMMIT="$$(git rev-parse --short HEAD)" -t $(IMAGE) $(ARGS) .

.PHONY: test-image-build
test-image-build: $(READY)  ## Run the steps of the Dockerfile's build stage below a scratch directory, without an engine
	@$(BIN)/python -m tests.image.build_stage

.PHONY: test-image
test-image: $(READY)  ## Run the operator from an image's unpacked files in ROOT_FS=directory, as root on Linux
	@test -d "$(ROOT_FS)/app" || { echo "error: ROOT_FS must name the unpacked root file system of the image; no app in '$(ROOT_FS)'" >&2; exit 1; }
	@IMAGE_ROOT_FS="$(abspath $(ROOT_FS))" $(BIN)/python -m pytest -q tests/image $(ARGS)

##@ Cluster (the one your kubeconfig names)

.PHONY: install
install: $(RUNS)  ## Install the CRDs into the current cluster
	@$(KUBECTL) apply --server-side --force-conflicts -f config/crd/bases

.PHONY: uninstall
uninstall: $(RUNS)  ## Remove the CRDs; refuses while objects of ours exist, since they may own things at AWS (FORCE=1 overrides)
	@$(call refuse-while-objects-are-left,--all-namespaces)
	@$(KUBECTL) delete --ignore-not-found --filename config/crd/bases

.PHONY: deploy
deploy: $(RUNS)  ## Install the operator for all namespaces, or for one: NAMESPACE=name (its CRDs with `make install`)
	@$(INSTALLER) | $(KUBECTL) apply --filename -

.PHONY: undeploy
undeploy: $(RUNS)  ## Remove what `make deploy` has installed; refuses while objects exist (FORCE=1 overrides)
	@$(call refuse-while-objects-are-left,$(if $(NAMESPACE),--namespace=$(NAMESPACE),--all-namespaces))
	@$(INSTALLER) | $(KUBECTL) delete --ignore-not-found --filename -

INSTALLER = $(if $(NAMESPACE),sed 's/PLACEHOLDER-NAMESPACE/$(NAMESPACE)/g' release/rolebased/namespaced/operator.yaml,cat release/rolebased/installer.yaml)

# Objects without their operator wait for ever when they are deleted. Not to know whether there are any is no leave to go on.
define refuse-while-objects-are-left
test -n "$(FORCE)" && exit 0; \
kinds=$$($(KUBECTL) api-resources --api-group=sagemaker.aws.amazon.com --output=name | paste -sd,; exit $${PIPESTATUS[0]}) && \
left=$$(test -z "$$kinds" || $(KUBECTL) get "$$kinds" $(1) --output=name) || \
  { echo "error: it cannot be told whether objects are left (FORCE=1 goes on)" >&2; exit 1; }; \
if [ -n "$$left" ]; then \
  echo "error: $$(wc -l <<< "$$left") objects of sagemaker.aws.amazon.com are left; while the operator still runs, delete them with:" >&2; \
  echo "  kubectl delete --all $(1) $$kinds" >&2; \
  exit 1; \
fi
endef

##@ Clean

.PHONY: clean
clean:  ## Remove caches, build output and the sandbox's files
	@rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .sandbox .sandbox-* *.egg-info
	@find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

.PHONY: clean-all
clean-all: clean  ## Remove the environment and downloaded tools, too
	@rm -rf $(VENV) .tools

# What people type. CI runs .ci/run, which uses the same targets.
GO       ?= go
LINT     := .bin/golangci-lint
LINT_VER := v2.15.0

.PHONY: build test test-real test-long lint check figures demo

build: ## bin/fourways and bin/fourways-agent: static, without paths of this machine
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/ ./cmd/fourways ./cmd/fourways-agent

test: ## needs Go and nothing else
	$(GO) test ./...

test-real: ## all tests, with the race detector, against servers that others wrote (Debian, root)
	.ci/install
	cache=$$(mktemp -d) && trap 'rm -rf "$$cache"' EXIT && \
	FOURWAYS_REAL=1 FOURWAYS_REAL_CACHE=$$cache CGO_ENABLED=1 $(GO) test -race -shuffle=on -timeout 20m ./...

test-long: ## what takes more than minutes, on real servers where they are needed (Debian, root)
	.ci/install
	FOURWAYS_LONG=1 FOURWAYS_REAL=1 $(GO) test -timeout 120m ./...

$(LINT):
	CGO_ENABLED=0 GOBIN=$(CURDIR)/.bin $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VER)

lint: $(LINT) ## format and rules of .golangci.yml
	$(LINT) run ./...

check: lint ## before a commit
	$(GO) vet ./...
	$(GO) test ./...

figures: build ## measured, printed, asserted nowhere
	$(GO) test -run '^$$' -bench . -benchmem ./internal/... ./providers/...
	bash .ci/figures

demo: ## the whole lab on this machine
	$(GO) run ./cmd/fourways up

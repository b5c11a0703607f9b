# What one does with this repository. Everything but interop, topics, streams, proxies, reverse-proxies, browser and autobahn needs only Go.

GOLANGCI = github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK = golang.org/x/vuln/cmd/govulncheck@v1.9.0
CYCLONEDX = github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0

SBOM = .cache/sbom

# The modules: the library in ".", and those that keep what they need away from it.
MODULES = $(patsubst %/go.mod,%,$(shell find . -name go.mod -not -path '*/node_modules/*' -not -path './.cache/*' | sort))

# For make again.
RUNS = 20

FUZZTIME = 30s
FUZZJOBS = 1

SOAKTIME = 10m

.DEFAULT_GOAL := help
.PHONY: help run test test-short race again lint vuln fuzz soak conformance conformance-server suite-results autobahn interop topics streams demo market cluster compat reverse-proxies browser proxies bench bench-quick bench-foreign bench-attack bench-topics bench-streams bench-compat bench-compression mutate cover sbom release ci clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## serve the demo at https://localhost:8443 (LISTEN=localhost:9443 for another address)
	@cd examples && go build -o ../.cache/demo ./demo && exec ../.cache/demo $(if $(LISTEN),-listen $(LISTEN)) $(ARGS)

# run_tests goes through the modules, with the flags that it is given.
define run_tests
@failed=; for dir in $(MODULES); do \
	began=$$(date +%s) verdict=ok; \
	(cd $$dir && go test $(1) ./...) || { verdict=FAILED; failed="$$failed $$dir"; }; \
	echo "# $$verdict: module $$dir in $$(($$(date +%s) - began)) s"; \
done; if [ -n "$$failed" ]; then echo "FAIL  modules:$$failed"; exit 1; fi
endef

test: ## run the tests of every module
	$(call run_tests,$(TESTFLAGS))

# Most of their time is waiting, so two modules run at once, each with more packages and tests at once than there are processors.
test-short: ## run the quick tests of every module, in a minute or two
	@echo . $(filter-out .,$(MODULES)) | tr ' ' '\n' | xargs -P 2 -I DIR sh -c 'log=$$(mktemp); began=$$(date +%s) verdict=ok; \
		(cd DIR && go test -short -p 4 -parallel 6 $(TESTFLAGS) ./...) >"$$log" 2>&1 || verdict=FAILED; \
		cat "$$log"; rm -f "$$log"; echo "# $$verdict: module DIR in $$(($$(date +%s) - began)) s"; [ $$verdict = ok ]' \
		|| { echo "FAIL  a module"; exit 1; }

race: ## run the tests of every module with the race detector
	@set -e; for dir in $(MODULES); do echo "go test -race ./... # in $$dir"; (cd $$dir && go test -race ./...); done

again: ## run the tests of some packages RUNS (20) times with the race detector, four at once, to find what fails now and then (PACKAGES='conn http2', ...)
	@RUNS=$(RUNS) .ci/again $(or $(PACKAGES),conn)

lint: ## check formatting, vet and staticcheck in every module, and the layers of the library
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then echo "not formatted by gofmt:"; echo "$$unformatted"; exit 1; fi
	@set -e; for dir in $(MODULES); do echo "go vet, staticcheck # in $$dir"; (cd $$dir && go vet ./... && go run $(STATICCHECK) ./...); done
	go run $(GOLANGCI) run ./...

vuln: ## look for known vulnerabilities in what the code calls
	@set -e; for dir in $(MODULES); do echo "govulncheck # in $$dir"; (cd $$dir && go run $(GOVULNCHECK) ./...); done

fuzz: ## fuzz every target for FUZZTIME (30s), FUZZJOBS (1) at a time
	@FUZZTIME=$(FUZZTIME) FUZZJOBS=$(FUZZJOBS) .ci/fuzz

soak: ## have connections come, stall and vanish for SOAKTIME (10m), and account for everything (ARGS='-conns 500', ...)
	go run ./test/soak -time $(SOAKTIME) $(ARGS)

conformance: ## run the conformance suite against an echo server: URL=wss://host:port/path (ARGS='-insecure -cases 1.*', ...)
	go run ./autobahn/suite/cmd -url '$(URL)' $(ARGS)

conformance-server: ## run the conformance suite for clients that connect (LISTEN=localhost:9001, ARGS='-plain', ...)
	go run ./autobahn/suite/cmd -listen $(or $(LISTEN),localhost:9001) $(or $(ARGS),-development)

suite-results: ## run the conformance suite against twelve other libraries, and write docs/suite-results.md (ARGS='-peers ws', or -check to compare)
	go run ./test/suiteresults $(ARGS)

autobahn: ## run the Autobahn|Testsuite against both roles (ARGS='-scheme wss', ...)
	go run ./autobahn/runner $(ARGS)

interop: ## show interoperation with some forty other implementations over wss (ARGS='-only ws,Firefox', ...)
	$(if $(ARGS),,go run ./test/interop)
	go run ./test/matrix $(ARGS)

topics: ## have the TypeScript client of package pubsub talk to a hub from Node.js, Chromium and Firefox (ARGS='-only node', ...)
	go run ./test/topics $(ARGS)

streams: ## run the suite over HTTP/2 and HTTP/3, and talk HTTP/2 with browsers, Node.js, haproxy, nghttpx and hypercorn (ARGS='-only node', ...)
	cd test/streams && go run . $(ARGS)

demo: ## have two users try the demo in Chromium and in Firefox, and kill one of two nodes (ARGS='-only firefox', ...)
	go run ./test/demo $(ARGS)

market: ## send prices to 2,000 clients, of which some stall, and fail on a backlog (ARGS='-conns 200', ...)
	go run ./test/market $(ARGS)

cluster: ## have 200 users talk over three nodes that are killed, paused, cut off and restarted, and check what they saw (ARGS='-clients 24', ...)
	cd test/cluster && go run . $(or $(ARGS),-rounds 3 -clients 200 -topics 10 -pause 400ms)

compat: ## run gorilla/websocket's own tests, and those of programs that use it, with the drop-in (ARGS='-only slack', ...)
	cd test/compat && go run . $(ARGS)

reverse-proxies: ## run nginx, haproxy, Caddy, Apache and nghttpx between client and server (ARGS='-only nginx', ...)
	cd test/reverseproxy && go run . $(ARGS)

browser: ## have Chromium use the demo's page
	go run ./test/interop -only browser $(ARGS)

proxies: ## dial through Debian's squid, tinyproxy and microsocks (ARGS='-only squid', ...)
	go run ./test/proxies $(ARGS)

bench: ## measure this library beside its peers, into bench/report, in some 25 minutes (ARGS='-rows 1,5', ...)
	cd bench && go run . -out report $(ARGS)

bench-quick: ## the same with less, into bench/report-quick, in some two minutes
	cd bench && go run . -quick -out report-quick $(ARGS)

bench-foreign: ## measure beside uWebSockets and Rust servers; needs cc, pip and cargo (ARGS='-quick', ...)
	cd bench && go run ./foreign $(ARGS)

bench-attack: ## measure what a hostile peer costs a server, beside gorilla and coder, in some two minutes (ARGS='-quick', ...)
	cd bench && go run ./attack $(ARGS)

bench-topics: ## measure what publishing to topics costs, beside centrifuge, uWebSockets and gorilla, in under five minutes (ARGS='-quick', ...)
	cd bench && go run ./topics $(ARGS)

bench-streams: ## measure WebSockets over HTTP/1.1, HTTP/2 and HTTP/3 side by side, in under four minutes (ARGS='-quick', ...)
	cd bench && go run ./streams $(ARGS)

bench-compat: ## measure rows 1 to 6, 8 and 9 through compat/gorilla, beside gorilla (ARGS='-quick', ...)
	cd bench && go run . -compat $(ARGS)

bench-compression: ## measure what compression costs, for docs/performance.md
	go test -run '^$$' -bench CompressionCPU -benchtime 1500x -count 3 ./conn
	go test -run '^$$' -bench CompressionMemory -benchtime 1x ./conn

mutate: ## change the code in small ways and count what the tests do not notice, for hours (PACKAGES='frame mask', ...)
	go run ./test/mutate $(ARGS) $(PACKAGES)

cover: ## print the coverage of every package and in total
	go test -coverprofile=cover.out ./...
	@go tool cover -func=cover.out | tail -1

sbom: ## write a bill of materials of each module that users import, in CycloneDX's JSON, into .cache/sbom
	@mkdir -p $(SBOM); clean=$$(mktemp -d); trap 'rm -rf $$clean' EXIT; \
	git clone -q . $$clean/wss && cd $$clean/wss && for dir in . pubsub/nats http3 compat/gorilla/replace observe/prometheus observe/otel; do \
		name=$$(echo wss/$$dir | tr / - | sed 's/-\.$$//'); \
		go run $(CYCLONEDX) mod -noserial -json -output "$(abspath $(SBOM))/sbom-$$name.json" $$dir || exit 1; \
	done; ls "$(abspath $(SBOM))"

release: ## build cmd/wss for every system, reproducibly, into .cache/release
	.ci/release

ci: ## run everything that the project's CI runs
	.ci/run

clean: ## remove what the other targets have made here
	rm -rf .cache autobahn/reports bench/report-quick cover.out
	go clean -testcache

package main

import (
	"strconv"
	"strings"
	"testing"
)

// fakePage behaves as the demo's page does, as far as the checks look.
func fakePage(process *running) *fakeDriver {
	size, echoed := "125", 0
	f := &fakeDriver{texts: map[string]string{
		"#state": "", "#subprotocol": "", "#echoed": "0", "#log li:first-child": "", "#rtt": "–",
		"#text": "Hello, 世界 👋", "#send": "", "#binary": "", "#close": "", "#connect": "",
		"#size option[value='125']": "", "#size option[value='65536']": "", "#size option[value='1048576']": "",
	}}
	f.onClick = func(css string, texts map[string]string) {
		came := func(label string) {
			echoed++
			texts["#echoed"], texts["#rtt"] = strconv.Itoa(echoed), "0.25 ms"
			texts["#log li:first-child"] = "← " + label + ", 0.25 ms"
		}
		switch css {
		case "url", "#connect":
			texts["#state"], texts["#subprotocol"] = "open", "echo"
		case "#send":
			came(strconv.Quote(texts["#text"]))
		case "#binary":
			came(size + " random bytes")
		case "#close":
			texts["#state"] = `closed: code=1000 wasClean=true reason=""`
			_, _ = process.out.Write([]byte(`closed 127.0.0.1:1: code 1000 (normal closure) and reason "closed on the page"` + "\n"))
		default:
			size = strings.Trim(css[strings.Index(css, "'"):], "']")
		}
	}
	return f
}

// runPageChecks runs the checks on a fake page, and returns what was reported.
func runPageChecks(t *testing.T) string {
	t.Helper()
	// In place of the demo a process that does not end by itself will do.
	p, err := start(t.Context(), self(t, "sleeper"))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Stop()
	if _, err := p.await(t.Context(), "sleeping"); err != nil {
		t.Fatal(err)
	}
	b, out := newTestBench(t)
	f := fakePage(p)
	(&pageChecks{report: b.report, driver: f.session(t), demo: &demo{process: p, page: "https://localhost:1/"}}).run(t.Context())
	return out.String()
}

func TestPageChecksPassOnAPageThatWorks(t *testing.T) {
	out := runPageChecks(t)
	if strings.Count(out, "ok    browser: ") != 8 {
		t.Errorf("got\n%s", out)
	}
	// The process is no demo: it does not end well.
	if !strings.Contains(out, "FAIL  browser: closed by the server, cleanly with 1001: the demo ended with status -1") {
		t.Errorf("got\n%s", out)
	}
}

func TestPageChecksStopAtAConsoleError(t *testing.T) {
	p, err := start(t.Context(), self(t, "sleeper"))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Stop()
	f := fakePage(p)
	f.console = []string{"the policy blocked a script"}
	b, out := newTestBench(t)
	(&pageChecks{report: b.report, driver: f.session(t), demo: &demo{process: p}}).run(t.Context())
	if !strings.HasSuffix(out.String(), "FAIL  browser: nothing in the console: the policy blocked a script\n") {
		t.Errorf("got\n%s", out)
	}
}

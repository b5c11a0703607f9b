package main

import (
	"os"
	"slices"
	"strings"
	"testing"
)

func readText(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestThePageHasAConfigurationForEveryProxy with and without TLS to the server, and none that is not tried.
func TestThePageHasAConfigurationForEveryProxy(t *testing.T) {
	configs, err := readPage(page)
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, p := range proxies() {
		want = append(want, p.name, p.name+"-tls")
		if p.passes {
			want = append(want, p.name+"-proxy-protocol")
		}
	}
	for name := range configs {
		if !slices.Contains(want, name) {
			t.Errorf("the page's configuration %s is not tried", name)
		}
	}
	for _, name := range want {
		if configs[name] == "" {
			t.Errorf("the page has no configuration %s", name)
		}
	}
}

// TestWhatRunsIsWhatIsPrinted but for paths, names, ports and timeouts.
func TestWhatRunsIsWhatIsPrinted(t *testing.T) {
	l, err := newLaboratory(&report{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	for _, p := range proxies() {
		for _, overTLS := range []bool{false, true} {
			text, err := l.config(p, overTLS, 20001)
			if err != nil {
				t.Errorf("%s: %v", p.name, err)
				continue
			}
			for _, foreign := range []string{"/etc/ssl", "example", "8080", "8443", "443 ", ":443\n", ",443", "60s"} {
				if strings.Contains(text, foreign) {
					t.Errorf("%s still has %q:\n%s", p.name, foreign, text)
				}
			}
			backend := l.backend.plain
			if overTLS {
				backend = l.backend.tls
			}
			if !strings.Contains(strings.ReplaceAll(text, ",", ":"), backend) {
				t.Errorf("%s does not use our server %s:\n%s", p.name, backend, text)
			}
		}
	}
}

// TestEverySymptomOfTheTableIsProduced, and each of ours has its row.
func TestEverySymptomOfTheTableIsProduced(t *testing.T) {
	_, table, _ := strings.Cut(readText(t, page), "## Symptoms\n")
	produced := make(map[string]int)
	for line := range strings.Lines(table) {
		if cells := strings.Split(line, " | "); len(cells) == 3 && cells[1] != "cause" {
			produced[cells[1]] = 0
		}
	}
	if len(produced) < 15 {
		t.Fatalf("%d rows", len(produced))
	}
	for _, p := range proxies() {
		for _, s := range p.symptoms {
			rows := 0
			for cause := range produced {
				if s.cause != "" && strings.Contains(cause, s.cause) {
					produced[cause]++
					rows++
				}
			}
			if s.cause != "" && rows != 1 {
				t.Errorf("%s: %s is in %d rows", p.name, s.name, rows)
			}
		}
	}
	for cause, n := range produced {
		if n == 0 {
			t.Errorf("nothing produces: %s", cause)
		}
	}
}

// TestThePrintedListenerIsOurs: the page prints the function that the server of the checks uses.
func TestThePrintedListenerIsOurs(t *testing.T) {
	_, rest, _ := strings.Cut(readText(t, "backend.go"), "\n// proxied returns")
	function, _, _ := strings.Cut(rest, "\n}\n")
	if function == "" || !strings.Contains(readText(t, page), "```go\n// proxied returns"+function+"\n}\n```") {
		t.Error("the page does not print proxied as it is in backend.go")
	}
}

func TestEditsChangeSomething(t *testing.T) {
	for _, old := range []string{"", "absent"} {
		if _, err := apply("present", edit{old, "new"}); err == nil {
			t.Errorf("%q: no error", old)
		}
	}
	if got, err := apply("a b a", edit{"a", "c"}, edit{"c b", "d"}); got != "d c" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if got := lineWith("one\n two\nthree", "tw"); got != " two\n" {
		t.Errorf("%q", got)
	}
}

package suite

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seed-c4549abd/wss/autobahn/report"
	"github.com/seed-c4549abd/wss/autobahn/suite/faulty"
)

// TestTheTableOfFaultsIsInTheDocumentation: docs/conformance.md holds what the tables of faults say, which other tests
// show to be true for a selection of cases.
func TestTheTableOfFaultsIsInTheDocumentation(t *testing.T) {
	const begin, end = "<!-- faults -->\n", "<!-- end of faults -->\n"
	path := filepath.Join("..", "..", "docs", "conformance.md")
	doc, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(doc), begin)
	table, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatal("the document has no place for the table")
	}
	want := faultTable()
	if table == want {
		return
	}
	if !*updateFiles {
		t.Fatalf("the table is not as it should be; go test ./autobahn/suite -run TableOfFaults -update writes it. Want\n%s", want)
	}
	if err := os.WriteFile(path, []byte(head+begin+want+end+tail), 0o600); err != nil {
		t.Fatal(err)
	}
}

func faultTable() string {
	var b strings.Builder
	b.WriteString("| a peer that | is caught, as a server, by | as a client, by |\n|---|---|---|\n")
	cases, clients := Cases(), faulty.ClientFaults()
	servers := faulty.Faults()
	for _, f := range append(slices.Clone(servers), clients[len(clients)-2:]...) {
		server, client := "—", "—"
		if slices.Contains(servers, f) {
			server = catchers(cases, caught[f], true)
		}
		if slices.Contains(clients, f) {
			c, ok := caughtOfClients[f]
			if !ok {
				c = caught[f]
			}
			client = catchers(cases, c, false)
		}
		if client == server {
			client = "the same"
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", f, server, client)
	}
	return b.String()
}

// catchers names the cases that catch something, whole groups and subgroups by a star. Those of compression count where
// a fault is about it.
func catchers(cases []Case, c catching, server bool) string {
	wanted := map[string]bool{}
	named, err := report.Match(c.patterns)
	if c.patterns != nil && err != nil {
		panic(err)
	}
	for i := range cases {
		one := &cases[i]
		if slices.Contains(named, one.ID) || c.where != nil && c.where(one) {
			wanted[one.ID] = server || !compresses(one)
		}
	}
	var names []string
	all := report.AllCases()
	for i := 0; i < len(all); {
		if !wanted[all[i]] {
			i++
			continue
		}
		name, n := all[i], 1
		for cut := strings.Index(all[i], "."); ; {
			prefix := all[i][:cut+1]
			under := slices.DeleteFunc(slices.Clone(all), func(id string) bool { return !strings.HasPrefix(id, prefix) })
			if under[0] == all[i] && !slices.ContainsFunc(under, func(id string) bool { return !wanted[id] }) && len(under) > 1 {
				name, n = prefix+"*", len(under)
				break
			}
			next := strings.Index(all[i][cut+1:], ".")
			if next < 0 {
				break
			}
			cut += next + 1
		}
		names = append(names, name)
		i += n
	}
	if names == nil {
		return "nothing"
	}
	return strings.Join(names, ", ")
}

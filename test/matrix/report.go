package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// verdict is what became of a check.
type verdict int

const (
	passed      verdict = iota
	passedAgain         // at the second try
	notOffered
	notPossible
	theirFault
	failed
)

var verdictNames = [...]string{"ok", "ok, 2nd try", "n/o", "n/a", "their fault", "FAIL"}

// result is a check of a peer in a role. Without a role it is about the peer itself.
type result struct {
	peer, role, check string
	verdict           verdict
	why               string
}

// report prints a line for each peer and each failure, and keeps all results.
type report struct {
	w        io.Writer
	command  string // that the report is of
	results  []result
	versions map[string]string
	order    []string // of peers
}

// begin notes a peer's version.
func (r *report) begin(p *peer, version string) {
	if r.versions == nil {
		r.versions = map[string]string{}
	}
	r.versions[p.name] = version
	r.order = append(r.order, p.name)
	fmt.Fprintf(r.w, "# %s %s\n", p.name, version)
}

// add reports a check, which passed if err is nil.
func (r *report) add(p *peer, role, check string, err error) {
	fault := p.fault(role, check, err)
	v, why := failed, ""
	switch {
	case err == nil:
		v = passed
	case errors.As(err, new(secondTry)):
		v = passedAgain
	case errors.Is(err, errNotOffered):
		v = notOffered
	case fault != "":
		v, why = theirFault, fault
	}
	if err != nil && v != notOffered {
		why = strings.TrimSpace(why + "\n" + err.Error())
	}
	r.put(result{p.name, role, check, v, why})
}

// cannot reports a check that is not possible.
func (r *report) cannot(p *peer, role, check, why string) {
	r.put(result{p.name, role, check, notPossible, why})
}

func (r *report) put(x result) {
	r.results = append(r.results, x)
	name := strings.Join(strings.Fields(x.peer+" "+x.role), " ")
	fmt.Fprintf(r.w, "%-11s %s: %s%s\n", verdictNames[x.verdict], name, x.check, indented(x.why))
}

func indented(text string) string {
	if text == "" {
		return ""
	}
	return ": " + strings.ReplaceAll(text, "\n", "\n            ")
}

// close prints the closing line, and says whether there were checks and none failed.
func (r *report) close() bool {
	var count [len(verdictNames)]int
	for _, x := range r.results {
		count[x.verdict]++
	}
	fmt.Fprintf(r.w, "%d passed, %d at the second try, %d not offered, %d not possible, %d failed by the peer's fault, %d failed\n",
		count[passed], count[passedAgain], count[notOffered], count[notPossible], count[theirFault], count[failed])
	return count[failed] == 0 && count[passed]+count[passedAgain] > 0
}

// markdown is docs/interop.md.
func (r *report) markdown() []byte {
	var b strings.Builder
	b.WriteString(`# Interoperation

What ` + "`" + r.command + "`" + ` wrote: other implementations with this library over wss, each as a client of our
server and as a server of our client, as far as it is both. A peer echoes what it is sent, and reports how each connection ended;
[test/matrix/checks.go](../test/matrix/checks.go) has the checks. A check that fails is repeated once, as other programs have races of their own; both results are listed.

`)
	b.WriteString("| peer | version | as a client | as a server |\n|---|---|---|---|\n")
	for _, name := range r.order {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", name, cell(r.versions[name]), r.sum(name, "client"), r.sum(name, "server"))
	}
	b.WriteString("\n\"Not offered\": the peer does not negotiate compression. \"Not possible\": its API does not allow the check.\n")
	for _, section := range []struct {
		title string
		v     verdict
	}{
		{"What failed", failed},
		{"What failed by the peer's fault", theirFault},
		{"What passed when it was repeated, and how it failed at first", passedAgain},
		{"What was not possible", notPossible},
	} {
		rows := r.rows(section.v)
		if rows == "" {
			continue
		}
		fmt.Fprintf(&b, "\n## %s\n\n| peer | role | check | |\n|---|---|---|---|\n%s", section.title, rows)
	}
	return []byte(b.String())
}

// sum says how many checks passed in a role, and what became of the others.
func (r *report) sum(name, role string) string {
	var count [len(verdictNames)]int
	all := 0
	for _, x := range r.results {
		if x.peer == name && x.role == role {
			count[x.verdict]++
			all++
		}
	}
	if all == 0 {
		return "–"
	}
	text := fmt.Sprintf("%d of %d", count[passed], all)
	for _, other := range []struct {
		v     verdict
		label string
	}{{passedAgain, "at the second try"}, {notOffered, "not offered"}, {notPossible, "not possible"}, {theirFault, "its fault"}, {failed, "**failed**"}} {
		if n := count[other.v]; n > 0 {
			text += fmt.Sprintf(", %d %s", n, other.label)
		}
	}
	return text
}

func (r *report) rows(v verdict) string {
	var b strings.Builder
	for _, x := range r.results {
		if x.verdict == v {
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", x.peer, x.role, x.check, cell(x.why))
		}
	}
	return b.String()
}

// cell is text in a table: one line, and not too long.
func cell(text string) string {
	text = strings.Join(strings.Fields(strings.ReplaceAll(text, "|", "\\|")), " ")
	const most = 400
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + " …"
	}
	return text
}

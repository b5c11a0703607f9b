package main

import (
	"fmt"
	"strings"
)

const intro = `# What the suite finds in others

This page is written by ` + "`make suite-results`" + `: it installs the libraries, starts an echo server on each, and runs the
[conformance suite](suite.md) against it over ws, with compression where the library has it. What fails is tried once more by itself.
The servers are in ` + "`bench/testee`" + ` and ` + "`test/suiteresults/peers`" + `: each is the smallest that its library's documentation leads to.

A finding is a MUST or a SHOULD of an RFC that was broken, or **taste**: what no RFC decides, or what the original suite asks for beyond
the RFC. Cases of one group, or from 20 on of one subgroup, with the same verdicts and section are one finding; its text and its octets are those of the first case. Octets are whole
frames, the masking key left out and the payload unmasked, cut after eight octets.
`

// page is the text of the documentation.
func page(outcomes []outcome, cases []string) string {
	var out strings.Builder
	out.WriteString(intro)
	fmt.Fprintf(&out, "\nThe cases: `%s`.\n", strings.Join(cases, "` `"))
	out.WriteString("\n| library | version | the original's cases passed | beyond them | MUST | SHOULD | taste |\n|---|---|---|---|---|---|---|\n")
	for _, o := range outcomes {
		if o.skipped != "" {
			fmt.Fprintf(&out, "| %s | **not tried** | | | | | |\n", cell(o.peer.title))
			continue
		}
		count := map[kind]int{}
		for _, f := range o.findings {
			count[f.kind]++
		}
		fmt.Fprintf(&out, "| [%s](#%s) | %s | %d of %d | %d of %d | %d | %d | %d |\n", cell(o.peer.title), anchor(o.peer.title), cell(o.version),
			o.original.passed, o.original.all, o.beyond.passed, o.beyond.all, count[must], count[should], count[taste])
	}
	for _, o := range outcomes {
		fmt.Fprintf(&out, "\n## %s\n\n", o.peer.title)
		switch {
		case o.skipped != "":
			fmt.Fprintf(&out, "**Not tried**: %s.\n", strings.TrimSuffix(o.skipped, "."))
			continue
		case len(o.findings) == 0:
			out.WriteString("Nothing was found.\n")
			continue
		}
		out.WriteString("| cases | kind | verdicts | what is done | what was found | sent | came | section |\n|---|---|---|---|---|---|---|---|\n")
		for _, f := range o.findings {
			weight := string(f.kind)
			if f.kind == taste {
				weight = "**taste**: " + cell(f.why)
			}
			if f.crash { // its authors come first
				f.cases, f.did, f.section = []string{"withheld"}, "", ""
			}
			fmt.Fprintf(&out, "| %s | %s | %s, %s | %s | %s | %s | %s | %s |\n", strings.Join(f.cases, ", "), weight, f.behavior,
				f.closing, cell(f.did), cell(f.found), code(f.sent), code(f.came), f.section)
		}
	}
	return out.String()
}

// cell is text that a table can hold: one line, without what Markdown would take for its own.
func cell(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "`", "'", "**", "**", "*", `\*`).Replace(s)
}

// code is text in a fixed font, or nothing.
func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + strings.NewReplacer("|", `\|`, "`", "'").Replace(s) + "`"
}

// anchor is what a heading is linked by.
func anchor(title string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c >= 'A' && c <= 'Z':
			return c - 'A' + 'a'
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '_':
			return c
		case c == ' ':
			return '-'
		}
		return -1
	}, title)
}

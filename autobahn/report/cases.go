package report

import (
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

//go:embed cases.txt
var casesText string

//go:embed beyond.txt
var beyondText string

// Group is a chapter of the suite.
type Group struct {
	// ID is the first number of the ids of its cases.
	ID string
	// Name says what it is about, in English.
	Name string
	// Cases are the ids of its cases, in the suite's order, such as "7.13.1".
	Cases []string
}

// Groups returns the suite's groups in order, with 517 cases in all: 301 in the groups 1 to 10 (there is no 8), and 216
// of compression in 12 and 13 (the suite has no 11). The caller owns the result.
func Groups() []Group { return groups(casesText) }

// Beyond returns the groups that package suite has beyond the original's, numbered from 20. The caller owns the result.
func Beyond() []Group { return groups(beyondText) }

// AllGroups returns both, those of the original first. The caller owns the result.
func AllGroups() []Group { return append(Groups(), Beyond()...) }

func groups(text string) []Group {
	var groups []Group
	for paragraph := range strings.SplitSeq(text, "\n\n") {
		head, ids, _ := strings.Cut(strings.TrimSpace(paragraph), "\n")
		if strings.HasPrefix(head, "#") {
			continue
		}
		id, name, _ := strings.Cut(head, " ")
		groups = append(groups, Group{ID: id, Name: name, Cases: strings.Fields(ids)})
	}
	return groups
}

// AllCases returns the ids of all 517 cases in the suite's order. The caller owns the result.
func AllCases() []string { return idsOf(Groups()) }

func idsOf(groups []Group) []string {
	var all []string
	for _, g := range groups {
		all = append(all, g.Cases...)
	}
	return all
}

// Match returns the cases that any of the patterns names, in the suite's order and once each. A pattern is an id
// ("7.13.1"), or the beginning of one with a star at a dot ("7.*", "7.13.*"), or "*" for all of the original's, or "beyond"
// for all of the others. Blanks around a pattern are ignored. A pattern that names no case is an error, as it would be a typing mistake that looks like a pass; so is
// an empty list. Errors do not name this package, since whoever typed the pattern did not call it.
func Match(patterns []string) ([]string, error) {
	all, beyond := AllCases(), idsOf(Beyond())
	wanted := map[string]bool{}
	for _, pattern := range patterns {
		pattern = strings.TrimSpace(pattern)
		prefix, starred := strings.CutSuffix(pattern, "*")
		if starred && prefix != "" && !strings.HasSuffix(prefix, ".") {
			return nil, fmt.Errorf("pattern %q: a star stands for whole numbers, as in \"1.*\"", pattern)
		}
		known := false
		for _, id := range slices.Concat(all, beyond) {
			here := id == pattern || prefix != "" && starred && strings.HasPrefix(id, prefix)
			if here || pattern == "*" && slices.Contains(all, id) || pattern == "beyond" && slices.Contains(beyond, id) {
				wanted[id], known = true, true
			}
		}
		if !known {
			return nil, fmt.Errorf("pattern %q names no case: there are %d of the original's, and %d beyond them", pattern, len(all), len(beyond))
		}
	}
	if len(wanted) == 0 {
		return nil, fmt.Errorf("no pattern of cases: use \"*\" for all %d cases", len(all))
	}
	return slices.SortedFunc(maps.Keys(wanted), compareIDs), nil
}

// compareIDs orders "2.10" after "2.9".
func compareIDs(a, b string) int {
	return slices.Compare(numbers(a), numbers(b))
}

func numbers(id string) []int {
	var n []int
	for part := range strings.SplitSeq(id, ".") {
		i, err := strconv.Atoi(part)
		if err != nil {
			i = -1
		}
		n = append(n, i)
	}
	return n
}

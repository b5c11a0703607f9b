package main

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/seed-c4549abd/wss/autobahn/suite/faulty"
)

const (
	roleServer = "server"
	roleClient = "client"
)

// testee is a program with the flags of autobahn/testee, in one role.
type testee struct {
	name, role string
	dir        string // of its module, from the root of this one
	pkg        string
	flags      []string
}

func (t *testee) String() string { return t.name + ", " + t.role }

// peers are the libraries whose echo servers are compared; the bench module knows how to set them up.
var peers = []string{"gorilla", "coder", "gobwas", "gws"}

// testees returns all that there are: this library, its peers, and those that break a rule.
func testees() []testee {
	const own, foreign, broken = "./autobahn/testee", "./testee", "./autobahn/suite/faulty/testee"
	all := []testee{
		{name: "wss", role: roleServer, dir: ".", pkg: own},
		{name: "wss", role: roleClient, dir: ".", pkg: own},
	}
	for _, lib := range peers {
		all = append(all, testee{name: lib, role: roleServer, dir: "bench", pkg: foreign, flags: []string{"-lib", lib}})
	}
	for role, faults := range map[string][]faulty.Fault{
		// Who writes late is the one whom the original blames for it, and this suite does not.
		roleServer: slices.Concat(faulty.Faults(), peculiar()), roleClient: slices.Concat(faulty.ClientFaults(), peculiar()),
	} {
		for _, f := range faults {
			name := strings.ReplaceAll(string(f), " ", "-")
			all = append(all, testee{name: name, role: role, dir: ".", pkg: broken, flags: []string{"-fault", name}})
		}
	}
	slices.SortStableFunc(all, func(a, b testee) int { return strings.Compare(b.role, a.role) }) // servers first
	return all
}

// peculiar are the peers that break no rule, whose verdicts are the original's all the same: those by the RFC stand beside.
func peculiar() []faulty.Fault {
	return slices.DeleteFunc(faulty.Peculiarities(), func(f faulty.Fault) bool { return f == faulty.WritesLate })
}

// choose returns the testees whose names match any of the patterns, as path.Match has it. A pattern that matches none is
// an error.
func choose(all []testee, patterns []string) ([]testee, error) {
	for _, pattern := range patterns {
		found := slices.ContainsFunc(all, func(t testee) bool { return matches(pattern, t.name) })
		if !found {
			return nil, fmt.Errorf("no testee is called %q", pattern)
		}
	}
	return slices.DeleteFunc(slices.Clone(all), func(t testee) bool {
		return !slices.ContainsFunc(patterns, func(pattern string) bool { return matches(pattern, t.name) })
	}), nil
}

func matches(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return ok && err == nil
}

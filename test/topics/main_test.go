package main

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
)

func TestWrongUseIsNamed(t *testing.T) {
	for _, args := range []string{"-only opera", "more", "-nonsense"} {
		var out, problems strings.Builder
		if status := run(context.Background(), strings.Fields(args), &out, &problems); status != exitUsage || problems.Len() == 0 {
			t.Errorf("%s: status %d, %q", args, status, &problems)
		}
	}
}

// TestTheNumberOfChecks is that of checks.mjs: one that is not run would be missed.
func TestTheNumberOfChecks(t *testing.T) {
	script, err := os.ReadFile("checks.mjs")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{done: make(chan struct{})}
	if n := len(regexp.MustCompile(`(?m)^    "[^"]+": async`).FindAllString(string(script), -1)); n != checks {
		t.Errorf("%d", n)
	}
	body, _ := json.Marshal(result{"a check", "it failed"})
	s.result(httptest.NewRecorder(), httptest.NewRequest("POST", "/result", strings.NewReader(string(body))))
	if r := s.all(); len(r) != 1 || r[0].Failed != "it failed" {
		t.Errorf("%+v", r)
	}
}

package main

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
)

func TestWrongUseIsNamed(t *testing.T) {
	for _, args := range []string{"-only opera", "more", "-nonsense"} {
		var out, problems bytes.Buffer
		if status := run(t.Context(), strings.Fields(args), &out, &problems); status != exitUsage || problems.Len() == 0 {
			t.Errorf("%s: status %d, %q", args, status, &problems)
		}
	}
}

func TestHelpNamesTheChecks(t *testing.T) {
	var out, help bytes.Buffer
	if status := run(t.Context(), []string{"-h"}, &out, &help); status != 0 {
		t.Errorf("status %d", status)
	}
	for _, c := range checks {
		if !strings.Contains(help.String(), c.name) {
			t.Errorf("%s is not in\n%s", c.name, &help)
		}
	}
}

func TestCasesPassInBothRoles(t *testing.T) {
	var out, problems bytes.Buffer
	status := run(t.Context(), strings.Fields("-only http2-server,http2-client,http3-server -cases 1.1.*"), &out, &problems)
	passed := regexp.MustCompile(`(?m)^ok +\S.*: \d+ cases of the suite$`).FindAllString(out.String(), -1)
	if status != 0 || len(passed) != 3 || !strings.HasSuffix(out.String(), "# 3 passed, 0 failed\n") {
		t.Errorf("status %d\n%s%s", status, &out, &problems)
	}
}

func TestACheckThatFailsIsCounted(t *testing.T) {
	var out, problems bytes.Buffer
	if status := run(t.Context(), strings.Fields("-only http2-server -cases none"), &out, &problems); status != exitFailed {
		t.Errorf("status %d\n%s%s", status, &out, &problems)
	}
}

// TestOurClientAndOurServer stand in for the peers of both.
func TestOurClientAndOurServer(t *testing.T) {
	var out bytes.Buffer
	o := &options{stdout: &out, log: &out}
	if err := againstNetHTTP(t.Context(), o); err != nil || o.failed > 0 || o.passed == 0 {
		t.Errorf("%v\n%s", err, &out)
	}
}

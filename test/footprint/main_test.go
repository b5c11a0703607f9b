package main

import (
	"context"
	"os"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

func TestMain(m *testing.M) {
	if os.Getenv(serverEnv) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// TestEveryTableIsPrinted with few connections.
func TestEveryTableIsPrinted(t *testing.T) {
	if testing.Short() || runtime.GOOS != "linux" {
		t.Skip("takes half a minute, on Linux")
	}
	t.Parallel()
	var out, problems strings.Builder
	if status := run(context.Background(), []string{"-conns", "50"}, &out, &problems); status != 0 {
		t.Fatalf("status %d\n%s%s", status, &out, &problems)
	}
	for _, want := range []string{
		`50 wss connections, active +-?[\d.]+ kB RSS a connection, +-?[\d.]+ kB heap, 1.00 descriptors`,
		`heap returned to the system`,
		`GOMEMLIMIT=40MiB +\d+ collections`,
		`ReadHeaderTimeout 0s +300 silent peers, 200 descriptors: nobody else gets in`,
		`ReadHeaderTimeout 2s +300 silent peers, 200 descriptors: another client gets in after`,
	} {
		if !regexp.MustCompile(want).MatchString(out.String()) {
			t.Errorf("there is no %q in\n%s", want, &out)
		}
	}
}

func TestWrongUseIsNamed(t *testing.T) {
	for _, args := range []string{"-conns 0", "more", "-nonsense"} {
		var problems strings.Builder
		if status := run(context.Background(), strings.Fields(args), nil, &problems); status != 2 || problems.Len() == 0 {
			t.Errorf("%s: status %d, %q", args, status, &problems)
		}
	}
}

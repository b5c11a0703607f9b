package main

import (
	"errors"
	"flag"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseOptions(t *testing.T) {
	tests := []struct {
		args   string
		passes []string
		cases  int
	}{
		{"", []string{"server over ws", "server over wss", "client over ws", "client over wss"}, 517},
		{"-role server", []string{"server over ws", "server over wss"}, 517},
		{"-scheme wss", []string{"server over wss", "client over wss"}, 517},
		{"-role client -scheme ws -cases 1.*,7.13.*", []string{"client over ws"}, 18},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			o, err := parseOptions(strings.Fields(tt.args+" -parallel 3"), io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, p := range o.passes() {
				got = append(got, p.String())
				if len(p.cases) != tt.cases || len(p.shards) != 3 {
					t.Errorf("%s: %d cases in %d shards", p, len(p.cases), len(p.shards))
				}
			}
			if diff := cmp.Diff(tt.passes, got); diff != "" {
				t.Errorf("passes (-want +got):\n%s", diff)
			}
			if !filepath.IsAbs(o.out) || !filepath.IsAbs(o.cache) || o.suite != suiteAuto || o.parallel != 3 {
				t.Errorf("%+v", o)
			}
		})
	}
}

func TestParseOptionsRefuses(t *testing.T) {
	for args, want := range map[string]string{
		"-role peer":     "-role peer",
		"-scheme http":   "-scheme http",
		"-cases 8.*":     "8.*",
		"-cases 1*":      "1*",
		"-suite podman":  "-suite podman",
		"-parallel 0":    "-parallel 0",
		"-timeout 0s":    "-timeout 0s",
		"-parallel many": "many",
		"server":         "server",
	} {
		if _, err := parseOptions(strings.Fields(args), io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v", args, err)
		}
	}
	if _, err := parseOptions([]string{"-help"}, io.Discard); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("-help: error %v", err)
	}
}

func TestDefaultCache(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", "")
	t.Setenv("HOME", "")
	t.Setenv("LocalAppData", "")
	if got, want := defaultCache(), filepath.Join(".cache", "autobahn"); got != want {
		t.Errorf("without a home: %s, want %s", got, want)
	}
}

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/bench/child"
	"github.com/seed-c4549abd/wss/bench/native"
	"github.com/seed-c4549abd/wss/bench/report"
	"github.com/seed-c4549abd/wss/bench/rows"
	"github.com/seed-c4549abd/wss/bench/sheet"
)

// TestMain lets the test's binary be a server.
func TestMain(m *testing.M) {
	if os.Getenv(child.Env) == "-server" {
		if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil {
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// TestEveryTable is measured in little, over every version, and written.
func TestEveryTable(t *testing.T) {
	if testing.Short() {
		t.Skip("starts servers")
	}
	keys, err := native.NewKeys()
	if err != nil {
		t.Fatal(err)
	}
	defer keys.Remove()
	little := echo{key: "1", title: "echo", conns: 3, rate: 300, time: 50 * time.Millisecond, rounds: 1, deaf: 2}
	idle := memory{key: "2", title: "memory", conns: 5, rounds: 1, settle: 10 * time.Millisecond}
	c := &rows.Config{Log: new(bytes.Buffer)}
	r := &report.Report{}
	for _, table := range []rows.Table{little.table(keys), idle.table(keys)} {
		r.Tables = append(r.Tables, c.Measure(t.Context(), table))
	}
	if err := sheet.Failures(r); err != nil {
		t.Error(err)
	}
	dir := t.TempDir()
	if err := streamsSheet.Write(r, dir); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "streams.md"))
	if err != nil || strings.Count(string(text), "| HTTP/3") < 2 {
		t.Errorf("%v\n%s", err, text)
	}
}

func TestWrongUse(t *testing.T) {
	for _, args := range [][]string{{"-what"}, {"-server", "HTTP/2"}, {"-server", "HTTP/2", "no", "files"}} {
		var out bytes.Buffer
		if err := run(args, &out, &out); err == nil {
			t.Errorf("%v is taken", args)
		}
	}
}

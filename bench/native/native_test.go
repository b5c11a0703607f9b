package native

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestAMissingToolchainIsSaidBriefly(t *testing.T) {
	var log bytes.Buffer
	b := &Builder{Context: t.Context(), Log: &log}
	if err := b.Tool(nil, "a-toolchain-that-nobody-has"); err == nil || err.Error() != "a-toolchain-that-nobody-has is not installed" {
		t.Error(err)
	}
	if err := b.Tool([]string{"SAID=it broke"}, "sh", "-c", `echo first >&2; echo "$SAID" >&2; echo >&2; exit 3`); err == nil || err.Error() != "sh failed: it broke" {
		t.Error(err)
	}
	if !strings.Contains(log.String(), "first") {
		t.Error("the log has not everything")
	}
	if got := lastLine(" \n\n", "exit 1"); got != "exit 1" {
		t.Errorf("%q", got)
	}
}

func TestTheClockIsThatOfTheProcess(t *testing.T) {
	before, err := CPUTime(os.Getpid())
	if err != nil {
		t.Skip(err)
	}
	after := before
	for end := time.Now().Add(time.Minute); err == nil && after <= before && time.Now().Before(end); {
		after, err = CPUTime(os.Getpid())
	}
	if err != nil || after <= before || after-before > 10*time.Second {
		t.Errorf("%v to %v, %v", before, after, err)
	}
	if _, err := CPUTime(1 << 25); err == nil {
		t.Error("a process that is not there has a clock")
	}
}

func TestAServerIsAskedAndEnded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "server")
	script := "#!/bin/sh\necho \"$1 $NAME\"\nwhile read -r line; do test \"$line\" = silence && exec sleep 60; echo \"you said $line\"; done\n"
	if err := os.WriteFile(path, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	p, err := Start([]string{"NAME=there"}, path, "here")
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if p.Addr != "here there" {
		t.Errorf("address %q", p.Addr)
	}
	if got, err := p.Ask("hello", time.Minute); got != "you said hello" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if used, err := ResidentBytes(p.PID); used < 1<<12 && !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("%d bytes of memory, %v", used, err)
	}
	if _, err := p.Ask("silence", 50*time.Millisecond); err == nil {
		t.Error("a server that says nothing has answered")
	}
}

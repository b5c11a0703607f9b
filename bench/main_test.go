package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-c4549abd/wss/bench/child"
)

// TestMain lets the test be its own child, as the program is.
func TestMain(m *testing.M) {
	_ = os.Setenv("GORACE", "atexit_sleep_ms=0") // children end at once
	if os.Getenv(child.Env) != "" {
		if err := child.Run(os.Stdin, os.Stdout); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// bench runs the program with short rounds.
func bench(t *testing.T, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, log bytes.Buffer
	args = append([]string{"-quick", "-rounds", "1", "-window", "20ms", "-conns", "10"}, args...)
	if err := run(args, &out, &log); err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	return out.String(), log.String()
}

func TestARunMeasuresAndReports(t *testing.T) {
	if testing.Short() {
		t.Skip("measures every row")
	}
	dir := filepath.Join(t.TempDir(), "report")
	out, log := bench(t, "-libs", "wss,wss-plain,wss-stream,wss-upgrade,gws,tls,tls-copy,http", "-out", dir)
	if strings.Contains(log, "failed") || strings.Contains(out, "failed") {
		t.Errorf("%s\n%s", log, out)
	}
	for _, want := range []string{"32 B echo, 1 connection", "| wss ", "| gws ", "of 41 marks met"} {
		if !strings.Contains(out, want) {
			t.Errorf("missing: %s\nin\n%s", want, out)
		}
	}
	if n := strings.Count(out, "not measured"); n != 1 { // the header codec's only peer is left out here
		t.Errorf("%d marks were not measured:\n%s", n, out)
	}
	for _, name := range []string{"report.json", "report.md", "marks.svg"} {
		path := filepath.Join(dir, name)
		was, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		bench(t, "-again", "-out", dir)
		if is, err := os.ReadFile(path); err != nil || !bytes.Equal(is, was) {
			t.Errorf("%s is another when written again, %v", name, err)
		}
	}
}

func TestAnEchoOfSomebodyElseIsMeasured(t *testing.T) {
	cert, key, err := child.NewCert()
	if err != nil {
		t.Fatal(err)
	}
	p, err := child.Start(child.Setup{Lib: "gorilla", TLS: true, Cert: cert, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	out, log := bench(t, "-rows", "1,3", "-insecure", "-url", "wss://"+p.Addr+"/")
	if !strings.Contains(out, "| wss://127.0.0.1:") || strings.Contains(log, "failed") {
		t.Errorf("%s\n%s", out, log)
	}
}

func TestChildrenSayWhatIsWrong(t *testing.T) {
	_, err := child.Start(child.Setup{Lib: "nobody"})
	if err == nil || !strings.Contains(err.Error(), "no library is called nobody") {
		t.Error(err)
	}
}

func TestRowsAreNumbersFrom1To17(t *testing.T) {
	if got, err := numbers("1,16"); err != nil || len(got) != 2 || got[1] != 16 {
		t.Error(got, err)
	}
	for _, list := range []string{"0", "18", "x"} {
		if _, err := numbers(list); err == nil {
			t.Errorf("%q was taken", list)
		}
	}
}

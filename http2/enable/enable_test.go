package enable_test

import (
	"bufio"
	"crypto/tls"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	xhttp2 "golang.org/x/net/http2"
)

// offers runs a program and reports whether its server sends SETTINGS_ENABLE_CONNECT_PROTOCOL = 1 (RFC 8441 §3).
func offers(t *testing.T, program, godebug string) bool {
	t.Helper()
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), "GODEBUG="+godebug)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close(); _ = cmd.Wait() }()
	addr, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	nc, err := tls.Dial("tcp", strings.TrimSpace(addr), &tls.Config{NextProtos: []string{"h2"}, InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	_ = nc.SetDeadline(time.Now().Add(time.Minute))
	if _, err := io.WriteString(nc, xhttp2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	framer := xhttp2.NewFramer(nc, nc)
	if err := framer.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	f, err := framer.ReadFrame()
	if err != nil {
		t.Fatal(err)
	}
	value, ok := f.(*xhttp2.SettingsFrame).Value(xhttp2.SettingEnableConnectProtocol)
	return ok && value == 1
}

// TestAProgram offers WebSockets over HTTP/2 if it imports this package, unless its environment forbids that, and not otherwise.
func TestAProgram(t *testing.T) {
	if testing.Short() {
		t.Skip("builds two programs")
	}
	dir := t.TempDir()
	build := exec.Command("go", "build", "-o", dir+string(filepath.Separator), "./testdata/with", "./testdata/without")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		program, godebug string
		want             bool
	}{
		{"with", "", true},
		{"with", "http2debug=0", true},
		{"with", "http2xconnect=0", false},
		{"without", "", false},
		{"without", "http2xconnect=1", true},
	} {
		if got := offers(t, filepath.Join(dir, tt.program), tt.godebug); got != tt.want {
			t.Errorf("%s, GODEBUG=%s: %v", tt.program, tt.godebug, got)
		}
	}
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/test/process"
	"github.com/seed-c4549abd/wss/tlsconf"
)

// fakeRole in the environment makes the test's own executable play a part.
const fakeRole = "WSS_INTEROP_FAKE"

func TestMain(m *testing.M) {
	switch role := os.Getenv(fakeRole); role {
	case "":
		os.Exit(m.Run())
	case "client":
		fakeClient(os.Args[1], os.Args[2])
	case "server":
		fakeServer(os.Args[1])
	case "compression-client":
		fakeCompressionClient(os.Args[1], os.Args[2], os.Args[3])
	case "compression-server":
		fakeCompressionServer(os.Args[1], os.Args[2])
	case "sleeper":
		fmt.Println("sleeping")
		time.Sleep(time.Hour) // select {} is a deadlock to a program without cgo
	default:
		fmt.Fprintln(os.Stderr, "no part called", role)
		os.Exit(1)
	}
}

// self is a command that plays a part.
func self(t *testing.T, role string, args ...string) process.Command {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return process.Command{Args: append([]string{path}, args...), Env: append(os.Environ(), fakeRole+"="+role)}
}

// fakeClient is a foreign client as its script would be, with our own library.
func fakeClient(url, caFile string) {
	ca, err := tlsconf.Development(tlsconf.DevOptions{Dir: filepath.Dir(caFile)})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	t := &target{url: url, tls: clientConfig(ca), out: process.NewJournal()}
	for _, want := range serverSaw {
		path := "/echo"
		if want.id == "closed-by-server" {
			path = "/close"
		}
		err := t.end(context.Background(), path+want.query())
		line, _ := json.Marshal(outcome{Check: want.id, Error: errorText(err)})
		fmt.Println(string(line))
	}
	fmt.Println(`{"done": true}`)
}

// end connects and lets the connection be closed, by us or by the server.
func (t *target) end(ctx context.Context, path string) error {
	c, err := t.dial(ctx, path, messageLimit)
	if err != nil {
		return err
	}
	defer c.CloseNow()
	if strings.HasPrefix(path, "/echo") {
		return c.Close(4001, "grüße")
	}
	if err := c.Write(ctx, text("").Type, nil); err != nil {
		return err
	}
	_, _, err = c.Read(ctx)
	if err != nil && strings.Contains(err.Error(), "4002") {
		return nil
	}
	return fmt.Errorf("got %v, want code 4002", err)
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// fakeServer is a foreign server as its script would be, with our own library.
func fakeServer(certFile string) {
	ca, err := tlsconf.Development(tlsconf.DevOptions{Dir: filepath.Dir(certFile)})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	s, err := startServer(ca)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	announce(s, os.Stdout)
	fmt.Printf("{\"listening\": %s}\n", s.url[strings.LastIndex(s.url, ":")+1:])
	time.Sleep(time.Hour)
}

// announce prints how connections end, as the scripts do.
func announce(s *server, w io.Writer) {
	for _, id := range []string{"closed-by-client", "closed-by-server", "too-big"} {
		go func() {
			for why := range s.end(id) {
				reason, _ := json.Marshal(why.Reason)
				fmt.Fprintf(w, "{\"closed\": %q, \"code\": %d, \"reason\": %s}\n", id, why.Code, reason)
			}
		}()
	}
}

// fakeProgram puts a shell script of a name into a directory.
func fakeProgram(t *testing.T, dir, name, script string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("needs a shell")
	}
	if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
}

// authority is made once: its keys take a while.
var authority = sync.OnceValues(func() (*tlsconf.DevCA, error) {
	return tlsconf.Development(tlsconf.DevOptions{InMemory: true})
})

// newTestBench returns a bench whose report goes to the buffer.
func newTestBench(t *testing.T) (*bench, *bytes.Buffer) {
	t.Helper()
	var out bytes.Buffer
	return &bench{report: &report{w: &out}, cache: t.TempDir(), work: t.TempDir(), log: io.Discard}, &out
}

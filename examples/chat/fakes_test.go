package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/seed-c4549abd/wss/tlsconf"
)

// authority is made once: its keys take a while.
var authority = sync.OnceValues(func() (*tlsconf.DevCA, error) {
	return tlsconf.Development(tlsconf.DevOptions{InMemory: true})
})

// openRoom opens a room, and returns its address and how to close it, which returns
// when everybody has left.
func openRoom(t *testing.T) (address string, ca *tlsconf.DevCA, closeRoom func()) {
	t.Helper()
	ca, err := authority()
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- serve(ctx, ln, ca) }()
	return ln.Addr().String(), ca, sync.OnceFunc(func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
}

// guest is a visitor whose mouth and ear are pipes.
type guest struct {
	mouth *io.PipeWriter
	ear   *bufio.Scanner
	left  chan error
}

func enter(t *testing.T, address, name string, ca *tlsconf.DevCA) *guest {
	t.Helper()
	in, mouth := io.Pipe()
	ear, out := io.Pipe()
	g := &guest{mouth: mouth, ear: bufio.NewScanner(ear), left: make(chan error, 1)}
	go func() {
		g.left <- visit(t.Context(), address, name, ca, in, out)
		out.Close()
		in.Close()
	}()
	return g
}

func (g *guest) say(t *testing.T, line string) {
	t.Helper()
	if _, err := io.WriteString(g.mouth, line+"\n"); err != nil {
		t.Fatal(err)
	}
}

// hears waits for a line, whatever was said before it.
func (g *guest) hears(t *testing.T, want string) {
	t.Helper()
	for g.ear.Scan() {
		if g.ear.Text() == want {
			return
		}
	}
	t.Fatalf("did not hear %q: %v", want, g.ear.Err())
}

package suite

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/autobahn/suite/faulty"
	"github.com/seed-c4549abd/wss/test/ports"
)

// mortal is a listener of a server that ends, with all of its connections, when some octets come.
type mortal struct {
	net.Listener
	poison []byte

	mu    sync.Mutex
	conns []net.Conn
}

func (m *mortal) Accept() (net.Conn, error) {
	conn, err := m.Listener.Accept()
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.conns = append(m.conns, conn)
	return mortalConn{conn, m}, nil
}

type mortalConn struct {
	net.Conn
	of *mortal
}

func (c mortalConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if bytes.HasPrefix(b[:n], c.of.poison) {
		c.of.mu.Lock()
		defer c.of.mu.Unlock()
		_ = c.of.Close()
		for _, conn := range c.of.conns {
			_ = conn.Close()
		}
	}
	return n, err
}

// TestAServerThatEndsIsNamed, with the case that was under way.
func TestAServerThatEndsIsNamed(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for a server that has ended")
	}
	cases := []string{"1.1.1", "1.1.2", "2.1", "28.2.1", "28.2.4", "28.3.1"}
	// With 8 at once all have begun before its end, and no connection is refused to a case.
	for parallel, want := range map[int]string{1: "after 4 of 6 cases: ", 8: " of 6 cases: "} {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		url := "ws://" + ln.Addr().String()
		served := make(chan error, 1)
		// What 28.2.1 sends: a length in 64 bits whose highest is set.
		go func() { served <- faulty.Serve(&mortal{Listener: ln, poison: []byte{0x81, 0xff, 0x80}}, faulty.None) }()
		o := Options{URL: url, Cases: slices.Clone(cases), Parallel: parallel, Latency: time.Millisecond}
		rep, err := Run(t.Context(), o)
		gone, ok := errors.AsType[*GoneError](err)
		if !ok || len(rep.Results) != gone.Done {
			t.Fatalf("%d at once: report %v, error %v", parallel, rep, err)
		}
		if !slices.Contains(gone.Suspects, "28.2.1") || parallel == 1 && len(gone.Suspects) != 1 || gone.URL != url {
			t.Errorf("%d at once: suspects %q of %s", parallel, gone.Suspects, gone.URL)
		}
		if text := err.Error(); !strings.Contains(text, url) || !strings.Contains(text, want) || !strings.Contains(text, "connection refused") {
			t.Errorf("%d at once: %s", parallel, text)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	}
}

// TestAServerThatNeverWasIsAnError, also where its latency was given and not measured.
func TestAServerThatNeverWasIsAnError(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	url := "ws://" + ln.Addr().String()
	rep, err := Run(t.Context(), Options{URL: url, Cases: []string{"1.*", "20.1.1"}, Latency: 1})
	if gone, ok := errors.AsType[*GoneError](err); !ok || len(rep.Results) > 0 || gone.Done != 0 || !strings.Contains(err.Error(), "no server accepts connections at "+url) {
		t.Errorf("report %v, error %v", rep, err)
	}
}

// TestAConnectionThatIsRefusedOnceIsTriedAgain.
func TestAConnectionThatIsRefusedOnceIsTriedAgain(t *testing.T) {
	port, err := ports.Free()
	if err != nil {
		t.Fatal(err)
	}
	address := fmt.Sprintf("127.0.0.1:%d", port)
	defer func(r []time.Duration) { retries = r }(retries)
	retries = append(retries, time.Minute) // for a machine that stops before the server listens
	type outcome struct {
		rep *Report
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		rep, err := Run(t.Context(), Options{URL: "ws://" + address, Cases: []string{"1.1.1"}, Latency: 1})
		done <- outcome{rep, err}
	}()
	time.Sleep(50 * time.Millisecond) // the first attempt is over then, or the test shows nothing
	ln, err := net.Listen("tcp", address)
	if err != nil {
		t.Skip("another program has the port:", err)
	}
	served := make(chan error, 1)
	go func() { served <- faulty.Serve(ln, faulty.None) }()
	if got := <-done; got.err != nil || !got.rep.Passes() {
		t.Errorf("%+v", got)
	}
	ln.Close()
	if err := <-served; err != nil {
		t.Error(err)
	}
}

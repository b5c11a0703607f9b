package conn

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/internal/race"
	"github.com/seed-c4549abd/wss/internal/testtls"
)

// told is how both ends say that a conversation went.
type told struct {
	dialed, said, closed error // the client's: Dial, its calls, Close
	upgraded, served     error // the server's: Upgrade, what ended the connection
	took                 time.Duration
}

// closedWell reports whether an end says that there was a closing handshake.
func closedWell(err error) bool {
	return CloseStatus(err) == StatusNormalClosure
}

// answering serves conversations with Upgrade, and tells how each ended.
type answering struct {
	url  string
	tls  *tls.Config
	ends sync.Map // of channels, by the client's address
}

// end is where it is told how the conversation with a client ended.
func (a *answering) end(client net.Addr) chan [2]error {
	c, _ := a.ends.LoadOrStore(client.String(), make(chan [2]error, 1))
	return c.(chan [2]error)
}

func answers(t *testing.T, route string) *answering {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	sc, cc := testtls.Configs(tls.VersionTLS13)
	// A short ClientHello: without post-quantum shares, whose bytes are all alike to us.
	cc.CurvePreferences = []tls.CurveID{tls.X25519}
	a := &answering{url: "wss://" + inner.Addr().String(), tls: cc}
	ln := inner
	if route != "stream" {
		ln = NewListener(ln)
	}
	if route == "plain" {
		a.url = "ws://" + inner.Addr().String()
	} else {
		ln = tls.NewListener(ln, sc)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				end := a.end(nc.RemoteAddr())
				c, err := Upgrade(bg, nc, &AcceptOptions{HandshakeTimeout: patience, CloseTimeout: patience})
				if err != nil {
					end <- [2]error{err, nil}
					return
				}
				_ = c.Serve(bg, echoBack)
				end <- [2]error{nil, c.life.err()}
			})
		}
	})
	t.Cleanup(func() { _ = ln.Close(); wg.Wait() })
	return a
}

// converse has a short conversation through the relay.
func (a *answering) converse(r *relay) (say told) {
	began := time.Now()
	c, _, err := Dial(bg, a.url, &DialOptions{TLS: a.tls, NetDial: r.dial, HandshakeTimeout: patience, CloseTimeout: patience})
	if err != nil {
		say.dialed = err
		if r.ends[1] == nil {
			return say // there was not even a connection
		}
	} else {
		say.said = errors.Join(exchanged(c, Text, "hello"), exchanged(c, Binary, "world"))
		say.closed = c.Close(StatusNormalClosure, "done")
		if say.closed == nil {
			say.closed = c.life.err()
		}
	}
	end := <-a.end(r.ends[1].LocalAddr())
	say.upgraded, say.served = end[0], end[1]
	say.took = time.Since(began)
	r.wait()
	return say
}

func exchanged(c *Conn, typ MessageType, text string) error {
	if err := c.Write(bg, typ, []byte(text)); err != nil {
		return err
	}
	got, p, err := c.Read(bg)
	if err == nil && (got != typ || !bytes.Equal(p, []byte(text))) {
		return fmt.Errorf("got %v %q", got, p) // not typed: the judge refuses it
	}
	return err
}

// typed reports whether err is one that a caller can tell from others.
func typed(err error) bool {
	if e, ok := errors.AsType[*CloseError](err); ok {
		return e.Code == StatusAbnormal && e.Err != nil
	}
	if _, ok := errors.AsType[*HandshakeError](err); ok {
		return true
	}
	_, isNet := errors.AsType[net.Error](err)
	return isNet || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// judge says what is wrong with what the ends told of a conversation that was cut.
func (say told) judge() error {
	for _, call := range []struct {
		name string
		err  error
		free bool // no error, or a closing handshake, is an answer as well
	}{
		{"Dial", say.dialed, true}, {"a read or write", say.said, true}, {"Close", say.closed, say.dialed != nil || closedWell(say.closed)},
		{"Upgrade", say.upgraded, true}, {"Serve", say.served, say.upgraded != nil || closedWell(say.served)},
	} {
		if call.err == nil && !call.free {
			return fmt.Errorf("%s says nothing", call.name)
		}
		if call.err != nil && !typed(call.err) && !(call.free && closedWell(call.err)) {
			return fmt.Errorf("%s: %w", call.name, call.err)
		}
	}
	switch {
	case say.took > 2*patience: // a cut ends it, and no timeout; a thousand others share the machine
		return fmt.Errorf("it took %v", say.took)
	case closedWell(say.closed) && !closedWell(say.served):
		return fmt.Errorf("the client saw a closing handshake, the server %w", say.served)
	case closedWell(say.served) && (say.dialed != nil || say.said != nil):
		return fmt.Errorf("the server was closed before the client did: %w", errors.Join(say.dialed, say.said))
	}
	return nil
}

// closes tells where in each direction the close frame ends, which depends on what
// follows it: close_notify, of 24 bytes in TLS 1.3, or nothing.
func (a *answering) closes(t *testing.T, route string) (at, slack [2]int64) {
	t.Helper()
	r := &relay{cut: [2]int64{-1, -1}}
	if say := a.converse(r); !closedWell(say.closed) || !closedWell(say.served) {
		t.Fatalf("uncut: %+v", say)
	}
	for way := range at {
		at[way] = r.passed[way].Load()
		if route != "plain" {
			at[way] -= 24
		}
	}
	if route != "plain" {
		slack[1] = 8 // the length of an ECDSA signature is not always the same
	}
	return at, slack
}

// cuts judges a cut after every stride-th byte of both directions, many at a time: where
// a FIN comes together with the last bytes, the server sees it after two seconds of silence
// only (docs/architecture.md, "One read in the poller's eyes").
func cuts(t *testing.T, route string, reset bool, first, stride int64) {
	a := answers(t, route)
	at, slack := a.closes(t, route)
	var wg sync.WaitGroup
	places := make(chan struct{}, 64)
	for way := range at {
		last := at[way] + 26
		for cut := last - (last-first)%stride; cut >= first; cut -= stride { // those at the end take the longest
			places <- struct{}{}
			wg.Go(func() {
				defer func() { <-places }()
				r := &relay{cut: [2]int64{-1, -1}, reset: reset}
				r.cut[way] = cut
				say := a.converse(r)
				err := say.judge()
				well := closedWell([2]error{say.served, say.closed}[way])
				switch {
				case well && cut < at[way]-slack[way]:
					err = fmt.Errorf("a clean end without a close frame, which ends at %d", at[way])
				case !reset && !well && cut >= at[way]+slack[way]:
					err = fmt.Errorf("the close frame, which ends at %d, was not seen", at[way])
				}
				if err != nil {
					t.Errorf("cut after %d bytes from the %s: %v", cut, [2]string{"client", "server"}[way], err)
				}
			})
		}
	}
	wg.Wait()
}

// TestACutAfterAnyByteIsAnAbnormalEnd: from the first byte of TLS to the last of the
// closing handshake, by a FIN or by a reset, every call ends in time, with an error that
// can be told from others, and no end is clean that was not (RFC 6455 §7.1.5).
func TestACutAfterAnyByteIsAnAbnormalEnd(t *testing.T) {
	if !apart(t) {
		return
	}
	accounted(t, "all ways", func(t *testing.T) {
		var all waiting
		defer all.Wait()
		for i, route := range routes {
			for j, reset := range []bool{false, true} {
				first, stride := int64(0), int64(1)
				switch { // after a reset, and without our transport, one byte of a record is like its neighbours
				case race.Enabled || testing.Short():
					first, stride = int64(3*i+j), 29
				case route != "plain" && (reset || route == "stream"):
					first, stride = int64(i+j)%3, 3
				}
				all.run(t, fmt.Sprintf("%s,reset=%v", route, reset), func(t *testing.T) {
					cuts(t, route, reset, first, stride)
				})
			}
		}
	})
}

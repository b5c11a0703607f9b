package conn

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/bufpool"
	"github.com/seed-c4549abd/wss/internal/pipe"
	"github.com/seed-c4549abd/wss/internal/race"
	"github.com/seed-c4549abd/wss/internal/transport"
)

// soon is a context that ends in a moment.
func soon(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(bg, 20*time.Millisecond)
	t.Cleanup(cancel)
	return ctx
}

// TestCancelledReadLeavesTheConnectionUsable gives up between messages, inside a
// frame and between fragments; the message arrives whole all the same.
func TestCancelledReadLeavesTheConnectionUsable(t *testing.T) {
	t.Parallel()
	parts := [][]byte{
		masked(frame.Header{Opcode: frame.Text}, strings.Repeat("a", 50_000))[:20_000],
		masked(frame.Header{Opcode: frame.Text}, strings.Repeat("a", 50_000))[20_000:],
		masked(frame.Header{Opcode: frame.Continuation}, "bb")[:3],
		masked(frame.Header{Opcode: frame.Continuation}, "bb")[3:],
		masked(frame.Header{Fin: true, Opcode: frame.Ping}, "p")[:3],
		append(masked(frame.Header{Fin: true, Opcode: frame.Ping}, "p")[3:], masked(frame.Header{Fin: true}, "c")[:4]...),
		masked(frame.Header{Fin: true}, "c")[4:],
	}
	want := strings.Repeat("a", 50_000) + "bbc"
	var all waiting
	defer all.Wait()
	for _, kind := range kinds {
		for _, into := range []bool{false, true} {
			all.run(t, fmt.Sprintf("%s,into=%v", kind, into), func(t *testing.T) {
				peer, server := raw(t, kind)
				read := func(ctx context.Context) (MessageType, []byte, error) {
					if into {
						return server.ReadInto(ctx, make([]byte, 0, 100))
					}
					return server.Read(ctx)
				}
				for _, part := range parts[:len(parts)-1] {
					if _, _, err := read(soon(t)); !errors.Is(err, context.DeadlineExceeded) {
						t.Fatal(err)
					}
					if _, err := peer.Write(part); err != nil {
						t.Fatal(err)
					}
				}
				if _, _, err := read(soon(t)); !errors.Is(err, context.DeadlineExceeded) {
					t.Fatal(err)
				}
				if _, err := peer.Write(parts[len(parts)-1]); err != nil {
					t.Fatal(err)
				}
				if typ, got, err := read(bg); typ != Text || string(got) != want || err != nil {
					t.Fatalf("%s: %v, %d bytes, %v", kind, typ, len(got), err)
				}
				if h, p := readFrame(t, peer); h.Opcode != frame.Pong || p != "p" {
					t.Errorf("%s: %v %q in place of a pong", kind, h.Opcode, p)
				}
			})
		}
	}
}

func TestAnEndedContextReadsNothing(t *testing.T) {
	client, server := pair(t, "tls")
	if err := client.Write(bg, Text, []byte("kept")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(bg)
	cancel()
	if _, _, err := server.Read(ctx); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if _, p, err := server.Read(bg); string(p) != "kept" || err != nil {
		t.Errorf("%q, %v", p, err)
	}
}

func TestReadIntoReusesTheBuffer(t *testing.T) {
	client, server := pair(t, "plain")
	buf := make([]byte, 0, 1000)
	for _, size := range []int{10, 1000, 0, 999} {
		_ = client.Write(bg, Binary, bytes.Repeat([]byte{byte(size)}, size))
		_, p, err := server.ReadInto(bg, buf)
		if err != nil || len(p) != size || cap(p) != 1000 {
			t.Errorf("size %d: %d of %d bytes, %v", size, len(p), cap(p), err)
		}
	}
	_ = client.Write(bg, Binary, make([]byte, 5000))
	if _, p, err := server.ReadInto(bg, buf); len(p) != 5000 || err != nil {
		t.Errorf("%d bytes, %v", len(p), err)
	}
}

func TestMessageLimitIsExact(t *testing.T) {
	t.Parallel()
	const limit = 1000
	for _, kind := range kinds {
		for _, fragments := range []int{1, 3} {
			for _, size := range []int{limit, limit + 1, limit + 2} {
				client, server := pair(t, kind, func(s *settings) { s.messageLimit = limit })
				go func() {
					w, _ := client.Writer(bg, Binary)
					for i := range fragments {
						_, _ = w.Write(make([]byte, size*(i+1)/fragments-size*i/fragments))
						if i < fragments-1 {
							_ = w.Flush()
						}
					}
					_ = w.Close()
				}()
				told := make(chan error, 1)
				go func() {
					_, _, err := client.Read(bg)
					told <- err
				}()
				_, p, err := server.Read(bg)
				if size == limit {
					if len(p) != limit || err != nil {
						t.Fatalf("%s, at the limit: %d bytes, %v", kind, len(p), err)
					}
					continue
				}
				if !errors.Is(err, ErrMessageTooBig) || CloseStatus(err) != StatusMessageTooBig {
					t.Fatalf("%s, beyond the limit: %d bytes, %v", kind, len(p), err)
				}
				if err := <-told; CloseStatus(err) != StatusMessageTooBig {
					t.Fatalf("%s: the peer was told %v", kind, err)
				}
			}
		}
	}
}

// TestTheDefaultLimitIsOneMebibyte, and a negative option lifts it.
func TestTheDefaultLimitIsOneMebibyte(t *testing.T) {
	if s := newSettings(0, 0, 0, 0); s.messageLimit != 1<<20 {
		t.Errorf("default limit %d", s.messageLimit)
	}
	client, server := pair(t, "plain", func(s *settings) { s.messageLimit = newSettings(-1, 0, 0, 0).messageLimit })
	go func() { _ = client.Write(bg, Binary, make([]byte, 3<<20)) }()
	if _, p, err := server.Read(bg); len(p) != 3<<20 || err != nil {
		t.Errorf("%d bytes, %v", len(p), err)
	}
}

// TestAHeaderThatDeclaresATebibyteCostsNothing: no memory on a header's word.
func TestAHeaderThatDeclaresATebibyteCostsNothing(t *testing.T) {
	peer, server := raw(t, "tls", func(s *settings) { s.messageLimit = 0 })
	h := frame.Header{Fin: true, Opcode: frame.Binary, Length: 1 << 40, Masked: true}
	if _, err := peer.Write(append(h.Append(nil), make([]byte, 100)...)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := server.Read(soon(t)); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	if got := cap(server.in.assembly.buf); got > 2*bufpool.Bulk {
		t.Errorf("%d bytes allocated for 100 that came", got)
	}
}

// TestDeclaredLengthsAgainstALiveConnection is the table that overflowed elsewhere.
func TestDeclaredLengthsAgainstALiveConnection(t *testing.T) {
	for _, tt := range []struct {
		name   string
		header string
		code   StatusCode
	}{
		{"2^63, masked", "\x82\xff\x80\x00\x00\x00\x00\x00\x00\x00", StatusProtocolError},
		{"2^64-1, masked", "\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff", StatusProtocolError},
		{"2^63-1, masked", "\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff", StatusMessageTooBig},
		{"2^31, masked", "\x82\xff\x00\x00\x00\x00\x80\x00\x00\x00", StatusMessageTooBig},
		{"125 in 16 bits", "\x82\xfe\x00\x7d", StatusProtocolError},
		{"126 in 64 bits", "\x82\xff\x00\x00\x00\x00\x00\x00\x00\x7e", StatusProtocolError},
		{"65535 in 64 bits", "\x82\xff\x00\x00\x00\x00\x00\x00\xff\xff", StatusProtocolError},
		{"a fragment that makes the sum overflow", "\x02\x81\x00\x00\x00\x00x\x80\xff\x7f\xff\xff\xff\xff\xff\xff\xff", StatusMessageTooBig},
	} {
		t.Run(tt.name, func(t *testing.T) {
			peer, server := raw(t, "tls")
			if _, err := peer.Write(append([]byte(tt.header), 0, 0, 0, 0)); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() {
				_, _, err := server.Read(bg)
				ended <- err
			}()
			h, p := readFrame(t, peer)
			_ = peer.Close()
			if err := <-ended; CloseStatus(err) != tt.code {
				t.Errorf("got %v", err)
			}
			if h.Opcode != frame.Close || StatusCode(p[0])<<8|StatusCode(p[1]) != tt.code {
				t.Errorf("the peer was told %v %q", h.Opcode, p)
			}
		})
	}
}

func TestATruncatedHeaderWaitsForTheContextOnly(t *testing.T) {
	t.Parallel()
	h := masked(frame.Header{Fin: true, Opcode: frame.Binary}, strings.Repeat("x", 70_000))
	peer, server := raw(t, "tls")
	for i := range 13 {
		if _, err := peer.Write(h[i : i+1]); err != nil {
			t.Fatal(err)
		}
		if _, _, err := server.Read(soon(t)); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
	}
	go func() { _, _ = peer.Write(h[13:]) }()
	if _, p, err := server.Read(bg); len(p) != 70_000 || err != nil {
		t.Errorf("%d bytes, %v", len(p), err)
	}
}

// TestStreamsThatBreakOffAreAbnormal: without a close frame nothing is a clean end.
func TestStreamsThatBreakOffAreAbnormal(t *testing.T) {
	for _, kind := range kinds {
		for _, before := range []string{"", "\x81", "\x81\x85\x00\x00\x00\x00he", "\x01\x82\x00\x00\x00\x00he"} {
			for _, how := range []string{"FIN", "close_notify"} {
				peer, server := raw(t, kind)
				_, _ = peer.Write([]byte(before))
				tc, isTLS := peer.(interface{ NetConn() net.Conn })
				switch {
				case how == "FIN" && isTLS:
					_ = tc.NetConn().Close()
				default:
					_ = peer.Close()
				}
				_, _, err := server.Read(bg)
				if CloseStatus(err) != StatusAbnormal || !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Errorf("%s, %q, %s: %v", kind, before, how, err)
				}
				if _, _, again := server.Read(bg); again != err {
					t.Errorf("the second read says %v", again)
				}
			}
		}
	}
}

func TestForeignBytesNeverLeaveAPooledBuffer(t *testing.T) {
	bufpool.Track(true) // returned buffers are poisoned
	defer bufpool.Track(false)
	client, server := pair(t, "tls")
	served := echo(server)
	for size := 1; size < 200_000; size = size*3 + 1 {
		want := bytes.Repeat([]byte{7}, size)
		go func() { _ = client.Write(bg, Binary, want) }()
		if _, got, err := client.Read(bg); !bytes.Equal(got, want) || err != nil {
			t.Fatalf("size %d: %v", size, err)
		}
	}
	_ = client.Close(StatusNormalClosure, "")
	<-served
}

// TestTinyFragmentsAreBounded: a million fragments of one and of no byte, and a
// hundred thousand small messages, on one connection.
func TestTinyFragmentsAreBounded(t *testing.T) {
	fragments, messages := 1_000_000, 100_000
	if race.Enabled || testing.Short() {
		fragments, messages = 50_000, 10_000
	}
	peer, server := raw(t, "plain")
	go func() {
		one, zero := masked(frame.Header{}, "x"), masked(frame.Header{}, "")
		batch := bytes.Repeat(append(one, zero...), 500)
		_, _ = peer.Write(masked(frame.Header{Opcode: frame.Binary}, ""))
		for range fragments / 1000 {
			_, _ = peer.Write(batch)
		}
		_, _ = peer.Write(masked(frame.Header{Fin: true}, ""))
		small := bytes.Repeat(masked(frame.Header{Fin: true, Opcode: frame.Binary}, "m"), 1000)
		for range messages / 1000 {
			_, _ = peer.Write(small)
		}
	}()
	_, p, err := server.Read(bg)
	if len(p) != fragments/2 || cap(p) > 8*len(p)+2*bufpool.Bulk || err != nil {
		t.Fatalf("%d bytes in %d, %v", len(p), cap(p), err)
	}
	buf := make([]byte, 16)
	for range messages {
		if _, p, err := server.ReadInto(bg, buf); string(p) != "m" || err != nil {
			t.Fatal(p, err)
		}
	}
}

// allocsOfTLS measures what crypto/tls itself allocates for a record written and
// read (a reader of 24 bytes, in Go 1.26): not ours to save.
func allocsOfTLS(t *testing.T) float64 {
	cs, ss := ends(t, "stream")
	defer cs.Close()
	defer ss.Close()
	buf := make([]byte, 256)
	return testing.AllocsPerRun(300, func() {
		if _, err := cs.Write(buf[:200]); err != nil {
			t.Fatal(err)
		}
		if _, err := ss.Read(buf); err != nil {
			t.Fatal(err)
		}
	})
}

func TestWriteAndReadIntoDoNotAllocate(t *testing.T) {
	if race.Enabled {
		return
	}
	for _, kind := range []string{"plain", "tls"} {
		want := 0.0
		if kind == "tls" {
			want = allocsOfTLS(t)
		}
		client, server := pair(t, kind)
		ctx, cancel := context.WithCancel(bg)
		defer cancel()
		buf, msg := make([]byte, 256), make([]byte, 200)
		if n := testing.AllocsPerRun(300, func() {
			if err := client.Write(ctx, Binary, msg); err != nil {
				t.Fatal(err)
			}
			if _, p, err := server.ReadInto(ctx, buf); len(p) != 200 || err != nil {
				t.Fatal(err)
			}
		}); n != want {
			t.Errorf("%s: %v allocations for a write and a read, want %v", kind, n, want)
		}
	}
}

func TestAnIdleReaderHoldsNoBuffer(t *testing.T) {
	if _, err := os.Stat("/proc/self"); err != nil {
		t.Skip("waiting needs a buffer on this system")
	}
	bufpool.Track(true)
	defer bufpool.Track(false)
	for _, kind := range []string{"tls", "plain"} {
		client, server := pair(t, kind)
		read := make(chan error, 1)
		go func() {
			_, _, err := server.Read(bg)
			if err == nil {
				_, _, err = server.Read(bg)
			}
			read <- err
		}()
		if err := client.Write(bg, Binary, make([]byte, 30_000)); err != nil {
			t.Fatal(err)
		}
		for server.Stats().MessagesIn == 0 || server.keepalive.waits.Load() == 0 {
			time.Sleep(time.Millisecond)
		}
		if n := bufpool.Outstanding(); n != 0 {
			t.Errorf("%s: %d buffers held while idle", kind, n)
		}
		_ = client.CloseNow()
		<-read
	}
}

// TestNoBufferIsHeldBetweenReads either, while nobody waits.
func TestNoBufferIsHeldBetweenReads(t *testing.T) {
	bufpool.Track(true)
	defer bufpool.Track(false)
	for _, kind := range []string{"tls", "plain"} {
		client, server := pair(t, kind)
		_ = client.Write(bg, Binary, make([]byte, 3000))
		if _, _, err := server.Read(bg); err != nil {
			t.Fatal(err)
		}
		if n := bufpool.Outstanding(); n != 0 {
			t.Errorf("%s: %d buffers held after a read", kind, n)
		}
		_ = client.Write(bg, Binary, make([]byte, 3000))
		_, r, err := server.Reader(bg)
		if err != nil {
			t.Fatal(err)
		}
		if p, err := io.ReadAll(r); len(p) != 3000 || err != nil {
			t.Fatal(len(p), err)
		}
		if n := bufpool.Outstanding(); n != 0 {
			t.Errorf("%s: %d buffers held after a streamed message", kind, n)
		}
	}
}

// TestDeadlinesThatNobodyHasSetEndAWaitOnlySoOften: a transport that keeps such an error has to be given up.
func TestDeadlinesThatNobodyHasSetEndAWaitOnlySoOften(t *testing.T) {
	for _, tt := range []struct {
		times int // that a read ends by a deadline before the message comes
		ok    bool
	}{{0, true}, {1, true}, {maxInterruptions, true}, {maxInterruptions + 1, false}} {
		t.Run(fmt.Sprint(tt.times), func(t *testing.T) {
			a, b := pipe.New(1 << 10)
			left := tt.times
			late := &filter{write: b.Write, read: func(p []byte) (int, error) {
				if left > 0 {
					left--
					return 0, os.ErrDeadlineExceeded
				}
				return b.Read(p)
			}}
			server := newConn(transport.New(overConn{b, late}), frame.Server, "", newSettings(0, 0, 0, 0), nil, nil)
			t.Cleanup(func() { _ = server.CloseNow(); _ = a.Close() })
			_, _ = a.Write(masked(frame.Header{Fin: true, Opcode: frame.Text}, "Hello"))
			ctx, cancel := context.WithTimeout(bg, patience)
			defer cancel()
			_, p, err := server.Read(ctx)
			if tt.ok && (err != nil || string(p) != "Hello") {
				t.Errorf("%q, %v", p, err)
			}
			if e, ended := errors.AsType[*CloseError](err); !tt.ok && (!ended || !errors.Is(e, os.ErrDeadlineExceeded)) {
				t.Errorf("%q, %v; want the end of the connection", p, err)
			}
		})
	}
}

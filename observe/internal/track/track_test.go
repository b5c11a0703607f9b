package track_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/handshake"
	"github.com/seed-c4549abd/wss/observe"
	"github.com/seed-c4549abd/wss/observe/internal/observetest"
	"github.com/seed-c4549abd/wss/observe/internal/track"
)

// counting is Counts as an observer.
type counting struct {
	conn.NopObserver
	counts track.Counts
}

func (c *counting) Opened(x *conn.Conn)                       { c.counts.Opened(x) }
func (c *counting) Closed(x *conn.Conn, why *conn.CloseError) { c.counts.Closed(x, why) }

// ender ends connections in Opened.
type ender struct{ conn.NopObserver }

func (ender) Opened(c *conn.Conn) { _ = c.CloseNow() }

// TestCountsAgreeWhateverTheOrder: an observer in front that ends the connection has Closed come before Opened; one that is
// listed twice is told twice.
func TestCountsAgreeWhateverTheOrder(t *testing.T) {
	for name, all := range map[string]func(o conn.Observer) conn.Observer{
		"alone":               func(o conn.Observer) conn.Observer { return o },
		"twice":               func(o conn.Observer) conn.Observer { return observe.All(o, o) },
		"behind what ends it": func(o conn.Observer) conn.Observer { return observe.All(ender{}, o) },
		"before what ends it": func(o conn.Observer) conn.Observer { return observe.All(o, ender{}) },
	} {
		t.Run(name, func(t *testing.T) {
			n := new(counting)
			signals := observetest.NewSignals()
			url, dial := observetest.Echo(t, nil)
			dial.Observer = observe.All(all(n), signals)
			c, _, err := conn.Dial(t.Context(), url, dial)
			if err == nil {
				_ = c.CloseNow()
			}
			<-signals.Ends
			want := map[track.Closing]int64{{Code: "1006", Token: "local"}: 1}
			got := n.counts.Totals()
			if got.Opened != 1 || got.Active != 0 || !cmp.Equal(got.Closed, want) || got.WireIn == 0 {
				t.Errorf("%+v", got)
			}
		})
	}
}

// TestCountersNeverDecrease while connections come, send and end.
func TestCountersNeverDecrease(t *testing.T) {
	n := new(counting)
	signals := observetest.NewSignals()
	url, dial := observetest.Echo(t, &conn.AcceptOptions{Observer: observe.All(n, signals)})
	const clients, rounds = 4, 10
	go func() { // what Signals hands on
		for range signals.Conns {
		}
	}()
	var working sync.WaitGroup
	for range clients {
		working.Go(func() {
			for range rounds {
				c, _, err := conn.Dial(t.Context(), url, dial)
				if err != nil {
					t.Error(err)
					return
				}
				_ = c.Cork(func() error {
					for range 20 {
						_ = c.Write(t.Context(), conn.Text, []byte("some bytes"))
					}
					return nil
				})
				_, _, _ = c.Read(t.Context())
				_ = c.Close(conn.StatusNormalClosure, "")
				<-signals.Ends
			}
		})
	}
	done := make(chan struct{})
	go func() { working.Wait(); close(done) }()
	before := n.counts.Totals()
	for over := false; !over; {
		select {
		case <-done:
			over = true
		default:
		}
		now := n.counts.Totals()
		if now.MessagesIn < before.MessagesIn || now.PayloadOut < before.PayloadOut || now.WireOut < before.WireOut || now.ControlIn < before.ControlIn {
			t.Fatalf("%+v, before %+v", now.Stats, before.Stats)
		}
		if now.Opened != now.Active+sum(now.Closed) {
			t.Fatalf("%+v", now)
		}
		before = now
	}
	close(signals.Conns)
	if before.Opened != clients*rounds || before.Active != 0 || before.MessagesIn != clients*rounds*20 || before.PayloadIn != clients*rounds*200 {
		t.Errorf("%+v", before)
	}
}

// TestHundredThousandConnectionsComeAndGo: nothing is left of them, and each is counted once.
func TestHundredThousandConnectionsComeAndGo(t *testing.T) {
	if testing.Short() {
		t.Skip("opens 100,000 connections over pipes")
	}
	n := new(counting)
	const workers, each = 8, 12_500
	var working sync.WaitGroup
	for range workers {
		working.Go(func() {
			for range each {
				if err := n.comeAndGo(); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	working.Wait()
	got := n.counts.Totals()
	if got.Opened != workers*each || got.Active != 0 || sum(got.Closed) != workers*each {
		t.Errorf("%d opened, %d active, %d ended", got.Opened, got.Active, sum(got.Closed))
	}
}

// comeAndGo has a client that is answered by hand, and ends at once.
func (c *counting) comeAndGo() error {
	near, far := net.Pipe()
	defer far.Close()
	go func() {
		r, err := http.ReadRequest(bufio.NewReader(far))
		if err != nil {
			return
		}
		_, _ = fmt.Fprintf(far, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
			handshake.AcceptKey(r.Header.Get("Sec-WebSocket-Key")))
	}()
	x, _, err := conn.Client(context.Background(), near, "ws://localhost/", &conn.DialOptions{Observer: c})
	if err != nil {
		return err
	}
	return x.CloseNow()
}

// panicking panics in Opened.
type panicking struct{ conn.NopObserver }

func (panicking) Opened(*conn.Conn) { panic("in Opened") }

// TestAPanicOfAnotherObserverIsCountedOnce: whoever was told of the opening is told of the end, and the others have nothing left.
func TestAPanicOfAnotherObserverIsCountedOnce(t *testing.T) {
	before, behind := new(counting), new(counting)
	url, dial := observetest.Echo(t, nil)
	dial.Observer = observe.All(before, panicking{}, behind)
	func() {
		defer func() { _ = recover() }()
		_, _, _ = conn.Dial(t.Context(), url, dial)
	}()
	if got := before.counts.Totals(); got.Opened != 1 || got.Active != 0 || sum(got.Closed) != 1 {
		t.Errorf("in front of it: %+v", got)
	}
	if got := behind.counts.Totals(); got.Opened != 0 || got.Active != 0 || sum(got.Closed) != 0 {
		t.Errorf("behind it: %+v", got)
	}
}

func sum(m map[track.Closing]int64) (n int64) {
	for _, k := range m {
		n += k
	}
	return n
}

func TestAPeerCannotChooseNames(t *testing.T) {
	codes := track.NewCodes([]conn.StatusCode{4001})
	got := map[string]bool{}
	for c := conn.StatusCode(0); c < 5000; c++ {
		got[codes.Name(c)] = true
	}
	if len(got) != 18+2 || !got["4001"] || !got["1000"] || !got["3008"] || !got[track.Other] {
		t.Errorf("%d names: %v", len(got), got)
	}
	var none track.Codes
	if none.Name(4001) != track.Other || none.Name(1000) != "1000" {
		t.Error("without codes of the application")
	}

	var tokens track.Tokens
	for token, want := range map[string]string{
		"ping_timeout": "ping_timeout", "": "unnamed", "Origin": "other", "a b": "other", "a\nb": "other", "é": "other", strings.Repeat("a", 65): "other",
	} {
		if name := tokens.Name(token); name != want {
			t.Errorf("%q is %q, want %q", token, name, want)
		}
	}
	seen := map[string]bool{}
	for i := range 100_000 {
		seen[tokens.Name(fmt.Sprint("made_up_", i))] = true
	}
	if len(seen) > 129 || !seen["other"] {
		t.Errorf("%d names", len(seen))
	}
	if tokens.Name("ping_timeout") != "ping_timeout" {
		t.Error("a name that was known is lost")
	}
}

func TestTextIsClean(t *testing.T) {
	for in, want := range map[string]string{
		"":                        "",
		"plain text, größer 日本":   "plain text, größer 日本",
		"a\nlevel=ERROR\r\tb":     `a\nlevel=ERROR\r\tb`,
		"\x1b[31mred":             `\x1b[31mred`,
		"\u202egnp.exe\u2028\x00": `\u202egnp.exe\u2028\x00`,
		"\xff\xfe":                `\ufffd\ufffd`,
		strings.Repeat("é", 30):   strings.Repeat("é", 20) + "…",
		strings.Repeat("\n", 30):  strings.Repeat(`\n`, 20) + "…",
	} {
		got := track.Clean(in, 40)
		if got != want || !utf8.ValidString(got) {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}

// address is what a browser's connection has.
type address string

func (a address) Network() string { return "websocket" }
func (a address) String() string  { return string(a) }

func TestAddressesHaveNoCredentials(t *testing.T) {
	for in, want := range map[address]string{
		"192.0.2.1:443": "192.0.2.1:443",
		"wss://user:secret@example.com/x?token=secret": "wss://example.com",
		"wss://%zz?token=secret":                       "",
		"/run/a socket\n":                              `/run/a socket\n`,
	} {
		if got := track.Address(in); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
	if got := track.Address(nil); got != "" {
		t.Errorf("no address is %q", got)
	}
}

func TestAbnormalEnds(t *testing.T) {
	for _, tt := range []struct {
		why  conn.CloseError
		want bool
	}{
		{conn.CloseError{Code: 1000, Remote: true}, false},
		{conn.CloseError{Code: 1001, Err: net.ErrClosed}, false},
		{conn.CloseError{Code: 1005, Remote: true}, false},
		{conn.CloseError{Code: 1012, Err: net.ErrClosed}, false},
		{conn.CloseError{Code: 4321, Remote: true}, false},
		{conn.CloseError{Code: 1006, Err: net.ErrClosed}, false},
		{conn.CloseError{Code: 1011, Err: net.ErrClosed}, true},
		{conn.CloseError{Code: 1002, Remote: true}, true},
		{conn.CloseError{Code: 1002, Err: &frame.Error{Token: "reserved_bits"}}, true},
		{conn.CloseError{Code: 1006, Err: io.ErrUnexpectedEOF}, true},
		{conn.CloseError{Code: 1006, Err: conn.ErrPingTimeout}, true},
		{conn.CloseError{Code: 1006, Err: errors.New("reset")}, true},
	} {
		if got := track.Abnormal(&tt.why); got != tt.want {
			t.Errorf("%v: %v", &tt.why, got)
		}
	}
}

func TestHistogramIsCumulative(t *testing.T) {
	var h track.Histogram
	if counts, all := h.Cumulative(); len(counts) != len(track.RoundTripBuckets)+1 || all != 0 || counts[len(counts)-1] != 0 {
		t.Errorf("empty: %v, %v", counts, all)
	}
	for _, d := range []time.Duration{0, time.Millisecond, time.Millisecond + 1, 20 * time.Second, time.Hour} {
		h.Observe(d)
	}
	counts, all := h.Cumulative()
	want := []int64{2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 4, 5}
	if !cmp.Equal(counts, want) || all != time.Hour+20*time.Second+2*time.Millisecond+1 {
		t.Errorf("%v, %v", counts, all)
	}
}

// TestEndedSaysHow, and makes no context for it.
func TestEndedSaysHow(t *testing.T) {
	url, dial := observetest.Echo(t, nil)
	c, _, err := conn.Dial(t.Context(), url, dial)
	if err != nil {
		t.Fatal(err)
	}
	if why := track.Ended(c); why != nil {
		t.Errorf("open: %v", why)
	}
	if n := testing.AllocsPerRun(100, func() { track.Ended(c) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	_ = c.CloseNow()
	if why := track.Ended(c); why == nil || why.Token() != "local" || context.Cause(c.Context()) != error(why) {
		t.Errorf("ended: %v", why)
	}
}

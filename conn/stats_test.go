package conn

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/pipe"
	"github.com/seed-c4549abd/wss/internal/transport"
)

func TestStatsCountBothDirections(t *testing.T) {
	for _, kind := range kinds {
		client, server := pair(t, kind)
		served := echo(server)
		for _, size := range []int{0, 10, 20_000} {
			_ = client.Write(bg, Binary, make([]byte, size))
			if _, _, err := client.Read(bg); err != nil {
				t.Fatal(err)
			}
		}
		_ = client.Close(StatusNormalClosure, "")
		<-served
		for _, s := range []Stats{client.Stats(), server.Stats()} {
			if s.MessagesIn != 3 || s.MessagesOut != 3 || s.PayloadIn != 20_010 || s.PayloadOut != 20_010 || s.Pending != 0 {
				t.Errorf("%s: %+v", kind, s)
			}
			if s.WireIn <= s.PayloadIn || s.WireOut <= s.PayloadOut {
				t.Errorf("%s: %+v", kind, s)
			}
		}
		if n := server.Stats().ControlIn; n != 1 {
			t.Errorf("%s: %d control frames", kind, n)
		}
	}
}

// BenchmarkCounting is what Stats costs a message that is echoed: counting it in and out, and,
// as if each came alone, publishing what was received. docs/performance.md compares it with
// the message.
func BenchmarkCounting(b *testing.B) {
	_, c := pair(b, "pipe")
	b.ReportAllocs()
	for b.Loop() {
		c.in.uncounted.encoded += 32
		c.received(32)
		c.send.countMessage(32)
		c.observeOut(Text, 32)
		c.publish()
	}
}

// diary writes down what it is told.
type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) note(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, fmt.Sprintf(format, args...))
}

func (d *diary) await(t *testing.T, want ...string) {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		d.mu.Lock()
		got := slices.Clone(d.lines)
		d.mu.Unlock()
		if slices.Equal(got, want) {
			return
		}
		if time.Now().After(end) {
			t.Errorf("got %q, want %q", got, want)
			return
		}
	}
}

func (d *diary) Opened(c *Conn) { d.note("opened") }
func (d *diary) Refused(r *http.Request, why *HandshakeError) {
	d.note("refused %s: %s", r.URL.Path, why.Token)
}
func (d *diary) MessageIn(c *Conn, typ MessageType, n int)  { d.note("in %v %d", typ, n) }
func (d *diary) MessageOut(c *Conn, typ MessageType, n int) { d.note("out %v %d", typ, n) }
func (d *diary) Closed(c *Conn, why *CloseError)            { d.note("closed %d %s", why.Code, why.Token()) }

var _ Observer = NopObserver{}

// TestAnObserverIsToldEverything, on both sides, by whatever way messages go.
func TestAnObserverIsToldEverything(t *testing.T) {
	var at, from diary
	url, o := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := Accept(w, r, &AcceptOptions{Observer: &at})
		if err != nil {
			return
		}
		c.ServeInBackground(func(c *Conn, m Message) error {
			if m.Type == Binary {
				p, _ := Prepare(m.Type, m.Data)
				return c.Send(bg, p)
			}
			return echoBack(c, m)
		}, nil)
	}), true, true)
	o.Observer = &from
	c, _, err := Dial(bg, url, o)
	if err != nil {
		t.Fatal(err)
	}
	exchange := func(write func() error) {
		t.Helper()
		if err := write(); err != nil {
			t.Fatal(err)
		}
		if _, _, err := c.Read(bg); err != nil {
			t.Fatal(err)
		}
	}
	exchange(func() error { return c.Write(bg, Text, []byte("five!")) })
	exchange(func() error { return c.Write(bg, Binary, make([]byte, 100_000)) })
	exchange(func() error {
		w, err := c.Writer(bg, Text)
		if err != nil {
			return err
		}
		_, _ = w.Write([]byte("in "))
		_ = w.Flush()
		_, _ = w.Write([]byte("pieces"))
		return w.Close()
	})
	if err := c.Close(4001, ""); err != nil {
		t.Fatal(err)
	}
	all := []string{"opened", "in text 5", "out text 5", "in binary 100000", "out binary 100000",
		"in text 9", "out text 9", "closed 4001 peer"}
	at.await(t, all...) // the server may hear of the end after the client
	if _, _, err := Dial(bg, url+"/other", &DialOptions{TLS: o.TLS, Header: http.Header{"Origin": {"https://elsewhere.example"}}}); err == nil {
		t.Fatal("let in")
	}
	from.await(t, "opened", "out text 5", "in text 5", "out binary 100000", "in binary 100000",
		"out text 9", "in text 9", "closed 4001 local")
	at.await(t, append(all, "refused /other: origin")...)
}

// TestWhatIsWrittenInOpenedIsSent by a client too, without another call.
func TestWhatIsWrittenInOpenedIsSent(t *testing.T) {
	for _, role := range []frame.Role{frame.Client, frame.Server} {
		synctest.Test(t, func(t *testing.T) {
			peer, end := pipe.New(1 << 16)
			settings := newSettings(0, 0, -1, 0)
			c := opened{transport: transport.New(end), role: role, settings: settings, observer: &greeter{}}.start()
			go c.Read(bg)
			began := time.Now()
			if h, _ := readFrame(t, peer); h.Length != 5 || time.Since(began) > 2*corkLimit {
				t.Errorf("role %v: %+v after %v", role, h, time.Since(began))
			}
			_ = c.CloseNow()
			_ = peer.Close()
		})
	}
}

// greeter writes as soon as it can.
type greeter struct{ NopObserver }

func (*greeter) Opened(c *Conn) { _ = c.Write(bg, Text, []byte("hello")) }

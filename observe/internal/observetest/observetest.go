// Package observetest holds the server, the scene and the benchmark that the tests of observers share.
package observetest

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/internal/testtls"
	"github.com/seed-c4549abd/wss/observe"
)

// Echo starts a server that echoes over TLS, and returns its URL and how to dial it. The server ends with the test.
func Echo(t testing.TB, o *conn.AcceptOptions) (url string, dial *conn.DialOptions) {
	t.Helper()
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, err := conn.Accept(w, r, o); err == nil {
			c.ServeInBackground(func(c *conn.Conn, m conn.Message) error {
				return c.Write(context.Background(), m.Type, m.Data)
			}, nil)
		}
	}))
	srv.Listener = conn.NewListener(srv.Listener)
	server, client := testtls.Configs(tls.VersionTLS13)
	srv.TLS = server
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return "wss" + strings.TrimPrefix(srv.URL, "https"), &conn.DialOptions{TLS: client}
}

// Signals is an observer that sends each event to a channel, for tests that wait for it. If it is the last one of observe.All,
// the others were called before. A full channel blocks the connection.
type Signals struct {
	conn.NopObserver
	Conns  chan *conn.Conn
	Ends   chan *conn.CloseError
	Pinged chan time.Duration
}

// NewSignals returns signals with room for a hundred events of each kind.
func NewSignals() *Signals {
	return &Signals{Conns: make(chan *conn.Conn, 100), Ends: make(chan *conn.CloseError, 100), Pinged: make(chan time.Duration, 100)}
}

// Opened sends the connection to Conns.
func (s *Signals) Opened(c *conn.Conn) { s.Conns <- c }

// Closed sends the end to Ends.
func (s *Signals) Closed(_ *conn.Conn, why *conn.CloseError) { s.Ends <- why }

// RoundTrip sends the duration to Pinged.
func (s *Signals) RoundTrip(_ *conn.Conn, d time.Duration) { s.Pinged <- d }

// HostileReason is the close reason of the second connection of Scene: a line break, a terminal's escape sequence, and
// a mark that reverses what follows.
const HostileReason = "bye\nlevel=ERROR \x1b[31m\u202egnp.exe"

// Scene runs a server with observer o and opens three connections. The first echoes three messages of 1,000 bytes, is pinged by
// the server, and is closed with 1000. The second is closed with 4001 and HostileReason. Then a handshake is refused because of its
// origin. The third echoes one message, pings the server and stays open; end closes it with 1001. All requests are for
// /chat?token=secret and offer compression.
func Scene(t testing.TB, o conn.Observer, connContext func(*http.Request) context.Context) (end func()) {
	t.Helper()
	ctx := t.Context()
	signals := NewSignals()
	url, dial := Echo(t, &conn.AcceptOptions{
		Observer: observe.All(o, signals), ConnContext: connContext, Subprotocols: []string{"chat"},
		Compression: conn.Compression{Mode: conn.CompressionNoTakeover},
	})
	url += "/chat?token=secret"
	dial.Compression.Mode = conn.CompressionNoTakeover
	dial.Subprotocols = []string{"chat"}
	first, server := open(t, url, dial, signals)
	for range 3 {
		echo(t, first)
	}
	Ping(t, server, first)
	<-signals.Pinged
	shut(t, first, conn.StatusNormalClosure, "", signals)
	second, _ := open(t, url, dial, signals)
	shut(t, second, 4001, HostileReason, signals)
	bad := *dial
	bad.Header = http.Header{"Origin": {"https://elsewhere.example"}}
	if _, _, err := conn.Dial(ctx, url, &bad); err == nil {
		t.Fatal("another origin was accepted")
	}
	third, server := open(t, url, dial, signals)
	echo(t, third)
	Ping(t, third, third)             // Serve publishes its counts before it reads again
	for server.Stats().Pending != 0 { // of the pong, which has come
		time.Sleep(time.Millisecond)
	}
	return func() { shut(t, third, conn.StatusGoingAway, "", signals) }
}

func open(t testing.TB, url string, dial *conn.DialOptions, s *Signals) (client, server *conn.Conn) {
	t.Helper()
	c, _, err := conn.Dial(t.Context(), url, dial)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.CloseNow() })
	return c, <-s.Conns
}

func shut(t testing.TB, c *conn.Conn, code conn.StatusCode, reason string, s *Signals) {
	t.Helper()
	if err := c.Close(code, reason); err != nil {
		t.Fatal(err)
	}
	<-s.Ends
}

func echo(t testing.TB, c *conn.Conn) {
	t.Helper()
	if err := c.Write(t.Context(), conn.Text, []byte(strings.Repeat("a", 1000))); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Read(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// Ping sends a ping on from and waits for the answer. Meanwhile it reads from reader, which is the end of the connection that no
// other goroutine reads from.
func Ping(t testing.TB, from, reader *conn.Conn) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	pinged := make(chan error, 1)
	go func() {
		_, err := from.Ping(ctx)
		cancel()
		pinged <- err
	}()
	_, _, _ = reader.Read(ctx)
	if err := <-pinged; err != nil {
		t.Fatal(err)
	}
}

// Cost measures an echo of 32 bytes over TLS, one in flight, on two connections in turns: one without and one with the observer. It
// reports the median of the ratios of their times. The times are those of client and server on all cores; bench measures the
// server's CPU time.
func Cost(b *testing.B, o conn.Observer) {
	const lap = 100
	var clients [2]*conn.Conn
	for i, o := range []conn.Observer{nil, o} {
		url, dial := Echo(b, &conn.AcceptOptions{Observer: o})
		c, _, err := conn.Dial(b.Context(), url, dial)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = c.CloseNow() })
		clients[i] = c
	}
	ctx, message, buf := b.Context(), make([]byte, 32), make([]byte, 64)
	round := func(c *conn.Conn) time.Duration {
		start := time.Now()
		for range lap {
			if err := c.Write(ctx, conn.Binary, message); err != nil {
				b.Fatal(err)
			}
			if _, _, err := c.ReadInto(ctx, buf); err != nil {
				b.Fatal(err)
			}
		}
		return time.Since(start)
	}
	var ratios []float64
	var times [2]time.Duration
	for i := 0; b.Loop(); i++ {
		var t [2]time.Duration
		for _, which := range [][]int{{0, 1}, {1, 0}}[i%2] {
			t[which] = round(clients[which])
			times[which] += t[which]
		}
		ratios = append(ratios, float64(t[1])/float64(t[0]))
	}
	slices.Sort(ratios)
	b.ReportMetric(ratios[len(ratios)/2], "with/without")
	b.ReportMetric(float64(times[1])/float64(lap*len(ratios)), "ns/echo")
}

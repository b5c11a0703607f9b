package conn

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"
)

// extremes are the values at which sums overflow and comparisons turn around.
var extremes = []int64{math.MinInt64, math.MinInt64 + 1, -1, 0, 1, math.MaxInt64 - 1, math.MaxInt64}

// number is a numeric option of either side.
type number struct {
	name string
	set  func(a *AcceptOptions, d *DialOptions, n int64)
	// crossOriginHeaders says that a message of 4 KiB and its echo pass whatever the value is.
	crossOriginHeaders func(n int64) bool
}

func always(int64) bool { return true }

// unlessOne: with a limit of one unit something has to fail.
func unlessOne(n int64) bool { return n != 1 }

func asInt(n int64) int { return int(min(max(n, math.MinInt), math.MaxInt)) }

var numbers = []number{
	{"MessageLimit", func(a *AcceptOptions, d *DialOptions, n int64) { a.MessageLimit, d.MessageLimit = n, n }, unlessOne},
	{"QueueLimit", func(a *AcceptOptions, d *DialOptions, n int64) { a.QueueLimit, d.QueueLimit = asInt(n), asInt(n) }, unlessOne},
	{"MinRate", func(a *AcceptOptions, d *DialOptions, n int64) { a.MinRate, d.MinRate = asInt(n), asInt(n) }, always},
	{"MaxHeaderBytes", func(a *AcceptOptions, d *DialOptions, n int64) {
		a.MaxHeaderBytes, d.MaxHeaderBytes = asInt(n), asInt(n)
	}, unlessOne},
	{"CloseTimeout", func(a *AcceptOptions, d *DialOptions, n int64) {
		a.CloseTimeout, d.CloseTimeout = time.Duration(n), time.Duration(n)
	}, always},
	{"PingInterval", func(a *AcceptOptions, d *DialOptions, n int64) {
		a.PingInterval, d.PingInterval = time.Duration(n), time.Duration(n)
	}, always},
	{"PongTimeout", func(a *AcceptOptions, d *DialOptions, n int64) {
		a.PongTimeout, d.PongTimeout = time.Duration(n), time.Duration(n)
	}, always},
	{"HandshakeTimeout of the server", func(a *AcceptOptions, _ *DialOptions, n int64) { a.HandshakeTimeout = time.Duration(n) }, unlessOne},
	{"HandshakeTimeout of the client", func(_ *AcceptOptions, d *DialOptions, n int64) { d.HandshakeTimeout = time.Duration(n) }, unlessOne},
	{"MaxRedirects", func(_ *AcceptOptions, d *DialOptions, n int64) { d.MaxRedirects = asInt(n) }, always},
	{"Threshold", func(a *AcceptOptions, d *DialOptions, n int64) {
		a.Compression.Threshold, d.Compression.Threshold = asInt(n), asInt(n)
	}, always},
	{"Level", func(a *AcceptOptions, d *DialOptions, n int64) {
		a.Compression.Level, d.Compression.Level = asInt(n), asInt(n)
	},
		func(n int64) bool { return n == 0 || n == 1 }},
	{"WindowBits", func(a *AcceptOptions, d *DialOptions, n int64) {
		a.Compression.WindowBits, d.Compression.WindowBits = asInt(n), asInt(n)
	}, func(n int64) bool { return n == 0 }},
	{"PeerWindowBits", func(a *AcceptOptions, d *DialOptions, n int64) {
		a.Compression.PeerWindowBits, d.Compression.PeerWindowBits = asInt(n), asInt(n)
	}, func(n int64) bool { return n == 0 }},
	{"MaxConns", func(a *AcceptOptions, _ *DialOptions, n int64) { a.Group.MaxConns = asInt(n) }, always},
	{"MaxPerAddress", func(a *AcceptOptions, _ *DialOptions, n int64) { a.Group.MaxPerAddress = asInt(n) }, always},
	{"MaxPerKey", func(a *AcceptOptions, _ *DialOptions, n int64) { a.Group.MaxPerKey = asInt(n) }, always},
	{"RetryAfter", func(a *AcceptOptions, _ *DialOptions, n int64) { a.Group.RetryAfter = time.Duration(n) }, always},
	{"MaxAge", func(a *AcceptOptions, _ *DialOptions, n int64) { a.Group.MaxAge = time.Duration(n) }, unlessOne},
	{"AgeJitter", func(a *AcceptOptions, _ *DialOptions, n int64) {
		a.Group.MaxAge, a.Group.AgeJitter = math.MaxInt64, time.Duration(n)
	}, func(n int64) bool { return n <= 1 }}, // a jitter as long as the age makes it zero now and then
	{"AgeJitter of a short age", func(a *AcceptOptions, _ *DialOptions, n int64) {
		a.Group.MaxAge, a.Group.AgeJitter = time.Hour, time.Duration(n)
	}, func(n int64) bool { return n <= 1 }},
}

// TestEveryNumberAtItsExtremes: no overflow, no endless loop, no crash, and what can work works.
func TestEveryNumberAtItsExtremes(t *testing.T) {
	t.Parallel()
	for _, option := range numbers {
		for _, n := range extremes {
			t.Run(fmt.Sprintf("%s %d", option.name, n), func(t *testing.T) {
				t.Parallel()
				ctx, cancel := context.WithTimeout(bg, 2*patience)
				defer cancel()
				g := &Group{Key: func(*http.Request) string { return "all" }}
				a := &AcceptOptions{Group: g, Compression: Compression{Mode: CompressionTakeover}, CloseTimeout: patience}
				d := &DialOptions{Compression: Compression{Mode: CompressionTakeover}, HandshakeTimeout: patience, CloseTimeout: patience}
				option.set(a, d, n)
				url, trust := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if c, err := Accept(w, r, a); err == nil {
						c.ServeInBackground(echoBack, nil)
					}
				}), true, true)
				d.TLS = trust.TLS
				err := conversation(ctx, url, d)
				if ctx.Err() != nil {
					t.Fatal("it hangs:", err)
				}
				if err != nil && option.crossOriginHeaders(n) {
					t.Error(err)
				}
				if err := g.Shutdown(ctx, ShutdownOptions{Spread: time.Duration(min(n, 1))}); err != nil {
					t.Error(err)
				}
				if n, err := g.Len(), g.refuse(503, "", "").Header.Get("Retry-After"); n != 0 || strings.HasPrefix(err, "-") {
					t.Errorf("%d connections are left, Retry-After %s", n, err)
				}
			})
		}
	}
}

// conversation has some messages of every way of sending echoed, and closes.
func conversation(ctx context.Context, url string, d *DialOptions) error {
	c, _, err := Dial(ctx, url, d)
	if err != nil {
		return err
	}
	defer func() { _ = c.CloseNow() }()
	text := strings.Repeat("compressible ", 300)
	for range 20 {
		if err := c.Write(ctx, Text, []byte(text)); err != nil {
			return err
		}
	}
	m, err := Prepare(Binary, []byte(text))
	if err == nil {
		err = c.Send(bg, m, m, m)
	}
	if err != nil {
		return err
	}
	for range 23 {
		if _, p, err := c.Read(ctx); err != nil {
			return err
		} else if string(p) != text {
			return fmt.Errorf("%d bytes came back", len(p))
		}
	}
	if err := c.Close(StatusNormalClosure, ""); err != nil && c.settings.closeTimeout > time.Second {
		return err
	}
	return nil
}

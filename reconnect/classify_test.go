package reconnect

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/internal/testtls"
	"github.com/seed-c4549abd/wss/tlsconf"
)

// TestEveryCloseCode has a verdict.
func TestEveryCloseCode(t *testing.T) {
	special := map[int]Verdict{
		1000: Finished, 1001: ComeBack, 1005: ComeBack, 1006: ComeBack, 1011: ComeBack, 1012: ComeBack, 1013: ComeBack, 1014: ComeBack,
		3000: Refresh, 3008: ComeBack,
	}
	for code := range 1 << 16 {
		want, ok := special[code]
		if !ok {
			want = Stop
		}
		for _, remote := range []bool{true, false} {
			err := fmt.Errorf("feed: %w", &conn.CloseError{Code: conn.StatusCode(code), Remote: remote})
			if got := Classify(err); got != want {
				t.Errorf("%d: %v, want %v", code, got, want)
			}
		}
	}
}

// TestEveryStatus, of the server and of a proxy.
func TestEveryStatus(t *testing.T) {
	for status := range 1000 {
		want := Stop
		switch {
		case status == 401:
			want = Refresh
		case status == 408, status == 425, status == 429, status >= 500 && status < 600 && status != 501 && status != 505:
			want = ComeBack
		}
		if got := Classify(&conn.HandshakeError{Token: "bad_status", Status: status}); got != want {
			t.Errorf("%d: %v, want %v", status, got, want)
		}
		if got := Classify(&conn.ProxyError{Token: "proxy_refused", Response: &http.Response{StatusCode: status}}); got != want {
			t.Errorf("proxy, %d: %v, want %v", status, got, want)
		}
	}
}

func TestOtherErrors(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want Verdict
	}{
		{nil, Finished},
		{errors.New("something else"), Undecided},
		{Again(errors.New("something else")), ComeBack},
		{fmt.Errorf("wrapped: %w", Again(&conn.CloseError{Code: 1008})), ComeBack},
		{&conn.HandshakeError{Token: "bad_url"}, Stop},
		{&conn.HandshakeError{Token: "bad_accept", Status: 101}, Stop},
		{&conn.HandshakeError{Token: "bad_redirect", Status: 302}, Stop},
		{&conn.ProxyError{Token: "proxy_config"}, Stop},
		{&conn.ProxyError{Token: "proxy_auth", Response: &http.Response{StatusCode: 407}}, Refresh},
		{&conn.ProxyError{Token: "proxy_tls", Err: &tlsconf.VerifyError{Reason: tlsconf.Untrusted}}, Stop},
		{&conn.ProxyError{Token: "proxy_tls", Err: io.EOF}, ComeBack},
		{&conn.ProxyError{Token: "proxy_refused"}, ComeBack},
		{&conn.ProxyError{Token: "proxy_timeout", Err: context.DeadlineExceeded}, ComeBack},
		{&conn.ProxyError{Token: "proxy_unreachable"}, ComeBack},
		{&conn.ProxyError{Token: "proxy_broken"}, ComeBack},
		{&tlsconf.VerifyError{Reason: tlsconf.NotTLS}, Stop},
		{&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, Stop},
		{&net.DNSError{IsNotFound: true}, ComeBack},
		{&net.DNSError{IsTemporary: true}, ComeBack},
		{&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, ComeBack},
		{&url.Error{Op: "Post", Err: io.EOF}, ComeBack},
		{syscall.ENETUNREACH, ComeBack},
		{os.ErrDeadlineExceeded, ComeBack},
		{context.DeadlineExceeded, ComeBack},
		{context.Canceled, Undecided},
		{io.ErrUnexpectedEOF, ComeBack},
		{net.ErrClosed, ComeBack},
	} {
		if got := Classify(tt.err); got != tt.want {
			t.Errorf("%v: %v, want %v", tt.err, got, tt.want)
		}
	}
}

func TestAnErrorThatIsMarkedIsFound(t *testing.T) {
	if err := Again(io.EOF); !errors.Is(err, io.EOF) || err.Error() != "EOF" {
		t.Error(err)
	}
	if err := Again(nil); err == nil || err.Error() == "" {
		t.Error(err)
	}
}

// TestDialsThatCannotSucceedAreNotRepeated, with the errors of conn.Dial.
func TestDialsThatCannotSucceedAreNotRepeated(t *testing.T) {
	for _, tt := range []struct {
		name string
		url  string
		o    *conn.DialOptions
	}{
		{"no URL", "", nil},
		{"another scheme", "ftp://localhost/", nil},
		{"a field that may not be sent", "ws://localhost/", &conn.DialOptions{Header: http.Header{"Upgrade": {"h2c"}}}},
		{"a compression that cannot be used", "ws://localhost/", &conn.DialOptions{
			Compression: conn.Compression{Mode: conn.CompressionTakeover, WindowBits: 77},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				o := &conn.DialOptions{}
				if tt.o != nil {
					o = tt.o
				}
				o.NetDial = func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("dialed") }
				if err := Run(bg, tt.url, &Options{Dial: o, MaxAttempts: 3}, reads); err == nil || errors.Is(err, ErrGaveUp) || time.Since(began) != 0 {
					t.Errorf("%v", err)
				}
			})
		})
	}
}

func TestACertificateThatIsNotTrustedStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := testtls.Configs(tls.VersionTLS13)
		s := conntestTLS(t, server)
		d := s.DialOptions(&conn.DialOptions{TLS: client})
		d.TLS = client.Clone()
		d.TLS.ServerName = "other.example"
		err := Run(bg, s.URL, &Options{Dial: d, MaxAttempts: 3}, reads)
		if _, ok := errors.AsType[*tlsconf.VerifyError](err); !ok || errors.Is(err, ErrGaveUp) {
			t.Errorf("%v", err)
		}
	})
}

// TestYourOwnVerdicts: Options.Classify decides on dials and connections, unless it returns Undecided.
func TestYourOwnVerdicts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		own := errors.New("own")
		h := newScript(refuse(404), accept(time.Minute, 4001), accept(time.Minute, 1001), accept(time.Minute, 1001), accept(time.Minute, 4002))
		s := fast(t, h)
		connections := 0
		err := Run(bg, s.URL, &Options{Dial: s.DialOptions(nil), Classify: func(err error) Verdict {
			if e, ok := errors.AsType[*conn.HandshakeError](err); ok && e.Status == 404 {
				return ComeBack
			}
			switch conn.CloseStatus(err) {
			case 4001:
				return ComeBack
			case 4002:
				return Finished
			}
			if errors.Is(err, own) {
				return ComeBack
			}
			return Undecided
		}}, func(ctx context.Context, c *conn.Conn) error {
			if connections++; connections == 2 {
				return own
			}
			return reads(ctx, c)
		})
		if err != nil || s.Dials() != 5 {
			t.Errorf("%v, %d dials", err, s.Dials())
		}
	})
}

func TestRetryAfterInEveryForm(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	at := func(d time.Duration) string { return now.Add(d).Format(http.TimeFormat) }
	for _, tt := range []struct {
		value string
		want  time.Duration
	}{
		{"0", 0}, {"1", time.Second}, {" 120 ", 2 * time.Minute}, {"0005", 5 * time.Second},
		{"-1", 0}, {"+1", 0}, {"1.5", 0}, {"1e3", 0}, {"0x10", 0}, {"five", 0}, {"", 0}, {"5, 6", 0}, {"٣", 0},
		{"31536000", 365 * 24 * time.Hour},
		{at(time.Hour), time.Hour}, {at(-time.Hour), 0}, {at(0), 0},
		{now.Add(time.Minute).Format("Monday, 02-Jan-06 15:04:05 GMT"), time.Minute},
		{now.Add(time.Minute).Format(time.ANSIC), time.Minute},
	} {
		if got := parseRetryAfter(tt.value, now); got != tt.want {
			t.Errorf("%q: %v, want %v", tt.value, got, tt.want)
		}
	}
	for _, huge := range []string{strconv.FormatInt(1<<62, 10), "99999999999999999999999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"} {
		if got := parseRetryAfter(huge, now); got < 24*time.Hour {
			t.Errorf("%q: %v", huge, got)
		}
	}
}

// TestRetryAfterIsWaitedForWithinBounds, from the server or a proxy, and with several fields.
func TestRetryAfterIsWaitedForWithinBounds(t *testing.T) {
	for _, tt := range []struct {
		name           string
		fields         []string
		max            time.Duration
		least, longest time.Duration
	}{
		{"none", nil, 0, 0, time.Second},
		{"seconds", []string{"Retry-After", "5"}, 0, 5 * time.Second, 10 * time.Second},
		{"seconds, below the first wait", []string{"Retry-After", "0"}, 0, 0, time.Second},
		{"many", []string{"Retry-After", "5", "Retry-After", "nonsense", "Retry-After", "7"}, 0, 7 * time.Second, 14 * time.Second},
		{"huge", []string{"Retry-After", "99999999999999999999"}, 0, 5 * time.Minute, 5*time.Minute + 30*time.Second},
		{"huge, with a bound of your own", []string{"Retry-After", "99999999999999999999"}, time.Minute, time.Minute, 90 * time.Second},
		{"ignored", []string{"Retry-After", "100"}, -1, 0, time.Second},
		{"a date, by the server's clock", []string{"Date", "Tue, 02 Jan 2035 00:00:00 GMT", "Retry-After", "Tue, 02 Jan 2035 00:00:10 GMT"}, 0, 10 * time.Second, 20 * time.Second},
		{"a date in the past", []string{"Retry-After", "Tue, 02 Jan 1990 00:00:10 GMT"}, 0, 0, time.Second},
	} {
		for _, longestWait := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				h := newScript(refuse(503, tt.fields...))
				s := fast(t, h)
				o := &Options{Dial: s.DialOptions(nil), MinDelay: time.Second, MaxRetryAfter: tt.max, Rand: longest}
				want := tt.longest
				if !longestWait {
					want = tt.least
					o.Rand = func(time.Duration) time.Duration { return 0 }
				}
				_ = Run(bg, s.URL, o, reads)
				if got := h.intervals(); len(got) != 1 || got[0] != want {
					t.Errorf("%s: %v, want %v", tt.name, got, want)
				}
			})
		}
	}
	e := &conn.ProxyError{Token: "proxy_refused", Response: &http.Response{StatusCode: 503, Header: http.Header{"Retry-After": {"9"}}}}
	if d := retryAfter(fmt.Errorf("%w", e), time.Now()); d != 9*time.Second {
		t.Errorf("a proxy's: %v", d)
	}
}

func TestNames(t *testing.T) {
	for _, tt := range []struct {
		got  fmt.Stringer
		want string
	}{
		{Refresh, "refresh"}, {Verdict(99), "unknown verdict"}, {Waiting, "waiting"}, {Phase(99), "Phase(99)"},
		{State{Phase: Stopped, Err: io.EOF}, "stopped: EOF"},
	} {
		if got := tt.got.String(); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}

package reconnect

import (
	"context"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/seed-c4549abd/wss/conn"
)

// Defaults of the options.
const (
	DefaultMinDelay       = 500 * time.Millisecond
	DefaultMaxDelay       = 30 * time.Second
	DefaultMaxRetryAfter  = 5 * time.Minute
	DefaultResetAfter     = 30 * time.Second
	DefaultAttemptTimeout = 30 * time.Second
)

// Options configure a client. The zero value and nil are the defaults. Any number of clients may share Options, which must not
// change meanwhile. The functions are called on the goroutine of Run, one at a time for each client.
type Options struct {
	// Dial holds the options of conn.Dial. Each attempt gets a copy. Nil: the defaults.
	Dial *conn.DialOptions

	// MinDelay is the upper bound of the first delay. Zero or less: DefaultMinDelay.
	MinDelay time.Duration
	// MaxDelay is the upper bound of all delays without a Retry-After. Zero or less: DefaultMaxDelay. If it is less than MinDelay,
	// it is MinDelay.
	MaxDelay time.Duration
	// MaxRetryAfter is the upper bound of a Retry-After; a longer one is shortened. Zero: DefaultMaxRetryAfter. Negative: Retry-After
	// is ignored.
	MaxRetryAfter time.Duration
	// ResetAfter is the time after which a connection resets the delays and the count of failed attempts. Zero or less:
	// DefaultResetAfter.
	ResetAfter time.Duration
	// MaxAttempts is the number of failed attempts in a row after which Run returns an error that wraps ErrGaveUp and the last
	// failure. A connection that lives for less than ResetAfter counts as a failure. Zero or less: no limit.
	MaxAttempts int
	// AttemptTimeout bounds Prepare and the dialing of one attempt together; Dial.HandshakeTimeout, ten seconds by
	// default, bounds the dialing. Zero or less: DefaultAttemptTimeout.
	AttemptTimeout time.Duration

	// Prepare is called before each dial, including the first, for example to refresh a token or to choose another host: it may
	// change a.URL and a.Dial. If it returns an error, nothing is dialed and the attempt has failed. Run returns an error that
	// both Classify functions call Undecided, unless AttemptTimeout is over. Nil: not called.
	Prepare func(ctx context.Context, a *Attempt) error
	// Resume is called on every connection but the first of a Run, before the function passed to Run and with the same context,
	// to subscribe again and to fetch missed messages. It may read and write. Its error is treated as that function's. Nil: not
	// called.
	Resume func(ctx context.Context, c *conn.Conn, a Attempt) error
	// Classify returns the verdict on an error of Prepare, of the dial, of a connection (*conn.CloseError), or of the function
	// passed to Run. If it returns Undecided, the function Classify of this package decides, except that Run returns errors of
	// the application that are not marked by Again. Nil: always Undecided.
	Classify func(err error) Verdict
	// OnState is called whenever State changes. Run waits until it returns. Nil: not called.
	OnState func(State)
	// Rand returns a random duration between 0 and n, for tests that need known delays. Results outside of these bounds are set
	// to the nearest one. It is called once for each delay. Nil: uniform, by math/rand/v2.
	Rand func(n time.Duration) time.Duration
}

// Attempt describes one dial and the failure before it.
type Attempt struct {
	// URL is the URL to dial. Prepare may change it, for this attempt only.
	URL string
	// Dial is a copy of Options.Dial, never nil, whose Header is not nil. Prepare may change it, for this attempt only.
	Dial *conn.DialOptions
	// Number is the number of this attempt since the last connection or the beginning of Run, from 1.
	Number int
	// Connections is the number of connections that Run had before this attempt.
	Connections int
	// Err is the error of the previous attempt or of the last connection, whichever is later; nil for the first attempt.
	Err error
	// Lost is the error of the last connection; nil if there was none.
	Lost error
	// LostAt is the time at which the last connection ended; zero if there was none.
	LostAt time.Time
}

// filled returns a copy of o with the defaults filled in.
func (o *Options) filled() Options {
	var f Options
	if o != nil {
		f = *o
	}
	f.MinDelay = positiveOr(f.MinDelay, DefaultMinDelay)
	f.MaxDelay = max(positiveOr(f.MaxDelay, DefaultMaxDelay), f.MinDelay)
	if f.MaxRetryAfter == 0 {
		f.MaxRetryAfter = DefaultMaxRetryAfter
	}
	f.ResetAfter = positiveOr(f.ResetAfter, DefaultResetAfter)
	f.AttemptTimeout = positiveOr(f.AttemptTimeout, DefaultAttemptTimeout)
	if f.Dial == nil {
		f.Dial = &conn.DialOptions{}
	}
	if f.Rand == nil {
		f.Rand = uniform
	}
	return f
}

func positiveOr(d, def time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return def
}

func uniform(n time.Duration) time.Duration {
	if n <= 0 {
		return 0
	}
	return rand.N(n)
}

// dial returns a copy of the options of conn.Dial.
func (o *Options) dial() *conn.DialOptions {
	d := *o.Dial
	if d.Header = d.Header.Clone(); d.Header == nil {
		d.Header = http.Header{}
	}
	return &d
}

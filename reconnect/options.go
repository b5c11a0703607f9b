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

// Options configure a client. The zero value, and nil, are the defaults. Options may be shared by any number of clients,
// and must not be changed meanwhile. The functions are called by the goroutine that calls Run, one at a time; those of
// options that clients share, by several goroutines at once.
type Options struct {
	// Dial are the options of conn.Dial. Each attempt is given a copy. Nil: the defaults.
	Dial *conn.DialOptions

	// MinDelay is the longest first wait. Zero or less: DefaultMinDelay.
	MinDelay time.Duration
	// MaxDelay is the longest wait without a Retry-After. Less than MinDelay: MinDelay. Zero or less: DefaultMaxDelay, or
	// MinDelay if that is longer.
	MaxDelay time.Duration
	// MaxRetryAfter bounds the Retry-After of a server that asks for too much. Zero: DefaultMaxRetryAfter. Negative:
	// Retry-After is ignored.
	MaxRetryAfter time.Duration
	// ResetAfter is how long a connection must have lived for the delays and the count of attempts to begin again. Zero or
	// less: DefaultResetAfter.
	ResetAfter time.Duration
	// MaxAttempts is how many attempts in a row may fail before Run returns an error that wraps ErrGaveUp and the last
	// failure. A connection that lived for less than ResetAfter is a failure. Zero or less: no limit.
	MaxAttempts int
	// AttemptTimeout bounds Prepare and the dialing of one attempt together; Dial.HandshakeTimeout, ten seconds by
	// default, bounds the dialing. Zero or less: DefaultAttemptTimeout.
	AttemptTimeout time.Duration

	// Prepare is called before each dial, the first included. It may change a.URL and a.Dial: refresh a token, choose
	// another host. Its error ends Run, unless it is one of the network (net.Error), its context has ended, it is marked
	// by Again, or Classify says otherwise: then the attempt has failed, and nothing was dialed. Nil: nothing is prepared.
	Prepare func(ctx context.Context, a *Attempt) error
	// Resume is called on every connection but the first of a Run, before the function that Run was given and with the
	// same context, to subscribe again and to fetch what was missed. It may read and write. Its error counts as that
	// function's. Nil: nothing is done.
	Resume func(ctx context.Context, c *conn.Conn, a Attempt) error
	// Classify says what to do after an error, in place of the function Classify: of Prepare, of the dial, or of a
	// connection (*conn.CloseError). It is asked about the errors of the application too. It may return Undecided for
	// errors that it does not know; then the function Classify decides. Nil: the same.
	Classify func(err error) Verdict
	// OnState is called whenever State changes. It must return soon. Nil: nobody is told.
	OnState func(State)
	// Rand returns a random duration between 0 and n, for tests that want certain delays. What it returns is kept within
	// that. It is called once for each wait. Nil: uniform, by math/rand/v2.
	Rand func(n time.Duration) time.Duration
}

// Attempt is one dial, and what led to it.
type Attempt struct {
	// URL is what is dialed. Prepare may change it, for this attempt only.
	URL string
	// Dial are the options of the dial, a copy of Options.Dial with a Header that can be written to. Prepare may change
	// them, for this attempt only. Never nil.
	Dial *conn.DialOptions
	// Number counts the attempts since the last connection, or since the beginning of Run, from 1.
	Number int
	// Connections is how many connections Run had before this attempt.
	Connections int
	// Err is why the attempt before failed, or how the last connection ended; nil for the first attempt.
	Err error
	// Lost is how the last connection ended; nil if there was none.
	Lost error
	// LostAt is when it ended; zero if there was none.
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

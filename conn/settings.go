package conn

import (
	"cmp"
	"math"
	"sync/atomic"
	"time"

	"github.com/seed-c4549abd/wss/internal/bubble"
	"github.com/seed-c4549abd/wss/internal/outbox"
	"github.com/seed-c4549abd/wss/internal/wheel"
)

// Defaults of the options.
const (
	DefaultMessageLimit     = 1 << 20 // bytes
	DefaultQueueLimit       = 1 << 20 // bytes
	DefaultHandshakeTimeout = 10 * time.Second
	DefaultCloseTimeout     = 5 * time.Second
	DefaultPingInterval     = 30 * time.Second
	DefaultPongTimeout      = 20 * time.Second
)

// lingerTimeout bounds how long a connection that is over waits for the peer to
// close its side, so that the last frame is not lost to a reset.
const lingerTimeout = time.Second

// lingerBytes is how much is read meanwhile of what the peer still sends, which is more than what sockets
// hold.
const lingerBytes = 4 << 20

// answersLimit is how many bytes of answers (pongs, key updates) may wait for a peer
// that does not read, besides the queue of Send, before nothing more is read from it.
const answersLimit = 1 << 20

// settings are the options of a connection with their defaults filled in.
type settings struct {
	messageLimit  int64 // 0: none
	closeTimeout  time.Duration
	lingerTimeout time.Duration // at most closeTimeout
	pingInterval  time.Duration // 0: never
	pongTimeout   time.Duration
	outbox        outbox.Options
	minRate       int64        // bytes a second; 0: none
	maxUnsent     int          // bytes that the kernel may hold; 0: the system's, negative: always the system's
	wheel         *wheel.Wheel // where keepalive is scheduled
	corkTimer     *corkTimer
}

// keepalives turns for all connections of the process.
var keepalives = new(wheel.Wheel)

// Larger values are reduced to these, so that sums do not overflow.
const (
	maxDuration = 10 * 365 * 24 * time.Hour
	maxSize     = min(1<<60, math.MaxInt>>2) // bytes
)

func newSettings(limit int64, closing, ping, pong time.Duration) settings {
	s := settings{
		messageLimit: min(limit, maxSize),
		closeTimeout: positiveOr(closing, DefaultCloseTimeout),
		pingInterval: min(orDefault(ping, DefaultPingInterval), maxDuration),
		pongTimeout:  positiveOr(pong, DefaultPongTimeout),
		outbox:       outbox.Options{QueueLimit: DefaultQueueLimit},
		wheel:        keepalives,
		corkTimer:    corkTimers,
	}
	if bubble.Inside() {
		s.wheel, s.corkTimer = new(wheel.Wheel), new(corkTimer)
	}
	switch {
	case limit == 0:
		s.messageLimit = DefaultMessageLimit
	case limit < 0:
		s.messageLimit = 0
	}
	s.pingInterval = max(s.pingInterval, 0)
	s.lingerTimeout = min(s.closeTimeout, lingerTimeout)
	return s
}

// latest are the settings of the last connection. Those of most connections of a
// process are the same, and share them.
var latest atomic.Pointer[settings]

func shared(s settings) *settings {
	if p := latest.Load(); p != nil && *p == s {
		return p
	}
	latest.Store(&s)
	return &s
}

// queueing returns s with the options of Send.
func (s settings) queueing(limit int, full FullPolicy) settings {
	if limit > 0 {
		s.outbox.QueueLimit = min(int64(limit), maxSize)
	}
	s.outbox.WhenFull = outbox.Policy(full)
	return s
}

// pacing returns s with the least rate of messages.
func (s settings) pacing(minRate int) settings {
	s.minRate = int64(max(minRate, 0))
	return s
}

// unsent returns s with the bound of what the kernel holds.
func (s settings) unsent(most int) settings {
	s.maxUnsent = most
	return s
}

// lookAtRate is how often the rate of messages is looked at; 0: never.
func (s *settings) lookAtRate() time.Duration {
	if s.minRate == 0 {
		return 0
	}
	return rateWindow
}

// giveUpAfter is how long a peer may take nothing of what is sent to it.
func (s *settings) giveUpAfter() time.Duration { return s.idleInterval() + s.pongTimeout }

// idleInterval is how often somebody has to read from a connection whose handler has returned: before a
// peer that pings as we do misses our answers.
func (s *settings) idleInterval() time.Duration { return cmp.Or(s.pingInterval, DefaultPingInterval) }

// positiveOr is a duration that cannot be switched off: zero and less stand for the default.
func positiveOr(d, def time.Duration) time.Duration {
	if d <= 0 {
		return def
	}
	return min(d, maxDuration)
}

func orDefault(d, def time.Duration) time.Duration {
	if d == 0 {
		return def
	}
	return d
}

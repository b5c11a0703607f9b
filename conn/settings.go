package conn

import (
	"time"

	"github.com/seed-c4549abd/wss/internal/wheel"
)

// Defaults of the options.
const (
	DefaultMessageLimit     = 1 << 20 // bytes
	DefaultHandshakeTimeout = 10 * time.Second
	DefaultCloseTimeout     = 5 * time.Second
	DefaultPingInterval     = 30 * time.Second
	DefaultPongTimeout      = 20 * time.Second
)

// lingerTimeout bounds how long a connection that is over waits for the peer to
// close its side, so that the last frame is not lost to a reset.
const lingerTimeout = time.Second

// queueLimit is how many bytes of answers (pongs, key updates) may wait for a peer
// that does not read before nothing more is read from it.
const queueLimit = 1 << 20

// settings are the options of a connection with their defaults filled in.
type settings struct {
	messageLimit int64 // 0: none
	closeTimeout time.Duration
	pingInterval time.Duration // 0: never
	pongTimeout  time.Duration
	wheel        *wheel.Wheel // where keepalive is scheduled
}

// keepalives turns for all connections of the process.
var keepalives wheel.Wheel

func newSettings(limit int64, closing, ping, pong time.Duration) settings {
	s := settings{
		messageLimit: limit,
		closeTimeout: orDefault(closing, DefaultCloseTimeout),
		pingInterval: orDefault(ping, DefaultPingInterval),
		pongTimeout:  orDefault(pong, DefaultPongTimeout),
		wheel:        &keepalives,
	}
	switch {
	case limit == 0:
		s.messageLimit = DefaultMessageLimit
	case limit < 0:
		s.messageLimit = 0
	}
	s.pingInterval = max(s.pingInterval, 0)
	return s
}

func orDefault(d, def time.Duration) time.Duration {
	if d == 0 {
		return def
	}
	return d
}

package conn

import (
	"errors"
	"net/http"
	"reflect"
	"runtime"
	"strings"
	"time"
)

// ErrInCallback is returned by Ping, WaitDrained and Group.Shutdown when they are called from any
// callback of this package, also for another connection or group, because they could wait
// for that callback.
var ErrInCallback = errors.New("websocket: Ping, WaitDrained and Shutdown cannot wait inside a callback; call them from another goroutine")

// The functions below are the only ones that call the user's callbacks while something of the
// connection waits for them, besides Accept and Upgrade: inCallback looks for their names on the
// goroutine's stack.
var callers = map[string]bool{
	"(*server).call": true, "(*Conn).observeOpened": true, "(*Conn).observeClosed": true,
	"(*Conn).observeIn": true, "(*Conn).observeOut": true, "observeRefused": true,
	"Accept": true, "Upgrade": true,
}

// packagePath is what the names of this package's functions begin with.
var packagePath = reflect.TypeFor[Conn]().PkgPath() + "."

// inCallback reports whether the goroutine that asks is in a callback of a connection's. It takes
// microseconds, so only calls ask that are seldom made.
func inCallback() bool {
	pcs := make([]uintptr, 64)
	for skip := 2; ; skip += len(pcs) {
		n := runtime.Callers(skip, pcs)
		frames := runtime.CallersFrames(pcs[:n])
		for more := n > 0; more; {
			var f runtime.Frame
			f, more = frames.Next()
			if name, ok := strings.CutPrefix(f.Function, packagePath); ok && callers[name] {
				return true
			}
		}
		if n < len(pcs) {
			return false
		}
	}
}

// call hands a message to Serve's callback.
func (s *server) call(m Message) error { return s.fn(s.c, m) }

// wantsMessages reports whether MessageIn and MessageOut of an observer are called.
func wantsMessages(o Observer) bool {
	i, ok := o.(MessageIgnorer)
	return o != nil && !(ok && i.IgnoresMessages())
}

func (c *Conn) observeOpened() {
	if c.observer != nil {
		c.observer.Opened(c)
	}
}

func (c *Conn) observeClosed(why *CloseError) {
	if c.observer != nil {
		c.observer.Closed(c, why)
	}
}

func (c *Conn) observeIn(typ MessageType, n int) {
	if c.in.observed {
		c.observer.MessageIn(c, typ, n)
	}
}

func (c *Conn) observeOut(typ MessageType, n int) {
	if c.in.observed {
		c.observer.MessageOut(c, typ, n)
	}
}

// observeRoundTrip calls the observer on a new goroutine: the caller holds inbox.token, which methods that the observer
// calls may need. A peer cannot cause more calls than this side sends pings.
func (c *Conn) observeRoundTrip(d time.Duration) {
	if o, ok := c.observer.(RoundTripObserver); ok {
		go o.RoundTrip(c, d)
	}
}

func observeRefused(o Observer, r *http.Request, why *HandshakeError) {
	if o != nil {
		o.Refused(r, why)
	}
}

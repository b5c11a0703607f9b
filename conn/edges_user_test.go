package conn

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/pipe"
	"github.com/seed-c4549abd/wss/internal/transport"
)

// timeless is a connection without deadlines, as a channel of SSH is.
type timeless struct{ net.Conn }

var errNoDeadlines = errors.New("no deadlines here")

func (timeless) SetDeadline(time.Time) error      { return errNoDeadlines }
func (timeless) SetReadDeadline(time.Time) error  { return errNoDeadlines }
func (timeless) SetWriteDeadline(time.Time) error { return errNoDeadlines }

// TestAConnectionWithoutDeadlinesIsClosedByWhoIsCancelled: nobody waits longer than a context or an option says.
func TestAConnectionWithoutDeadlinesIsClosedByWhoIsCancelled(t *testing.T) {
	t.Parallel()
	soon := func() (context.Context, context.CancelFunc) { return context.WithTimeout(bg, 50*time.Millisecond) }
	for name, call := range map[string]func(t *testing.T, near, far net.Conn) error{
		"Dial": func(t *testing.T, near, _ net.Conn) error {
			_, _, err := Dial(bg, "ws://example.com/", &DialOptions{HandshakeTimeout: 50 * time.Millisecond,
				NetDial: func(context.Context, string, string) (net.Conn, error) { return near, nil }})
			return err
		},
		"Client": func(t *testing.T, near, _ net.Conn) error {
			ctx, cancel := soon()
			defer cancel()
			_, _, err := Client(ctx, near, "ws://example.com/", nil)
			return err
		},
		"Upgrade": func(t *testing.T, near, _ net.Conn) error {
			_, err := Upgrade(bg, near, &AcceptOptions{HandshakeTimeout: 50 * time.Millisecond})
			return err
		},
		"Read": func(t *testing.T, near, _ net.Conn) error {
			ctx, cancel := soon()
			defer cancel()
			_, _, err := newConn(transport.New(near), frame.Server, "", newSettings(0, 0, -1, 0), nil, nil).Read(ctx)
			return err
		},
		"Serve": func(t *testing.T, near, _ net.Conn) error {
			ctx, cancel := soon()
			defer cancel()
			return newConn(transport.New(near), frame.Server, "", newSettings(0, 0, -1, 0), nil, nil).Serve(ctx, echoBack)
		},
		"Write": func(t *testing.T, near, _ net.Conn) error {
			ctx, cancel := soon()
			defer cancel()
			return newConn(transport.New(near), frame.Server, "", newSettings(0, 0, -1, 0), nil, nil).Write(ctx, Binary, make([]byte, 1<<20))
		},
		"Close": func(t *testing.T, near, _ net.Conn) error {
			return newConn(transport.New(near), frame.Server, "", newSettings(0, 50*time.Millisecond, -1, 0), nil, nil).Close(StatusNormalClosure, "")
		},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := pipe.New(1 << 12)
			defer b.Close()
			done := make(chan error, 1)
			go func() { done <- call(t, timeless{a}, b) }()
			select {
			case err := <-done:
				if err == nil {
					t.Error("no error")
				}
			case <-time.After(patience):
				t.Fatal("it hangs")
			}
			// The connection is closed: its other end sees that.
			buf := make([]byte, 1<<20)
			for {
				if _, err := b.Read(buf); err != nil {
					break
				}
			}
		})
	}
}

// TestTheQueueLimitCountsWhatThePeerDoesNotTake: messages of one call are offered to the socket before they are held against a peer that
// reads.
func TestTheQueueLimitCountsWhatThePeerDoesNotTake(t *testing.T) {
	for _, kind := range []string{"tls", "plain"} {
		for _, full := range []FullPolicy{CloseWhenFull, DropWhenFull, BlockWhenFull} {
			client, server := pair(t, kind, func(s *settings) { *s = s.queueing(100_000, full) })
			m := prepare(t, Binary, string(make([]byte, 60_000)))
			got := make(chan error, 1)
			go func() {
				var err error
				for i := 0; i < 5 && err == nil; i++ {
					_, _, err = client.Read(bg)
				}
				got <- err
			}()
			if err := server.Send(bg, m, m, m, m, m); err != nil {
				t.Errorf("%s, policy %d: %v", kind, full, err)
			}
			if err := <-got; err != nil || server.Stats().Dropped != 0 {
				t.Errorf("%s, policy %d: %v, %d dropped", kind, full, err, server.Stats().Dropped)
			}
		}
	}
}

// TestTheZeroPreparedIsNoMessage.
func TestTheZeroPreparedIsNoMessage(t *testing.T) {
	_, server := pair(t, "tls")
	for _, messages := range [][]*Prepared{{{}}, {prepare(t, Text, "x"), {}}} {
		if err := server.Send(bg, messages...); !errors.Is(err, ErrMessageType) {
			t.Errorf("%d messages: %v", len(messages), err)
		}
	}
	if err := server.life.err(); err != nil {
		t.Error(err)
	}
}

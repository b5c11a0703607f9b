package conn

import (
	"errors"
	"net"
	"net/http"
	"testing"

	"github.com/seed-c4549abd/wss/internal/pipe"
)

// from is a connection from an address.
type from struct {
	net.Conn
	addr string
}

func (f from) RemoteAddr() net.Addr { return named(f.addr) }

type named string

func (named) Network() string  { return "tcp" }
func (n named) String() string { return string(n) }

// TestHandshakesThatAreUnderWayCount: a slot is reserved from before Check to the end, so that many that come at once cannot
// all come in.
func TestHandshakesThatAreUnderWayCount(t *testing.T) {
	one := func(*http.Request) string { return "anna" }
	for _, tt := range []struct {
		name   string
		group  *Group
		status int
	}{
		{"for MaxConns", &Group{MaxConns: 1}, 503},
		{"for MaxPerAddress", &Group{MaxPerAddress: 1}, 429},
		{"for MaxPerKey", &Group{Key: one, MaxPerKey: 1}, 429},
	} {
		t.Run(tt.name, func(t *testing.T) {
			entered, proceed := make(chan struct{}, 2), make(chan struct{})
			o := &AcceptOptions{Group: tt.group, Check: func(*http.Request) error {
				entered <- struct{}{}
				<-proceed
				return nil
			}}
			dial := func() chan error {
				a, b := pipe.New(1 << 16)
				done := make(chan error, 1)
				go func() {
					c, err := Upgrade(bg, from{b, "192.0.2.1:7"}, o)
					if err == nil {
						c.ServeInBackground(echoBack, nil)
					}
				}()
				go func() {
					c, _, err := Client(bg, a, "ws://pipe/", nil)
					if err == nil {
						t.Cleanup(func() { _ = c.CloseNow() })
					}
					done <- err
				}()
				return done
			}
			first := dial()
			<-entered
			if n := tt.group.Len(); n != 0 {
				t.Errorf("%d are members already", n)
			}
			err := <-dial()
			if e, ok := errors.AsType[*HandshakeError](err); !ok || e.Status != tt.status {
				t.Errorf("the second: %v", err)
			}
			close(proceed)
			if err := <-first; err != nil {
				t.Error(err)
			}
		})
	}
}

// TestAnIPv6NetworkIsAnAddress: the first 64 bits count, all of them, and no more.
func TestAnIPv6NetworkIsAnAddress(t *testing.T) {
	for _, tt := range []struct {
		name string
		a, b string
		same bool
	}{
		{"the last bit of the interface", "[2001:db8::1]:1", "[2001:db8::]:2", true},
		{"the first bit of the interface", "[2001:db8::8000:0:0:0]:1", "[2001:db8::]:1", true},
		{"the last bit of the network", "[2001:db8:0:1::]:1", "[2001:db8::]:1", false},
		{"the first bit of the network", "[a001:db8::]:1", "[2001:db8::]:1", false},
		{"another port", "[2001:db8::1]:1", "[2001:db8::1]:2", true},
		{"two addresses of IPv4", "192.0.2.1:1", "192.0.2.0:1", false},
		{"IPv4 in IPv6", "[::ffff:192.0.2.1]:1", "192.0.2.1:1", true},
		{"two of IPv4 in IPv6, which are in one network", "[::ffff:192.0.2.1]:1", "[::ffff:192.0.2.2]:1", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := &Group{MaxPerAddress: 1}
			if _, err := g.admit(&http.Request{RemoteAddr: tt.a}); err != nil {
				t.Fatal(err)
			}
			if _, err := g.admit(&http.Request{RemoteAddr: tt.b}); (err != nil) != tt.same {
				t.Errorf("%s beside %s: %v", tt.b, tt.a, err)
			}
		})
	}
}

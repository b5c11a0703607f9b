package main

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/tlsconf"
)

func TestEverybodyHearsEverybody(t *testing.T) {
	address, ca, closeRoom := openRoom(t)
	defer closeRoom()
	ann, bob := enter(t, address, "ann", ca), enter(t, address, "bob", ca)
	// Hearing oneself is how a visitor knows to have arrived.
	ann.say(t, "first")
	ann.hears(t, "ann: first")
	bob.say(t, "grüße 👋")
	ann.hears(t, "bob: grüße 👋")
	bob.hears(t, "bob: grüße 👋")
}

// dialOptions trust the room's authority.
func dialOptions(t *testing.T, ca *tlsconf.DevCA) *conn.DialOptions {
	t.Helper()
	cfg, err := tlsconf.Client(tlsconf.ClientOptions{RootCAs: ca.Pool()})
	if err != nil {
		t.Fatal(err)
	}
	return &conn.DialOptions{TLS: cfg}
}

func TestBinaryIsRefused(t *testing.T) {
	address, ca, closeRoom := openRoom(t)
	defer closeRoom()
	c, _, err := conn.Dial(t.Context(), "wss://"+address+"/", dialOptions(t, ca))
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	if err := c.Write(t.Context(), conn.Binary, []byte{0xff}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Read(t.Context()); conn.CloseStatus(err) != conn.StatusUnsupportedData {
		t.Errorf("got %v, want 1003", err)
	}
}

func TestWhoIsTooFarBehindIsAskedToLeave(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for a visitor to fall behind")
	}
	r := new(room)
	srv := httptest.NewUnstartedServer(r)
	srv.Listener = conn.NewListener(srv.Listener)
	srv.Start()
	defer srv.Close()
	url := "ws" + strings.TrimPrefix(srv.URL, "http")
	join := func() *conn.Conn {
		c, _, err := conn.Dial(t.Context(), url, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.CloseNow() })
		return c
	}
	join() // and does not read
	talker := join()
	for n := 0; r.visitors.Stats().Dropped == 0; n++ {
		if n == 50_000 {
			t.Fatalf("nobody is behind: %+v", r.visitors.Stats())
		}
		if err := talker.Write(t.Context(), conn.Text, make([]byte, 4096)); err != nil {
			t.Fatal(err)
		}
		if _, _, err := talker.Read(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	// Its close frame waits behind what it does not read, for CloseTimeout.
	for late := time.After(conn.DefaultCloseTimeout + time.Minute); r.visitors.Stats().Tokens["queue_full"] != 1; {
		select {
		case <-late:
			t.Fatalf("nobody left: %+v", r.visitors.Stats())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

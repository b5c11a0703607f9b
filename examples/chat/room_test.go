package main

import (
	"context"
	"testing"

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
	address, ca, closeRoom := openRoom(t)
	defer closeRoom()
	// A visitor whose queue nobody empties.
	r := newRoom(context.Background())
	c, _, err := conn.Dial(t.Context(), "wss://"+address+"/", dialOptions(t, ca))
	if err != nil {
		t.Fatal(err)
	}
	r.visitors[&visitor{c: c, queue: make(chan []byte, 1)}] = true
	r.say([]byte("fits"))
	r.say([]byte("does not"))
	r.visits.Wait()
	if len(r.visitors) != 0 || conn.CloseStatus(context.Cause(c.Context())) != conn.StatusTryAgainLater {
		t.Errorf("%d visitors are left, and the connection ended with %v", len(r.visitors), context.Cause(c.Context()))
	}
}

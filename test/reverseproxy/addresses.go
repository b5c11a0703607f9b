package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/seed-c4549abd/wss/conn"
)

// Addresses of clients, which are not the proxies'.
const (
	clientA, clientB = "127.0.0.2", "127.0.0.3"
	stranger         = "203.0.113.9" // whom somebody wants to be taken for
)

// spoofs are fields that a client writes to be taken for somebody else.
var spoofs = [][]string{
	{"X-Forwarded-For", stranger},
	{"X-Forwarded-For", stranger + ", 127.0.0.1"},
	{"Forwarded", "for=" + stranger},
	{"Forwarded", `for="` + stranger},
}

// checkCounted: one connection is allowed from each address, and who a client says it is makes no difference.
func checkCounted(ctx context.Context, r *route) error {
	return counted(ctx, r, fmt.Sprint("group=counted", ids.Add(1)))
}

func counted(ctx context.Context, r *route, query string) error {
	a, err := r.dial(ctx, clientA, query, spoofs[0]...)
	if err != nil {
		return fmt.Errorf("the first of %s: %w", clientA, err)
	}
	defer a.CloseNow()
	got, err := askSeen(ctx, a)
	if err != nil {
		return err
	}
	if got.Client != clientA {
		return fmt.Errorf("%s was taken for %s: %+v", clientA, got.Client, got)
	}
	a.CloseRead(ctx) // it answers pings, so that no proxy gives it up meanwhile
	for _, spoof := range spoofs {
		c, err := r.dial(ctx, clientA, query, spoof...)
		if err == nil {
			_ = c.CloseNow()
		}
		if err := wantRefusal(err, http.StatusTooManyRequests, "too many connections from this address"); err != nil {
			return fmt.Errorf("a second of %s with %q: %w", clientA, spoof, err)
		}
	}
	b, err := r.dial(ctx, clientB, query)
	if err != nil {
		return fmt.Errorf("the first of %s: %w", clientB, err)
	}
	return b.Close(conn.StatusNormalClosure, "")
}

// checkFields: what a client wrote into the fields is passed on, or not, as the page's table says.
func (r *route) checkFields(ctx context.Context) error {
	c, err := r.dial(ctx, clientA, "", "X-Forwarded-For", stranger, "Forwarded", "for="+stranger)
	if err != nil {
		return err
	}
	defer c.CloseNow()
	got, err := askSeen(ctx, c)
	if err != nil {
		return err
	}
	wantFor, wantForwarded := stranger+", "+clientA, "for="+stranger
	if r.replaces["X-Forwarded-For"] {
		wantFor = clientA
	}
	if r.replaces["Forwarded"] {
		wantForwarded = "for=" + clientA
	}
	if strings.Join(got.XForwardedFor, ", ") != wantFor || strings.Join(got.Forwarded, ", ") != wantForwarded {
		return fmt.Errorf("our server saw %+v, want %q and %q", got, wantFor, wantForwarded)
	}
	return nil
}

// checkStranger: somebody who reaches our server without a proxy is not believed.
func (l *laboratory) checkStranger(ctx context.Context) error {
	for _, spoof := range spoofs {
		direct := &route{running: &running{l: l, port: portOf(l.backend.tls)}}
		c, err := direct.dial(ctx, clientA, "header="+spoof[0], spoof...)
		if err != nil {
			return err
		}
		got, err := askSeen(ctx, c)
		_ = c.CloseNow()
		if err != nil {
			return err
		}
		if got.Client != clientA {
			return fmt.Errorf("%q: %s was taken for %s", spoof, clientA, got.Client)
		}
	}
	return nil
}

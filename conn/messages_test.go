package conn

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/seed-c4549abd/wss/frame"
)

func TestMessagesEndsWithTheConnection(t *testing.T) {
	for _, code := range []StatusCode{StatusNormalClosure, StatusGoingAway, StatusInternalError} {
		client, server := pair(t, "tls")
		go func() {
			for i := range 5 {
				_ = client.Write(bg, Text, fmt.Append(nil, i))
			}
			_ = client.Close(code, "")
		}()
		got, last := "", error(nil)
		for m, err := range server.Messages(bg) {
			if last = err; err == nil {
				got += string(m.Data)
			}
		}
		wantErr := code == StatusInternalError
		if got != "01234" || (last != nil) != wantErr || wantErr && CloseStatus(last) != code {
			t.Errorf("%v: %q, %v", code, got, last)
		}
	}
}

func TestLeavingMessagesLeavesTheConnectionOpen(t *testing.T) {
	client, server := pair(t, "tls")
	for i := range 3 {
		_ = client.Write(bg, Text, fmt.Append(nil, i))
	}
	for m, err := range server.Messages(bg) {
		if string(m.Data) != "0" || err != nil {
			t.Error(m, err)
		}
		break
	}
	if _, p, err := server.Read(bg); string(p) != "1" || err != nil {
		t.Errorf("%q, %v", p, err)
	}
	for m, err := range server.Messages(soon(t)) {
		if err != nil && !errors.Is(err, context.DeadlineExceeded) || err == nil && string(m.Data) != "2" {
			t.Error(m, err)
		}
	}
}

func TestCloseReadHandlesControlFrames(t *testing.T) {
	peer, server := raw(t, "tls")
	ctx := server.CloseRead(bg)
	_, _ = peer.Write(masked(frame.Header{Fin: true, Opcode: frame.Ping}, "p"))
	if h, p := readFrame(t, peer); h.Opcode != frame.Pong || p != "p" {
		t.Errorf("%v %q", h.Opcode, p)
	}
	_, _ = peer.Write(masked(frame.Header{Fin: true, Opcode: frame.Text}, "not expected"))
	h, p := readFrame(t, peer)
	if h.Opcode != frame.Close || StatusCode(p[0])<<8|StatusCode(p[1]) != StatusPolicyViolation {
		t.Errorf("%v %q", h.Opcode, p)
	}
	_, _ = peer.Write(masked(frame.Header{Fin: true, Opcode: frame.Close}, p[:2]))
	_ = peer.Close()
	<-ctx.Done()
}

func TestCloseReadEndsWithItsContext(t *testing.T) {
	client, server := pair(t, "tls")
	ctx, cancel := context.WithCancel(bg)
	reading := server.CloseRead(ctx)
	cancel()
	<-reading.Done()
	_ = client.Write(bg, Text, []byte("usable"))
	if _, p, err := server.Read(bg); string(p) != "usable" || err != nil {
		t.Errorf("%q, %v", p, err)
	}
}

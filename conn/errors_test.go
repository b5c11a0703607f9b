package conn

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
)

func TestCloseErrorsSayWhoAndWhy(t *testing.T) {
	for _, tt := range []struct {
		err  *CloseError
		want string
	}{
		{&CloseError{Code: 1000, Remote: true}, "websocket: closed by the peer with code 1000 (normal closure)"},
		{&CloseError{Code: 4001, Reason: "bye", Remote: true}, `websocket: closed by the peer with code 4001 and reason "bye"`},
		{&CloseError{Code: 1006, Err: io.ErrUnexpectedEOF}, "websocket: closed without a closing handshake with code 1006 (abnormal closure): unexpected EOF"},
		{&CloseError{Code: 1009, Err: ErrMessageTooBig}, "websocket: closed with code 1009 (message too big): " + ErrMessageTooBig.Error()},
	} {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
		if !errors.Is(fmt.Errorf("w: %w", tt.err), tt.err) || tt.err.Err != nil && !errors.Is(tt.err, tt.err.Err) {
			t.Errorf("%v does not unwrap", tt.err)
		}
	}
}

func TestCloseStatusFindsTheCode(t *testing.T) {
	if c := CloseStatus(fmt.Errorf("serving: %w", &CloseError{Code: 1001})); c != StatusGoingAway {
		t.Errorf("got %v", c)
	}
	if c := CloseStatus(io.EOF) + CloseStatus(nil); c != 0 {
		t.Errorf("got %v", c)
	}
}

func TestInterruptedErrorsSayWhatBecameOfTheMessage(t *testing.T) {
	queued := &InterruptedError{Pending: 12, Err: context.Canceled}
	closed := &InterruptedError{Closed: true, Err: context.DeadlineExceeded}
	if got, want := queued.Error(), "websocket: write interrupted, the message is queued (12 bytes wait for the peer): context canceled"; got != want {
		t.Errorf("got %s", got)
	}
	if got, want := closed.Error(), "websocket: write interrupted inside a frame, connection closed: context deadline exceeded"; got != want {
		t.Errorf("got %s", got)
	}
	if !errors.Is(queued, context.Canceled) || !errors.Is(closed, context.DeadlineExceeded) {
		t.Error("they do not unwrap")
	}
}

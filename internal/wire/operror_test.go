package wire

import (
	"errors"
	"net"
	"os"
	"testing"
	"time"
)

// TestErrorsNameTheOperationAsTheSocketDoes, though the descriptor is used without it.
func TestErrorsNameTheOperationAsTheSocketDoes(t *testing.T) {
	past := time.Unix(1, 0)
	for _, tt := range []struct {
		name, op string
		call     func(*Conn) error
	}{
		{"Wait", "read", func(c *Conn) error {
			_ = c.SetReadDeadline(past)
			return c.Wait()
		}},
		{"Loop", "read", func(c *Conn) error {
			_ = c.SetReadDeadline(past)
			return c.Loop(func() bool { return true })
		}},
		{"Flush", "write", func(c *Conn) error {
			_ = c.SetFlushDeadline(past)
			_, _ = c.Write([]byte("x"))
			return c.Flush()
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, socket := sockets(t)
			c := Plain(socket)
			c.Switch()
			err := tt.call(c)
			e, ok := errors.AsType[*net.OpError](err)
			if !ok || e.Op != tt.op || !e.Timeout() || !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("%v, want a timeout of %s", err, tt.op)
			}
		})
	}
}

func TestSocketErrorLeavesOthersAsTheyAre(t *testing.T) {
	op := &net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}
	for _, err := range []error{nil, net.ErrClosed, op} {
		if got := socketError(err); got != err {
			t.Errorf("%v became %v", err, got)
		}
	}
	raw := &net.OpError{Op: "raw-write", Net: "tcp", Err: net.ErrClosed}
	if got := socketError(raw); got.Error() != "write tcp: "+net.ErrClosed.Error() || !errors.Is(got, net.ErrClosed) {
		t.Errorf("%v", got)
	}
	if raw.Op != "raw-write" {
		t.Error("the original was changed")
	}
}

package frame

import (
	"errors"
	"fmt"
	"testing"
)

func TestErrorsSayReasonSectionAndCode(t *testing.T) {
	want := "websocket: frame from a client is not masked, §5.1 (close code 1002)"
	if got := ErrUnmasked.Error(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	var e *Error
	if err := fmt.Errorf("reading: %w", ErrInvalidUTF8); !errors.As(err, &e) || e.Code != InvalidPayload {
		t.Errorf("errors.As found %v in %v", e, err)
	}
}

func TestErrorTokensAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range []*Error{
		ErrReservedBits, ErrCompressedFrame, ErrReservedOpcode, ErrLengthOverflow,
		ErrLengthNotMinimal, ErrUnmasked, ErrMasked, ErrControlTooLong, ErrControlFragment,
		ErrNoMessage, ErrMessagePending, ErrCloseLength, ErrCloseCode, ErrCloseReason,
		ErrInvalidUTF8, ErrMessageTooBig, ErrReasonTooLong, ErrReasonNoCode,
	} {
		if seen[e.Token] {
			t.Errorf("token %q stands for two errors", e.Token)
		}
		seen[e.Token] = true
		if !e.Code.Sendable() {
			t.Errorf("%s: code %v cannot be sent", e.Token, e.Code)
		}
	}
}

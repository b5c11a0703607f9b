package frame

import (
	"errors"
	"fmt"
	"strings"
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
		ErrInvalidUTF8, ErrMessageTooBig,
		ErrCodeNotSendable, ErrReasonTooLong, ErrReasonNoCode, ErrReasonNotUTF8,
	} {
		if seen[e.Token] {
			t.Errorf("token %q stands for two errors", e.Token)
		}
		seen[e.Token] = true
		if own := e.Code == 0; !own && !e.Code.Sendable() {
			t.Errorf("%s: code %v cannot be sent", e.Token, e.Code)
		}
	}
}

// TestHintsStayOnThisSide: what the reader of a log may change is nothing that a peer is told, and
// what was never sent names no close code.
func TestHintsStayOnThisSide(t *testing.T) {
	for e, want := range map[*Error]string{
		ErrMessageTooBig:   "websocket: message exceeds the limit, §10.4; raise MessageLimit if it is legitimate (close code 1009)",
		ErrReasonTooLong:   "websocket: close reason longer than 123 bytes, §5.5; shorten it",
		ErrReasonNotUTF8:   "websocket: close reason is not UTF-8, §5.5.1; encode it as UTF-8",
		ErrReasonNoCode:    "websocket: close reason without a status code, §5.5.1; give a code",
		ErrCodeNotSendable: "websocket: close code that may not be sent, §7.4; use 1000 to 1003, 1007 to 1014 or 3000 to 4999",
	} {
		if got := e.Error(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if strings.Contains(ErrMessageTooBig.Reason, "MessageLimit") {
		t.Error("the reason, which the peer is told, has the hint")
	}
}

package frame

import (
	"errors"
	"strings"
	"testing"
)

func TestParseClose(t *testing.T) {
	for _, tt := range []struct {
		name   string
		body   string
		code   StatusCode
		reason string
		err    error
	}{
		{"empty body", "", NoStatus, "", nil},
		{"one byte", "\x03", ProtocolError, "", ErrCloseLength},
		{"code alone", "\x03\xe8", 1000, "", nil},
		{"code and reason", "\x03\xe9bye ✓", 1001, "bye ✓", nil},
		{"application code", "\x13\x87", 4999, "", nil},
		{"longest reason", "\x03\xe8" + strings.Repeat("x", 123), 1000, strings.Repeat("x", 123), nil},
		{"code that is never sent", "\x03\xee", 1006, "", ErrCloseCode},
		{"unassigned code", "\x07\xd0", 2000, "", ErrCloseCode},
		{"code zero", "\x00\x00", 0, "", ErrCloseCode},
		{"reason cut inside a character", "\x03\xe8\xe2\x9c", 1000, "\xe2\x9c", ErrCloseReason},
		{"reason with a surrogate", "\x03\xe8\xed\xa0\x80", 1000, "\xed\xa0\x80", ErrCloseReason},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, reason, err := ParseClose([]byte(tt.body))
			if code != tt.code || string(reason) != tt.reason || !errors.Is(err, tt.err) {
				t.Errorf("got %v, %q, %v; want %v, %q, %v", code, reason, err, tt.code, tt.reason, tt.err)
			}
		})
	}
}

func TestAppendClose(t *testing.T) {
	for _, tt := range []struct {
		name   string
		code   StatusCode
		reason string
		want   string
		err    error
	}{
		{"no status", NoStatus, "", "", nil},
		{"no status with a reason", NoStatus, "x", "", ErrReasonNoCode},
		{"code alone", 1000, "", "\x03\xe8", nil},
		{"code and reason", 1013, "später", "\x03\xf5später", nil},
		{"longest reason", 3000, strings.Repeat("y", 123), "\x0b\xb8" + strings.Repeat("y", 123), nil},
		{"reason one too long", 3000, strings.Repeat("y", 124), "", ErrReasonTooLong},
		{"reason not UTF-8", 1000, "\xff", "", ErrReasonNotUTF8},
		{"abnormal is never sent", Abnormal, "", "", ErrCodeNotSendable},
		{"beyond the ranges", 5000, "", "", ErrCodeNotSendable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := AppendClose([]byte("pre"), tt.code, tt.reason)
			if string(got) != "pre"+tt.want || !errors.Is(err, tt.err) {
				t.Errorf("got %q, %v; want %q, %v", got, err, "pre"+tt.want, tt.err)
			}
		})
	}
}

package frame

import "testing"

func TestOnlyDefinedStatusCodesMayBeSent(t *testing.T) {
	sendable := func(c int) bool {
		switch c {
		case 1004, 1005, 1006:
			return false
		}
		return c >= 1000 && c <= 1014 || c >= 3000 && c <= 4999
	}
	for c := 0; c <= 65535; c++ {
		if got := StatusCode(c).Sendable(); got != sendable(c) {
			t.Errorf("StatusCode(%d).Sendable() = %v", c, got)
		}
	}
}

func TestStatusCodesPrintTheirNames(t *testing.T) {
	for c, want := range map[StatusCode]string{
		NormalClosure: "1000 (normal closure)",
		MessageTooBig: "1009 (message too big)",
		4321:          "4321",
	} {
		if got := c.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

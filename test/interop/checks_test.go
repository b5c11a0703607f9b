package main

import (
	"strings"
	"testing"
)

func TestOurClientPassesWithOurServer(t *testing.T) {
	s, target := startTestServer(t)
	announce(s, target.out)
	for _, c := range clientChecks {
		t.Run(c.name, func(t *testing.T) {
			if err := target.check(t.Context(), c.run); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestChecksFailWithoutAServer(t *testing.T) {
	s, target := startTestServer(t)
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	for _, c := range clientChecks {
		if err := target.check(t.Context(), c.run); err == nil {
			t.Errorf("%s: want an error", c.name)
		}
	}
}

func TestAWrongEchoIsFound(t *testing.T) {
	_, target := startTestServer(t)
	err := target.echoes(t.Context(), "/ping", text("ping me"))
	if err == nil || !strings.Contains(err.Error(), `"answered", want text of 7 bytes "ping me"`) {
		t.Errorf("got %v", err)
	}
}

func TestAWrongCloseIsFound(t *testing.T) {
	_, target := startTestServer(t)
	_, _ = target.out.Write([]byte(`{"closed": "closed-by-client", "code": 1006, "reason": ""}` + "\n"))
	want := closing{"closed-by-client", 4001, "grüße"}
	if err := target.sawClose(t.Context(), want); err == nil || !strings.Contains(err.Error(), "want code 4001") {
		t.Errorf("got %v", err)
	}
}

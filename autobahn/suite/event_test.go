package suite

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestEventsAreArraysInJSON(t *testing.T) {
	for _, test := range []struct {
		event Event
		want  string
	}{
		{message("text"), `["message","text",false]`},
		{blob("\xfe\x00"), `["message","0xfe00",true]`},
		{pong(""), `["pong",""]`},
		{timeout("A"), `["timeout","A"]`},
		{message(strings.Repeat("*", 60)), `["message","` + strings.Repeat("*", 60) + `",false]`},
		{message(strings.Repeat("*", 65)), `["message","` + strings.Repeat("*", 64) + ` ...",false]`},
	} {
		if got, err := json.Marshal(test.event); err != nil || string(got) != test.want {
			t.Errorf("%+v: %s, %v, want %s", test.event, got, err, test.want)
		}
	}
}

func TestOctetsAreShownInHexadecimal(t *testing.T) {
	if got, want := hexExcerpt(strings.Repeat("\x81", 100)), strings.Repeat("81", 64)+" ..."; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

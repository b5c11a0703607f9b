package suite

import (
	"slices"
	"testing"

	"github.com/seed-c4549abd/wss/handshake"
)

func TestOffersAreTheOriginals(t *testing.T) {
	const base = "permessage-deflate; client_no_context_takeover; client_max_window_bits"
	got := string(handshake.AppendExtensions(nil, extensions([]offer{{}, {alone: true}, {bits: 9}, {alone: true, bits: 15}})))
	want := base + ", " + base + "; server_no_context_takeover, " + base + "; server_max_window_bits=9, " +
		base + "; server_no_context_takeover; server_max_window_bits=15"
	if got != want {
		t.Errorf("offers\n%s, want\n%s", got, want)
	}
}

func TestAnswersMustFitAnOffer(t *testing.T) {
	const name = "permessage-deflate"
	plain, alone, small := []offer{{}}, []offer{{alone: true}}, []offer{{bits: 9}}
	choice := []offer{{alone: true, bits: 9}, {alone: true}, {}}
	for _, test := range []struct {
		offers []offer
		answer string
		want   *compression // nil: an error
	}{
		{plain, name, &compression{false, false, 15, 15}},
		{plain, name + "; server_no_context_takeover; client_no_context_takeover", &compression{true, true, 15, 15}},
		{plain, name + "; server_max_window_bits=8; client_max_window_bits=10", &compression{false, false, 8, 10}},
		{alone, name, nil},
		{alone, name + "; server_no_context_takeover", &compression{true, false, 15, 15}},
		{small, name, nil},
		{small, name + "; server_max_window_bits=10", nil},
		{small, name + "; server_max_window_bits=9", &compression{false, false, 9, 15}},
		{small, name + "; server_max_window_bits=8", &compression{false, false, 8, 15}},
		{choice, name, &compression{false, false, 15, 15}},
		{choice, name + "; server_no_context_takeover", &compression{true, false, 15, 15}},

		{plain, name + "; mystery", nil},
		{plain, name + "; server_max_window_bits", nil},
		{plain, name + "; server_max_window_bits=16", nil},
		{plain, name + "; server_max_window_bits=7", nil},
		{plain, name + "; client_max_window_bits", nil},
		{plain, name + "; client_max_window_bits=09", nil},
		{plain, name + "; client_max_window_bits=x", nil},
		{plain, name + "; client_no_context_takeover=1", nil},
		{plain, name + "; server_no_context_takeover=1", nil},
		{plain, name + "; server_no_context_takeover; server_no_context_takeover", nil},
		{plain, name + ", " + name, nil},
		{plain, "permessage-other", nil},
	} {
		accepted, err := handshake.ParseExtensions([]string{test.answer})
		if err != nil {
			t.Fatal(err)
		}
		got, err := agreed(test.offers, accepted)
		if err == errNotGranted {
			got = nil
		}
		if (err == nil) != (test.want != nil) || got != nil && *got != *test.want {
			t.Errorf("%+v, answer %s: %+v, %v", test.offers, test.answer, got, err)
		}
	}
	if got, err := agreed(plain, nil); got != nil || err != nil {
		t.Errorf("declined: %v, %v", got, err)
	}
}

// TestAServerGrantsWhatIsOfferedAndAsksWhatThereIsRoomFor reads its answers as a client of ours does.
func TestAServerGrantsWhatIsOfferedAndAsksWhatThereIsRoomFor(t *testing.T) {
	for _, test := range []struct {
		offers string
		wishes []offer
		want   string // empty: declined
	}{
		{"permessage-deflate", []offer{{}}, "permessage-deflate"},
		{"x, permessage-deflate", []offer{{}}, "permessage-deflate"},
		{"permessage-deflate", []offer{{alone: true}}, "permessage-deflate; client_no_context_takeover"},
		{"permessage-deflate", []offer{{bits: 9}}, ""},
		{"permessage-deflate", []offer{{bits: 9}, {alone: true}, {}}, "permessage-deflate; client_no_context_takeover"},
		{"permessage-deflate; client_max_window_bits", []offer{{bits: 9}}, "permessage-deflate; client_max_window_bits=9"},
		{"permessage-deflate; client_max_window_bits=8", []offer{{bits: 9}}, "permessage-deflate; client_max_window_bits=8"},
		{"permessage-deflate; server_max_window_bits=10; server_no_context_takeover", []offer{{}},
			"permessage-deflate; server_no_context_takeover; server_max_window_bits=10"},
		{"permessage-deflate, permessage-deflate; client_max_window_bits", []offer{{bits: 15}},
			"permessage-deflate; client_max_window_bits=15"},
		{"x", []offer{{}}, ""},
		{"permessage-deflate; x", []offer{{}}, ""},
		{"permessage-deflate; server_max_window_bits=7", []offer{{}}, ""},
		{"permessage-deflate; server_max_window_bits", []offer{{}}, ""},
		{"permessage-deflate; server_no_context_takeover; server_no_context_takeover", []offer{{}}, ""},
	} {
		offers, err := handshake.ParseExtensions([]string{test.offers})
		if err != nil {
			t.Fatal(err)
		}
		c, answer := accepted(test.wishes, offers)
		want, err := handshake.ParseExtensions([]string{test.want})
		if test.want == "" {
			want, err = nil, nil
		}
		if err != nil || !slices.EqualFunc(answer, want, func(a, b handshake.Extension) bool {
			return a.Name == b.Name && slices.Equal(a.Params, b.Params)
		}) || (c == nil) != (test.want == "") {
			t.Errorf("%s, %v: %+v, %+v, want %s", test.offers, test.wishes, c, answer, test.want)
		}
	}
}

package suite

import (
	"bytes"
	"testing"
)

// TestFamiliarMessagesNeedTheSameOctetsBehindTheSameWindow.
func TestFamiliarMessagesNeedTheSameOctetsBehindTheSameWindow(t *testing.T) {
	var f familiar
	message := bytes.Repeat([]byte("m"), minFamiliar)
	f.add([]byte("window"), []byte("octets"), message)
	f.add([]byte("window"), []byte("short"), message[1:])
	for _, c := range []struct {
		window, octets string
		known          bool
	}{{"window", "octets", true}, {"Window", "octets", false}, {"", "octets", false}, {"window", "octet", false}, {"window", "short", false}} {
		if got := f.find([]byte(c.window), []byte(c.octets)); (got != nil) != c.known || c.known && !bytes.Equal(got, message) {
			t.Errorf("%q behind %q: %d octets", c.octets, c.window, len(got))
		}
	}
	for range 2 * familiarRoom / minFamiliar {
		f.add(nil, nil, message)
	}
	if f.size > familiarRoom {
		t.Errorf("%d octets are remembered", f.size)
	}
}

// TestMessagesThatRepeatInflateAsTheyDid: rounds of long messages, some of them spoiled in between.
func TestMessagesThatRepeatInflateAsTheyDid(t *testing.T) {
	for _, alone := range []bool{false, true} {
		s := samples[0]
		row := seriesOf(seriesKey{s, 64 * kib, maxWindowBits, alone})
		z := &inflater{alone: alone, reach: 1 << maxWindowBits, limit: inflateLimit}
		for i := range 30 {
			got, err := z.inflate(bytes.Clone(row.message(i)))
			if err != nil || !bytes.Equal(got, s.message(i, 64*kib)) {
				t.Fatalf("alone %v: message %d is not what was sent: %v", alone, i, err)
			}
		}
		if want := map[bool]int{false: 8, true: 7}[alone]; len(z.familiar.met) != want {
			t.Errorf("alone %v: %d messages are remembered, want %d", alone, len(z.familiar.met), want)
		}
		// The same octets behind another window are another message.
		if alone {
			continue
		}
		short := newDeflater(maxWindowBits, true).compress([]byte("another window"))
		if _, err := z.inflate(short); err != nil {
			t.Fatal(err)
		}
		if got, err := z.inflate(bytes.Clone(row.message(30))); err == nil && bytes.Equal(got, s.message(30, 64*kib)) {
			t.Error("a message that refers to others inflates to the same without them")
		}
	}
}

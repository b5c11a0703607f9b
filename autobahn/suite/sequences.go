package suite

import "strings"

// sequences are the payloads of 6.5 to 6.23, in the manner of Markus Kuhn's list of what a UTF-8 decoder must cope with
// (https://www.cl.cam.ac.uk/~mgk25/ucs/examples/UTF-8-test.txt). What is valid follows from the payload (RFC 3629).
func sequences() [][]string {
	incomplete := []string{
		"\xc0", "\xe0\x80", "\xf0\x80\x80", "\xf8\x80\x80\x80", "\xfc\x80\x80\x80\x80",
		"\xdf", "\xef\xbf", "\xf7\xbf\xbf", "\xfb\xbf\xbf\xbf", "\xfd\xbf\xbf\xbf\xbf",
	}
	return [][]string{
		{"hello$world", "hello¢world", "hello€world", "hello𤭢world", greek},
		prefixes(greek),
		// The first and the last of each length; those of more than four octets are no characters.
		{"\x00", "\xc2\x80", "\xe0\xa0\x80", "\xf0\x90\x80\x80"},
		{"\xf8\x88\x80\x80\x80", "\xfc\x84\x80\x80\x80\x80"},
		{"\x7f", "\xdf\xbf", "\xef\xbf\xbf", "\xf4\x8f\xbf\xbf"},
		{"\xf7\xbf\xbf\xbf", "\xfb\xbf\xbf\xbf\xbf", "\xfd\xbf\xbf\xbf\xbf\xbf"},
		// Both sides of the surrogates, the replacement character, both sides of the end of Unicode.
		{"\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbd", "\xf4\x8f\xbf\xbf", beyond},
		continuations(),
		{starts(0xc0, 0xdf), starts(0xe0, 0xef), starts(0xf0, 0xf7), starts(0xf8, 0xfb), starts(0xfc, 0xfd)},
		incomplete,
		{strings.Join(incomplete, "")},
		{"\xfe", "\xff", "\xfe\xfe\xff\xff"},
		// Longer than need be: the slash, the last of each length that is too long, NUL.
		{"\xc0\xaf", "\xe0\x80\xaf", "\xf0\x80\x80\xaf", "\xf8\x80\x80\x80\xaf", "\xfc\x80\x80\x80\x80\xaf"},
		{"\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xf8\x87\xbf\xbf\xbf", "\xfc\x83\xbf\xbf\xbf\xbf"},
		{"\xc0\x80", "\xe0\x80\x80", "\xf0\x80\x80\x80", "\xf8\x80\x80\x80\x80", "\xfc\x80\x80\x80\x80\x80"},
		// Surrogates, single and in pairs.
		{"\xed\xa0\x80", "\xed\xad\xbf", "\xed\xae\x80", "\xed\xaf\xbf", "\xed\xb0\x80", "\xed\xbe\x80", "\xed\xbf\xbf"},
		{
			"\xed\xa0\x80\xed\xb0\x80", "\xed\xa0\x80\xed\xbf\xbf", "\xed\xad\xbf\xed\xb0\x80", "\xed\xad\xbf\xed\xbf\xbf",
			"\xed\xae\x80\xed\xb0\x80", "\xed\xae\x80\xed\xbf\xbf", "\xed\xaf\xbf\xed\xb0\x80", "\xed\xaf\xbf\xed\xbf\xbf",
		},
		noncharacters(),
		{"\ufff9", "\ufffa", "\ufffb", "\ufffc", "\ufffd", "\ufffe", "\uffff"},
	}
}

// prefixes are all of s but the empty one.
func prefixes(s string) []string {
	var all []string
	for i := range len(s) {
		all = append(all, s[:i+1])
	}
	return all
}

// continuations are continuation octets without anything to continue: single ones, runs, and all but the last of them.
func continuations() []string {
	all := []string{"\x80", "\xbf"}
	for n := 2; n <= 6; n++ {
		all = append(all, strings.Repeat("\x80\xbf", 3)[:n])
	}
	var run []byte
	for b := byte(0x80); b < 0xbf; b++ {
		run = append(run, b)
	}
	return append(all, string(run))
}

// starts are the octets from first to before last that begin a sequence, each followed by a blank instead.
func starts(first, last byte) string {
	var all []byte
	for b := first; b < last; b++ {
		all = append(all, b, ' ')
	}
	return string(all)
}

// noncharacters are the last two code points of every plane, which are valid all the same. Of planes 1 to 15 that is all of
// them: the plane's number stands in the first two octets.
func noncharacters() []string {
	all := []string{"\ufffe", "\uffff"}
	for plane := rune(1); plane <= 16; plane++ {
		all = append(all, string(plane<<16|0xfffe), string(plane<<16|0xffff))
	}
	return all
}

package main

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/seed-c4549abd/wss/autobahn/report"
	"github.com/seed-c4549abd/wss/autobahn/suite"
)

// finding is what cases of one subgroup have in common that a peer does not pass.
type finding struct {
	cases             []string
	kind              kind
	why               string // it is a matter of taste
	behavior, closing report.Behavior
	did, found        string // of the first case
	sent, came        string // octets, likewise
	section           string
	crash             bool // the peer's program ended
}

// kind is how much a finding weighs.
type kind string

const (
	must   kind = "MUST"
	should kind = "SHOULD"
	taste  kind = "taste"
)

// tastes are cases that no RFC decides, by the beginnings of their numbers.
var tastes = map[string]string{
	"20.2.3 ":  "the two keys are the same",
	"20.5.9 ":  "no RFC says how long a field may be",
	"20.5.12 ": "no RFC says how many fields there may be",
	"23.1.1 ":  "1012 was registered after RFC 6455",
	"23.1.2 ":  "1013 was registered after RFC 6455",
	"23.1.3 ":  "1014 was registered after RFC 6455",
	"27.1.":    "no RFC says how soon the end of the stream is to be noticed",
	"27.2.":    "no RFC says how soon the end of the stream is to be noticed",
	"28.1.":    "the sender must not; nobody must fail for it",
}

// weigh says how much a result weighs that is no pass, and why it is a matter of taste.
func weigh(r *suite.Result) (kind, string) {
	if r.ByRFC != nil && r.ByRFC.Behavior == report.OK && r.ByRFC.BehaviorClose == report.OK {
		return taste, "the original asks for more than the RFC"
	}
	if r.Behavior == report.Unimplemented {
		return taste, "compression is optional"
	}
	if strings.HasPrefix(r.ID, "20.6.") && strings.Contains(r.Result, "refused with status") {
		return taste, "RFC 7692 has the offer declined; a server may refuse any handshake"
	}
	for prefix, why := range tastes {
		// To take what is incomplete for whole is none.
		late := !strings.HasPrefix(prefix, "27.") || r.Behavior == report.OK
		if strings.HasPrefix(r.ID+" ", prefix) && late {
			return taste, why
		}
	}
	strict := func(b report.Behavior) bool { return b == report.OK || b == report.NonStrict }
	if strict(r.Behavior) && strict(r.BehaviorClose) {
		return should, ""
	}
	return must, ""
}

// findings are those of results, in the order of the cases. crashes are the ids of those that end the peer's program.
func findings(results []*suite.Result, crashes []string) []finding {
	var all []finding
	for _, r := range results {
		crash := slices.Contains(crashes, r.ID)
		if r.Passes() && !crash {
			continue
		}
		f := findingOf(r)
		if crash {
			f.crashes()
		}
		same := slices.IndexFunc(all, func(o finding) bool {
			return subgroup(o.cases[0]) == subgroup(r.ID) && o.kind == f.kind && o.why == f.why && o.behavior == f.behavior &&
				o.closing == f.closing && o.section == f.section && o.crash == f.crash
		})
		if same >= 0 {
			all[same].cases = append(all[same].cases, r.ID)
			continue
		}
		all = append(all, f)
	}
	return all
}

func findingOf(r *suite.Result) finding {
	f := finding{
		cases: []string{r.ID}, behavior: r.Behavior, closing: r.BehaviorClose, did: r.Description, section: suite.Section(r.ID),
	}
	f.kind, f.why = weigh(r)
	f.found = r.Result
	if r.Behavior == report.OK {
		f.found = r.ResultClose
	}
	f.found = addresses.ReplaceAllString(f.found, "")
	f.sent, f.came = frames(r, suite.Sent), frames(r, suite.Received)
	if f.sent == "" && r.HTTPResponse != "" {
		f.came, _, _ = strings.Cut(r.HTTPResponse, "\r\n")
	}
	return f
}

// crashes makes a finding one that ends the peer's program. The page leaves out which case does it: it would do so to everybody's.
func (f *finding) crashes() {
	f.kind, f.why, f.crash, f.behavior, f.closing = must, "", true, report.Failed, report.Unclean
	f.sent, f.came = "", ""
	f.found = "**The program ended.** Which case does it is left out here; a run of the suite tells."
}

// addresses are those of a connection in an error, which are others in every run.
var addresses = regexp.MustCompile(`(read|write) tcp \S+->\S+: `)

// subgroup is a case's number without its last part; of the original's, which have many that are alike, the first number alone.
func subgroup(id string) string {
	if !suite.IsBeyond(id) {
		group, _, _ := strings.Cut(id, ".")
		return group
	}
	return id[:strings.LastIndex(id, ".")]
}

// The most that is shown of frames.
const (
	mostFrames  = 3
	mostPayload = 8
	longest     = 1 << 30 // what is longer has no payload in any case
)

// frames are the first frames of a direction, in hexadecimal: each header without its masking key, and the payload unmasked, so
// that they are the same in every run.
func frames(r *suite.Result, d suite.Direction) string {
	var octets []byte
	whole := true
	for _, l := range r.WireLog() {
		if l.Direction != d || l.What != "octets" || !whole {
			continue
		}
		digits, cut := strings.CutSuffix(l.Payload, " ...")
		b, err := hex.DecodeString(digits)
		if err != nil {
			break
		}
		octets = append(octets, b...)
		whole = !cut
	}
	var all []string
	for len(octets) > 1 {
		if len(all) == mostFrames {
			all = append(all, "…")
			break
		}
		shown, size := oneFrame(octets)
		all = append(all, shown)
		if size > len(octets) {
			break
		}
		octets = octets[size:]
	}
	return strings.Join(all, " ")
}

// oneFrame shows the frame that octets begin with, and returns its size, which may be more than there is.
func oneFrame(b []byte) (shown string, size int) {
	head, length := 2, uint64(b[1]&0x7f)
	switch {
	case length == 126 && len(b) >= 4:
		head, length = 4, uint64(binary.BigEndian.Uint16(b[2:]))
	case length == 127 && len(b) >= 10:
		head, length = 10, binary.BigEndian.Uint64(b[2:])
	}
	length &= math.MaxInt64 // a top bit is shown, and no length
	shown = hex.EncodeToString(b[:head])
	from := head
	var key [4]byte
	if b[1]&0x80 != 0 {
		copy(key[:], b[head:])
		from += len(key)
	}
	payload := b[min(from, len(b)):]
	if length < uint64(len(payload)) {
		payload = payload[:length]
	}
	if length > longest {
		return shown + "…", len(b) + 1
	}
	unmasked := make([]byte, min(len(payload), mostPayload))
	for i := range unmasked {
		unmasked[i] = payload[i] ^ key[i%4]
	}
	shown += hex.EncodeToString(unmasked)
	if length > uint64(len(unmasked)) {
		shown += "…"
	}
	return shown, from + int(length)
}

// String names a finding's cases and verdicts.
func (f *finding) String() string {
	return fmt.Sprintf("%s: %s, %s", strings.Join(f.cases, ", "), f.behavior, f.closing)
}

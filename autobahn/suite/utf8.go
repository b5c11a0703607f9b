package suite

import (
	"context"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/seed-c4549abd/wss/autobahn/report"
	"github.com/seed-c4549abd/wss/frame"
)

const (
	greek = "κ\u1f79σμε" // eleven octets: the second character has three, the others two
	// beyond is U+110000, which would be the first character that Unicode does not have: it breaks at its second octet.
	beyond = "\xf4\x90\x80\x80"
	edited = "edited"
	// surrogateInGreek breaks at its thirteenth octet, in the middle of U+D800.
	surrogateInGreek = greek + "\xed\xa0\x80" + edited
	// mixed has characters of one and of two octets.
	mixed1 = "Hello-µ@ßöä"
	mixed2 = "üàá-UTF-8!!"
)

// utf8Handling is group 6: text that is UTF-8 and text that is not (RFC 6455 §5.6, §8.1).
func utf8Handling() []Case {
	const middlePayload = "middle frame payload"
	cases := []Case{
		echoed("6.1.1", "An empty text message.", "", text("")),
		echoed("6.1.2", "A text message in three fragments, all empty.", "", first(""), middle(""), last("")),
		echoed("6.1.3", "A text message in three fragments, the first and the last empty.", middlePayload,
			first(""), middle(middlePayload), last("")),
		echoed("6.2.1", "Valid text in one frame.", mixed1+mixed2, text(mixed1+mixed2)),
		echoed("6.2.2", "Valid text in two fragments, cut between characters.", mixed1+mixed2, first(mixed1), last(mixed2)),
		echoed("6.2.3", "Valid text in fragments of one octet, cut within characters.", mixed1+mixed2,
			split(frame.Text, mixed1+mixed2, 1)...),
		echoed("6.2.4", "Greek text in fragments of one octet, cut within characters.", greek, split(frame.Text, greek, 1)...),
		invalid("6.3.1", "Text with a surrogate, in one frame.", time.Second, text(surrogateInGreek)),
		invalid("6.3.2", "Text with a surrogate, in fragments of one octet.", time.Second,
			split(frame.Text, surrogateInGreek, 1)...),
	}
	const broken = greek + beyond + edited
	const breaks = len(greek) + 1 // the octet that cannot stand where it does
	cases = append(cases,
		failFast("6.4.1", "in three fragments", greek, beyond, edited, sendFragment),
		failFast("6.4.2", "in three fragments, the second ending with the octet that breaks it",
			broken[:breaks], broken[breaks:breaks+1], broken[breaks+1:], sendFragment),
		failFast("6.4.3", "in three pieces of one frame", greek, beyond, edited, sendPiece()),
		failFast("6.4.4", "in three pieces of one frame, the second ending with the octet that breaks it",
			broken[:breaks], broken[breaks:breaks+1], broken[breaks+1:], sendPiece()),
	)
	for i, group := range sequences() {
		for j, payload := range group {
			cases = append(cases, sequence(fmt.Sprintf("6.%d.%d", i+5, j+1), payload))
		}
	}
	return cases
}

// echoed is a case with valid text.
func echoed(id, description, payload string, frames ...Frame) Case {
	return Case{
		ID: id, Description: description, Expectation: "The message comes back, and the connection is closed cleanly with 1000.",
		Outcomes: ok(message(payload)), Closing: normalClosing(), Frames: frames, CloseAfter: time.Second,
	}
}

// invalid is a case with text that is not UTF-8. A peer that leaves it to us to close has not noticed.
func invalid(id, description string, wait time.Duration, frames ...Frame) Case {
	c := rejected(id, description, frames...)
	c.Expectation = "The connection is failed with 1007."
	c.Closing = Closing{Codes: []frame.StatusCode{frame.InvalidPayload}, WrongEndIsFatal: true}
	c.KillAfter = wait
	return c
}

// sequence is a case with a payload of package-level lists, valid or not.
func sequence(id, payload string) Case {
	const wait = 500 * time.Millisecond
	if !utf8.ValidString(payload) {
		return invalid(id, fmt.Sprintf("Text that is not UTF-8, in one frame: %x.", payload), wait, text(payload))
	}
	c := echoed(id, fmt.Sprintf("Text that is UTF-8, in one frame: %x.", payload), payload, text(payload))
	c.CloseAfter, c.KillAfter = 0, wait
	return c
}

// part is one of the three that text is sent in.
type part struct {
	payload string
	number  int // from 0
	pos     int // of the payload in the text
	total   int // octets of the text
}

// failFast sends text that its second part makes invalid, and waits a second behind each part. A strict peer fails the
// connection before the third: RFC 6455 §8.1 does not ask for it, and the original calls a later failure NON-STRICT.
func failFast(id, how, part1, part2, part3 string, send func(*Peer, part)) Case {
	c := invalid(id, fmt.Sprintf("Text that is not UTF-8, %s, with waits between them: %x, %x, %x.", how, part1, part2, part3), 0)
	c.Expectation = "The first part is accepted. The second should be refused at once with 1007, and not strictly the third must be."
	const a, b = "A", "B"
	c.Outcomes = []Outcome{
		{Verdict: report.OK, Events: []Event{timeout(a)}},
		{Verdict: report.NonStrict, Events: []Event{timeout(a), timeout(b)}, ByRFC: report.OK},
	}
	c.waits = []time.Duration{time.Second, time.Second}
	c.limit = time.Second
	c.Drive = func(ctx context.Context, p *Peer) {
		total := len(part1) + len(part2) + len(part3)
		send(p, part{part1, 0, 0, total})
		if !p.Wait(ctx, time.Second, a) || !p.Open() {
			return
		}
		p.Note(a)
		send(p, part{part2, 1, len(part1), total})
		if !p.Wait(ctx, time.Second, b) || !p.Open() {
			return
		}
		p.Note(b)
		send(p, part{part3, 2, len(part1) + len(part2), total})
		p.KillAfter(time.Second)
	}
	return c
}

// sendFragment sends a part as a frame of its own.
func sendFragment(p *Peer, s part) {
	p.Send([]Frame{first(s.payload), middle(s.payload), last(s.payload)}[s.number])
}

// sendPiece sends all parts as one frame.
func sendPiece() func(*Peer, part) {
	var key [4]byte
	return func(p *Peer, s part) {
		if s.number == 0 {
			key = p.SendHeader(s.total)
		}
		p.SendPayload(key, s.pos, s.payload)
	}
}

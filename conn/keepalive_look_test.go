package conn

import (
	"errors"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/deflate"
	"github.com/seed-c4549abd/wss/internal/pipe"
	"github.com/seed-c4549abd/wss/internal/transport"
	"github.com/seed-c4549abd/wss/internal/wheel"
)

// fakeTraffic is what a connection without bytes of its own says of them.
type fakeTraffic struct {
	in, out, acked int64
	inside         bool
}

func (t fakeTraffic) received() int64      { return t.in }
func (t fakeTraffic) sentAndQueued() int64 { return t.out }
func (t fakeTraffic) acknowledged() int64  { return t.acked }

func (t fakeTraffic) insideCompressed() bool { return t.inside }

// TestWhatKeepaliveDecides at one look, from nothing but what it was told.
func TestWhatKeepaliveDecides(t *testing.T) {
	const begin = int64(time.Hour)
	after := func(d time.Duration) int64 { return begin + int64(d) }
	for _, tt := range []struct {
		name          string
		pings         time.Duration // PingInterval; 0: the default
		minRate       int64
		told          func(k *keepalive)
		now           int64
		traffic       fakeTraffic
		first, second action
		again         time.Duration
	}{
		{name: "a message a moment ago", now: after(1), again: DefaultPingInterval - 1},
		{name: "silence", now: after(DefaultPingInterval), first: sendPing, again: DefaultPongTimeout},
		{name: "silence inside a compressed message", now: after(DefaultPingInterval), traffic: fakeTraffic{inside: true}, again: pingLater},
		{name: "no pings wanted", pings: -1, now: after(time.Hour)},
		{
			name: "a ping unanswered, and nobody waits for the answer",
			told: func(k *keepalive) { k.probe = &probe{sent: begin + 1, since: begin + 1} },
			now:  after(time.Hour), again: DefaultPongTimeout,
		},
		{
			name: "a ping unanswered for the second time",
			told: func(k *keepalive) {
				k.waits.Store(begin)
				k.probe = &probe{sent: begin + 1, since: begin + 1, excuse: reader}
			},
			now: after(time.Hour), first: endUnanswered,
		},
		{
			name: "a ping that the network has not delivered",
			told: func(k *keepalive) {
				k.waits.Store(begin)
				k.probe = &probe{sent: begin + 1, since: begin + 1, end: 100}
			},
			now: after(time.Hour), traffic: fakeTraffic{acked: 99}, again: DefaultPongTimeout,
		},
		{
			name: "a reader that has waited for less than parkAfter", pings: -1,
			told: func(k *keepalive) { k.mayPark.Store(true); k.waits.Store(begin) },
			now:  after(parkAfter / 2), again: parkAfter / 2,
		},
		{
			name: "a reader that has waited for parkAfter", pings: -1,
			told: func(k *keepalive) { k.mayPark.Store(true); k.waits.Store(begin) },
			now:  after(parkAfter), second: parkReader,
		},
		{
			name: "a message at half the least rate", pings: -1, minRate: 100,
			told: func(k *keepalive) {
				k.waits.Store(begin)
				k.progress.Store(arrives)
				k.measured = &measured{mark: begin, base: 1000}
			},
			now: after(rateWindow), traffic: fakeTraffic{in: 1250}, second: closeSlowSender, again: rateWindow,
		},
		{
			name: "a message at the least rate", pings: -1, minRate: 100,
			told: func(k *keepalive) {
				k.waits.Store(begin)
				k.progress.Store(arrives)
				k.measured = &measured{mark: begin, base: 1000}
			},
			now: after(rateWindow), traffic: fakeTraffic{in: 1500}, again: rateWindow,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			set := newSettings(0, 0, tt.pings, 0)
			set.wheel, set.minRate = new(wheel.Wheel), tt.minRate
			k := &keepalive{settings: &set}
			k.last.Store(begin)
			if tt.told != nil {
				tt.told(k)
			}
			first, second, again := k.look(tt.now, tt.traffic)
			if first != tt.first || second != tt.second || again != tt.again {
				t.Errorf("actions %d and %d, again after %v; want %d, %d, %v", first, second, again, tt.first, tt.second, tt.again)
			}
		})
	}
}

// TestHowLongAStalledPeerHas: its patience starts again each time when it has taken something, and when the process resumes.
func TestHowLongAStalledPeerHas(t *testing.T) {
	const patience = 100 * time.Nanosecond
	s := &stall{since: 1000, taken: 5}
	for i, look := range []struct{ now, taken, resumed, left int64 }{
		{1050, 5, 0, 50},    // it has taken nothing
		{1090, 6, 0, 100},   // now it has
		{1150, 6, 0, 40},    // and nothing since
		{1160, 6, 1120, 60}, // but the process was suspended meanwhile
		{1220, 6, 1120, 0},  // this is too long
	} {
		if left := s.left(look.now, look.taken, look.resumed, patience); left != time.Duration(look.left) {
			t.Errorf("look %d: %d left, want %d", i, left, look.left)
		}
	}
}

// TestNoPingOfKeepaliveInsideACompressedMessage: it comes when the message has ended.
func TestNoPingOfKeepaliveInsideACompressedMessage(t *testing.T) {
	inTime(t, func(t *testing.T) {
		a, b := pipe.New(1 << 16)
		z := &compression{send: deflate.Compressor{WindowBits: 15}, threshold: 1}
		server := newConn(transport.New(b), frame.Server, "", newSettings(0, 0, 0, 0), z, nil)
		ended := make(chan struct{})
		go func() {
			_, _ = lasted(server)
			close(ended)
		}()
		w, err := server.Writer(bg, Text)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			_, err := w.Write([]byte("a fragment"))
			if err = errors.Join(err, w.Flush()); err != nil {
				t.Fatal(err)
			}
			if h, _ := readFrame(t, a); h.Opcode.IsControl() {
				t.Errorf("%v between fragments", h.Opcode)
			}
			time.Sleep(2 * DefaultPingInterval)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if h, _ := readFrame(t, a); !h.Fin || h.Opcode != frame.Continuation {
			t.Errorf("%v in place of the last fragment", h.Opcode)
		}
		if h, _ := readFrame(t, a); h.Opcode != frame.Ping {
			t.Errorf("%v in place of a ping", h.Opcode)
		}
		_ = a.Close()
		<-ended
	})
}

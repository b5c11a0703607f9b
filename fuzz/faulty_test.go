package fuzz

import (
	"io"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-c4549abd/wss/internal/pipe"
)

// faults are what one end of a connection suffers, from the moment it is armed.
type faults struct {
	readMax  int           // a Read returns at most so many bytes; 0: as many as there are
	writeMax int           // a Write is handed over in pieces of at most so many; 0: whole
	delay    time.Duration // before some of the pieces
	at       int64         // bytes received or sent before what follows; 0: never
	what     mishap
}

// mishap is what happens to a stream in its middle.
type mishap uint8

const (
	reset     mishap = iota // both directions break
	eof                     // the other end seems to have ended its stream
	stall                   // nothing moves for a while
	blackhole               // nothing arrives any more, and nobody says so
	mishaps
)

// faulty is an end of a pipe that suffers faults.
type faulty struct {
	*pipe.End
	faults
	pauses *budget
	armed  atomic.Bool
	hit    atomic.Bool // the connection cannot end well any more

	mu      sync.Mutex
	random  *rand.Rand
	in, out int64 // bytes since it was armed
	pieces  int
	stalled bool
}

func newFaulty(end *pipe.End, f faults, seed uint64, pauses *budget) *faulty {
	return &faulty{End: end, faults: f, pauses: pauses, random: rand.New(rand.NewPCG(seed, 0))}
}

// mostPieces bounds how much of a conversation is cut: each piece costs the buffers that it
// passes through, which are poisoned.
const mostPieces = 1000

// piece returns how many of n bytes move next, and how long that takes to begin.
func (f *faulty) piece(n, most int) (int, time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var wait time.Duration
	if f.delay > 0 && f.random.IntN(4) == 0 {
		wait = time.Duration(f.random.Int64N(int64(f.delay)))
	}
	if f.pieces++; most > 0 && n > most && f.pieces < mostPieces {
		n = 1 + f.random.IntN(most)
	}
	return n, wait
}

// moved counts n bytes of one direction, and reports whether it is time for the mishap.
func (f *faulty) moved(count *int64, n int) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	*count += int64(n)
	if f.at == 0 || *count < f.at {
		return false
	}
	if f.what == stall {
		again := f.stalled
		f.stalled = true
		return !again
	}
	f.hit.Store(true)
	return true
}

func (f *faulty) Read(p []byte) (int, error) {
	if !f.armed.Load() || len(p) == 0 {
		return f.End.Read(p)
	}
	for {
		k, wait := f.piece(len(p), f.readMax)
		f.pauses.sleep(wait)
		n, err := f.End.Read(p[:k])
		if !f.moved(&f.in, n) {
			return n, err
		}
		switch f.what {
		case reset:
			_ = f.Close()
			return 0, syscall.ECONNRESET
		case eof:
			return 0, io.EOF
		case stall:
			f.pauses.sleep(stallTime)
			return n, err
		case blackhole:
			if err != nil {
				return 0, err
			}
		}
	}
}

func (f *faulty) Write(p []byte) (n int, err error) {
	if !f.armed.Load() {
		return f.End.Write(p)
	}
	for len(p) > 0 && err == nil {
		k, wait := f.piece(len(p), f.writeMax)
		f.pauses.sleep(wait)
		var m int
		m, err = f.End.Write(p[:k])
		n, p = n+m, p[m:]
		if f.moved(&f.out, m) && err == nil {
			switch f.what {
			case reset:
				_ = f.Close()
				return n, syscall.ECONNRESET
			case stall:
				f.pauses.sleep(stallTime)
			}
		}
	}
	return n, err
}

// stallTime is shorter than the second for which a connection that has ended lingers.
const stallTime = 200 * time.Millisecond

// budget is the time that a conversation may lose in all: beyond it a closing
// handshake may fail for no other reason, and then little could be checked.
type budget struct {
	left atomic.Int64
	real bool // the clock is the machine's: no pauses
}

func (b *budget) sleep(d time.Duration) {
	if d <= 0 || b.real {
		return
	}
	if left := b.left.Add(-int64(d)); left >= 0 {
		time.Sleep(d)
	}
}

func TestFaultyConnections(t *testing.T) {
	message := []byte("0123456789")
	for _, test := range []struct {
		name string
		f    faults
		want string // what arrives
		err  error
	}{
		{"nothing", faults{}, "0123456789", nil},
		{"short reads", faults{readMax: 2}, "0123456789", nil},
		{"a reset in the middle", faults{readMax: 1, at: 5, what: reset}, "0123", syscall.ECONNRESET},
		{"an end of the stream that was not sent", faults{readMax: 1, at: 3, what: eof}, "01", io.EOF},
		{"a stall in the middle", faults{readMax: 1, at: 5, what: stall, delay: time.Millisecond}, "0123456789", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := pipe.New(1 << 10)
				pauses := new(budget)
				pauses.left.Store(int64(time.Second))
				f := newFaulty(b, test.f, 1, pauses)
				f.armed.Store(true)
				if _, err := a.Write(message); err != nil {
					t.Fatal(err)
				}
				var got []byte
				buf := make([]byte, 16)
				for len(got) < len(message) {
					n, err := f.Read(buf)
					got = append(got, buf[:n]...)
					if err != nil {
						if err != test.err {
							t.Errorf("%v, want %v", err, test.err)
						}
						break
					}
				}
				if string(got) != test.want {
					t.Errorf("got %q, want %q", got, test.want)
				}
			})
		})
	}
}

package hostpool

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/seed-c4549abd/wss/conn"
)

// fake is a connection that takes so many streams, and refuses the first requests.
type fake struct {
	room, refuses atomic.Int64
	ended         chan struct{}
	once          sync.Once
}

func newFake(room int64) *fake {
	f := &fake{ended: make(chan struct{})}
	f.room.Store(room)
	return f
}

func (f *fake) Reserve() bool { return f.room.Add(-1) >= 0 }

func (f *fake) Open(context.Context, *conn.StreamRequest) (net.Conn, *http.Response, error) {
	if f.refuses.Add(-1) >= 0 {
		return nil, nil, ErrNotProcessed
	}
	return nil, &http.Response{StatusCode: http.StatusOK}, nil
}

func (f *fake) Shutdown(error) { f.once.Do(func() { close(f.ended) }) }
func (f *fake) Await()         { <-f.ended }

var request = &conn.StreamRequest{URL: &url.URL{Host: "example.com"}}

// TestDialsShareConnections: one dial at a time for a host, and another connection when one is full.
func TestDialsShareConnections(t *testing.T) {
	var p Pool[*fake]
	var dials, dialing atomic.Int64
	dial := func(func(*fake)) (*fake, error) {
		if dialing.Add(1) > 1 {
			t.Error("two dials at once")
		}
		defer dialing.Add(-1)
		dials.Add(1)
		f := newFake(10)
		f.Reserve()
		return f, nil
	}
	var wg sync.WaitGroup
	for range 25 {
		wg.Go(func() {
			if _, _, err := p.Open(t.Context(), request, dial); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := dials.Load(); n != 3 {
		t.Errorf("%d connections for 25 streams of 10 each", n)
	}
}

// TestRequestsThatWereNotProcessed are sent again, but not for ever.
func TestRequestsThatWereNotProcessed(t *testing.T) {
	for refusals, ok := range map[int64]bool{0: true, maxAttempts - 1: true, maxAttempts: false} {
		var p Pool[*fake]
		f := newFake(10)
		f.refuses.Store(refusals)
		_, _, err := p.Open(t.Context(), request, func(func(*fake)) (*fake, error) { return f, nil })
		if (err == nil) != ok {
			t.Errorf("%d refusals: %v", refusals, err)
		}
	}
}

// TestHostsWithoutStreams are not asked again, and others are.
func TestHostsWithoutStreams(t *testing.T) {
	var p Pool[*fake]
	dials := 0
	dial := func(func(*fake)) (*fake, error) { dials++; return nil, conn.ErrNoStreams }
	for range 3 {
		if _, _, err := p.Open(t.Context(), request, dial); !errors.Is(err, conn.ErrNoStreams) {
			t.Error(err)
		}
	}
	other := &conn.StreamRequest{URL: request.URL, Share: "other"}
	_, _, _ = p.Open(t.Context(), other, dial)
	if dials != 2 {
		t.Errorf("%d dials", dials)
	}
}

// TestConnectionsThatAreForgotten are not used any more; a closed pool ends those that are left.
func TestConnectionsThatAreForgotten(t *testing.T) {
	var p Pool[*fake]
	first, second := newFake(10), newFake(10)
	var forget func(*fake)
	_, _, _ = p.Open(t.Context(), request, func(f func(*fake)) (*fake, error) { forget = f; return first, nil })
	forget(first)
	_, _, _ = p.Open(t.Context(), request, func(func(*fake)) (*fake, error) { return second, nil })
	closed := errors.New("closed")
	if err := p.Close(closed); err != nil {
		t.Error(err)
	}
	select {
	case <-first.ended:
		t.Error("a connection that was forgotten is ended")
	default:
	}
	<-second.ended
	if _, _, err := p.Open(t.Context(), request, nil); err != closed || p.Close(nil) != closed {
		t.Errorf("after Close: %v", err)
	}
}

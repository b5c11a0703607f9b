package conn

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/pipe"
	"github.com/seed-c4549abd/wss/internal/transport"
)

// holdCork has everything buffered from now on, as if a function were running in Cork. What it returns ends that.
func holdCork(c *Conn) (uncork func() error) {
	c.send.cork.calls.Add(1)
	return func() error {
		c.uncork()
		return c.life.sendErr()
	}
}

// corkedServer is a server in memory whose cork is held, and its peer.
func corkedServer(timer *corkTimer) (peer *pipe.End, server *Conn) {
	peer, b := pipe.New(1 << 16)
	set := newSettings(0, 0, -1, 0)
	set.corkTimer = timer
	server = newConn(transport.New(b), frame.Server, "", set, nil, nil)
	holdCork(server)
	return peer, server
}

func (t *corkTimer) isRunning() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.running || len(t.all) > 0
}

// TestWhatIsCorkedIsSentAtLast, on many connections with one timer, and again.
func TestWhatIsCorkedIsSentAtLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		timer := new(corkTimer)
		for range 20 {
			peer, server := corkedServer(timer)
			for range 3 {
				synctest.Wait() // who sends the last one would take this one along
				began := time.Now()
				if err := server.Write(bg, Text, []byte("held back")); err != nil {
					t.Fatal(err)
				}
				if _, p := readFrame(t, peer); p != "held back" {
					t.Fatal(p)
				}
				if d := time.Since(began); d < corkLimit || d > 2*corkLimit {
					t.Errorf("after %v", d)
				}
			}
			_ = server.CloseNow()
			_ = peer.Close()
		}
		synctest.Wait()
		time.Sleep(10 * corkLimit)
		if timer.isRunning() {
			t.Error("the timer runs although nothing is corked")
		}
	})
}

// TestAnEndedConnectionIsNotWatched: nothing of it is left when it has gone.
func TestAnEndedConnectionIsNotWatched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		timer := new(corkTimer)
		var all []*Conn
		for range 5 {
			peer, server := corkedServer(timer)
			_ = server.Write(bg, Text, []byte("lost"))
			all = append(all, server)
			defer peer.Close()
		}
		for _, i := range []int{2, 0, 4, 1, 3} { // from the middle and from both ends
			_ = all[i].CloseNow()
		}
		time.Sleep(2 * corkLimit)
		if timer.isRunning() {
			t.Error("the timer runs although nothing is corked")
		}
	})
}

// TestABubbleIsNotWatchedFromOutside: messages buffered in a testing/synctest bubble while others are buffered elsewhere must not be
// sent from there, which would end the program.
func TestABubbleIsNotWatchedFromOutside(t *testing.T) {
	var turns atomic.Int32
	var stop atomic.Bool
	began := make(chan struct{})
	var outside sync.WaitGroup
	outside.Go(func() {
		peer, server := corkedServer(corkTimers)
		for !stop.Load() {
			_ = server.Write(bg, Text, []byte("outside"))
			if turns.Add(1) == 1 {
				close(began)
			}
			time.Sleep(corkLimit)
		}
		_ = server.CloseNow()
		_ = peer.Close()
	})
	<-began
	synctest.Test(t, func(t *testing.T) {
		peer, b := pipe.New(1 << 16)
		server := newConn(transport.New(b), frame.Server, "", newSettings(0, 0, -1, 0), nil, nil)
		holdCork(server)
		came := make(chan string)
		go func() {
			_, p := readFrame(t, peer)
			came <- p
		}()
		synctest.Wait()
		_ = server.Write(bg, Text, []byte("inside"))
		for from := turns.Load(); turns.Load() < from+5; { // real time passes, and none here
			runtime.Gosched()
		}
		if p := <-came; p != "inside" {
			t.Error(p)
		}
		_ = server.CloseNow()
		_ = peer.Close()
	})
	stop.Store(true)
	outside.Wait()
}

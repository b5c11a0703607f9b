package conn

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/internal/pipe"
	"github.com/seed-c4549abd/wss/internal/race"
)

// TestOnlyTheNewestOfAKeyIsQueued, at the position of the first, and Stats.Replaced counts the others.
func TestOnlyTheNewestOfAKeyIsQueued(t *testing.T) {
	client, server := tiny(t, nil)
	defer client.CloseNow()
	defer server.CloseNow()
	big := make([]byte, 50_000) // the peer reads nothing yet, and the pipe takes a part
	if err := server.Send(bg, prepare(t, Binary, string(big))); err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		for _, key := range []string{"x", "y", ""} {
			if key == "" && i%50 != 0 {
				continue
			}
			if err := server.SendLatest(bg, key, prepare(t, Text, fmt.Sprint(key, i))); err != nil {
				t.Fatal(err)
			}
		}
	}
	if s := server.Stats(); s.Replaced != 2*99 || s.MessagesOut != 1+2+2 || s.Dropped != 0 {
		t.Errorf("%+v", s)
	}
	if _, p, err := client.Read(bg); len(p) != len(big) || err != nil {
		t.Fatalf("%d bytes, %v", len(p), err)
	}
	for _, want := range []string{"x99", "y99", "0", "50"} {
		if _, p, err := client.Read(bg); string(p) != want || err != nil {
			t.Errorf("%q, %v, want %q", p, err, want)
		}
	}
	if err := server.SendLatest(bg, "x", prepare(t, Text, "x100")); err != nil {
		t.Fatal(err)
	}
	if _, p, err := client.Read(bg); string(p) != "x100" || err != nil {
		t.Errorf("%q, %v", p, err)
	}
	if err := server.SendLatest(bg, "x", &Prepared{}); err != ErrMessageType {
		t.Errorf("the zero value: %v", err)
	}
	_ = server.CloseNow()
	if err := server.SendLatest(bg, "x", prepare(t, Text, "late")); CloseStatus(err) != StatusAbnormal {
		t.Errorf("after the end: %v", err)
	}
}

// TestReplaceWhenFullKeepsTheNewest, in order, and counts what it drops.
func TestReplaceWhenFullKeepsTheNewest(t *testing.T) {
	client, server := tiny(t, &AcceptOptions{QueueLimit: 100_000, WhenFull: ReplaceWhenFull})
	defer client.CloseNow()
	defer server.CloseNow()
	message := func(i int) *Prepared {
		p := make([]byte, 30_000)
		binary.BigEndian.PutUint64(p, uint64(i))
		return prepare(t, Binary, string(p))
	}
	const n = 50
	for i := range n {
		if err := server.Send(bg, message(i)); err != nil {
			t.Fatal(err)
		}
	}
	if s := server.Stats(); s.Pending > 130_000+1<<16 || s.Dropped == 0 || s.Dropped+s.MessagesOut != n {
		t.Errorf("%+v", s)
	}
	last := -1
	for last != n-1 {
		_, p, err := client.Read(bg)
		if err != nil {
			t.Fatal(err)
		}
		i := int(binary.BigEndian.Uint64(p))
		if i <= last {
			t.Errorf("message %d behind %d", i, last)
		}
		last = i
	}
}

// tiny returns a connection in memory whose pipe holds a kilobyte.
func tiny(t *testing.T, o *AcceptOptions) (client, server *Conn) {
	t.Helper()
	a, b := pipe.New(1 << 10)
	accepted := make(chan *Conn, 1)
	go func() {
		c, _ := Upgrade(bg, b, o)
		accepted <- c
	}()
	client, _, err := Client(bg, a, "ws://localhost/", nil)
	if server = <-accepted; err != nil || server == nil {
		t.Fatal(err)
	}
	return client, server
}

// TestAClientThatStallsReadsNoBacklog: a client that gets a state of 32 KiB at 30 Hz, over TLS on a real socket, does not read for
// five seconds. Its host would buffer megabytes of states meanwhile; it reads at most two old ones, and the newest.
func TestAClientThatStallsReadsNoBacklog(t *testing.T) {
	const rate, size, fast = 30, 32 << 10, 50
	before, stalled := fast+20, 5*rate
	if testing.Short() {
		stalled = rate
	}
	begin, sent := make(chan struct{}), make(chan *Conn, 1)
	url, o := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := Accept(w, r, nil)
		if err != nil {
			return
		}
		reading := c.CloseRead(bg)
		for i := range before + stalled {
			if i == before {
				<-begin
			}
			p := make([]byte, size)
			binary.BigEndian.PutUint64(p, uint64(i))
			m, err := Prepare(Binary, p)
			if err = errors.Join(err, c.SendLatest(bg, "state", m)); err != nil {
				t.Error(err)
			}
			if i >= fast {
				time.Sleep(time.Second / rate)
			}
			if i >= before {
				continue
			}
			if err := c.WaitDrained(bg); err != nil { // none is replaced
				t.Error(err)
			}
		}
		sent <- c
		<-reading.Done()
	}), true, true)
	c, _, err := Dial(bg, url, o)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	read := func() int {
		_, p, err := c.Read(bg)
		if err != nil {
			t.Fatal(err)
		}
		return int(binary.BigEndian.Uint64(p))
	}
	for i := range before {
		if n := read(); n != i {
			t.Fatalf("state %d in place of %d", n, i)
		}
	}
	close(begin)
	server := <-sent // the client has read nothing since
	stale := 0
	for ; read() != before+stalled-1; stale++ {
	}
	p := server.timeouts().pace.Load()
	p.mu.Lock()
	trip := p.roundTrip
	p.mu.Unlock()
	most := 2 + int(2*trip/(time.Second/rate)) // on a machine so busy that an answer takes its time
	if s := server.Stats(); stale > most || int(s.Replaced) != stalled-stale-1 {
		t.Errorf("%d stale states, want %d at most, with a round trip of %v; of %d, %d were replaced", stale, most, trip, stalled, s.Replaced)
	}
}

// TestFastClientsGetEveryState: no state is replaced if none is queued.
func TestFastClientsGetEveryState(t *testing.T) {
	url, o := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := Accept(w, r, nil)
		if err != nil {
			return
		}
		for i := 0; ; i++ {
			if _, _, err := c.Read(bg); err != nil {
				return
			}
			m, err := Prepare(Text, fmt.Append(nil, i))
			if err = errors.Join(err, c.SendLatest(bg, "state", m)); err != nil {
				return
			}
		}
	}), true, true)
	c, _, err := Dial(bg, url, o)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	for i := range 100 {
		if err := c.Write(bg, Text, nil); err != nil {
			t.Fatal(err)
		}
		if _, p, err := c.Read(bg); string(p) != fmt.Sprint(i) || err != nil {
			t.Fatalf("%q, %v", p, err)
		}
	}
}

// TestManyGoroutinesSendTheLatest: the last that is sent of each key arrives, and all that were sent are accounted for.
func TestManyGoroutinesSendTheLatest(t *testing.T) {
	n := 300
	if race.Enabled {
		n = 50
	}
	client, server := tiny(t, nil)
	defer client.CloseNow()
	defer server.CloseNow()
	var wg sync.WaitGroup
	for k := range 4 {
		wg.Go(func() {
			for i := range n {
				if err := server.SendLatest(bg, fmt.Sprint(k), prepare(t, Text, fmt.Sprintf("%d %d", k, i))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	newest, got := map[int]int{}, int64(0)
	for done := 0; done < 4; {
		_, p, err := client.Read(bg)
		if err != nil {
			t.Fatal(err)
		}
		var k, i int
		_, _ = fmt.Sscanf(string(p), "%d %d", &k, &i)
		if before, ok := newest[k]; ok && i <= before {
			t.Errorf("key %d: %d behind %d", k, i, before)
		}
		newest[k] = i
		if got++; i == n-1 {
			done++
		}
	}
	wg.Wait()
	if s := server.Stats(); s.MessagesOut != got || s.Replaced != int64(4*n)-got {
		t.Errorf("%d were received; %+v", got, s)
	}
}

package conn

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/race"
	"github.com/seed-c4549abd/wss/internal/transport"
)

// TestWritersOnOneConnection: every message arrives whole, once, and in the order
// of its writer, while pings and long messages come between.
func TestWritersOnOneConnection(t *testing.T) {
	t.Parallel()
	const writers, each = 16, 200
	for _, kind := range kinds {
		client, server := pair(t, kind)
		var wg sync.WaitGroup
		for i := range writers {
			wg.Go(func() {
				for j := range each {
					p := binary.BigEndian.AppendUint32(nil, uint32(i*each+j))
					if j%50 == 7 {
						p = append(p, make([]byte, 100_000)...)
					}
					if err := client.Write(bg, Binary, p); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		pinged := make(chan error, 1)
		ctx, cancel := context.WithCancel(bg)
		closed := client.CloseRead(ctx)
		go func() {
			_, err := client.Ping(bg)
			pinged <- err
		}()
		next := make([]int, writers)
		for range writers * each {
			_, p, err := server.Read(bg)
			if err != nil {
				t.Fatal(err)
			}
			n := int(binary.BigEndian.Uint32(p))
			if w := n / each; n%each != next[w] {
				t.Fatalf("%s: writer %d: message %d, want %d", kind, w, n%each, next[w])
			} else {
				next[w]++
			}
		}
		wg.Wait()
		read := make(chan struct{})
		go func() { defer close(read); _, _, _ = server.Read(bg) }()
		if err := <-pinged; err != nil {
			t.Error(err)
		}
		cancel()
		<-closed.Done()
		_ = client.CloseNow()
		<-read
	}
}

func TestWritesAfterTheEndSayWhy(t *testing.T) {
	client, server := pair(t, "tls")
	served := echo(server)
	if err := client.Close(4321, "enough"); err != nil {
		t.Fatal(err)
	}
	for _, p := range [][]byte{nil, make([]byte, 100_000)} {
		if err := client.Write(bg, Binary, p); CloseStatus(err) != 4321 {
			t.Errorf("got %v", err)
		}
	}
	if err := <-served; CloseStatus(err) != 4321 {
		t.Errorf("the server says %v", err)
	}
	_ = client.CloseNow()
	if err := client.Write(bg, 9, nil); !errors.Is(err, ErrMessageType) {
		t.Errorf("got %v", err)
	}
}

func TestAWriteInProgressEndsWithTheConnection(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds {
		_, server := raw(t, kind)
		written := make(chan error, 2)
		for range 2 {
			go func() { written <- server.Write(bg, Binary, make([]byte, fillSize)) }()
		}
		for server.Stats().WireOut == 0 && server.Stats().Pending == 0 {
			time.Sleep(time.Millisecond)
		}
		_ = server.CloseNow()
		for range 2 {
			if err := <-written; !errors.Is(err, net.ErrClosed) {
				t.Errorf("%s: %v", kind, err)
			}
		}
	}
}

func TestClientFramesAreMaskedWithFreshKeys(t *testing.T) {
	cn, sn := ends(t, "plain")
	client := newConn(transport.New(cn), frame.Client, "", newSettings(0, 0, 0, 0), nil, nil)
	defer client.CloseNow()
	defer sn.Close()
	seen := map[[4]byte]bool{}
	for i, size := range []int{0, 5, 100, 16384, 16385, 200_000, 5, 5} {
		go func() { _ = client.Write(bg, Binary, make([]byte, size)) }()
		h, _ := readFrame(t, sn)
		if !h.Masked || seen[h.Key] {
			t.Errorf("frame %d: masked %v with %x", i, h.Masked, h.Key)
		}
		seen[h.Key] = true
	}
}

func TestConcurrentWriteCloseAndPing(t *testing.T) {
	t.Parallel()
	rounds := 40
	if race.Enabled {
		rounds = 15
	}
	for _, kind := range kinds {
		for range rounds {
			client, server := pair(t, kind)
			served := echo(server)
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() {
					for client.Write(bg, Text, []byte("x")) == nil {
					}
				})
				wg.Go(func() {
					for {
						if _, err := client.Ping(bg); err != nil {
							return
						}
					}
				})
			}
			wg.Go(func() {
				for {
					if _, _, err := client.Read(bg); err != nil {
						return
					}
				}
			})
			if err := client.Close(StatusNormalClosure, ""); err != nil {
				t.Errorf("%s: %v", kind, err)
			}
			wg.Wait()
			if err := <-served; err != nil {
				t.Errorf("%s: %v", kind, err)
			}
		}
	}
}

package conn

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"
)

func TestNetConnIsAByteStream(t *testing.T) {
	for _, kind := range kinds {
		client, server := pair(t, kind)
		a, b := client.NetConn(Binary), server.NetConn(Binary)
		go func() {
			for i := range 1000 {
				fmt.Fprintf(a, "line %d\n", i)
			}
			_, _ = a.Write(make([]byte, 100_000))
			_ = a.Close()
		}()
		br := bufio.NewReaderSize(b, 37)
		for i := range 1000 {
			if line, err := br.ReadString('\n'); line != fmt.Sprintf("line %d\n", i) || err != nil {
				t.Fatalf("%s: %q, %v", kind, line, err)
			}
		}
		if rest, err := io.ReadAll(br); !bytes.Equal(rest, make([]byte, 100_000)) || err != nil {
			t.Errorf("%s: %d bytes, %v", kind, len(rest), err)
		}
		if a.LocalAddr().String() != client.LocalAddr().String() || a.RemoteAddr() == nil {
			t.Error("addresses")
		}
	}
}

// TestNetConnDeadlines expire, reach calls in progress, and can be lifted.
func TestNetConnDeadlines(t *testing.T) {
	client, server := pair(t, "tls")
	a, b := client.NetConn(Binary), server.NetConn(Binary)
	_ = b.SetReadDeadline(time.Now().Add(-time.Second))
	if _, err := b.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("expired: %v", err)
	}
	_ = b.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
	_, err := b.Read(make([]byte, 1))
	if ne, ok := errors.AsType[net.Error](err); !ok || !ne.Timeout() {
		t.Errorf("expiring: %v", err)
	}
	_ = b.SetDeadline(time.Time{})
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := b.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("in progress: %v", err)
		}
	})
	for server.keepalive.waits.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	_ = b.SetReadDeadline(past)
	wg.Wait()
	_ = b.SetReadDeadline(time.Now().Add(time.Hour))
	_, _ = a.Write([]byte("xyz"))
	buf := make([]byte, 2)
	for _, want := range []string{"xy", "z"} {
		if n, err := b.Read(buf); string(buf[:n]) != want || err != nil {
			t.Errorf("%q, %v", buf[:n], err)
		}
	}
	_ = a.SetWriteDeadline(time.Now().Add(10 * time.Millisecond))
	if _, err := a.Write(make([]byte, fillSize)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a write into a peer that does not read: %v", err)
	}
	_ = client.CloseNow()
	_ = b.SetReadDeadline(time.Time{})
	for err = nil; err == nil; {
		_, err = b.Read(make([]byte, 1<<20))
	}
	if CloseStatus(err) == 0 {
		t.Errorf("after the end: %v", err)
	}
}

func TestNetConnRefusesTheOtherType(t *testing.T) {
	client, server := pair(t, "tls")
	b := server.NetConn(Binary)
	go func() {
		_ = client.Write(bg, Text, []byte("text"))
		_, _, _ = client.Read(bg)
	}()
	if _, err := b.Read(make([]byte, 10)); err == nil {
		t.Error("a text message was read as binary")
	}
	<-client.Context().Done()
	if code := CloseStatus(client.life.err()); code != StatusUnsupportedData {
		t.Errorf("the peer was told %v", code)
	}
}

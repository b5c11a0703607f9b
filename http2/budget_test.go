package http2_test

import (
	"strings"
	"testing"

	xhttp2 "golang.org/x/net/http2"

	"github.com/seed-c4549abd/wss/conn"
)

// TestALongUploadIsNoFlood: the server returns its window a KiB at a time, all of it when 2 MiB have come.
func TestALongUploadIsNoFlood(t *testing.T) {
	const total, window = 16 << 20, 2 << 20
	addr, cfg := rawServer(t, func(r *raw) {
		if r.settle(xhttp2.Setting{ID: xhttp2.SettingInitialWindowSize, Val: window}) != nil || r.WriteWindowUpdate(0, window-65535) != nil {
			return
		}
		id, _, err := r.awaitRequest()
		if err != nil || r.accept(id) != nil {
			return
		}
		for got, owed := 0, 0; got < total; {
			f, err := r.ReadFrame()
			if err != nil {
				return
			}
			if d, ok := f.(*xhttp2.DataFrame); ok {
				got += int(d.Length)
				owed += int(d.Length)
			}
			for full := owed >= window-32<<10; full && owed >= 1024; owed -= 1024 {
				if r.WriteWindowUpdate(0, 1024) != nil || r.WriteWindowUpdate(id, 1024) != nil {
					return
				}
			}
		}
		_ = r.WriteData(id, false, []byte("\x81\x04done"))
		r.drain()
	})
	c, _, err := dialRaw(newPool(t), addr, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.CloseNow() }()
	message := []byte(strings.Repeat("u", 1<<20))
	for range total >> 20 {
		if err := c.Write(bg, conn.Text, message); err != nil {
			t.Fatal(err)
		}
	}
	if _, p, err := c.Read(bg); err != nil || string(p) != "done" {
		t.Errorf("%q, %v", p, err)
	}
}

// TestManySmallFramesAreNoFlood, although the server does not read what the client answers, so that it cannot write.
func TestManySmallFramesAreNoFlood(t *testing.T) {
	const frames = 300_000
	addr, cfg := rawServer(t, func(r *raw) {
		if r.settle() != nil {
			return
		}
		id, _, err := r.awaitRequest()
		if err != nil || r.accept(id) != nil {
			return
		}
		for i := range frames {
			if r.WriteData(id, false, []byte("\x81\x00")) != nil || i%10_000 == 0 && r.WritePing(false, [8]byte{}) != nil {
				return
			}
		}
		_ = r.WriteData(id, false, []byte("\x81\x04done"))
		r.drain()
	})
	c, _, err := dialRaw(newPool(t), addr, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.CloseNow() }()
	for {
		_, p, err := c.Read(bg)
		if err != nil {
			t.Fatal(err)
		}
		if len(p) > 0 {
			return
		}
	}
}

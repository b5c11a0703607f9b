package conn

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/handshake"
	"github.com/seed-c4549abd/wss/internal/bufpool"
	"github.com/seed-c4549abd/wss/internal/deflate"
	"github.com/seed-c4549abd/wss/internal/race"
	"github.com/seed-c4549abd/wss/internal/transport"
)

// compressedPair is pair with permessage-deflate agreed on.
func compressedPair(t testing.TB, kind string, p handshake.DeflateParams, o Compression, change ...func(*settings)) (client, server *Conn) {
	t.Helper()
	set := newSettings(0, patience, 0, 0)
	for _, f := range change {
		f(&set)
	}
	cn, sn := ends(t, kind)
	make := func(role frame.Role, tr transport.Conn) *Conn {
		return newConn(tr, role, "", set, newCompression(role, &o, p, set.messageLimit), nil)
	}
	client, server = make(frame.Client, transport.New(cn)), make(frame.Server, transport.New(sn))
	t.Cleanup(func() { _ = client.CloseNow(); _ = server.CloseNow() })
	return client, server
}

// params are agreements that differ in what matters to conn.
var params = map[string]handshake.DeflateParams{
	"takeover":       {ServerMaxWindowBits: 15, ClientMaxWindowBits: 15},
	"small windows":  {ServerMaxWindowBits: 9, ClientMaxWindowBits: 10},
	"server without": {ServerMaxWindowBits: 15, ClientMaxWindowBits: 15, ServerNoContextTakeover: true},
	"client without": {ServerMaxWindowBits: 12, ClientMaxWindowBits: 15, ClientNoContextTakeover: true},
	"none":           {ServerMaxWindowBits: 15, ClientMaxWindowBits: 15, ServerNoContextTakeover: true, ClientNoContextTakeover: true},
}

func jsonText(i, size int) []byte {
	var b bytes.Buffer
	for b.Len() < size {
		fmt.Fprintf(&b, `{"id":%d,"user":"anna","text":"grüße %d 😀","tags":["a","b"]},`, i, b.Len())
	}
	return []byte(strings.ToValidUTF8(string(b.Bytes()[:size]), "?"))
}

func TestCompressedMessagesTravelBothWays(t *testing.T) {
	t.Parallel()
	for name, p := range params {
		for _, kind := range kinds {
			t.Run(name+" "+kind, func(t *testing.T) {
				client, server := compressedPair(t, kind, p, Compression{Mode: CompressionTakeover, Threshold: -1})
				served := echo(server)
				noise := make([]byte, 30_000)
				_, _ = rand.Read(noise)
				for i, size := range []int{0, 1, 5, 200, 200, 200, 5000, 16384, 16385, 70_000, 300_000, 200, 1 << 20} {
					want := jsonText(i, size)
					if i%5 == 4 {
						want = append(want[:0], noise[:min(size, len(noise))]...)
					}
					written := make(chan error, 1)
					go func() { written <- client.Write(bg, Binary, want) }()
					_, got, err := client.Read(bg)
					if err := errors.Join(err, <-written); err != nil || !bytes.Equal(got, want) {
						t.Fatalf("size %d: %d bytes, %v", size, len(got), err)
					}
				}
				if s := client.Stats(); s.WireOut > s.PayloadOut/2 || s.WireIn > s.PayloadIn/2 {
					t.Errorf("hardly compressed: %+v", s)
				}
				if err := client.Close(StatusNormalClosure, ""); err != nil {
					t.Error(err)
				}
				<-served
			})
		}
	}
}

func TestWhatGoesUncompressed(t *testing.T) {
	cn, sn := ends(t, "plain")
	o := Compression{Mode: CompressionTakeover}
	server := newConn(transport.New(sn), frame.Server, "", newSettings(0, 0, 0, 0),
		newCompression(frame.Server, &o, params["takeover"], 0), nil)
	defer server.CloseNow()
	defer cn.Close()
	noise := make([]byte, 20_000)
	_, _ = rand.Read(noise)
	small := noise[:1000]
	text := jsonText(0, 1000)
	writer := func(secret bool, pieces ...[]byte) func() error {
		return func() error {
			var options []WriteOption
			if secret {
				options = append(options, Uncompressed)
			}
			w, err := server.Writer(bg, Binary, options...)
			if err != nil {
				return err
			}
			for i, p := range pieces {
				if i > 0 {
					_ = w.Flush()
				}
				_, _ = w.Write(p)
			}
			return w.Close()
		}
	}
	for _, tt := range []struct {
		name       string
		send       func() error
		compressed bool
		frames     int
	}{
		{"a message", func() error { return server.Write(bg, Binary, text) }, true, 1},
		{"at the threshold", func() error { return server.Write(bg, Binary, text[:thresholdTakeover]) }, true, 1},
		{"below it", func() error { return server.Write(bg, Binary, text[:thresholdTakeover-1]) }, false, 1},
		{"noise", func() error { return server.Write(bg, Binary, small) }, false, 1},
		{"much noise", func() error { return server.Write(bg, Binary, noise) }, false, 1},
		{"a secret", func() error { return server.Write(bg, Binary, text, Uncompressed) }, false, 1},
		{"a long secret", func() error { return server.Write(bg, Binary, jsonText(1, 40_000), Uncompressed) }, false, 1},
		{"a stream", writer(false, text, text), true, 2},
		{"a short stream", writer(false, text[:10]), false, 1},
		{"a stream of one piece of noise", writer(false, small), false, 1},
		{"a secret stream", writer(true, text, text), false, 2},
		{"a message after all this", func() error { return server.Write(bg, Binary, text) }, true, 1},
	} {
		sent := make(chan error, 1)
		go func() { sent <- tt.send() }()
		for i := range tt.frames {
			h, _ := readFrame(t, cn)
			if want := tt.compressed && i == 0; (h.RSV == frame.RSV1) != want || h.Fin != (i == tt.frames-1) {
				t.Errorf("%s, frame %d: RSV %x, final %v", tt.name, i, h.RSV, h.Fin)
			}
		}
		if err := <-sent; err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// TestTheLimitCountsInflatedBytes exactly, however they come, with takeover and
// without.
func TestTheLimitCountsInflatedBytes(t *testing.T) {
	t.Parallel()
	const limit = 10_000
	for name, p := range params {
		for _, how := range []string{"message", "stream"} {
			for _, size := range []int{limit, limit + 1, limit + 2, 100 * limit} {
				client, server := compressedPair(t, "tls", p, Compression{Threshold: -1}, func(s *settings) { s.messageLimit = limit })
				go func() {
					if how == "message" {
						_ = client.Write(bg, Binary, make([]byte, size))
					} else {
						w, _ := client.Writer(bg, Binary)
						_, _ = w.Write(make([]byte, size/2))
						_ = w.Flush()
						_, _ = w.Write(make([]byte, size-size/2))
						_ = w.Close()
					}
					_, _, _ = client.Read(bg)
				}()
				var err error
				n := 0
				if how == "message" {
					var got []byte
					_, got, err = server.Read(bg)
					n = len(got)
				} else {
					var r *MessageReader
					if _, r, err = server.Reader(bg); err == nil {
						var got []byte
						got, err = io.ReadAll(r)
						n = len(got)
					}
				}
				if size == limit && (err != nil || n != limit) {
					t.Errorf("%s, %s of %d: %d bytes, %v", name, how, size, n, err)
				}
				if size > limit && (!errors.Is(err, ErrMessageTooBig) || CloseStatus(err) != StatusMessageTooBig || n > limit) {
					t.Errorf("%s, %s of %d: %d bytes, %v", name, how, size, n, err)
				}
			}
		}
	}
}

// TestABombCostsTheLimitAndABuffer: a gigabyte of zeros in a megabyte.
func TestABombCostsTheLimitAndABuffer(t *testing.T) {
	z := deflate.Compressor{}
	bomb := z.AppendPiece(nil, make([]byte, 64<<20), true)
	for range 2 {
		client, server := compressedPair(t, "plain", params["takeover"], Compression{})
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		go func() {
			h := masked(frame.Header{Fin: true, Opcode: frame.Binary, RSV: frame.RSV1}, string(bomb))
			_ = client.transport.Write(h, false)
			_ = client.transport.Flush()
			_, _, _ = client.Read(bg)
		}()
		if _, _, err := server.Read(bg); !errors.Is(err, ErrMessageTooBig) {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 4*DefaultMessageLimit+uint64(2*len(bomb)) && !race.Enabled {
			t.Errorf("%d bytes allocated for a bomb of %d", grown, len(bomb))
		}
	}
}

func TestCompressedDataThatIsNotValid(t *testing.T) {
	z := deflate.Compressor{}
	bad := z.AppendPiece(nil, []byte("text \xff that is not UTF-8, long enough"), true)
	z = deflate.Compressor{}
	cut := z.AppendPiece(nil, []byte("a character is cut at the end \xe2\x82"), true)
	for name, tt := range map[string]struct {
		payload string
		want    error
	}{
		"corrupt":         {"\xff\xff\xff", ErrCompressedData},
		"cut off":         {"\x02", ErrCompressedData},
		"not UTF-8":       {string(bad), frame.ErrInvalidUTF8},
		"a cut character": {string(cut), frame.ErrInvalidUTF8},
	} {
		for _, streamed := range []bool{false, true} {
			client, server := compressedPair(t, "tls", params["takeover"], Compression{})
			go func() {
				_ = client.transport.Write(masked(frame.Header{Fin: true, Opcode: frame.Text, RSV: frame.RSV1}, tt.payload), false)
				_ = client.transport.Flush()
				_, _, _ = client.Read(bg)
			}()
			var err error
			if streamed {
				var r *MessageReader
				if _, r, err = server.Reader(bg); err == nil {
					_, err = io.ReadAll(r)
				}
			} else {
				_, _, err = server.Read(bg)
			}
			if !errors.Is(err, tt.want) || CloseStatus(err) != StatusInvalidPayload {
				t.Errorf("%s, streamed %v: %v", name, streamed, err)
			}
		}
	}
}

// TestControlFramesBetweenCompressedFragments, and reads that are cancelled there.
func TestControlFramesBetweenCompressedFragments(t *testing.T) {
	t.Parallel()
	client, server := compressedPair(t, "tls", params["takeover"], Compression{Threshold: -1})
	want := ""
	w, err := client.Writer(bg, Text)
	if err != nil {
		t.Fatal(err)
	}
	reading := client.CloseRead(bg)
	for i := range 5 {
		piece := string(jsonText(i, 3000))
		want += piece
		_, _ = io.WriteString(w, piece)
		_ = w.Flush()
		if _, _, err := server.Read(soon(t)); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		if i == 2 {
			pinged := make(chan error, 1)
			go func() { _, err := client.Ping(bg); pinged <- err }()
			ctx, cancel := context.WithCancel(bg)
			read := make(chan error, 1)
			go func() { _, _, err := server.Read(ctx); read <- err }()
			if err := <-pinged; err != nil {
				t.Fatal(err)
			}
			cancel()
			if err := <-read; !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
		}
	}
	// The rest goes to a reader, which takes over what Read had.
	_, r, err := func() (MessageType, *MessageReader, error) { go func() { _ = w.Close() }(); return server.Reader(bg) }()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); string(got) != want || err != nil {
		t.Errorf("%d bytes, want %d, %v", len(got), len(want), err)
	}
	_ = client.CloseNow()
	<-reading.Done()
}

// TestWritersWithContextTakeover: the order of compression is the order of sending,
// also when writers are given up.
func TestWritersWithContextTakeover(t *testing.T) {
	t.Parallel()
	for name, p := range params {
		client, server := compressedPair(t, "tls", p, Compression{Threshold: -1}, func(s *settings) { s.messageLimit = 0 })
		var wg sync.WaitGroup
		const writers, each = 8, 60
		for i := range writers {
			wg.Go(func() {
				for j := range each {
					size := 500
					if j%20 == 7 {
						size = 100_000
					}
					ctx, cancel := context.WithCancel(bg)
					if j%10 == 3 {
						cancel()
					}
					err := server.Write(ctx, Text, jsonText(i*each+j, size))
					if _, queued := errors.AsType[*InterruptedError](err); err != nil && !queued && !errors.Is(err, context.Canceled) {
						t.Error(err)
					}
					cancel()
				}
				_ = server.Write(bg, Text, []byte("done"))
			})
		}
		for done := 0; done < writers; {
			_, p, err := client.Read(bg)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if string(p) == "done" {
				done++
			} else if !strings.HasPrefix(string(p), `{"id":`) {
				t.Fatalf("%s: %.40q", name, p)
			}
		}
		wg.Wait()
	}
}

func TestAnIdleCompressedConnectionHoldsWindowsOnly(t *testing.T) {
	bufpool.Track(true)
	defer bufpool.Track(false)
	client, server := compressedPair(t, "tls", params["takeover"], Compression{Threshold: -1})
	served := echo(server)
	for i := range 10 {
		_ = client.Write(bg, Text, jsonText(i, 20_000))
		if _, _, err := client.Read(bg); err != nil {
			t.Fatal(err)
		}
	}
	_ = client.Close(StatusNormalClosure, "")
	<-served
	if n := outstanding(); n != 0 {
		t.Errorf("%d buffers held", n)
	}
}

func TestCompressionOptionsAreChecked(t *testing.T) {
	for _, o := range []Compression{
		{Mode: CompressionTakeover, Level: 10}, {Mode: CompressionTakeover, Level: -1}, {Mode: 7},
		{Mode: CompressionTakeover, WindowBits: 7}, {Mode: CompressionTakeover, PeerWindowBits: 16},
	} {
		if _, _, err := Dial(bg, "ws://127.0.0.1:1/", &DialOptions{Compression: o}); !isBadOption(err) {
			t.Errorf("%+v: %v", o, err)
		}
		url, d := serve(t, echoHandler(&AcceptOptions{Compression: o}), false, true)
		if _, resp, err := Dial(bg, url, d); err == nil || resp.StatusCode != 500 {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

func isBadOption(err error) bool {
	e, ok := errors.AsType[*HandshakeError](err)
	return ok && e.Token == "bad_options"
}

// TestCompressionIsNegotiated: off by default on either side, the modes and windows
// of both otherwise.
func TestCompressionIsNegotiated(t *testing.T) {
	modes := []CompressionMode{CompressionOff, CompressionNoTakeover, CompressionTakeover}
	for _, cm := range modes {
		for _, sm := range modes {
			server := Compression{Mode: sm, WindowBits: 10, PeerWindowBits: 11}
			url, o := serve(t, echoHandler(&AcceptOptions{Compression: server}), true, true)
			o.Compression = Compression{Mode: cm, WindowBits: 12, PeerWindowBits: 13}
			c, _, err := Dial(bg, url, o)
			if err != nil {
				t.Fatal(cm, sm, err)
			}
			on := cm != CompressionOff && sm != CompressionOff
			if c.Compressed() != on {
				t.Errorf("%v and %v: compressed %v", cm, sm, c.Compressed())
			}
			if on {
				alone := cm == CompressionNoTakeover || sm == CompressionNoTakeover
				if c.compression.send.WindowBits != 11 || c.compression.recv.WindowBits != 10 || c.compression.send.NoTakeover != alone || c.compression.recv.NoTakeover != alone {
					t.Errorf("%v and %v: sending %+v", cm, sm, c.compression.send)
				}
			}
			for i := range 20 {
				want := string(jsonText(i, 2000))
				_ = c.Write(bg, Text, []byte(want))
				if _, p, err := c.Read(bg); string(p) != want || err != nil {
					t.Fatalf("%v and %v: %d bytes, %v", cm, sm, len(p), err)
				}
			}
			_ = c.Close(StatusNormalClosure, "")
		}
	}
}

func TestCompressedMessagesAllocateLittle(t *testing.T) {
	if race.Enabled {
		return
	}
	for name, p := range params {
		client, server := compressedPair(t, "plain", p, Compression{})
		served := echo(server)
		msg, buf := jsonText(0, 1024), make([]byte, 4096)
		if n := testing.AllocsPerRun(200, func() {
			if err := client.Write(bg, Text, msg); err != nil {
				t.Fatal(err)
			}
			if _, _, err := client.ReadInto(bg, buf); err != nil {
				t.Fatal(err)
			}
		}); n > 1 {
			t.Errorf("%s: %v allocations for a message and its echo", name, n)
		}
		_ = client.CloseNow()
		<-served
	}
}

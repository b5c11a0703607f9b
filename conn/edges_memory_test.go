package conn

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/handshake"
	"github.com/seed-c4549abd/wss/internal/bufpool"
	"github.com/seed-c4549abd/wss/internal/transport"
)

// TestWhatABeginningMakesAConnectionKeep: a peer that begins something and stops makes it keep a small multiple of what was sent.
func TestWhatABeginningMakesAConnectionKeep(t *testing.T) {
	header := masked(frame.Header{Fin: true, Opcode: frame.Binary}, "")[:1]
	header = append(header, 0xff, 0, 0, 0, 0, 0, 0x10, 0, 0, 'k', 'k', 'k', 'k') // 1 MiB is announced
	for _, tt := range []struct {
		name string
		sent []byte
		most int
	}{
		{"half a header", header[:7], bufpool.Small},
		{"a header", header, 0},
		{"a header and a byte", append(bytes.Clone(header), 'x'), bufpool.Record},
		{"a header and 16 KiB", append(bytes.Clone(header), make([]byte, 16<<10)...), 4 * 20 << 10},
		{"a header and 64 KiB", append(bytes.Clone(header), make([]byte, 64<<10)...), bufpool.Large},
		{"half a ping", masked(frame.Header{Fin: true, Opcode: frame.Ping}, "a ping that is cut")[:10], bufpool.Small},
		{"a first fragment", masked(frame.Header{Opcode: frame.Text}, "x"), bufpool.Record},
	} {
		for _, kind := range []string{"tls", "plain"} {
			t.Run(tt.name+" over "+kind, func(t *testing.T) {
				bufpool.Track(true)
				defer bufpool.Track(false)
				cn, server := raw(t, kind)
				served := echo(server)
				for server.keepalive.waits.Load() == 0 {
					time.Sleep(time.Millisecond)
				}
				before, _ := server.transport.Counts()
				if _, err := cn.Write(tt.sent); err != nil {
					t.Fatal(err)
				}
				kept := bufpool.OutstandingBytes
				for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
					in, _ := server.transport.Counts()
					if in < before+int64(len(tt.sent)) || server.keepalive.waits.Load() == 0 {
						continue
					}
					if first := kept(); first <= tt.most {
						time.Sleep(5 * time.Millisecond)
						if kept() == first {
							break
						}
					}
					if time.Now().After(deadline) {
						t.Fatalf("%d bytes are kept for %d that came, want %d at most", kept(), len(tt.sent), tt.most)
					}
				}
				_ = cn.Close()
				<-served
			})
		}
	}
}

// TestBlocksThatComeToNothingAreBounded, with a limit of the message and without, whichever way they are read; and a message that is flushed
// behind each byte is not taken for such.
func TestBlocksThatComeToNothingAreBounded(t *testing.T) {
	t.Parallel()
	empty := map[string][]byte{
		"stored":       bytes.Repeat([]byte{0, 0, 0, 0xff, 0xff}, 10_000),
		"fixed codes":  bytes.Repeat([]byte{0x02, 0x08, 0x20, 0x80, 0x00}, 10_000), // 4 blocks each: 010 0000000
		"empty frames": bytes.Repeat([]byte{0, 0, 0, 0xff, 0xff}, 2),
	}
	for name, blocks := range empty {
		for _, limit := range []int64{0, -1} {
			for _, how := range []string{"Read", "Reader", "Serve"} {
				t.Run(fmt.Sprintf("%s, limit %d, %s", name, limit, how), func(t *testing.T) {
					t.Parallel()
					cn, sn := ends(t, "plain")
					set := newSettings(limit, 0, 0, 0)
					o := Compression{Mode: CompressionTakeover}
					p := handshake.DeflateParams{ServerMaxWindowBits: 15, ClientMaxWindowBits: 15}
					c := newConn(transport.New(sn), frame.Server, "", set, newCompression(frame.Server, &o, p, set.messageLimit), nil)
					ended := make(chan error, 1)
					go func() {
						switch how {
						case "Read":
							_, _, err := c.Read(bg)
							ended <- err
						case "Reader":
							_, r, err := c.Reader(bg)
							if err == nil {
								err = r.Discard()
							}
							ended <- err
						case "Serve":
							ended <- c.Serve(bg, echoBack)
						}
					}()
					var wg sync.WaitGroup
					told := make(chan struct{})
					wg.Go(func() {
						frames(cn, func(op frame.Opcode, _ []byte) {
							if op == frame.Close {
								close(told)
							}
						})
					})
					sent := 0
					h := frame.Header{Opcode: frame.Binary, RSV: frame.RSV1}
					for sent < 64<<20 {
						n, err := cn.Write(masked(h, string(blocks)))
						h = frame.Header{Opcode: frame.Continuation}
						if sent += n; err != nil {
							break
						}
						select {
						case <-told:
							_ = cn.Close()
						default:
						}
					}
					err := <-ended
					if e, ok := errors.AsType[*frame.Error](err); !ok || e.Token != "compressed_waste" || CloseStatus(err) != StatusMessageTooBig {
						t.Errorf("after %d bytes: %v", sent, err)
					}
					if in, _ := c.transport.Counts(); in > lingerBytes+1<<20 {
						t.Errorf("%d bytes were read", in)
					}
					_ = cn.Close()
					wg.Wait()
				})
			}
		}
	}
	t.Run("a flush behind each byte", func(t *testing.T) {
		cn, sn := ends(t, "plain")
		o := Compression{Mode: CompressionTakeover}
		p := handshake.DeflateParams{ServerMaxWindowBits: 15, ClientMaxWindowBits: 15}
		server := newConn(transport.New(sn), frame.Server, "", newSettings(0, 0, 0, 0), newCompression(frame.Server, &o, p, 1<<20), nil)
		defer server.CloseNow()
		var b bytes.Buffer
		w, _ := flate.NewWriter(&b, 6)
		want := make([]byte, 60_000)
		for i := range want {
			want[i] = byte(i * i >> 3)
			_, _ = w.Write(want[i : i+1])
			_ = w.Flush()
		}
		payload := b.Bytes()[:b.Len()-4]
		go func() {
			_, _ = cn.Write(masked(frame.Header{Fin: true, Opcode: frame.Binary, RSV: frame.RSV1}, string(payload)))
		}()
		if _, got, err := server.Read(bg); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes for %d, %v", len(got), len(payload), err)
		}
		_ = cn.Close()
	})
}

// TestCompressingHoldsUpNobody: neither the wheel nor another connection waits while one prepared message is compressed.
func TestCompressingHoldsUpNobody(t *testing.T) {
	params := handshake.DeflateParams{ServerMaxWindowBits: 15, ClientMaxWindowBits: 15}
	client, server := compressedPair(t, "tls", params, Compression{Mode: CompressionTakeover}, func(s *settings) { s.messageLimit = 0 })
	// It takes a hundred times as long to compress it as to send the other message.
	const size = 16 << 20
	data := make([]byte, size)
	for i := range data {
		data[i] = byte('a' + (i*i>>7)%23)
	}
	for end := time.Now().Add(patience); ; {
		big, before := prepare(t, Binary, string(data)), server.Stats().MessagesOut
		sent := make(chan error, 1)
		go func() { sent <- server.Send(bg, big) }()
		for range 100 { // Send has got that far, or will: either way nothing below waits for it
			runtime.Gosched()
		}
		(*keepaliveTask)(server).Tick()
		if err := server.Send(bg, prepare(t, Text, "another")); err != nil {
			t.Error(err)
		}
		first := server.Stats().MessagesOut == before+1
		var sizes []int
		for range 2 {
			_, p, err := client.Read(bg)
			if err != nil {
				t.Fatal(err)
			}
			sizes = append(sizes, len(p))
		}
		if err := <-sent; err != nil {
			t.Error(err)
		}
		if first && !slices.Equal(sizes, []int{len("another"), size}) {
			t.Errorf("%d bytes came in this order", sizes)
		}
		if first {
			return
		}
		if time.Now().After(end) { // else this goroutine may have been the one that stood still
			t.Fatal("the other message waits for the one that is compressed")
		}
	}
}

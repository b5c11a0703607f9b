package load

import (
	"context"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/bench/child"
	"github.com/seed-c4549abd/wss/bench/libs"
)

// serve starts a library's server in this process.
func serve(t *testing.T, l libs.Lib, o libs.Options) Target {
	t.Helper()
	cert, key, err := child.NewCert()
	if err != nil {
		t.Fatal(err)
	}
	target := Target{Raw: l.Raw}
	if !l.Plain {
		if o.TLS, err = child.ServerTLS(cert, key); err != nil {
			t.Fatal(err)
		}
		if target.TLS, err = child.ClientTLS(cert); err != nil {
			t.Fatal(err)
		}
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	go func() { _ = l.Serve(ln, o) }()
	target.Addr = ln.Addr().String()
	return target
}

func TestEveryLibraryEchoes(t *testing.T) {
	for _, l := range slices.Concat(libs.All(), libs.Compat()) {
		if l.Silent {
			continue
		}
		t.Run(l.Name, func(t *testing.T) {
			target := serve(t, l, libs.Options{Message: 1000})
			for _, c := range []struct{ size, conns, window int }{{32, 3, 4}, {1000, 1, 64}, {100_000, 1, 1}, {1 << 20, 1, 1}} {
				g, err := Open(context.Background(), Plan{
					Target: target, Conns: c.conns, Window: c.window, Ring: RingFor(c.size, c.window),
				})
				if err != nil {
					t.Fatal(err)
				}
				r, err := g.Flood(c.window, time.Minute, 3*int64(c.conns*c.window))
				if err != nil || r.Messages < 3*uint64(c.conns*c.window) || r.P50 <= 0 || r.P999 < r.P50 {
					t.Errorf("%+v: %+v, %v", c, r, err)
				}
				g.Close()
			}
		})
	}
}

func TestPaceSendsOnTime(t *testing.T) {
	l, err := libs.Find("wss")
	if err != nil {
		t.Fatal(err)
	}
	g, err := Open(context.Background(), Plan{Target: serve(t, l, libs.Options{}), Conns: 3, Window: 1, Ring: RingFor(32, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	var r Result
	for err == nil && r.Messages == 0 { // in a moment in which the machine stops nothing is sent
		r, err = g.Pace(1000, 50*time.Millisecond)
	}
	if err != nil || r.Messages == 0 || r.Messages > 50 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestFloodWithoutTimeSendsOneWindow(t *testing.T) {
	l, err := libs.Find("gorilla")
	if err != nil {
		t.Fatal(err)
	}
	g, err := Open(context.Background(), Plan{Target: serve(t, l, libs.Options{}), Conns: 5, Window: 2, Ring: RingFor(32, 2)})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	for range 3 {
		if r, err := g.Flood(2, 0, 0); err != nil || r.Messages != 10 {
			t.Errorf("%+v, %v", r, err)
		}
	}
}

func TestCompressedEchoesInflate(t *testing.T) {
	rings := NewRings(Orders(70, 1024), 4)
	for _, l := range libs.All() {
		if !l.Takeover && l.Name != "gorilla" || l.Kind == libs.Ours && l.Name != "wss" {
			continue
		}
		for _, bits := range []int{0, 12} {
			if bits > 0 && !l.Windows {
				continue
			}
			target := serve(t, l, libs.Options{Deflate: true, WindowBits: bits})
			target.Offer = DeflateOffer
			if err := VerifyDeflate(context.Background(), target, rings, 150); err != nil {
				t.Errorf("%s, %d bits: %v", l.Name, bits, err)
			}
		}
	}
}

func TestEveryClientReachesTheSink(t *testing.T) {
	cert, key, err := child.NewCert()
	if err != nil {
		t.Fatal(err)
	}
	server, err := child.ServerTLS(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	client, err := child.ClientTLS(cert)
	if err != nil {
		t.Fatal(err)
	}
	data := child.Pattern(64 << 10)
	for _, l := range libs.All() {
		if l.Dial == nil {
			continue
		}
		over := server
		if l.Plain {
			over = nil
		}
		sink, err := NewSink(over, data, l.Raw)
		if err != nil {
			t.Fatal(err)
		}
		c, err := l.Dial(context.Background(), sink.Addr(), client)
		if err != nil {
			t.Fatalf("%s: %v", l.Name, err)
		}
		for range 3 {
			if err := c.Write(data); err != nil {
				t.Errorf("%s: %v", l.Name, err)
			}
		}
		if err := sink.WaitFor(3); err != nil {
			t.Errorf("%s: %v", l.Name, err)
		}
		sink.Close()
	}
}

func TestPreparedMessagesArrive(t *testing.T) {
	for _, l := range libs.All() {
		if l.Prepare == nil || l.Kind == libs.Ours && l.Name != "wss" {
			continue
		}
		hub := &libs.Hub{}
		target := serve(t, l, libs.Options{Hub: hub})
		data := child.Pattern(256)
		expect := data
		if l.Raw {
			expect = libs.AppendFrame(nil, data)
		}
		g, err := Open(context.Background(), Plan{Target: target, Conns: 3, Window: 1, Expect: expect})
		if err != nil {
			t.Fatalf("%s: %v", l.Name, err)
		}
		for len(hub.Conns()) < 3 {
			time.Sleep(time.Millisecond)
		}
		send, err := l.Prepare(data)
		if err != nil {
			t.Fatalf("%s: %v", l.Name, err)
		}
		for _, c := range hub.Conns() {
			if err := send(c, 16); err != nil {
				t.Errorf("%s: %v", l.Name, err)
			}
		}
		if err := g.WaitFor(48); err != nil {
			t.Errorf("%s: %v", l.Name, err)
		}
		g.Close()
	}
}

func TestPagesAndUpgradesHaveTheSameSize(t *testing.T) {
	sizes := map[string]int{}
	for _, name := range []string{"wss", "http"} {
		l, err := libs.Find(name)
		if err != nil {
			t.Fatal(err)
		}
		target := serve(t, l, libs.Options{})
		target.Raw = name == "http"
		nc, head, _, err := target.Connect(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if sizes[name] = len(head); target.Raw {
			if sizes[name], err = getPage(nc, target.Addr); err != nil {
				t.Fatal(err)
			}
		}
		_ = nc.Close()
	}
	if sizes["wss"] != sizes["http"] {
		t.Errorf("%v", sizes)
	}
}

package conn

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/bufpool"
	"github.com/seed-c4549abd/wss/internal/pipe"
	"github.com/seed-c4549abd/wss/internal/race"
	"github.com/seed-c4549abd/wss/internal/testtls"
	"github.com/seed-c4549abd/wss/internal/transport"
	"github.com/seed-c4549abd/wss/internal/wire"
)

// TestMain fails the package if a test leaves a goroutine or a descriptor behind.
func TestMain(m *testing.M) {
	flag.Parse()
	if n := flag.Lookup("test.parallel"); n.Value.String() == strconv.Itoa(runtime.GOMAXPROCS(0)) && !race.Enabled {
		_ = n.Value.Set("8") // most of them wait, whatever processors there are
	}
	before := descriptors()
	code := m.Run()
	if code == 0 && !settled(before) {
		code = 1
	}
	os.Exit(code)
}

func descriptors() int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(entries)
}

// apart runs a test in a process of its own, beside others, so that what it takes can be accounted for. It reports whether
// this is that process.
func apart(t *testing.T) bool {
	const name = "WSS_TEST_APART"
	if os.Getenv(name) == t.Name() || race.Enabled { // with the race detector they work more than they wait
		return true
	}
	t.Parallel()
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=5m", fmt.Sprint("-test.short=", testing.Short()))
	cmd.Env = append(os.Environ(), name+"="+t.Name())
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("%v\n%s", err, out)
	}
	return false
}

// settled waits for what is ending to end.
func settled(fds int) bool {
	var stacks string
	for range 2000 {
		buf := make([]byte, 1<<20)
		stacks = string(buf[:runtime.Stack(buf, true)])
		if strings.Count(stacks, "wss/conn.(") == 0 && descriptors() <= fds+2 {
			return true
		}
		time.Sleep(20 * time.Millisecond)
	}
	println("left behind:", descriptors()-fds, "descriptors; goroutines:\n"+stacks)
	return false
}

var bg = context.Background()

// patience is how long a test waits for what takes a moment, on a machine that may stand still for seconds.
const patience = time.Minute

// outstanding returns how many buffers are not given back, when goroutines that are about to end have had the time for it.
func outstanding() int {
	for end := time.Now().Add(patience); bufpool.Outstanding() > 0 && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	return bufpool.Outstanding()
}

// kinds are the ways in which bytes can travel: TLS over our transport or plain, each over a
// socket or over something that says nothing of being ready, and TLS over a socket alone.
var kinds = []string{"tls", "tls over pipe", "plain", "pipe", "stream"}

// ends returns two connected net.Conns as a handshake would leave them.
func ends(t testing.TB, kind string) (client, server net.Conn) {
	t.Helper()
	if strings.HasSuffix(kind, "pipe") {
		a, b := pipe.New(1 << 16)
		if kind == "pipe" {
			return a, b
		}
		return overTLS(t, a, b, true)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if client, err = net.Dial("tcp", ln.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if server, err = ln.Accept(); err != nil {
		t.Fatal(err)
	}
	if kind == "plain" {
		return client, server
	}
	return overTLS(t, client, server, kind == "tls")
}

// overTLS puts TLS over two ends, with our transport below it or without.
func overTLS(t testing.TB, client, server net.Conn, ours bool) (net.Conn, net.Conn) {
	t.Helper()
	sc, cc := testtls.Configs(tls.VersionTLS13)
	if ours {
		client, server = wire.TLS(client), wire.New(server)
	}
	tc, ts := tls.Client(client, cc), tls.Server(server, sc)
	failed := make(chan error, 1)
	go func() { failed <- tc.Handshake() }()
	if err := errors.Join(ts.Handshake(), <-failed); err != nil {
		t.Fatal(err)
	}
	return tc, ts
}

// pair returns a client and a server that are connected.
func pair(t testing.TB, kind string, change ...func(*settings)) (client, server *Conn) {
	t.Helper()
	set := newSettings(0, patience, 0, 0)
	for _, f := range change {
		f(&set)
	}
	cn, sn := ends(t, kind)
	client = newConn(transport.New(cn), frame.Client, "", set, nil, nil)
	server = newConn(transport.New(sn), frame.Server, "", set, nil, nil)
	t.Cleanup(func() { _ = client.CloseNow(); _ = server.CloseNow() })
	return client, server
}

// raw returns a server and the other end of its stream, for tests that speak frames
// themselves.
func raw(t testing.TB, kind string, change ...func(*settings)) (net.Conn, *Conn) {
	t.Helper()
	set := newSettings(0, patience, 0, 0)
	for _, f := range change {
		f(&set)
	}
	cn, sn := ends(t, kind)
	server := newConn(transport.New(sn), frame.Server, "", set, nil, nil)
	t.Cleanup(func() { _ = server.CloseNow(); _ = cn.Close() })
	return cn, server
}

// echo answers every message of c until it ends.
func echo(c *Conn) <-chan error {
	done := make(chan error, 1)
	go func() {
		done <- c.Serve(bg, func(c *Conn, m Message) error { return c.Write(bg, m.Type, m.Data) })
	}()
	return done
}

// masked returns a frame as a client sends it; the key makes it the payload itself.
func masked(h frame.Header, payload string) []byte {
	h.Masked = true
	h.Length = int64(len(payload))
	return append(h.Append(nil), payload...)
}

// readFrame reads one frame of a server.
func readFrame(t testing.TB, r io.Reader) (frame.Header, string) {
	t.Helper()
	buf := make([]byte, 0, frame.MaxHeaderSize)
	for {
		buf = buf[:len(buf)+1]
		if _, err := io.ReadFull(r, buf[len(buf)-1:]); err != nil {
			t.Fatal(err)
		}
		var h frame.Header
		if n, err := h.Parse(buf); err != nil {
			t.Fatal(err)
		} else if n > 0 {
			p := make([]byte, h.Length)
			if _, err := io.ReadFull(r, p); err != nil {
				t.Fatal(err)
			}
			return h, string(p)
		}
	}
}

func TestMessagesTravelBothWaysOnEveryTransport(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			client, server := pair(t, kind)
			served := echo(server)
			for _, size := range []int{0, 1, 125, 126, 127, 4096, 16384, 16385, 65535, 65536, 65537, 1 << 20} {
				want := strings.Repeat("é", size/2) + strings.Repeat("x", size%2)
				written := make(chan error, 1)
				go func() { written <- client.Write(bg, Text, []byte(want)) }()
				typ, got, err := client.Read(bg)
				if err := errors.Join(err, <-written); err != nil || typ != Text || string(got) != want {
					t.Fatalf("size %d: %v, %d bytes, %v", size, typ, len(got), err)
				}
			}
			if err := client.Close(StatusNormalClosure, "done"); err != nil {
				t.Error(err)
			}
			if err := <-served; err != nil {
				t.Error(err)
			}
		})
	}
}

func TestContextEndsWithTheConnection(t *testing.T) {
	client, server := pair(t, "pipe")
	if client.Context().Err() != nil {
		t.Fatal("ended at once")
	}
	_ = server.CloseNow()
	_, _, err := client.Read(bg)
	<-client.Context().Done()
	if cause := context.Cause(client.Context()); !errors.Is(err, cause) || CloseStatus(err) != StatusAbnormal {
		t.Errorf("read: %v, cause: %v", err, cause)
	}
}

func TestAccessors(t *testing.T) {
	client, _ := pair(t, "tls")
	if state, ok := client.TLS(); !ok || state.Version != tls.VersionTLS13 {
		t.Error("no TLS 1.3 state")
	}
	if client.LocalAddr().String() == client.RemoteAddr().String() || client.Subprotocol() != "" {
		t.Error("addresses or subprotocol are wrong")
	}
	plain, _ := pair(t, "plain")
	if _, ok := plain.TLS(); ok {
		t.Error("TLS state without TLS")
	}
}

// TestNothingIsHeldAfterTheEnd counts borrowed buffers over the life of busy
// connections that end in different ways.
func TestNothingIsHeldAfterTheEnd(t *testing.T) {
	bufpool.Track(true)
	defer bufpool.Track(false)
	for _, kind := range kinds {
		for _, end := range []string{"close", "close now", "half a message"} {
			client, server := pair(t, kind)
			served := echo(server)
			for range 3 {
				if err := client.Write(bg, Binary, make([]byte, 100_000)); err != nil {
					t.Fatal(err)
				}
				if _, _, err := client.Read(bg); err != nil {
					t.Fatal(err)
				}
			}
			switch end {
			case "half a message":
				w, err := client.Writer(bg, Text)
				if err != nil {
					t.Fatal(err)
				}
				_, _ = w.Write(make([]byte, 20_000))
				_, _ = w.Write(make([]byte, 20))
				_ = w.Flush()
				for server.Stats().WireIn < client.Stats().WireOut { // an end that comes with the last bytes is seen later
					runtime.Gosched()
				}
				_ = client.CloseNow()
				_ = w.Close()
			case "close now":
				_ = client.CloseNow()
			case "close":
				if err := client.Close(StatusGoingAway, ""); err != nil {
					t.Error(err)
				}
			}
			<-served
			if n := outstanding(); n != 0 {
				t.Fatalf("%s, %s: %d buffers not returned", kind, end, n)
			}
		}
	}
}

// newConn makes a connection that nobody observes.
func newConn(t transport.Conn, role frame.Role, subprotocol string, set settings, compressed *compression, rest []byte) *Conn {
	return opened{transport: t, role: role, subprotocol: subprotocol, settings: set, compression: compressed, received: rest}.start()
}

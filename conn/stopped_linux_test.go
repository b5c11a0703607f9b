package conn

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/race"
)

// TestAStopOfTheProcessBlamesNobody: the answers that came while the server was stopped are in its sockets when it goes on.
func TestAStopOfTheProcessBlamesNobody(t *testing.T) {
	if testing.Short() {
		t.Skip("stops a process for seconds")
	}
	if !race.Enabled {
		t.Parallel()
	}
	if os.Getenv("WSS_TEST_STOPPED") != "" {
		stoppedServer(t)
		return
	}
	child := exec.Command(os.Args[0], "-test.run=^TestAStopOfTheProcessBlamesNobody$", "-test.v")
	child.Env = append(os.Environ(), "WSS_TEST_STOPPED=1")
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer child.Wait()
	defer child.Process.Kill()
	lines := bufio.NewScanner(out)
	url := ""
	for url == "" && lines.Scan() {
		_, url, _ = strings.Cut(lines.Text(), "serving ")
	}
	const n = 50
	var wg sync.WaitGroup
	var conns []net.Conn
	pinged := make(chan struct{}, n)
	for range n {
		nc, err := net.Dial("tcp", strings.TrimPrefix(url, "ws://"))
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, nc)
		_, _ = io.WriteString(nc, requestHead)
		br := bufio.NewReader(nc)
		if resp, err := http.ReadResponse(br, nil); err != nil || resp.StatusCode != 101 {
			t.Fatal(resp, err)
		}
		// As over a long way: most of the time an answer is outstanding.
		var once sync.Once
		wg.Go(func() {
			frames(br, func(op frame.Opcode, p []byte) {
				if op == frame.Ping {
					pong := masked(frame.Header{Fin: true, Opcode: frame.Pong}, string(p))
					time.AfterFunc(300*time.Millisecond, func() { _, _ = nc.Write(pong) })
					once.Do(func() { pinged <- struct{}{} })
				}
			})
		})
	}
	for range n {
		<-pinged
	}
	for range 2 {
		_ = child.Process.Signal(syscall.SIGSTOP)
		time.Sleep(14 * time.Second) // longer than an answer may take
		_ = child.Process.Signal(syscall.SIGCONT)
		time.Sleep(500 * time.Millisecond)
	}
	fmt.Fprintln(in, "how many ended?")
	for lines.Scan() {
		if answer, ok := strings.CutPrefix(lines.Text(), "ended: "); ok {
			if answer != "0" {
				t.Errorf("%s of %d connections were given up", answer, n)
			}
			break
		}
	}
	for _, nc := range conns {
		_ = nc.Close()
	}
	wg.Wait()
}

// stoppedServer is the child: it pings often, and allows little time for the answer.
func stoppedServer(t *testing.T) {
	g := &Group{}
	o := &AcceptOptions{Group: g, PingInterval: 200 * time.Millisecond, PongTimeout: 12 * time.Second}
	var mu sync.Mutex
	ended := 0
	url, _ := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := Accept(w, r, o)
		if err != nil {
			return
		}
		c.ServeInBackground(echoBack, func(err error) {
			if errors.Is(err, ErrPingTimeout) {
				mu.Lock()
				ended++
				mu.Unlock()
			}
		})
	}), false, true)
	fmt.Println("serving " + url)
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
	mu.Lock()
	fmt.Println("ended:", ended)
	mu.Unlock()
	for _, c := range g.snapshot() {
		_ = c.CloseNow()
	}
}

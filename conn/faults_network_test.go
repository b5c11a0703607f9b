//go:build linux

package conn

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/internal/testtls"
)

// shaped is a network namespace behind a pair of interfaces whose packets are delayed
// and lost.
type shaped struct {
	name, outside, inside string
	here, there           string // addresses
}

// shape makes one, or skips the test and says what is lacking.
func shape(t *testing.T) *shaped {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("network namespaces need root")
	}
	for _, tool := range []string{"ip", "tc"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed", tool)
		}
	}
	n := os.Getpid() % 250
	s := &shaped{
		name: fmt.Sprintf("wssf%d", n), outside: fmt.Sprintf("wsso%d", n), inside: fmt.Sprintf("wssi%d", n),
		here: fmt.Sprintf("10.213.%d.1", n), there: fmt.Sprintf("10.213.%d.2", n),
	}
	t.Cleanup(func() {
		_ = exec.Command("ip", "link", "del", s.outside).Run()
		_ = exec.Command("ip", "netns", "del", s.name).Run()
	})
	in := "ip netns exec " + s.name + " "
	for _, line := range []string{
		"ip netns add " + s.name,
		"ip link add " + s.outside + " type veth peer name " + s.inside,
		"ip link set " + s.inside + " netns " + s.name,
		"ip addr add " + s.here + "/30 dev " + s.outside,
		"ip link set " + s.outside + " up",
		in + "ip addr add " + s.there + "/30 dev " + s.inside,
		in + "ip link set " + s.inside + " up",
		"tc qdisc add dev " + s.outside + " root netem delay 3ms 1ms loss 2%",
		in + "tc qdisc add dev " + s.inside + " root netem delay 3ms 1ms loss 2%",
	} {
		words := strings.Fields(line)
		if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
			if strings.Contains(line, " netem ") { // a module of the kernel; the cut needs none
				t.Logf("no delay and no loss here: %s: %s", line, bytes.TrimSpace(out))
				continue
			}
			t.Skipf("this machine does not let us shape a network: %s: %v: %s", line, err, out)
		}
	}
	return s
}

// TestALossyNetworkAndACutOne has a client in a network namespace of its own: first
// packets are delayed and lost, then none pass any more. The server notices by
// keepalive, and so does the client.
func TestALossyNetworkAndACutOne(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for a network that loses packets")
	}
	if url := os.Getenv("WSS_FAULTS_URL"); url != "" {
		lossyClient(t, url)
		return
	}
	if os.Getenv("WSS_FAULTS_CHILD") != "network" { // a process of its own can be accounted for beside other tests
		t.Parallel()
		cmd := exec.Command(os.Args[0], "-test.run=^TestALossyNetworkAndACutOne$", "-test.v", "-test.timeout=5m")
		cmd.Env = append(os.Environ(), "WSS_FAULTS_CHILD=network")
		out, err := cmd.CombinedOutput()
		if strings.Contains(string(out), "--- SKIP") {
			t.Skipf("%s", out)
		}
		if err != nil || !strings.Contains(string(out), "--- PASS: TestALossyNetworkAndACutOne/network") {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	s := shape(t)
	accounted(t, "network", func(t *testing.T) {
		inner, err := net.Listen("tcp", s.here+":0")
		if err != nil {
			t.Fatal(err)
		}
		sc, _ := testtls.Configs(tls.VersionTLS13)
		ln := tls.NewListener(NewListener(inner), sc)
		defer ln.Close()
		client := exec.Command("ip", "netns", "exec", s.name, os.Args[0],
			"-test.run=^TestALossyNetworkAndACutOne$", "-test.v", "-test.timeout=5m")
		client.Env = append(os.Environ(), "WSS_FAULTS_URL=wss://"+inner.Addr().String())
		out, err := client.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := client.Start(); err != nil {
			t.Fatal(err)
		}
		said := make(chan string, 100)
		go func() {
			defer close(said)
			for lines := bufio.NewScanner(out); lines.Scan(); {
				said <- lines.Text()
			}
		}()
		_ = inner.(*net.TCPListener).SetDeadline(time.Now().Add(patience))
		served := overLoss(t, ln, s, said)
		if !errors.Is(served, ErrPingTimeout) || CloseStatus(served) != StatusAbnormal {
			t.Errorf("the server says %v", served)
		}
		var rest []string
		for line := range said {
			rest = append(rest, line)
		}
		if err := client.Wait(); err != nil {
			t.Errorf("the client: %v\n%s", err, strings.Join(rest, "\n"))
		}
	})
}

// overLoss serves one client, and cuts the network when the client has said "talked".
func overLoss(t *testing.T, ln net.Listener, s *shaped, said <-chan string) error {
	t.Helper()
	nc, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	c, err := Upgrade(bg, nc, &AcceptOptions{PingInterval: 300 * time.Millisecond, PongTimeout: 8 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	served := echo(c)
	for line := range said {
		if line == "talked" {
			break
		}
	}
	if out, err := exec.Command("ip", "link", "set", s.outside, "down").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return <-served
}

// lossyClient runs in the namespace. It stands in the middle of a message when the
// network is cut.
func lossyClient(t *testing.T, url string) {
	// The server's certificate names localhost; the client cannot find the process's root.
	o := &DialOptions{TLS: &tls.Config{InsecureSkipVerify: true}, PingInterval: 300 * time.Millisecond, PongTimeout: 8 * time.Second}
	c, _, err := Dial(bg, url, o)
	if err != nil {
		t.Fatal(err)
	}
	script(t, c, []int{0, 1, 125, 126, 65_536, 200_000}, 200_000)
	w, err := c.Writer(bg, Binary)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(w, strings.NewReader(strings.Repeat("x", 20_000))); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	fmt.Println("\ntalked")
	_, _, err = c.Read(bg)
	if !errors.Is(err, ErrPingTimeout) || CloseStatus(err) != StatusAbnormal {
		t.Errorf("the client says %v", err)
	}
}

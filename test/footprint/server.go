package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/internal/testtls"
)

// The environment of the server's process.
const (
	serverEnv      = "FOOTPRINT_SERVER"      // set: this is the server
	descriptorsEnv = "FOOTPRINT_DESCRIPTORS" // the most descriptors that it may have
	timeoutEnv     = "FOOTPRINT_TIMEOUT"     // its ReadHeaderTimeout
)

// usage holds the measurements of the server's process.
type usage struct {
	RSS         int64 // bytes
	Heap        int64 // bytes in use
	Descriptors int
	Collections int
	CPU         float64 // seconds
}

// serve runs an echo server until stdin ends. It prints its address and certificate, and its usage for each line of stdin; if the
// line is "free", it returns memory to the system first.
func serve(stdin io.Reader, stdout io.Writer) error {
	log.SetOutput(io.Discard) // net/http logs each handshake that ends early
	if n, err := strconv.Atoi(os.Getenv(descriptorsEnv)); err == nil {
		if err := limitDescriptors(n); err != nil {
			return err
		}
	}
	timeout, _ := time.ParseDuration(os.Getenv(timeoutEnv))
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	config, _ := testtls.Configs(tls.VersionTLS13)
	srv := &http.Server{TLSConfig: config, ReadHeaderTimeout: timeout, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, err := conn.Accept(w, r, nil); err == nil {
			c.ServeInBackground(func(c *conn.Conn, m conn.Message) error { return c.Write(c.Context(), m.Type, m.Data) }, nil)
		}
	})}
	go func() { _ = srv.ServeTLS(conn.NewListener(ln), "", "") }()
	fmt.Fprintln(stdout, ln.Addr(), base64.StdEncoding.EncodeToString(config.Certificates[0].Certificate[0]))
	for lines := bufio.NewScanner(stdin); lines.Scan(); {
		if lines.Text() == "free" {
			debug.FreeOSMemory()
		}
		u, err := measure()
		if err != nil {
			return err
		}
		if err := json.NewEncoder(stdout).Encode(u); err != nil {
			return err
		}
	}
	return nil
}

func measure() (u usage, err error) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	u.Heap, u.Collections = int64(m.HeapInuse+m.StackInuse), int(m.NumGC)
	u.CPU = cpuTime().Seconds()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return u, err
	}
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "VmRSS:" {
			n, err := strconv.ParseInt(fields[1], 10, 64)
			if err != nil {
				return u, err
			}
			u.RSS = n << 10
		}
	}
	descriptors, err := os.ReadDir("/proc/self/fd")
	u.Descriptors = len(descriptors)
	return u, err
}

// server is the client's side of the server's process.
type server struct {
	address string
	roots   *x509.CertPool
	cmd     *exec.Cmd
	in      io.WriteCloser
	lines   *bufio.Scanner
}

// start starts a server process with additional environment variables.
func start(ctx context.Context, env ...string) (*server, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s := &server{cmd: exec.CommandContext(ctx, exe)}
	s.cmd.Env = append(append(os.Environ(), serverEnv+"=1"), env...)
	s.cmd.Stderr = os.Stderr
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	s.lines = bufio.NewScanner(out)
	if !s.lines.Scan() {
		s.stop()
		return nil, fmt.Errorf("the server has not started: %v", s.lines.Err())
	}
	var certificate string
	if _, err := fmt.Sscan(s.lines.Text(), &s.address, &certificate); err != nil {
		s.stop()
		return nil, err
	}
	der, err := base64.StdEncoding.DecodeString(certificate)
	if err != nil {
		s.stop()
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		s.stop()
		return nil, err
	}
	s.roots = x509.NewCertPool()
	s.roots.AddCert(leaf)
	return s, nil
}

// dial opens a connection.
func (s *server) dial(ctx context.Context) (*conn.Conn, error) {
	c, _, err := conn.Dial(ctx, "wss://"+s.address, &conn.DialOptions{TLS: &tls.Config{RootCAs: s.roots}})
	return c, err
}

// report sends a command, which is "" or "free", and returns the server's usage.
func (s *server) report(command string) (u usage, err error) {
	if _, err := fmt.Fprintln(s.in, command); err != nil {
		return u, err
	}
	if !s.lines.Scan() {
		return u, fmt.Errorf("the server has ended: %v", s.lines.Err())
	}
	return u, json.Unmarshal(s.lines.Bytes(), &u)
}

// stop ends the server process and waits for it.
func (s *server) stop() {
	_ = s.in.Close()
	_ = s.cmd.Wait()
}

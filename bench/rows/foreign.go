package rows

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/seed-c4549abd/wss/bench/child"
	"github.com/seed-c4549abd/wss/bench/libs"
	"github.com/seed-c4549abd/wss/bench/load"
	"github.com/seed-c4549abd/wss/bench/report"
)

// Foreign is an echo that somebody else has started.
type Foreign struct {
	URL      string
	PID      int // 0: unknown
	CAFile   string
	Insecure bool
}

// ForeignPlan is rows 1 to 6 against it. It must be on loopback: this is a load.
func (c *Config) ForeignPlan(f Foreign) ([]Table, error) {
	target, err := f.target()
	if err != nil {
		return nil, err
	}
	var tables []Table
	for _, s := range c.shapes() {
		if !c.wants(s.row) {
			continue
		}
		tables = append(tables, Table{
			Table: report.Table{Row: s.row, Key: s.key, Title: s.title, Metrics: echoMetrics},
			Do: []Line{{Name: f.URL, Kind: libs.Peer, Open: func(ctx context.Context) (Session, error) {
				g, err := load.Open(ctx, load.Plan{
					Target: target, Conns: s.conns, Window: s.window, Ring: load.RingFor(s.size, s.window),
				})
				return &foreignSession{processMeter(f.PID), g, s, c.Window}, err
			}}},
		})
	}
	c.Libs = nil
	return tables, nil
}

func (f *Foreign) target() (load.Target, error) {
	u, err := url.Parse(f.URL)
	if err != nil {
		return load.Target{}, err
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"wss": "443", "ws": "80"}[u.Scheme]
	}
	ips, err := net.LookupIP(u.Hostname())
	if err != nil {
		return load.Target{}, err
	}
	for _, ip := range ips {
		if !ip.IsLoopback() {
			return load.Target{}, fmt.Errorf("-url: %s is not on loopback; this is a load, and for one's own machine only", u.Hostname())
		}
	}
	t := load.Target{Addr: net.JoinHostPort(ips[0].String(), port), Host: u.Host, Path: u.RequestURI()}
	switch u.Scheme {
	case "ws":
		return t, nil
	case "wss":
		t.TLS, err = f.tls(u.Hostname())
		return t, err
	}
	return t, fmt.Errorf("-url: scheme %q, want wss or ws", u.Scheme)
}

func (f *Foreign) tls(host string) (*tls.Config, error) {
	cfg := &tls.Config{ServerName: host, NextProtos: []string{"http/1.1"}, DynamicRecordSizingDisabled: true, InsecureSkipVerify: f.Insecure}
	if f.CAFile == "" {
		return cfg, nil
	}
	pem, err := os.ReadFile(f.CAFile)
	if err != nil {
		return nil, err
	}
	cfg.RootCAs = x509.NewCertPool()
	if !cfg.RootCAs.AppendCertsFromPEM(pem) {
		return nil, errors.New("-ca: no certificate in it")
	}
	return cfg, nil
}

type foreignSession struct {
	meter  processMeter
	group  *load.Group
	shape  shape
	window time.Duration
}

func (s *foreignSession) Round() (Sample, error) {
	return measured(s.meter, s.shape.size, func() (load.Result, error) {
		return s.group.Flood(s.shape.window, s.window, s.shape.limit)
	})
}

func (s *foreignSession) Close() { s.group.Close() }

// processMeter reads a process's CPU time from /proc; 0 knows nothing.
type processMeter int

func (m processMeter) begin() (child.Reply, error) { return m.end() }

func (m processMeter) end() (child.Reply, error) {
	if m == 0 {
		return child.Reply{}, nil
	}
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", int(m)))
	if err != nil {
		return child.Reply{}, err
	}
	ticks, err := statTicks(string(data))
	return child.Reply{CPU: time.Duration(ticks) * time.Second / 100}, err // USER_HZ is 100 on Linux
}

// statTicks adds utime and stime, fields 14 and 15. The second field is the program's
// name in parentheses, and may hold anything.
func statTicks(stat string) (uint64, error) {
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) < 13 {
		return 0, errors.New("/proc/PID/stat has too few fields")
	}
	user, err := strconv.ParseUint(fields[11], 10, 64)
	if err != nil {
		return 0, err
	}
	system, err := strconv.ParseUint(fields[12], 10, 64)
	return user + system, err
}

// RaiseFileLimit lets this process, and its children, open as many files as it may.
func RaiseFileLimit() error {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return err
	}
	l.Cur = l.Max
	return syscall.Setrlimit(syscall.RLIMIT_NOFILE, &l)
}

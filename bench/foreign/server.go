package main

import (
	"crypto/tls"
	"fmt"
	"net"
	"time"

	"github.com/seed-c4549abd/wss/bench/child"
	"github.com/seed-c4549abd/wss/bench/libs"
	"github.com/seed-c4549abd/wss/bench/native"
	"github.com/seed-c4549abd/wss/bench/report"
)

// The lines of the tables.
const (
	served   = "wss"
	streamed = "wss-stream"
	bare     = "tls"
	uws      = "uWebSockets"
	fast     = "fastwebsockets"
	tung     = "tokio-tungstenite"
)

// foreign are the servers that ratios are made to.
var foreign = []string{uws, fast, tung}

// server is one that takes part, and how it is started.
type server struct {
	name, setup string
	kind        libs.Kind
	modules     []report.Module
	start       func(s shape, keys *native.Keys) (process, error)
}

// process is a server that runs.
type process struct {
	addr  string
	pid   int
	close func()
}

// ours are this library's servers, and below them what crypto/tls alone takes: no server
// on it can take less.
func ours() []server {
	var all []server
	for _, name := range []string{served, streamed, bare} {
		l, err := libs.Find(name)
		if err != nil {
			panic(err)
		}
		all = append(all, server{name: name, setup: l.Setup, kind: l.Kind, start: func(s shape, k *native.Keys) (process, error) {
			p, err := child.Start(child.Setup{
				Lib: name, TLS: true, Cert: k.Cert, Key: k.Key, Message: s.size, Many: s.many(),
			})
			if err != nil {
				return process{}, err
			}
			return process{p.Addr, p.PID, func() { _ = p.Close() }}, nil
		}})
	}
	return all
}

// program starts a foreign server: it takes the names of the certificate's file and the
// key's, writes its address, and ends with its standard input. With many connections it is
// given further arguments.
func program(path string, many ...string) func(shape, *native.Keys) (process, error) {
	return func(s shape, k *native.Keys) (process, error) {
		args := []string{k.CertFile(), k.KeyFile()}
		if s.many() {
			args = append(args, many...)
		}
		p, err := native.Start(nil, path, args...)
		if err != nil {
			return process{}, err
		}
		return process{p.Addr, p.PID, p.Close}, nil
	}
}

// patience is how long a server may take to answer the probe.
const patience = 10 * time.Second

// probed starts each server once. Those that agree on another cipher with the load than
// ours do are left out: the ciphers would be what is compared.
func probed(all []server, k *native.Keys) (fit []server, absent []report.Absent, err error) {
	own := ours()[0]
	want, err := own.cipher(k)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", own.name, err)
	}
	for _, s := range all {
		if err := s.agrees(want, k); err != nil {
			absent = append(absent, report.Absent{Name: s.name, Reason: err.Error()})
			continue
		}
		fit = append(fit, s)
	}
	return fit, absent, nil
}

func (s *server) agrees(want uint16, k *native.Keys) error {
	got, err := s.cipher(k)
	if err != nil || got == want {
		return err
	}
	return fmt.Errorf("it chooses %s, and ours %s", tls.CipherSuiteName(got), tls.CipherSuiteName(want))
}

// cipher is what the server chooses of the load's; TLS is 1.3, as the load insists on it.
func (s *server) cipher(k *native.Keys) (uint16, error) {
	cfg, err := child.ClientTLS(k.Cert)
	if err != nil {
		return 0, err
	}
	p, err := s.start(shape{}, k)
	if err != nil {
		return 0, err
	}
	defer p.close()
	nc, err := tls.DialWithDialer(&net.Dialer{Timeout: patience}, "tcp", p.addr, cfg)
	if err != nil {
		return 0, err
	}
	defer nc.Close()
	return nc.ConnectionState().CipherSuite, nil
}

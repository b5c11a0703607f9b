package main

import (
	"bufio"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/seed-c4549abd/wss/bench/child"
	"github.com/seed-c4549abd/wss/bench/libs"
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
	start       func(s shape, keys *keys) (process, error)
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
		all = append(all, server{name: name, setup: l.Setup, kind: l.Kind, start: func(s shape, k *keys) (process, error) {
			p, err := child.Start(child.Setup{
				Lib: name, TLS: true, Cert: k.cert, Key: k.key, Message: s.size, Many: s.many(),
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
func program(path string, many ...string) func(shape, *keys) (process, error) {
	return func(s shape, k *keys) (process, error) {
		cmd := exec.Command(path, filepath.Join(k.dir, certFile), filepath.Join(k.dir, keyFile))
		if s.many() {
			cmd.Args = append(cmd.Args, many...)
		}
		cmd.Stderr = os.Stderr
		in, err := cmd.StdinPipe()
		if err != nil {
			return process{}, err
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			return process{}, err
		}
		if err := cmd.Start(); err != nil {
			return process{}, err
		}
		p := process{pid: cmd.Process.Pid, close: func() {
			_ = in.Close()
			kill := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
			defer kill.Stop()
			_ = cmd.Wait()
		}}
		silent := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
		line, _, err := bufio.NewReader(out).ReadLine()
		if p.addr = string(line); err != nil || !silent.Stop() {
			p.close()
			return process{}, fmt.Errorf("%s did not say where it listens", filepath.Base(path))
		}
		return p, nil
	}
}

// patience is how long a server may take to start, or to end.
const patience = 10 * time.Second

// keys are a certificate and its key, in DER, and in PEM in a directory.
type keys struct {
	cert, key []byte
	dir       string
}

const certFile, keyFile = "cert.pem", "key.pem"

func newKeys() (*keys, error) {
	cert, key, err := child.NewCert()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "wss-foreign-")
	if err != nil {
		return nil, err
	}
	k := &keys{cert, key, dir}
	err = errors.Join(
		os.WriteFile(filepath.Join(dir, certFile), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), 0o600),
		os.WriteFile(filepath.Join(dir, keyFile), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), 0o600),
	)
	if err != nil {
		k.remove()
		return nil, err
	}
	return k, nil
}

func (k *keys) remove() { _ = os.RemoveAll(k.dir) }

// probed starts each server once. Those that agree on another cipher with the load than
// ours do are left out: the ciphers would be what is compared.
func probed(all []server, k *keys) (fit []server, absent []report.Absent, err error) {
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

func (s *server) agrees(want uint16, k *keys) error {
	got, err := s.cipher(k)
	if err != nil || got == want {
		return err
	}
	return fmt.Errorf("it chooses %s, and ours %s", tls.CipherSuiteName(got), tls.CipherSuiteName(want))
}

// cipher is what the server chooses of the load's; TLS is 1.3, as the load insists on it.
func (s *server) cipher(k *keys) (uint16, error) {
	cfg, err := child.ClientTLS(k.cert)
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

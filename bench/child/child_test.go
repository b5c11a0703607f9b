package child

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/seed-c4549abd/wss/bench/libs"
	"github.com/seed-c4549abd/wss/conn"
)

// TestMain makes this test's executable a child when it is started as one.
func TestMain(m *testing.M) {
	if os.Getenv(Env) == "" {
		os.Exit(m.Run())
	}
	if err := Run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// begin starts a child that ends with the test.
func begin(t *testing.T, s Setup) *Process {
	t.Helper()
	p, err := Start(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// TestEveryLibraryWritesToItsConnections: from 4 goroutines at once, and what was prepared, from a server that speaks first.
func TestEveryLibraryWritesToItsConnections(t *testing.T) {
	cert, key, err := NewCert()
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := ClientTLS(cert)
	if err != nil {
		t.Fatal(err)
	}
	for _, lib := range libs.All() {
		if lib.Prepare == nil || lib.Kind == libs.Baseline || lib.Plain {
			continue
		}
		t.Run(lib.Name, func(t *testing.T) {
			p := begin(t, Setup{Lib: lib.Name, TLS: true, Cert: cert, Key: key, Message: 1000, Speaks: true})
			c, _, err := conn.Dial(t.Context(), "wss://"+p.Addr, &conn.DialOptions{TLS: cfg})
			if err != nil {
				t.Fatal(err)
			}
			defer c.CloseNow()
			for conns := 0; conns == 0; {
				r, err := p.Do(Request{Op: OpConns})
				if err != nil {
					t.Fatal(err)
				}
				conns = r.Conns
			}
			do := make(chan error, 1)
			go func() {
				_, err := p.Do(Request{Op: OpWrite, Goroutines: 4, Count: 25, Size: 64})
				if err == nil {
					_, err = p.Do(Request{Op: OpPrepare, Size: 64})
				}
				if err == nil {
					_, err = p.Do(Request{Op: OpPublish, Count: 16})
				}
				do <- err
			}()
			for range 4*25 + 16 {
				if _, got, err := c.Read(t.Context()); !bytes.Equal(got, Pattern(64)) || err != nil {
					t.Fatalf("%q, %v", got, err)
				}
			}
			if err := <-do; err != nil {
				t.Error(err)
			}
		})
	}
}

// TestEveryClientWrites to a server of ours.
func TestEveryClientWrites(t *testing.T) {
	cert, key, err := NewCert()
	if err != nil {
		t.Fatal(err)
	}
	server := begin(t, Setup{Lib: "wss", TLS: true, Cert: cert, Key: key, Message: 1000, Speaks: true})
	for _, lib := range libs.All() {
		if lib.Dial == nil {
			continue
		}
		t.Run(lib.Name, func(t *testing.T) {
			p := begin(t, Setup{Lib: lib.Name, Addr: server.Addr, Cert: cert})
			if lib.Raw {
				return // its bytes are no frames
			}
			if _, err := p.Do(Request{Op: OpWrite, Goroutines: 2, Count: 10, Size: 500}); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestUsageAndMemoryAreMeasured(t *testing.T) {
	p := begin(t, Setup{Lib: "tcp"})
	before, err := p.Do(Request{Op: OpBegin})
	if err != nil {
		t.Fatal(err)
	}
	memory, err := p.Do(Request{Op: OpMemory}) // two collections and more
	if err != nil || memory.HeapInuse == 0 || memory.StackInuse == 0 || memory.Goroutines == 0 {
		t.Errorf("%+v, %v", memory, err)
	}
	after, err := p.Do(Request{Op: OpEnd})
	if err != nil || after.CPU <= before.CPU || after.GCs < before.GCs+2 || after.Mallocs < before.Mallocs {
		t.Errorf("%+v and then %+v, %v", before, after, err)
	}
}

func TestAChildTellsWhereItsTimeGoes(t *testing.T) {
	p := begin(t, Setup{Lib: "tcp"})
	if _, err := p.Do(Request{Op: OpProfile}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Do(Request{Op: OpProfile}); err == nil {
		t.Error("two profiles at once")
	}
	for sum := 0.0; sum == 0; { // a sample comes with every four milliseconds of processor time
		if _, err := p.Do(Request{Op: OpMemory}); err != nil {
			t.Fatal(err)
		}
		reply, err := p.Do(Request{Op: OpShares})
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range reply.Shares.Parts {
			sum += part
		}
		if sum != 0 && math.Abs(sum-1) > 1e-9 {
			t.Errorf("%v", reply.Shares)
		}
		if sum == 0 {
			if _, err := p.Do(Request{Op: OpProfile}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := p.Do(Request{Op: OpShares}); err == nil {
		t.Error("shares of no profile")
	}
}

func TestWhatAChildCannotDoIsAnError(t *testing.T) {
	for want, s := range map[string]Setup{
		"no library is called nobody": {Lib: "nobody"},
		"has no client":               {Lib: "tls-copy", Addr: "127.0.0.1:1"},
		"asn1":                        {Lib: "wss", TLS: true, Cert: []byte("none")},
	} {
		if p, err := Start(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: process %v, error %v, want %q", s, p, err, want)
		}
	}
	p := begin(t, Setup{Lib: "tcp", Speaks: true})
	for want, req := range map[string]Request{
		"unknown operation":    {Op: "sing"},
		"no prepared messages": {Op: OpPrepare, Size: 1},
		"0 connections":        {Op: OpWrite, Goroutines: 1, Count: 1},
	} {
		if _, err := p.Do(req); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: error %v, want %q", req, err, want)
		}
	}
	if err := Run(strings.NewReader("not JSON"), new(bytes.Buffer)); err == nil {
		t.Error("a setup that is none")
	}
}

func TestOnlyTheRightCertificateIsTrusted(t *testing.T) {
	cert, key, _ := NewCert()
	other, _, _ := NewCert()
	p := begin(t, Setup{Lib: "tls", TLS: true, Cert: cert, Key: key})
	cfg, err := ClientTLS(other)
	if err != nil {
		t.Fatal(err)
	}
	if c, err := tls.Dial("tcp", p.Addr, cfg); err == nil {
		_ = c.Close()
		t.Error("another certificate is trusted")
	}
}

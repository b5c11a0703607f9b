package wire

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
)

// traffic is one direction of TLS 1.3 in the test's own hands: crypto/tls offers
// no way to send a KeyUpdate (RFC 8446 §4.6.3, §7.2, §7.3).
type traffic struct {
	secret []byte
	aead   cipher.AEAD
	iv     []byte
	seq    uint64
}

func expand(t *testing.T, secret []byte, label string, n int) []byte {
	t.Helper()
	info := []byte{byte(n >> 8), byte(n), byte(6 + len(label))}
	info = append(append(info, "tls13 "+label...), 0)
	out, err := hkdf.Expand(sha256.New, secret, string(info), n)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func newTraffic(t *testing.T, secret []byte) *traffic {
	t.Helper()
	block, err := aes.NewCipher(expand(t, secret, "key", 16))
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	return &traffic{secret: secret, aead: aead, iv: expand(t, secret, "iv", 12)}
}

func (tr *traffic) next(t *testing.T) *traffic {
	return newTraffic(t, expand(t, tr.secret, "traffic upd", 32))
}

func (tr *traffic) nonce() []byte {
	n := bytes.Clone(tr.iv)
	binary.BigEndian.PutUint64(n[4:], binary.BigEndian.Uint64(n[4:])^tr.seq)
	tr.seq++
	return n
}

func (tr *traffic) seal(typ byte, p []byte) []byte {
	n := len(p) + 1 + tr.aead.Overhead()
	head := []byte{0x17, 3, 3, byte(n >> 8), byte(n)}
	return tr.aead.Seal(head, tr.nonce(), append(bytes.Clone(p), typ), head)
}

func (tr *traffic) open(t *testing.T, r io.Reader) (typ byte, p []byte) {
	t.Helper()
	head := make([]byte, headerSize)
	if _, err := io.ReadFull(r, head); err != nil {
		t.Fatal(err)
	}
	body := make([]byte, binary.BigEndian.Uint16(head[3:]))
	if _, err := io.ReadFull(r, body); err != nil {
		t.Fatal(err)
	}
	p, err := tr.aead.Open(nil, tr.nonce(), body, head)
	if err != nil {
		t.Fatal(err)
	}
	return p[len(p)-1], p[:len(p)-1]
}

// secrets reads the traffic secrets out of a key log.
func secrets(t *testing.T, log string) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	for line := range strings.Lines(log) {
		f := strings.Fields(line)
		b, err := hex.DecodeString(f[2])
		if err != nil {
			t.Fatal(err)
		}
		out[f[0]] = b
	}
	return out
}

const (
	typeHandshake = 0x16
	typeData      = 0x17
)

var keyUpdate = []byte{24, 0, 0, 1, 1} // update_requested

// TestKeyUpdates has the peer change its keys and ask for ours, in one record
// and split over two, with messages and waits in between.
func TestKeyUpdates(t *testing.T) {
	var log bytes.Buffer
	p := connect(t, tls.VersionTLS13, func(server, client *tls.Config) {
		client.KeyLogWriter = &log
		server.SessionTicketsDisabled = true // else they take sequence numbers
	})
	if id := p.client.ConnectionState().CipherSuite; id != tls.TLS_AES_128_GCM_SHA256 {
		t.Skipf("the test speaks AES-128-GCM only, the handshake chose %s", tls.CipherSuiteName(id))
	}
	keys := secrets(t, log.String())
	out := newTraffic(t, keys["CLIENT_TRAFFIC_SECRET_0"])
	in := newTraffic(t, keys["SERVER_TRAFFIC_SECRET_0"])
	nc := p.client.NetConn()
	send := func(nc net.Conn, records ...[]byte) {
		if _, err := nc.Write(bytes.Join(records, nil)); err != nil {
			t.Fatal(err)
		}
	}
	send(nc, out.seal(typeData, []byte("first")))
	if got := p.readFull(t, 5); string(got) != "first" {
		t.Fatalf("got %q", got)
	}
	for round := range 5 {
		before := p.w.Pending() + p.w.BytesWritten()
		if round%2 == 0 {
			send(nc, out.seal(typeHandshake, keyUpdate))
		} else { // the message in two records, a wait between them
			send(nc, out.seal(typeHandshake, keyUpdate[:2]))
			for !p.w.Ready() {
				if err := p.w.Wait(); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := p.server.Read(make([]byte, 1)); err != ErrWouldBlock {
				t.Fatalf("half a KeyUpdate: %v", err)
			}
			send(nc, out.seal(typeHandshake, keyUpdate[2:]))
		}
		out = out.next(t)
		want := fmt.Sprintf("message %d", round)
		send(nc, out.seal(typeData, []byte(want)))
		if got := p.readFull(t, len(want)); string(got) != want {
			t.Fatalf("got %q, want %q", got, want)
		}
		if n := insideTLS(p.server); n != 0 {
			t.Errorf("%d bytes inside TLS", n)
		}
		if p.w.Pending()+p.w.BytesWritten() == before {
			t.Fatal("no answer to the KeyUpdate was written")
		}
		if _, err := p.server.Write([]byte("reply")); err != nil {
			t.Fatal(err)
		}
		if err := p.w.Flush(); err != nil {
			t.Fatal(err)
		}
		if typ, msg := in.open(t, nc); typ != typeHandshake || len(msg) != 5 || msg[0] != 24 {
			t.Fatalf("type %d, % x in place of a KeyUpdate", typ, msg)
		}
		in = in.next(t)
		if typ, msg := in.open(t, nc); typ != typeData || string(msg) != "reply" {
			t.Fatalf("type %d, %q", typ, msg)
		}
	}
}

package conn

import (
	"bufio"
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/seed-c4549abd/wss/handshake"
	"github.com/seed-c4549abd/wss/internal/testtls"
	"github.com/seed-c4549abd/wss/internal/transport"
)

// renegotiator is a TLS 1.2 server that writes records of its own beside those of crypto/tls, which cannot ask a client to renegotiate.
type renegotiator struct {
	net.Conn
	keys   bytes.Buffer // what crypto/tls logs
	hello  []byte       // the server's random
	aead   cipher.AEAD
	salt   []byte
	number uint64 // of the next record
}

// Write passes on what crypto/tls writes, looks for the server's random, and counts the records that are encrypted.
func (r *renegotiator) Write(p []byte) (int, error) {
	for b, encrypted := p, r.number > 0; len(b) >= 5; {
		n := int(binary.BigEndian.Uint16(b[3:]))
		switch {
		case b[0] == 22 && b[5] == 2 && r.hello == nil:
			r.hello = slices.Clone(b[11:43])
		case b[0] == 20:
			encrypted = true
		case encrypted:
			r.number++
		}
		b = b[5+n:]
	}
	return r.Conn.Write(p)
}

// prf is that of TLS 1.2 with SHA-256 (RFC 5246 §5).
func prf(n int, secret []byte, label string, seed []byte) (out []byte) {
	sum := func(parts ...[]byte) []byte {
		h := hmac.New(sha256.New, secret)
		for _, p := range parts {
			h.Write(p)
		}
		return h.Sum(nil)
	}
	seed = append([]byte(label), seed...)
	for a := sum(seed); len(out) < n; a = sum(a) {
		out = append(out, sum(a, seed)...)
	}
	return out[:n]
}

// ready derives the server's key from what was logged (RFC 5246 §6.3).
func (r *renegotiator) ready(t *testing.T) {
	t.Helper()
	fields := strings.Fields(r.keys.String())
	random, _ := hex.DecodeString(fields[1])
	master, _ := hex.DecodeString(fields[2])
	block := prf(2*16+2*4, master, "key expansion", slices.Concat(r.hello, random))
	aesBlock, err := aes.NewCipher(block[16:32])
	if err != nil {
		t.Fatal(err)
	}
	if r.aead, err = cipher.NewGCM(aesBlock); err != nil {
		t.Fatal(err)
	}
	r.salt = block[36:40]
}

// record sends one record of any type (RFC 5288 §3).
func (r *renegotiator) record(typ byte, content []byte) error {
	number := binary.BigEndian.AppendUint64(nil, r.number)
	r.number++
	extra := append(slices.Clone(number), typ, 3, 3, byte(len(content)>>8), byte(len(content)))
	sealed := r.aead.Seal(nil, append(slices.Clone(r.salt), number...), content, extra)
	size := len(number) + len(sealed)
	_, err := r.Conn.Write(slices.Concat([]byte{typ, 3, 3, byte(size >> 8), byte(size)}, number, sealed))
	return err
}

// TestRenegotiationWithinTheWebSocketEndsIt, where the client's configuration allows it: with an error that says what it is, at once, and
// without a loop. The part of it before the WebSocket is crypto/tls's.
func TestRenegotiationWithinTheWebSocketEndsIt(t *testing.T) {
	helloRequest := []byte{0, 0, 0, 0}
	for _, allowed := range []tls.RenegotiationSupport{tls.RenegotiateNever, tls.RenegotiateOnceAsClient, tls.RenegotiateFreelyAsClient} {
		for _, how := range []string{"Read", "Serve", "Go", "Read over a TLS connection of the caller's"} {
			t.Run(fmt.Sprintf("%s, support %d", how, allowed), func(t *testing.T) {
				ctx, cancel := context.WithTimeout(bg, patience)
				defer cancel()
				sc, cc := testtls.Configs(tls.VersionTLS12)
				cc.Renegotiation = allowed
				cc.CipherSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}
				ln, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				defer ln.Close()
				served := make(chan error, 1)
				leave := make(chan struct{})
				go func() {
					nc, err := ln.Accept()
					if err != nil {
						served <- err
						return
					}
					defer nc.Close()
					r := &renegotiator{Conn: nc}
					sc.KeyLogWriter = &r.keys
					tc := tls.Server(r, sc)
					br := bufio.NewReader(tc)
					var key string
					for {
						line, err := br.ReadString('\n')
						if err != nil {
							served <- err
							return
						}
						if k, ok := strings.CutPrefix(line, "Sec-WebSocket-Key: "); ok {
							key = strings.TrimSpace(k)
						}
						if line == "\r\n" {
							break
						}
					}
					_, _ = io.WriteString(tc, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "+handshake.AcceptKey(key)+"\r\n\r\n")
					r.ready(t)
					err = r.record(23, []byte("\x81\x05hello"))
					err = errors.Join(err, r.record(22, helloRequest))
					_, readErr := io.ReadFull(nc, make([]byte, 5)) // the client has begun, and waits for an answer
					served <- errors.Join(err, readErr, r.record(23, []byte("\x81\x05again")))
					<-leave
				}()
				defer close(leave)
				var c *Conn
				if strings.Contains(how, "caller's") {
					nc, err := net.Dial("tcp", ln.Addr().String())
					if err != nil {
						t.Fatal(err)
					}
					cc.NextProtos = nil
					c, _, err = Client(ctx, tls.Client(nc, cc), "wss://localhost/", nil)
					if err != nil {
						t.Fatal(err)
					}
				} else if c, _, err = Dial(ctx, "wss://"+ln.Addr().String(), &DialOptions{TLS: cc}); err != nil {
					t.Fatal(err)
				}
				defer c.CloseNow()
				ended := make(chan error, 1)
				go func() {
					switch how {
					case "Serve":
						ended <- c.Serve(ctx, func(*Conn, Message) error { return nil })
					case "Go":
						c.ServeInBackground(func(*Conn, Message) error { return nil }, func(err error) { ended <- err })
					default:
						var err error
						for err == nil {
							_, _, err = c.Read(ctx)
						}
						ended <- err
					}
				}()
				if err := <-served; err != nil {
					t.Fatal(err)
				}
				err = <-ended
				ours := !strings.Contains(how, "caller's")
				switch {
				case ours && CloseStatus(err) != StatusAbnormal, ours && c.life.err() == nil:
					t.Errorf("renegotiation %d: %v", allowed, err)
				case ours && allowed != tls.RenegotiateNever && !errors.Is(err, transport.ErrNoProgress):
					t.Errorf("renegotiation %d: %v", allowed, err)
				case !ours && ctx.Err() != nil && !errors.Is(err, context.DeadlineExceeded) && CloseStatus(err) != StatusAbnormal:
					t.Errorf("renegotiation %d: %v", allowed, err)
				}
				if e, ok := errors.AsType[*CloseError](err); ok && errors.Is(err, transport.ErrNoProgress) && e.Token() != "no_progress" {
					t.Errorf("token %q", e.Token())
				}
			})
		}
	}
}

package conn

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/internal/testtls"
	"github.com/seed-c4549abd/wss/internal/transport"
	"github.com/seed-c4549abd/wss/internal/wire"
)

// tamper is a socket whose writes, once armed, go through spoil: what it returns is
// sent, and then the stream ends. crypto/tls writes whole records.
type tamper struct {
	net.Conn
	spoil func(records []byte) []byte
}

func (s *tamper) Write(p []byte) (int, error) {
	if s.spoil == nil {
		return s.Conn.Write(p)
	}
	_, err := s.Conn.Write(s.spoil(append([]byte(nil), p...)))
	s.spoil = func([]byte) []byte { return nil }
	_ = s.Conn.(*net.TCPConn).CloseWrite()
	return len(p), err
}

// tampered returns a connection whose peer is a bare tls.Conn over a socket that can be
// tampered with. ours says whether our wire is below its TLS.
func tampered(t *testing.T, role frame.Role, ours bool, version uint16) (peer *tls.Conn, below *tamper, c *Conn) {
	t.Helper()
	cn, sn := ends(t, "plain")
	if role == frame.Client {
		cn, sn = sn, cn
	}
	below = &tamper{Conn: cn}
	under := sn
	if ours {
		under = wire.TLS(sn)
	}
	sc, cc := testtls.Configs(version)
	us := tls.Server(under, sc)
	peer = tls.Client(below, cc)
	if role == frame.Client {
		us, peer = tls.Client(under, cc), tls.Server(below, sc)
	}
	failed := make(chan error, 1)
	go func() { failed <- peer.Handshake() }()
	if err := errors.Join(us.Handshake(), <-failed); err != nil {
		t.Fatal(err)
	}
	c = newConn(transport.New(us), role, "", newSettings(0, 0, 0, 0), nil, nil)
	t.Cleanup(func() { _ = c.CloseNow(); _ = cn.Close() })
	return peer, below, c
}

// said is a whole message from the peer of a connection in the role.
func said(role frame.Role, text string) []byte {
	h := frame.Header{Fin: true, Opcode: frame.Text, Masked: role == frame.Server, Length: int64(len(text))}
	return append(h.Append(nil), text...) // the masking key is zero
}

// flip returns a spoiler that flips a bit of a record, counted from its beginning, or
// from its end if negative.
func flip(at int, bit byte) func([]byte) []byte {
	return func(p []byte) []byte {
		p[(at+len(p))%len(p)] ^= bit
		return p
	}
}

// before returns a spoiler that puts a record before the one that is written.
func before(record ...byte) func([]byte) []byte {
	return func(p []byte) []byte { return append(record, p...) }
}

// TestSpoiltRecordsAreNeverData: alerts in mid-stream, truncated records and flipped
// bits end a connection abnormally; what was said before arrives, and nothing else.
func TestSpoiltRecordsAreNeverData(t *testing.T) {
	type fault struct {
		name  string
		spoil func([]byte) []byte
	}
	faults := []fault{
		{"a fatal alert in plain text", before(21, 3, 3, 0, 2, 2, 40)},
		{"a warning in plain text", before(21, 3, 3, 0, 2, 1, 90)},
		{"close_notify in plain text", before(21, 3, 3, 0, 2, 1, 0)},
		{"data in plain text", before(23, 3, 3, 0, 7, 0x81, 5, 'h', 'e', 'l', 'l', 'o')},
		{"a record of an unknown type", before(99, 3, 3, 0, 1, 0)},
		{"an empty record", before(23, 3, 3, 0, 0)},
		{"a record that is too long", before(23, 3, 3, 0xff, 0xff)},
		{"plain HTTP", before([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")...)},
		{"half a header", func(p []byte) []byte { return p[:3] }},
		{"a header alone", func(p []byte) []byte { return p[:5] }},
		{"half a record", func(p []byte) []byte { return p[:len(p)/2] }},
		{"all but a byte", func(p []byte) []byte { return p[:len(p)-1] }},
		{"a record twice", func(p []byte) []byte { return append(p, p...) }},
		{"a length that is one too small", func(p []byte) []byte {
			binary.BigEndian.PutUint16(p[3:], binary.BigEndian.Uint16(p[3:])-1)
			return p
		}},
	}
	for _, at := range []int{0, 1, 2, 3, 4, 5, 6, 12, 13, 14, 60, -17, -16, -8, -1} {
		for _, bit := range []byte{1, 0x80} {
			faults = append(faults, fault{fmt.Sprintf("byte %d with bit %#x flipped", at, bit), flip(at, bit)})
		}
	}
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, role := range []frame.Role{frame.Server, frame.Client} {
			for _, ours := range []bool{true, false} {
				accounted(t, fmt.Sprintf("%x,role=%v,ours=%v", version, role, ours), func(t *testing.T) {
					for _, f := range faults {
						spoilt(t, f.name, f.spoil, role, ours, version)
					}
				})
			}
		}
	}
}

// spoilt has the peer say one thing well, and another that is spoilt.
func spoilt(t *testing.T, name string, spoil func([]byte) []byte, role frame.Role, ours bool, version uint16) {
	t.Helper()
	peer, below, c := tampered(t, role, ours, version)
	defer below.Close()
	defer c.CloseNow()
	_, _ = peer.Write(said(role, "as it was"))
	if _, p, err := c.Read(bg); string(p) != "as it was" || err != nil {
		t.Fatalf("%s: %q, %v", name, p, err)
	}
	below.spoil = spoil
	const text = "this is not to be changed: every byte of it comes as it was sent, or does not come at all"
	_, _ = peer.Write(said(role, text))
	began := time.Now()
	// A record that comes whole beside a spoilt one is data.
	_, p, err := c.Read(bg)
	if err == nil && string(p) == text {
		_, p, err = c.Read(bg)
	}
	if e, ok := errors.AsType[*CloseError](err); !ok || e.Code != StatusAbnormal || e.Remote || e.Err == nil {
		t.Errorf("%s: %q, %v", name, p, err)
	}
	if took := time.Since(began); took > patience {
		t.Errorf("%s: it took %v", name, took)
	}
	if _, _, again := c.Read(bg); again != err {
		t.Errorf("%s: the second read says %v", name, again)
	}
}

// TestAnAlertOfThePeersEndsTheConnection: a fatal one, encrypted, in the place of data
// (RFC 8446 §6.2), and close_notify without a close frame.
func TestAnAlertOfThePeersEndsTheConnection(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, role := range []frame.Role{frame.Server, frame.Client} {
			for _, ours := range []bool{true, false} {
				accounted(t, fmt.Sprintf("%x,role=%v,ours=%v", version, role, ours), func(t *testing.T) {
					for _, part := range []int{0, 1, 8} { // bytes of a message before it
						alerted(t, role, ours, version, part)
					}
				})
			}
		}
	}
}

func alerted(t *testing.T, role frame.Role, ours bool, version uint16, part int) {
	t.Helper()
	peer, _, c := tampered(t, role, ours, version)
	_, _ = peer.Write(said(role, "never whole")[:part])
	// Garbage makes the peer's crypto/tls give up, which it says in an alert.
	raw := c.transport.NetConn().(*tls.Conn).NetConn()
	if w, ok := raw.(*wire.Conn); ok {
		raw = w.NetConn()
	}
	_, _ = raw.Write([]byte{23, 3, 3, 0, 30, 29: 0, 34: 0})
	_, _ = peer.Read(make([]byte, 1))
	_, _, err := c.Read(bg)
	alert, isAlert := errors.AsType[*net.OpError](err)
	if CloseStatus(err) != StatusAbnormal || !isAlert || alert.Op != "remote error" {
		t.Errorf("after a fatal alert: %v", err)
	}

	peer, _, c = tampered(t, role, ours, version)
	_, _ = peer.Write(said(role, "never whole")[:part])
	expireWatch(c)
	_ = peer.CloseWrite()
	if _, _, err := c.Read(bg); CloseStatus(err) != StatusAbnormal || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("after close_notify: %v", err)
	}
	if !ours {
		return // crypto/tls would wait to say anything
	}
	rest, _ := io.ReadAll(peer.NetConn())
	answer := []byte{23, 3, 3, 0, 19} // close_notify, encrypted
	if version == tls.VersionTLS12 {
		answer = []byte{21, 3, 3, 0, 26}
	}
	if at := len(rest) - 5 - int(answer[4]); at < 0 || !bytes.Equal(rest[at:at+5], answer) {
		t.Errorf("close_notify was not answered: %x", rest)
	}
}

// expireWatch has the context of an earlier write end, which must not cut off what is sent later.
func expireWatch(c *Conn) {
	ctx, cancel := context.WithCancel(bg)
	_ = c.send.watchContext(ctx)
	cancel()
	w := c.send.watch
	for fired := false; !fired; time.Sleep(time.Millisecond) {
		w.mu.Lock()
		fired = w.fired
		w.mu.Unlock()
	}
}

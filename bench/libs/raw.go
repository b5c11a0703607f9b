package libs

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/frame"
)

// The baselines: what crypto/tls and the kernel cost alone.
//
//   - tls: reads into a buffer of 16 KiB, as large as a record, and writes what it got.
//   - tls-idle: the same with as little memory as crypto/tls allows while nothing comes: a
//     buffer only while bytes are in it, a fresh goroutine to wait, and below crypto/tls this
//     library's layer, with which it keeps smaller buffers.
//   - tls-copy: the same as io.Copy does it, with 32 KiB.
//   - tcp: like tls, without TLS.
//   - tcp-whole: what the kernel costs at the least: whole messages, in one read and one
//     write, and no call that says only that nothing has come.
//   - http: net/http answering GET with as many bytes as an opening handshake has; for
//     what it costs to accept connections.
//   - http-hijack: the least that a WebSocket behind net/http can cost over this library's
//     layer: the connection is taken over, the same response is written whatever the request
//     was, and the end is waited for.
const rawBuffer = 16 << 10

func rawTLS() Lib {
	return Lib{
		Name: "tls", Kind: Baseline, Raw: true, Setup: "bare crypto/tls: Read and Write with a buffer of 16 KiB",
		Serve: serveRaw,
		Prepare: func(data []byte) (func(Conn, int) error, error) {
			frame := AppendFrame(nil, data)
			return times(func(c rawConn) error { return c.Write(frame) }), nil
		},
		Dial: func(ctx context.Context, addr string, cfg *tls.Config) (Conn, error) {
			nc, err := (&tls.Dialer{Config: cfg}).DialContext(ctx, "tcp", addr)
			if err != nil {
				return nil, err
			}
			if err := rawUpgrade(nc, addr); err != nil {
				return nil, err
			}
			return rawConn{nc}, nil
		},
	}
}

func serveRaw(ln net.Listener, o Options) error {
	return serveConns(ln, o, func(nc net.Conn) {
		defer nc.Close()
		defer o.Hub.Add(rawConn{nc})()
		buf := make([]byte, rawBuffer)
		for {
			n, err := nc.Read(buf)
			if err != nil {
				return
			}
			if _, err := nc.Write(buf[:n]); err != nil {
				return
			}
		}
	})
}

func rawIdle() Lib {
	return Lib{
		Name: "tls-idle", Kind: Baseline, Raw: true,
		Setup: "bare crypto/tls over NewListener: a buffer only while there is something to read, a fresh goroutine to wait",
		Serve: func(ln net.Listener, o Options) error {
			return serveConns(conn.NewListener(ln), o, func(nc net.Conn) { idleOnce(nc.(*tls.Conn)) })
		},
	}
}

var idleBuffers = sync.Pool{New: func() any { return new([rawBuffer]byte) }}

// idleOnce waits, echoes what came, and leaves the connection to a goroutine whose stack
// has not grown.
func idleOnce(nc *tls.Conn) {
	below := nc.NetConn().(interface{ NetConn() net.Conn })
	if awaitBytes(below.NetConn().(*net.TCPConn)) != nil {
		_ = nc.Close()
		return
	}
	buf := idleBuffers.Get().(*[rawBuffer]byte)
	n, err := nc.Read(buf[:])
	for err == nil {
		if _, err = nc.Write(buf[:n]); err != nil {
			break
		}
		// crypto/tls may hold more records: what it has, without waiting.
		_ = nc.SetReadDeadline(time.Unix(1, 0))
		n, err = nc.Read(buf[:])
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = nc.SetReadDeadline(time.Time{})
	}
	idleBuffers.Put(buf)
	if err != nil {
		_ = nc.Close()
		return
	}
	go idleOnce(nc)
}

// awaitBytes returns when the socket has something, its end included.
func awaitBytes(nc *net.TCPConn) error {
	raw, err := nc.SyscallConn()
	if err != nil {
		return err
	}
	return raw.Read(func(fd uintptr) bool {
		// Not Recvfrom, which wants more stack than the 2 KiB that a goroutine begins with.
		var b [1]byte
		_, _, errno := syscall.RawSyscall6(syscall.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(&b)), 1,
			syscall.MSG_PEEK|syscall.MSG_DONTWAIT, 0, 0)
		return errno != syscall.EAGAIN
	})
}

// AppendFrame appends a server's final, binary frame: the bytes that everybody sends.
func AppendFrame(dst, payload []byte) []byte {
	switch n := len(payload); {
	case n < 126:
		dst = append(dst, 0x82, byte(n))
	case n < 1<<16:
		dst = append(dst, 0x82, 126, byte(n>>8), byte(n))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, 0x82, 127), uint64(n))
	}
	return append(dst, payload...)
}

type rawConn struct{ nc net.Conn }

func (c rawConn) Write(p []byte) error {
	_, err := c.nc.Write(p)
	return err
}

// rawUpgrade does the client's opening handshake without looking at the answer.
func rawUpgrade(nc net.Conn, addr string) error {
	_, err := io.WriteString(nc, "GET / HTTP/1.1\r\nHost: "+addr+"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	if err != nil {
		return err
	}
	for last := ""; !strings.HasSuffix(last, "\r\n\r\n"); {
		b := make([]byte, 1)
		if _, err := io.ReadFull(nc, b); err != nil {
			return err
		}
		last = last[max(0, len(last)-3):] + string(b)
	}
	return nil
}

func rawCopy() Lib {
	return Lib{
		Name: "tls-copy", Kind: Baseline, Raw: true, Setup: "bare crypto/tls: io.Copy, whose buffer has 32 KiB",
		Serve: func(ln net.Listener, o Options) error {
			return serveConns(ln, o, func(nc net.Conn) {
				defer nc.Close()
				_, _ = io.Copy(nc, nc)
			})
		},
	}
}

func rawTCP() Lib {
	return Lib{
		Name: "tcp", Kind: Baseline, Raw: true, Plain: true,
		Setup: "bare TCP: Read and Write with a buffer of 16 KiB", Serve: serveRaw,
		Dial: func(ctx context.Context, addr string, _ *tls.Config) (Conn, error) {
			nc, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
			if err != nil {
				return nil, err
			}
			if err := rawUpgrade(nc, addr); err != nil {
				return nil, err
			}
			return rawConn{nc}, nil
		},
	}
}

func rawWhole() Lib {
	return Lib{
		Name: "tcp-whole", Kind: Baseline, Raw: true, Plain: true,
		Setup: "bare TCP: a message, or as many as are here, in one read and one write, and no read that fails",
		Serve: func(ln net.Listener, o Options) error {
			return serveConns(ln, o, func(nc net.Conn) {
				defer nc.Close()
				_ = echoWhole(nc.(*net.TCPConn), o)
			})
		},
	}
}

// echoWhole waits within one read in the poller's eyes, as [conn.Conn.Serve] does. It does not
// see an end that comes with the last bytes.
func echoWhole(nc *net.TCPConn, o Options) error {
	raw, err := nc.SyscallConn()
	if err != nil {
		return err
	}
	size := 128 << 10
	if o.Many {
		size = 4 << 10
	}
	buf, n := make([]byte, size), 0
	var failed error
	err = raw.Read(func(fd uintptr) bool {
		for {
			k, err := syscall.Read(int(fd), buf[n:])
			if err == syscall.EAGAIN {
				return false
			}
			if failed = err; err != nil || k == 0 {
				return true
			}
			n += k
			full := n == len(buf)
			if whole := wholeFrames(buf[:n]); whole > 0 {
				if _, failed = nc.Write(buf[:whole]); failed != nil {
					return true
				}
				n = copy(buf, buf[whole:n])
			} else if full {
				buf = append(buf, buf...)
			}
			if !full {
				return false
			}
		}
	})
	return errors.Join(err, failed)
}

// wholeFrames returns how many of the bytes belong to frames that are here to their end.
func wholeFrames(p []byte) (n int) {
	for {
		var h frame.Header
		size, err := h.Parse(p[n:])
		if err != nil || size == 0 || int64(len(p)-n-size) < h.Length {
			return n
		}
		n += size + int(h.Length)
	}
}

// plainHTTP answers with some 129 bytes in all, like a response that upgrades.
func plainHTTP() Lib {
	return Lib{
		Name: "http", Kind: Baseline, Silent: true, Setup: "net/http over crypto/tls: a GET, answered with as many bytes as an upgrade",
		Serve: func(ln net.Listener, o Options) error {
			return serveHTTP(ln, o, func(w http.ResponseWriter, _ *http.Request) {
				h := w.Header()
				h["Date"] = nil
				h.Set("Content-Type", "text/plain")
				h.Set("X-Padding", strings.Repeat("x", 47))
				_, _ = io.WriteString(w, "hello")
			})
		},
	}
}

// upgraded is the response to the key that the load sends.
const upgraded = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
	"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"

func hijackHTTP() Lib {
	return Lib{
		Name: "http-hijack", Kind: Baseline, Silent: true,
		Setup: "net/http over crypto/tls over NewListener: Hijack, and a response that is always the same",
		Serve: func(ln net.Listener, o Options) error {
			return serveHTTP(conn.NewListener(ln), o, func(w http.ResponseWriter, _ *http.Request) {
				nc, _, err := http.NewResponseController(w).Hijack()
				if err != nil {
					return
				}
				_, _ = io.WriteString(nc, upgraded)
				go func() {
					defer nc.Close()
					_, _ = nc.Read(make([]byte, 1))
				}()
			})
		},
	}
}

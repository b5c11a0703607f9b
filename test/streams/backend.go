package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/http2"
	"github.com/seed-c4549abd/wss/tlsconf"
)

// backend is our server, which other clients and proxies come to.
type backend struct {
	addr string // localhost with a port
	ca   *tlsconf.DevCA
	dir  string // of files: see certificate
	http *http.Server
	done chan struct{}

	mu   sync.Mutex
	ends map[string]chan end
}

// end is how a connection ended, and what it was.
type end struct {
	Code        int    `json:"code"`
	Reason      string `json:"reason"`
	Remote      bool   `json:"remote"`
	HTTPVersion string `json:"-"`
	RemoteAddr  string `json:"-"`
}

// startBackend starts it; page is what it shows at "/".
func startBackend(page []byte) (*backend, error) {
	dir, err := os.MkdirTemp("", "wss-streams-")
	if err != nil {
		return nil, err
	}
	b := &backend{dir: dir, done: make(chan struct{}), ends: make(map[string]chan end)}
	if err := b.start(page); err != nil {
		_ = os.RemoveAll(dir)
		return nil, err
	}
	return b, nil
}

func (b *backend) start(page []byte) (err error) {
	if b.ca, err = tlsconf.Development(tlsconf.DevOptions{Dir: b.dir}); err != nil {
		return err
	}
	if _, err := b.ca.Certificate(); err != nil {
		return err
	}
	config, err := tlsconf.Server(tlsconf.ServerOptions{GetCertificate: b.ca.GetCertificate})
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(page)
	})
	mux.HandleFunc("GET /address", func(w http.ResponseWriter, r *http.Request) { describe(w, r.Proto, r.RemoteAddr) })
	mux.HandleFunc("/echo", b.echo)
	mux.HandleFunc("/refuse", func(w http.ResponseWriter, r *http.Request) {
		_, _ = conn.Accept(w, r, &conn.AcceptOptions{Check: func(*http.Request) error { return errors.New("nobody may") }})
	})
	// Connections that are broken off are what is looked for, and no news.
	b.http = &http.Server{Handler: mux, TLSConfig: config, ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0)}
	if err := http2.Configure(b.http); err != nil {
		return err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	b.addr = fmt.Sprintf("localhost:%d", ln.Addr().(*net.TCPAddr).Port)
	go func() { defer close(b.done); _ = b.http.ServeTLS(conn.NewListener(ln), "", "") }()
	return nil
}

func (b *backend) close() {
	_ = b.http.Close()
	<-b.done
	_ = os.RemoveAll(b.dir)
}

// certificate returns the file that has certificate and key for localhost.
func (b *backend) certificate() string { return filepath.Join(b.dir, "localhost.pem") }

// describe writes what a request or a WebSocket came by.
func describe(w io.Writer, version, address string) {
	_ = json.NewEncoder(w).Encode(map[string]string{"version": version, "address": address})
}

// echo sends back what comes, and obeys: see obey. The end is noted under the id of the query.
func (b *backend) echo(w http.ResponseWriter, r *http.Request) {
	c, err := conn.Accept(w, r, &conn.AcceptOptions{Subprotocols: []string{"echo"}, MessageLimit: messageLimit, Compression: compression})
	if err != nil {
		return
	}
	ended := b.ended(r.URL.Query().Get("id"))
	ctx := c.Context()
	_ = c.Serve(ctx, func(c *conn.Conn, m conn.Message) error {
		if m.Type == conn.Text {
			if obeyed, err := obey(ctx, c, string(m.Data)); obeyed {
				return err
			}
		}
		return c.Write(ctx, m.Type, m.Data)
	})
	_, _, err = c.Read(context.Background())
	e := end{HTTPVersion: c.HTTPVersion(), RemoteAddr: c.RemoteAddr().String()}
	if ce, ok := errors.AsType[*conn.CloseError](err); ok {
		e.Code, e.Reason, e.Remote = int(ce.Code), ce.Reason, ce.Remote
	}
	select {
	case ended <- e:
	default: // a connection with the same id has ended before
	}
}

// obey does what a message says: "close CODE REASON", "reset", or "address", which is answered by what describe writes.
func obey(ctx context.Context, c *conn.Conn, message string) (obeyed bool, err error) {
	switch words := strings.SplitN(message, " ", 3); {
	case words[0] == "close" && len(words) == 3:
		code, _ := strconv.Atoi(words[1])
		return true, &conn.CloseError{Code: conn.StatusCode(code), Reason: words[2]}
	case message == "reset":
		return true, c.CloseNow()
	case message == "address":
		var text strings.Builder
		describe(&text, c.HTTPVersion(), c.RemoteAddr().String())
		return true, c.Write(ctx, conn.Text, []byte(text.String()))
	}
	return false, nil
}

func (b *backend) ended(id string) chan end {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ends[id] == nil {
		b.ends[id] = make(chan end, 1)
	}
	return b.ends[id]
}

// await waits for the end of the connection with this id.
func (b *backend) await(ctx context.Context, id string) (end, error) {
	select {
	case e := <-b.ended(id):
		return e, nil
	case <-ctx.Done():
		return end{}, fmt.Errorf("the end of connection %q: %w", id, context.Cause(ctx))
	}
}

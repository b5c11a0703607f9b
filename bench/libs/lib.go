// Package libs holds the libraries that are measured, each in one file and set up the
// way its own documentation calls fastest; the file's comment says how, and why.
//
// What all have in common: the same TLS configuration, DynamicRecordSizingDisabled
// included; a stock net/http server in front, as far as the library works behind one;
// binary messages, UTF-8 validation switched on where it can be switched, and messages
// of at most 16 MiB. A server echoes what it is sent.
package libs

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"sync"
)

// Kind tells what a line of a table is.
type Kind int

// The kinds. Ratios are made of ours to those of the others.
const (
	Ours Kind = iota
	Peer
	Baseline
)

// String returns the kind in lower case.
func (k Kind) String() string { return [...]string{"ours", "peer", "baseline"}[k] }

// messageLimit is the most bytes of a message that every library accepts, unless Options.Limit says otherwise.
const messageLimit = 16 << 20

// limit is the most bytes of a message that the server accepts.
func (o Options) limit() int64 {
	if o.Limit > 0 {
		return o.Limit
	}
	return messageLimit
}

// Options say how a server is to be set up.
type Options struct {
	// TLS is nil for plain TCP.
	TLS *tls.Config
	// Message is the size of the messages to expect, in bytes, for libraries whose
	// documentation says to choose buffers by it.
	Message int
	// Many says that there are many connections which say little, for libraries
	// whose documentation offers to save memory then.
	Many bool
	// Deflate switches permessage-deflate on, with context takeover where the library
	// can; WindowBits limits the windows of both sides where it is not 0.
	Deflate    bool
	WindowBits int
	// Limit is the most bytes of a message that wss, gorilla and coder accept, for measuring
	// what a hostile peer costs. 0: 16 MiB.
	Limit int64
	// Hub notes the connections, for servers that speak first. Nil: none does.
	Hub *Hub
}

// Lib is a library, or one way to use it.
type Lib struct {
	// Name is what the tables call it.
	Name string
	// Module is the path of its module; empty if it is part of Go.
	Module string
	Kind   Kind
	// Setup says in a sentence how it is set up.
	Setup string
	// Plain is a server that never uses TLS; Raw one that echoes bytes instead of
	// messages, without an opening handshake.
	Plain, Raw bool
	// Silent is a server that answers opening requests, and echoes nothing.
	Silent bool
	// Serve accepts connections and echoes, until the listener is closed.
	Serve func(ln net.Listener, o Options) error
	// Prepare makes a message ready for many connections; the function that it
	// returns hands it over n times, as the library's way to do so. Nil: it has none.
	Prepare func(data []byte) (send func(c Conn, n int) error, err error)
	// Dial connects a client over TLS. Nil: the library has none.
	Dial func(ctx context.Context, addr string, cfg *tls.Config) (Conn, error)
	// Takeover says that it compresses with context takeover; Windows that it
	// negotiates the size of windows.
	Takeover, Windows bool
}

// Conn is a connection that messages are sent on.
type Conn interface {
	// Write sends one binary message. Any number of goroutines may call it.
	Write(p []byte) error
}

// Hub holds the live connections of a server.
type Hub struct {
	mu    sync.Mutex
	conns map[Conn]struct{}
}

// Add notes a connection; the function removes it. A nil Hub does nothing.
func (h *Hub) Add(c Conn) (remove func()) {
	if h == nil {
		return func() {}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.conns == nil {
		h.conns = map[Conn]struct{}{}
	}
	h.conns[c] = struct{}{}
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.conns, c)
	}
}

// Conns returns those that are live.
func (h *Hub) Conns() []Conn {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := make([]Conn, 0, len(h.conns))
	for c := range h.conns {
		all = append(all, c)
	}
	return all
}

// All returns every library, ours first and the baselines last.
func All() []Lib {
	return []Lib{
		wssServe(), wssPlain(), wssStream(), wssUpgrade(),
		gorillaLib(), coderLib(), gobwasLib(), gwsLib(), xnetLib(),
		rawTLS(), rawIdle(), rawCopy(), rawTCP(), rawWhole(), plainHTTP(), hijackHTTP(),
	}
}

// Find returns the library of a name.
func Find(name string) (Lib, error) {
	for _, l := range slices.Concat(All(), Observed(), Compat()) {
		if l.Name == name {
			return l, nil
		}
	}
	return Lib{}, errors.New("no library is called " + name)
}

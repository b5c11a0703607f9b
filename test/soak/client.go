package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/url"
	"strconv"
	"time"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/tlsconf"
)

// client is the client's part of one connection.
type client struct {
	s   *soak
	l   *life
	own *side
	r   *rand.Rand
	ctx context.Context // ends with the run

	c    *conn.Conn
	tcp  *net.TCPConn
	tls  *tls.Conn // only of one that sends bytes of its own
	read chan struct{}
	buf  []byte
}

// errOver says that the connection has ended, which its account explains.
var errOver = errors.New("the connection is over")

// dial opens the connection.
func (k *client) dial(path string, query url.Values) error {
	query.Set("id", strconv.FormatUint(uint64(k.l.id), 10))
	base := k.s.server.httpURL
	if !k.l.b.httpOnly && k.r.IntN(4) == 0 {
		base = k.s.server.upgradeURL
	}
	ctx, cancel := context.WithTimeout(k.ctx, patience)
	defer cancel()
	o := &conn.DialOptions{
		TLS: k.s.server.client, NetDial: k.netDial, Observer: k.own, Compression: k.l.b.compression(k.r),
		HandshakeTimeout: patience, CloseTimeout: closeTimeout, PingInterval: 3 * time.Second, PongTimeout: patience,
	}
	if k.r.IntN(2) == 0 {
		o.TLS = k.s.server.resume
	}
	var err error
	u := base + path + "?" + query.Encode()
	if !k.l.b.raw {
		k.c, _, err = conn.Dial(ctx, u, o)
		return err
	}
	if k.tls, err = k.dialTLS(ctx, base, o.TLS); err == nil {
		k.c, _, err = conn.Client(ctx, k.tls, u, o)
	}
	return err
}

func (k *client) netDial(ctx context.Context, network, addr string) (net.Conn, error) {
	nc, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	k.tcp = nc.(*net.TCPConn)
	if k.l.b.policy != "" {
		_ = k.tcp.SetReadBuffer(receiveBuffer)
	}
	return nc, nil
}

// dialTLS makes a TLS connection on the stock socket, into which we can write as well.
func (k *client) dialTLS(ctx context.Context, base string, cfg *tls.Config) (*tls.Conn, error) {
	u, err := url.Parse(base)
	if err != nil {
		return nil, err
	}
	nc, err := k.netDial(ctx, "tcp", u.Host)
	if err != nil {
		return nil, err
	}
	tc := tls.Client(nc, tlsconf.ForWebSocket(cfg))
	if err := tc.HandshakeContext(ctx); err != nil {
		_ = nc.Close()
		return nil, err
	}
	return tc, nil
}

// listen reads in one of the ways that there are until the connection ends.
func (k *client) listen() {
	k.read = make(chan struct{})
	way := k.r.IntN(6)
	if k.l.b.keepsReading {
		way = 4 + k.r.IntN(2)
	}
	seed := k.r.Uint64()
	switch way {
	case 0:
		go k.readWhole(k.ctx)
	case 1:
		go k.readImpatiently(rand.New(rand.NewPCG(seed, 1)))
	case 2:
		go k.readStreams()
	case 3:
		go k.readMessages()
	case 4:
		k.c.ServeInBackground(k.hear, func(error) { close(k.read) })
	default:
		go func() {
			defer close(k.read)
			_ = k.c.Serve(k.ctx, k.hear)
		}()
	}
}

func (k *client) hear(_ *conn.Conn, m conn.Message) error {
	k.own.set(&k.own.reading) // Serve has the turn to read now
	k.own.take(m.Type, m.Data)
	return nil
}

func (k *client) readWhole(ctx context.Context) {
	defer close(k.read)
	var buf []byte
	for {
		typ, data, err := k.c.ReadInto(ctx, buf)
		if err != nil {
			return
		}
		k.own.take(typ, data)
		buf = data
	}
}

// readImpatiently gives up often: what has arrived of a message has to be kept.
func (k *client) readImpatiently(r *rand.Rand) {
	defer close(k.read)
	for k.ctx.Err() == nil {
		ctx, cancel := context.WithTimeout(k.ctx, time.Duration(1+r.IntN(200))*time.Millisecond)
		typ, data, err := k.c.Read(ctx)
		cancel()
		switch {
		case err == nil:
			k.own.take(typ, data)
		case conn.CloseStatus(err) != 0:
			return
		case !errors.Is(err, context.DeadlineExceeded) && k.ctx.Err() == nil:
			k.own.fault("reading until a deadline: %v", err)
			return
		}
	}
}

func (k *client) readStreams() {
	defer close(k.read)
	buf := make([]byte, 3000)
	for {
		typ, r, err := k.c.Reader(k.ctx)
		if err != nil {
			return
		}
		check := k.own.corpus.newChecker(k.own.id, typ)
		if _, err := io.CopyBuffer(check, struct{ io.Reader }{r}, buf); err != nil {
			return
		}
		k.own.took(check)
	}
}

func (k *client) readMessages() {
	defer close(k.read)
	for m, err := range k.c.Messages(k.ctx) {
		if err != nil {
			return
		}
		k.own.take(m.Type, m.Data)
	}
}

// patient returns a context for one call. One that ends behind a call leaves a deadline on
// the socket until the next: not for those who write there themselves.
func (k *client) patient() (context.Context, context.CancelFunc) {
	if k.l.b.raw {
		return k.ctx, func() {}
	}
	return context.WithTimeout(k.ctx, patience)
}

// write sends one message whole.
func (k *client) write(n int) error {
	seq := k.own.number()
	k.buf = k.s.corpus.append(k.buf[:0], k.l.id, seq, n)
	ctx, cancel := k.patient()
	defer cancel()
	var options []conn.WriteOption
	if k.r.IntN(10) == 0 {
		options = append(options, conn.Uncompressed)
	}
	return k.sent(k.own.wrote(k.c.Write(ctx, typeOf(k.l.id, seq), k.buf, options...)))
}

// writePieces sends one message in pieces of up to most bytes; each may be a fragment.
func (k *client) writePieces(n, most int) error {
	seq := k.own.number()
	k.buf = k.s.corpus.append(k.buf[:0], k.l.id, seq, n)
	ctx, cancel := k.patient()
	defer cancel()
	w, err := k.c.Writer(ctx, typeOf(k.l.id, seq))
	if err != nil {
		return k.sent(k.own.wrote(err))
	}
	for rest := k.buf; len(rest) > 0 && err == nil; {
		piece := rest[:min(len(rest), 1+k.r.IntN(most))]
		rest = rest[len(piece):]
		if _, err = w.Write(piece); err == nil && k.r.IntN(2) == 0 {
			err = w.Flush()
		}
	}
	if closeErr := w.Close(); err == nil {
		err = closeErr
	}
	return k.sent(k.own.wrote(err))
}

// sent turns the end of the connection into errOver; anything else is a fault.
func (k *client) sent(err error) error {
	switch {
	case err == nil:
		return nil
	case conn.CloseStatus(err) == 0 && k.ctx.Err() == nil:
		k.own.fault("sending message %d: %v", k.own.number(), err)
	}
	return errOver
}

// echoed waits until all that was sent has come back.
func (k *client) echoed() error {
	t := time.NewTimer(patience)
	defer t.Stop()
	for {
		sent, received := k.own.counts()
		if received >= sent {
			return nil
		}
		select {
		case <-k.own.news:
		case <-k.own.over:
			return errOver
		case <-k.ctx.Done():
			return errOver
		case <-t.C:
			k.own.fault("%d of %d messages came back within %v", received, sent, patience)
			return errOver
		}
	}
}

// pause thinks for up to d at the pace of the run, and says whether there is anything to
// go on with.
func (k *client) pause(d time.Duration) error {
	t := time.NewTimer(time.Duration(k.r.Float64() * k.s.pace * float64(d)))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-k.own.over:
	case <-k.ctx.Done():
	}
	return errOver
}

// chat sends n messages by send, in bursts, with pauses.
func (k *client) chat(n int, send func() error) error {
	for range n {
		if err := send(); err != nil {
			return err
		}
		if k.r.IntN(3) > 0 {
			continue
		}
		if k.r.IntN(2) == 0 {
			if err := k.echoed(); err != nil {
				return err
			}
		}
		if err := k.pause(time.Second); err != nil {
			return err
		}
	}
	return nil
}

// size draws a length: mostly short, now and then up to most.
func (k *client) size(most int) int {
	if k.r.IntN(8) > 0 {
		return k.r.IntN(min(most, 400))
	}
	return k.r.IntN(most)
}

// closeWith closes with a code, in half of all cases while echoes are on their way.
func (k *client) closeWith(code conn.StatusCode, reason string) {
	k.l.want([]string{fmt.Sprintf("%d peer", code)}, []string{fmt.Sprintf("%d local", code)})
	if k.r.IntN(2) == 0 && k.echoed() != nil {
		return
	}
	k.own.set(&k.own.closing)
	if err := k.c.Close(code, reason); err != nil {
		k.own.fault("Close: %v", err)
	}
}

// awaitEnd waits until the connection has ended.
func (k *client) awaitEnd() {
	t := time.NewTimer(patience)
	defer t.Stop()
	select {
	case <-k.own.over:
	case <-k.ctx.Done():
	case <-t.C:
		k.own.fault("the connection did not end within %v", patience)
	}
}

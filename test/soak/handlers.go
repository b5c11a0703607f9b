package main

import (
	"context"
	"errors"
	"io"
	"net/url"
	"strconv"
	"time"

	"github.com/seed-c4549abd/wss/conn"
)

// handler is the server's part of one connection.
type handler struct {
	v     *server
	c     *conn.Conn
	own   *side
	l     *life
	query url.Values
	drops bool // what comes behind a close of our own may go unread
}

// errFailed is what a callback fails with that has no code to give (1011).
var errFailed = errors.New("the application failed")

// handle serves a connection as its path says. It returns when the connection is over,
// or with Go at once.
func (v *server) handle(c *conn.Conn, l *life, u *url.URL) {
	l.accepted.Store(true)
	h := &handler{v: v, c: c, l: l, own: l.server, query: u.Query()}
	ctx := c.Context()
	switch u.Path {
	case "/go":
		c.ServeInBackground(h.echo, func(error) { h.own.finish(c) })
		return
	case "/serve":
		_ = c.Serve(ctx, h.echo)
	case "/read":
		h.read(ctx)
	case "/stream":
		h.stream(ctx)
	case "/sink":
		h.sink(ctx)
	case "/subscribe":
		h.subscribe(ctx)
	case "/feed":
		h.feed(ctx)
	case "/close":
		h.closeAfter(ctx)
	}
	h.own.finish(c)
}

// echo is the callback of Serve and ServeInBackground. It fails only if it has to: what comes while the
// connection closes is still counted.
func (h *handler) echo(c *conn.Conn, m conn.Message) error {
	if !h.drops { // Serve has the turn to read now
		h.own.set(&h.own.reading)
	}
	h.own.take(m.Type, m.Data)
	err := h.own.wrote(c.Write(context.Background(), m.Type, m.Data))
	if err != nil && conn.CloseStatus(err) == 0 {
		h.own.fault("echoing in a callback: %v", err)
	}
	return nil
}

// read echoes with Read's cheaper form. A group that shuts down may read in our place
// between two calls: then this side does not get everything.
func (h *handler) read(ctx context.Context) {
	var buf []byte
	for {
		typ, data, err := h.c.ReadInto(ctx, buf)
		if err != nil {
			return
		}
		buf = data
		h.own.take(typ, data)
		within, cancel := context.WithTimeout(ctx, patience)
		err = h.own.wrote(h.c.Write(within, typ, data))
		cancel()
		if err != nil && conn.CloseStatus(err) == 0 {
			h.own.fault("echoing: %v", err)
		}
	}
}

// stream echoes each message while it arrives.
func (h *handler) stream(ctx context.Context) {
	buf := make([]byte, 4<<10)
	for {
		typ, r, err := h.c.Reader(ctx)
		if err != nil {
			return
		}
		within, cancel := context.WithTimeout(ctx, patience)
		err = h.streamOne(within, typ, r, buf)
		cancel()
		if err != nil {
			if conn.CloseStatus(err) == 0 {
				h.own.fault("streaming: %v", err)
			}
			return
		}
	}
}

// streamOne echoes one message. When nothing can be sent any more it reads on all the same.
func (h *handler) streamOne(ctx context.Context, typ conn.MessageType, r *conn.MessageReader, buf []byte) error {
	check := h.own.corpus.newChecker(h.own.id, typ)
	w, failed := h.c.Writer(ctx, typ)
	for {
		n, err := r.Read(buf)
		_, _ = check.Write(buf[:n])
		if failed == nil {
			_, failed = w.Write(buf[:n])
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			if w != nil {
				_ = h.own.wrote(err)
				_ = w.Close() // lets go of its buffer
			}
			return err
		}
	}
	h.own.took(check)
	if w != nil {
		if err := w.Close(); failed == nil {
			failed = err
		}
	}
	_ = h.own.wrote(failed)
	if conn.CloseStatus(failed) != 0 {
		return nil
	}
	return failed
}

// sink reads slowly, and answers nothing.
func (h *handler) sink(ctx context.Context) {
	buf := make([]byte, 8<<10)
	for {
		typ, r, err := h.c.Reader(ctx)
		if err != nil {
			return
		}
		check := h.own.corpus.newChecker(h.own.id, typ)
		for err == nil {
			var n int
			n, err = r.Read(buf)
			_, _ = check.Write(buf[:n])
			if n == len(buf) {
				wait(ctx, 4*time.Millisecond)
			}
		}
		if err != io.EOF {
			return
		}
		h.own.took(check)
	}
}

// subscribe is for connections that the broadcasts go to.
func (h *handler) subscribe(ctx context.Context) {
	h.v.subscribers.Store(h.c, h.l)
	defer h.v.subscribers.Delete(h.c)
	<-h.c.CloseRead(ctx).Done()
}

// feed sends more than the peer takes, and then closes.
func (h *handler) feed(ctx context.Context) {
	n, _ := strconv.Atoi(h.query.Get("n"))
	var buf []byte
	for range n {
		seq := h.own.number()
		buf = h.own.corpus.append(buf[:0], h.own.id, seq, 8<<10)
		p, err := conn.Prepare(typeOf(h.own.id, seq), buf)
		if err != nil {
			h.own.fault("preparing message %d: %v", seq, err)
			return
		}
		if err := h.own.wrote(h.c.Send(ctx, p)); conn.CloseStatus(err) != 0 {
			<-h.c.CloseRead(ctx).Done()
			return
		}
	}
	h.own.set(&h.own.closing)
	_ = h.c.Close(conn.StatusNormalClosure, "fed")
	<-ctx.Done()
}

// closeAfter echoes some messages and closes in the way that is asked for.
func (h *handler) closeAfter(ctx context.Context) {
	left, _ := strconv.Atoi(h.query.Get("n"))
	code, _ := strconv.Atoi(h.query.Get("code"))
	how := h.query.Get("how")
	h.own.set(&h.own.closing)
	h.drops = how != "close" // Serve reads on only after a Close within it
	_ = h.c.Serve(ctx, func(c *conn.Conn, m conn.Message) error {
		_ = h.echo(c, m)
		if left--; left != 0 {
			return nil
		}
		switch how {
		case "fail":
			return errFailed
		case "return":
			return &conn.CloseError{Code: conn.StatusCode(code), Reason: "that is enough"}
		case "abort":
			_ = c.CloseNow()
		default:
			return c.Close(conn.StatusCode(code), "that is enough")
		}
		return nil
	})
	<-ctx.Done()
}

// wait returns after d, or when ctx ends.
func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

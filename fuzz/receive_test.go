package fuzz

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/seed-c4549abd/wss/conn"
)

// handle takes a message: it notes it, takes its time and, as a server in Serve, answers
// some. (If both sides did that with full pipes, neither would read.)
func (p *party) handle(typ conn.MessageType, data []byte) {
	writer := p.in.arrive(typ, data)
	if len(data)%3 == 0 {
		p.pauses.sleep(p.plan.pace)
	}
	if p.side == 0 || writer == replier || len(data)%2 == 0 {
		return
	}
	reply := content(p.side, replier, p.replies, typ, max(headSize, len(data)))
	p.replies++
	e := entryOf(typ, reply)
	if len(data)%5 == 0 {
		p.out.send(replier, e, p.sendAll(conn.Prepare(typ, reply)))
	} else {
		p.out.send(replier, e, p.fate(p.c.Write(context.Background(), typ, reply)))
	}
}

// soon returns contexts that end more and more slowly, so that everything gets through.
func soon() func() (context.Context, context.CancelFunc) {
	d := time.Microsecond
	return func() (context.Context, context.CancelFunc) {
		d += d / 2
		return context.WithTimeout(context.Background(), d)
	}
}

// receive takes messages until the connection has ended.
func (p *party) receive() error {
	callback := func(_ *conn.Conn, m conn.Message) error {
		p.handle(m.Type, m.Data)
		return nil
	}
	bg := context.Background()
	switch p.plan.receive {
	case byServe:
		return p.c.Serve(bg, callback)
	case byGo:
		over := make(chan error, 1)
		p.c.ServeInBackground(callback, func(err error) { over <- err })
		return <-over
	case byImpatientServe:
		next := soon()
		return p.patiently(func() error {
			ctx, cancel := next()
			defer cancel()
			return p.c.Serve(ctx, callback)
		})
	case byMessages:
		for m, err := range p.c.Messages(bg) {
			if err != nil {
				return err
			}
			p.in.arrive(m.Type, m.Data)
		}
		return nil
	case byCloseRead:
		<-p.c.CloseRead(bg).Done()
		return nil
	case byReader, byImpatientReader:
		return p.receiveStreams()
	}
	return p.receiveWhole()
}

// patiently repeats a call while only its context ends it. nil is a connection's end.
func (p *party) patiently(call func() error) error {
	for {
		err := call()
		if err != context.DeadlineExceeded {
			return err
		}
	}
}

func (p *party) receiveWhole() error {
	var buf []byte
	next := soon()
	for {
		var typ conn.MessageType
		var data []byte
		err := p.patiently(func() (err error) {
			switch p.plan.receive {
			case byReadInto:
				typ, buf, err = p.c.ReadInto(context.Background(), buf)
				data = buf
			case byImpatientRead:
				ctx, cancel := next()
				defer cancel()
				typ, data, err = p.c.Read(ctx)
			default:
				typ, data, err = p.c.Read(context.Background())
			}
			return err
		})
		if err != nil {
			return err
		}
		p.in.arrive(typ, data)
		if len(data)%3 == 0 {
			p.pauses.sleep(p.plan.pace)
		}
	}
}

func (p *party) receiveStreams() error {
	next := soon()
	buf := make([]byte, p.plan.chunk)
	for {
		var r *conn.MessageReader
		var typ conn.MessageType
		err := p.patiently(func() (err error) {
			ctx, cancel := context.Background(), func() {}
			if p.plan.receive == byImpatientReader {
				ctx, cancel = next()
			}
			defer cancel()
			typ, r, err = p.c.Reader(ctx)
			return err
		})
		if err != nil {
			return err
		}
		var data []byte
		for err != io.EOF {
			err = p.patiently(func() error {
				ctx, cancel := context.Background(), func() {}
				if p.plan.receive == byImpatientReader {
					ctx, cancel = next()
				}
				defer cancel()
				r.SetContext(ctx)
				n, err := r.Read(buf)
				data = append(data, buf[:n]...)
				return err
			})
			if err != nil && err != io.EOF {
				return err
			}
		}
		p.in.arrive(typ, data)
		p.pauses.sleep(p.plan.pace)
	}
}

// received checks what receive has returned against how the connection ended.
func (p *party) received(err error) {
	var end *conn.CloseError
	if !errors.As(context.Cause(p.c.Context()), &end) {
		p.errorf("receiving is over (%v), the connection is not: %v", err, context.Cause(p.c.Context()))
		return
	}
	if err != nil && !errors.Is(err, end) {
		p.errorf("receiving ended with %v, the connection with %v", err, end)
	}
	orderly := end.Code == conn.StatusNormalClosure || end.Code == conn.StatusGoingAway
	if err == nil && !orderly && p.plan.receive != byCloseRead {
		p.errorf("receiving ended in good order, but the connection with %v", end)
	}
}

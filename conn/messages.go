package conn

import (
	"context"
	"iter"
)

// Messages returns the messages as a sequence, each owned by the caller. It ends
// when the connection is closed with 1000 or 1001; any other end, and ctx's, comes
// as the last pair's error. Leaving the loop early leaves the connection open.
func (c *Conn) Messages(ctx context.Context) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		for {
			typ, data, err := c.Read(ctx)
			if err != nil {
				if err = orderly(err); err != nil {
					yield(Message{}, err)
				}
				return
			}
			if !yield(Message{Type: typ, Data: data}, nil) {
				return
			}
		}
	}
}

// CloseRead is for connections that only send: it reads in the background, so that
// control frames are handled, and returns a context that ends when reading does:
// with the connection, or when ctx ends; then the connection stays usable. A message
// of the peer's closes the connection with 1008. While Serve or ServeInBackground reads the context ends at once, with
// ErrServing as its cause.
func (c *Conn) CloseRead(ctx context.Context) context.Context {
	reading, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	go func() {
		_, _, err := c.Reader(ctx)
		if err == nil {
			c.in.giveUpMessage(c)
			_ = c.Close(StatusPolicyViolation, "no message expected")
			err = c.life.sendErr()
		}
		cancel(err)
	}()
	return reading
}

// giveUpMessage gives up a streamed message, so that closing can read on.
func (in *inbox) giveUpMessage(c *Conn) {
	if ok, _ := c.takeRead(context.Background()); ok {
		in.unfinished = nil
		c.unlockRead()
	}
}

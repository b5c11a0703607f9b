package websocket

import (
	"io"
	"strings"
)

// maxReadErrs is the read of a failed connection that panics, the one that failed first included: a program that goes on
// reading would do so for ever.
const maxReadErrs = 1000

// ReadMessage returns the next message, whole. The slice is the caller's.
//
// An error is final: every read after it returns the same, and the thousandth panics.
func (c *Conn) ReadMessage() (messageType int, p []byte, err error) {
	if err := c.beginRead(); err != nil {
		return noMessage, nil, err
	}
	op, p, err := c.engine.Read()
	if err != nil {
		return noMessage, nil, c.readFailed(err)
	}
	if p == nil {
		p = []byte{}
	}
	return int(op), p, nil
}

// NextReader returns the type of the next message, and a reader of its data as it is received. What was not read of the
// message before is discarded, and its reader returns io.EOF.
//
// An error is final: every read after it returns the same, and the thousandth panics.
func (c *Conn) NextReader() (messageType int, r io.Reader, err error) {
	if err := c.beginRead(); err != nil {
		return noMessage, nil, err
	}
	op, data, err := c.engine.Reader()
	if err != nil {
		return noMessage, nil, c.readFailed(err)
	}
	c.message = &messageReader{c, data}
	return int(op), c.message, nil
}

// beginRead discards what is left of the message before. It returns the error of a failed connection.
func (c *Conn) beginRead() error {
	if m := c.message; m != nil {
		c.message = nil
		if c.readErr == nil {
			if _, err := io.Copy(io.Discard, m.data); err != nil {
				return c.readFailed(err)
			}
		}
	}
	if c.readErr == nil {
		return nil
	}
	if c.readErrs++; c.readErrs >= maxReadErrs {
		panic("repeated read on failed websocket connection") // the loop has to end when a read returns an error
	}
	return c.readErr
}

// readFailed notes the error of all reads from now on, and counts this one.
func (c *Conn) readFailed(err error) error {
	c.readErr = c.readError(err)
	c.readErrs++
	return c.readErr
}

// messageReader is a message that is being read.
type messageReader struct {
	c    *Conn
	data io.Reader
}

// Read returns io.EOF at the end of the message, and when another message was begun.
func (m *messageReader) Read(p []byte) (int, error) {
	c := m.c
	switch {
	case c.message != m:
		return 0, io.EOF
	case c.readErr != nil:
		return 0, c.readErr
	}
	n, err := m.data.Read(p)
	if err == io.EOF {
		c.message = nil
	} else if err != nil {
		err = c.readError(err)
		c.readErr = err // which the next message's read is the first to return
	}
	return n, err
}

// JoinMessages returns a reader of the data of all messages that are received, each followed by term. It returns the
// error of a read; it is not for concurrent use.
func JoinMessages(c *Conn, term string) io.Reader { return &joined{c: c, term: term} }

// joined reads one message after the other.
type joined struct {
	c       *Conn
	term    string
	current io.Reader // nil: the next message is to be begun
}

// Read returns bytes of one message at a time.
func (j *joined) Read(p []byte) (int, error) {
	if j.current == nil {
		_, r, err := j.c.NextReader()
		if err != nil {
			return 0, err
		}
		j.current = r
		if j.term != "" {
			j.current = io.MultiReader(r, strings.NewReader(j.term))
		}
	}
	n, err := j.current.Read(p)
	if err == io.EOF {
		j.current, err = nil, nil
	}
	return n, err
}

// Package wsjson sends and receives JSON values as messages.
//
//	move, err := wsjson.Read[Move](ctx, c)
//	err = wsjson.Write(ctx, c, state)
//
// Messages are decoded and encoded by encoding/json, in buffers that are used again. A message that is not what the
// program expects is an *Error and leaves the connection open: what to do about it is for the program to say. The size of
// received messages is bounded by the connection's MessageLimit, or by Limit.
package wsjson

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"

	"github.com/seed-c4549abd/wss/conn"
)

// Option changes what Read accepts.
type Option func(*options)

type options struct {
	strict bool
	limit  int
}

// apply costs no allocation if there are none.
func apply(opts []Option) options {
	if len(opts) == 0 {
		return options{}
	}
	o := new(options)
	for _, f := range opts {
		f(o)
	}
	return *o
}

// DisallowUnknownFields has Read refuse objects with fields that the value's struct does not have.
func DisallowUnknownFields() Option { return func(o *options) { o.strict = true } }

// Limit has Read refuse messages of more than n bytes, with ErrTooLong. It is for values that have to be shorter than the
// connection's MessageLimit, which has closed the connection with 1009 by the time that a longer message could be read.
// Zero or less: no limit of its own.
func Limit(n int) Option { return func(o *options) { o.limit = n } }

var (
	// ErrNotText: the message is binary, and JSON is sent as text.
	ErrNotText = errors.New("the message is binary, not text")
	// ErrTooLong: the message is longer than Limit.
	ErrTooLong = errors.New("the message is longer than Limit")
	// ErrMore: behind the value the message goes on.
	ErrMore = errors.New("the message goes on behind the value")
)

// Error says why a message is not the value that was to be read. The connection is still open.
type Error struct {
	// Offset is the byte of the message at which the error was found, from 0; -1 if it is about the message as a whole.
	Offset int64
	// Field is the path of a field that has another type in Go, as "player.position.x", or the name of an unknown one; "" if
	// the error is not about a field.
	Field string
	// Err is the cause: ErrNotText, ErrTooLong, ErrMore, or an error of encoding/json.
	Err error
}

// Error says where the message is wrong, and how.
func (e *Error) Error() string {
	where := ""
	if e.Offset >= 0 {
		where = fmt.Sprintf(" at byte %d", e.Offset)
	}
	if e.Field != "" {
		where += " (" + e.Field + ")"
	}
	return "wsjson: cannot read the message" + where + ": " + e.Err.Error()
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// buffers are kept for the next message, unless they have become longer than maxKept.
var buffers = sync.Pool{New: func() any { return new(buffer) }}

type buffer struct{ b []byte }

const maxKept = 64 << 10

func (b *buffer) release() {
	if cap(b.b) <= maxKept {
		buffers.Put(b)
	}
}

// Read receives a message and returns the value in it. An error is an *Error, and the connection open, if the message is
// not such a value; any other is that of conn.Conn.Read. It may be called by any number of goroutines, which take turns.
func Read[T any](ctx context.Context, c *conn.Conn, opts ...Option) (v T, err error) {
	o := apply(opts)
	b := buffers.Get().(*buffer)
	defer b.release()
	typ, data, err := c.ReadInto(ctx, b.b)
	if err != nil {
		return v, err
	}
	b.b = data
	switch {
	case typ != conn.Text:
		return v, &Error{Offset: -1, Err: ErrNotText}
	case o.limit > 0 && len(data) > o.limit:
		return v, &Error{Offset: -1, Err: ErrTooLong}
	case o.strict:
		err = decodeStrictly(data, &v)
	default:
		err = json.Unmarshal(data, &v)
	}
	if err != nil {
		var zero T
		return zero, located(err)
	}
	return v, nil
}

// decodeStrictly is json.Unmarshal that knows all fields.
func decodeStrictly(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return &Error{Offset: int64(len(data)), Err: io.ErrUnexpectedEOF}
		}
		if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok { // it has no type
			field, _ := strconv.Unquote(name)
			return &Error{Offset: -1, Field: field, Err: err}
		}
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return &Error{Offset: d.InputOffset(), Err: ErrMore}
	}
	return nil
}

// located is an error of encoding/json with its place.
func located(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		return &Error{Offset: max(e.Offset-1, 0), Err: err}
	}
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return &Error{Offset: max(e.Offset-1, 0), Field: e.Field, Err: err}
	}
	return &Error{Offset: -1, Err: err}
}

// encoder writes into a buffer that is used again.
type encoder struct {
	buf bytes.Buffer
	enc *json.Encoder
}

var encoders = sync.Pool{New: func() any {
	e := new(encoder)
	e.enc = json.NewEncoder(&e.buf)
	return e
}}

// Write sends a value as a text message. An error that says that the value cannot be JSON is one of encoding/json, and
// nothing was sent; any other is that of conn.Conn.Write.
func Write(ctx context.Context, c *conn.Conn, v any, opts ...conn.WriteOption) error {
	e := encoders.Get().(*encoder)
	defer func() {
		if e.buf.Cap() <= maxKept {
			e.buf.Reset()
			encoders.Put(e)
		}
	}()
	if err := e.enc.Encode(v); err != nil {
		return fmt.Errorf("wsjson: %w", err)
	}
	return c.Write(ctx, conn.Text, bytes.TrimSuffix(e.buf.Bytes(), []byte("\n")), opts...)
}

// Prepare makes a message of a value, to be sent to many connections with conn.Conn.Send.
func Prepare(v any, opts ...conn.WriteOption) (*conn.Prepared, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("wsjson: %w", err)
	}
	return conn.Prepare(conn.Text, data, opts...)
}

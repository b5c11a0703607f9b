// Package wsjson sends and receives JSON values as messages. For most uses these two calls are all:
//
//	move, err := wsjson.Read[Move](ctx, c)
//	err = wsjson.Write(ctx, c, state)
//
// Messages are decoded and encoded by encoding/json, in pooled buffers. If a message is not the expected value, Read returns an
// *Error and the connection stays open, so that the program can answer or close it. MessageLimit of the connection, or [Limit],
// bounds the size of received messages.
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

// apply does not allocate if there are no options.
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

// DisallowUnknownFields makes Read refuse objects with fields that the value's struct does not have.
func DisallowUnknownFields() Option { return func(o *options) { o.strict = true } }

// Limit makes Read refuse messages of more than n bytes with ErrTooLong, and leaves the connection open. It is for values with a
// smaller limit than the connection's MessageLimit, which closes the connection with 1009. Zero or less: MessageLimit only.
func Limit(n int) Option { return func(o *options) { o.limit = n } }

var (
	// ErrNotText: the message is binary, and JSON is sent as text.
	ErrNotText = errors.New("the message is binary, not text")
	// ErrTooLong: the message is longer than Limit.
	ErrTooLong = errors.New("the message is longer than Limit")
	// ErrMore: there is more after the value.
	ErrMore = errors.New("the message continues after the value")
	// ErrUnknownField: an object has a field that the value's struct does not have, with DisallowUnknownFields.
	ErrUnknownField = errors.New("there is no such field")
)

// Error says why a message is not the expected value. The connection is still open.
type Error struct {
	// Offset is the byte of the message at which the error was found, from 0; -1 if it is about the message as a whole.
	Offset int64
	// Field is the path of a field that has another type in Go, for example "player.position.x", or the name of an unknown
	// field; "" if the error is not about a field.
	Field string
	// Err is the cause: ErrNotText, ErrTooLong, ErrMore, ErrUnknownField, io.ErrUnexpectedEOF for a message that ends too early, or an
	// error of encoding/json.
	Err error
}

// maxField is how much Error shows of a field's name, which is the peer's choice.
const maxField = 64

// Error returns the position and the cause. What the peer has sent is quoted and cut short.
func (e *Error) Error() string {
	where := ""
	if e.Offset >= 0 {
		where = fmt.Sprintf(" at byte %d", e.Offset)
	}
	if e.Field != "" {
		field := e.Field
		if len(field) > maxField {
			field = field[:maxField] + "…"
		}
		where += " (" + strconv.Quote(field) + ")"
	}
	return "wsjson: cannot read the message" + where + ": " + e.Err.Error()
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// buffers is a pool of buffers of at most maxKept bytes.
var buffers = sync.Pool{New: func() any { return new(buffer) }}

type buffer struct{ b []byte }

const maxKept = 64 << 10

func (b *buffer) release() {
	if cap(b.b) <= maxKept {
		buffers.Put(b)
	}
}

// Read receives a message and returns its value. If the message is not such a value, the error is an *Error, and the connection stays
// open; other errors are those of conn.Conn.Read. It may be called by any number of goroutines, which take turns.
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
		return zero, located(err, data)
	}
	return v, nil
}

// decodeStrictly is json.Unmarshal, but refuses unknown fields.
func decodeStrictly(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return &Error{Offset: int64(len(data)), Err: io.ErrUnexpectedEOF}
		}
		if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok { // encoding/json has no type for this error
			field, _ := strconv.Unquote(name)
			return &Error{Offset: -1, Field: field, Err: ErrUnknownField}
		}
		return err
	}
	if rest := bytes.TrimLeft(data[d.InputOffset():], " \t\r\n"); len(rest) > 0 {
		return &Error{Offset: int64(len(data) - len(rest)), Err: ErrMore}
	}
	return nil
}

// located returns an error of encoding/json about data with its position.
func located(err error, data []byte) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		switch { // encoding/json has no types for these
		case strings.HasSuffix(e.Error(), "after top-level value"):
			return &Error{Offset: max(e.Offset-1, 0), Err: ErrMore}
		case e.Error() == "unexpected end of JSON input":
			return &Error{Offset: int64(len(data)), Err: io.ErrUnexpectedEOF}
		}
		return &Error{Offset: max(e.Offset-1, 0), Err: err}
	}
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return &Error{Offset: max(e.Offset-1, 0), Field: e.Field, Err: err}
	}
	return &Error{Offset: -1, Err: err}
}

// encoder writes to a pooled buffer.
type encoder struct {
	buf bytes.Buffer
	enc *json.Encoder
}

var encoders = sync.Pool{New: func() any {
	e := new(encoder)
	e.enc = json.NewEncoder(&e.buf)
	return e
}}

// Write sends a value as a text message. If the value cannot be encoded, nothing is sent, and the error wraps that of encoding/json;
// other errors are those of conn.Conn.Write. It may be called by any number of goroutines.
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

// Prepare makes a message from a value, to be sent to many connections with conn.Conn.Send. The error wraps that of encoding/json if
// the value cannot be encoded.
func Prepare(v any, opts ...conn.WriteOption) (*conn.Prepared, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("wsjson: %w", err)
	}
	return conn.Prepare(conn.Text, data, opts...)
}

package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/reconnect"
)

// connectOptions are the flags of connect.
type connectOptions struct {
	dial                            *dialFlags
	binary, whole, json, timestamps bool
	reconnect, quiet                bool
	ping, wait                      time.Duration
}

func connectCommand() *command {
	return &command{
		name: "connect", arguments: "URL [FLAGS]", summary: "send lines of the standard input as messages, and print those received",
		examples: `wss connect wss://localhost:8443/                       # type lines; ctrl-D or ctrl-C ends
echo hello | wss connect wss://localhost:8443/          # send a line, print the answer
wss connect -wait -1s wss://example.com/feed </dev/null # print messages until the server closes
wss connect -t -ping 5s -reconnect wss://example.com/feed
wss connect -H @token.txt -subprotocol chat.v2 wss://example.com/chat
wss connect -whole -binary wss://localhost:8443/ <photo.png >copy.png`,
		details: `A line is a text message, and a text message received is printed as a line. With -binary, lines hold binary messages in
base64; without it, a binary message received is printed as base64 too. Messages go to the standard output, all else to the
standard error. On a terminal, JSON is indented and control characters are escaped.

The exit status is 0 if the connection was closed normally (1000, 1001, or without a code), or by you; 1 after any other end,
and if there was no connection.`,
		declare: declareConnect,
	}
}

func declareConnect(flags *flag.FlagSet) action {
	o := &connectOptions{dial: declareDialFlags(flags)}
	flags.BoolVar(&o.binary, "binary", false, "send and print binary messages, as lines of base64")
	flags.BoolVar(&o.whole, "whole", false, "send all of the standard input as one message, and print messages as they are, without line breaks")
	flags.BoolVar(&o.json, "json", false, "indent JSON, also when the output is not a terminal")
	flags.BoolVar(&o.timestamps, "t", false, "print the time of each message")
	flags.BoolVar(&o.reconnect, "reconnect", false, "dial again when the connection is lost")
	flags.BoolVar(&o.quiet, "quiet", false, "do not print how the connection was opened and normally closed")
	flags.DurationVar(&o.ping, "ping", 0, "send a ping every `interval`, and print the round trip")
	flags.DurationVar(&o.wait, "wait", time.Second, "`time` to wait for messages after the end of the standard input; negative: until the server closes")
	return o.run
}

func (o *connectOptions) run(ctx context.Context, c *console, args []string) error {
	url, err := oneURL(args)
	if err != nil {
		return err
	}
	if o.ping < 0 {
		return usagef("-ping takes an interval such as 5s")
	}
	dial, err := o.dial.options(c, url)
	if err != nil {
		return err
	}
	if u, err := parseURL(url); err == nil && u.Scheme == "ws" && !onThisMachine(u.Hostname()) && !o.quiet {
		c.note("WARNING: ws is not encrypted: anyone on the path can read and change everything. Use wss://%s if the server has it.", u.Host)
	}
	s := &session{options: o, console: c, printer: newPrinter(o, c), input: readInput(o, c.in)}
	if o.reconnect {
		return s.runAgain(ctx, url, dial)
	}
	return s.runOnce(ctx, url, dial)
}

// session is the user's side of connections.
type session struct {
	options *connectOptions
	console *console
	printer *printer
	input   <-chan outgoing
	unsent  *outgoing // a message whose connection was lost while it was sent
}

func (s *session) runOnce(ctx context.Context, url string, dial *conn.DialOptions) error {
	connection, response, err := conn.Dial(ctx, url, dial)
	if err != nil {
		return explainRefusal(err, response)
	}
	err = s.talk(ctx, connection)
	var closed *conn.CloseError
	switch {
	case err == nil || ctx.Err() != nil:
		return nil
	case !errors.As(err, &closed):
		return err
	case isNormal(closed.Code):
		return nil
	}
	return errReported
}

func (s *session) runAgain(ctx context.Context, url string, dial *conn.DialOptions) error {
	options := &reconnect.Options{Dial: dial, OnState: func(state reconnect.State) {
		if state.Phase == reconnect.Waiting {
			s.console.note("%v", state)
		}
	}}
	err := reconnect.Run(ctx, url, options, s.talk)
	var closed *conn.CloseError
	switch {
	case err == nil || ctx.Err() != nil:
		return nil
	case errors.As(err, &closed):
		return errReported
	}
	return err
}

// talk uses a connection until it ends. It returns nil if this side has finished, the *conn.CloseError if the connection has ended
// otherwise, and an error of its own.
func (s *session) talk(ctx context.Context, connection *conn.Conn) error {
	s.announce(connection)
	received := make(chan error, 1)
	go func() { received <- s.receive(connection) }()
	if s.options.ping > 0 {
		go s.ping(connection)
	}
	sendErr := s.send(ctx, connection)
	code := conn.StatusNormalClosure
	if ctx.Err() != nil {
		code = conn.StatusGoingAway
	}
	_ = connection.Close(code, "") // its error is the cause of the connection's context too
	receiveErr := <-received
	var closed *conn.CloseError
	if errors.As(context.Cause(connection.Context()), &closed) && (!s.options.quiet || !isNormal(closed.Code)) {
		s.console.note("%s", describeClose(closed, theServer))
	}
	switch {
	case receiveErr != nil:
		return receiveErr
	case sendErr != nil:
		return sendErr
	case closed != nil && (closed.Remote || !isNormal(closed.Code)):
		return closed
	}
	return nil
}

// announce says what was agreed on, to somebody who types.
func (s *session) announce(connection *conn.Conn) {
	if s.options.quiet || !s.console.inIsTerminal {
		return
	}
	text := "connected"
	if state, ok := connection.TLS(); ok {
		text += ", " + tls.VersionName(state.Version)
	} else {
		text += " without encryption"
	}
	if version := connection.HTTPVersion(); version != "HTTP/1.1" {
		text += ", " + version
	}
	if name := connection.Subprotocol(); name != "" {
		text += ", subprotocol " + name
	}
	if connection.Compressed() {
		text += ", compressed"
	}
	s.console.note("%s; ctrl-D or ctrl-C ends", text)
}

// receive prints messages until the connection ends. Its error is that of printing.
func (s *session) receive(connection *conn.Conn) error {
	for m, err := range connection.Messages(context.Background()) {
		if err != nil {
			return nil // the connection's, which is in its context
		}
		if err := s.printer.print(m); err != nil {
			_ = connection.Close(conn.StatusGoingAway, "")
			return fmt.Errorf("cannot print: %w", err)
		}
	}
	return nil
}

// send sends what is typed until the input ends, and then waits. It returns when the connection is to be closed or has ended.
func (s *session) send(ctx context.Context, connection *conn.Conn) error {
	ended := connection.Context().Done()
	for {
		m := s.unsent
		if m == nil {
			select {
			case next, ok := <-s.input:
				if !ok {
					s.wait(ctx, ended)
					return nil
				}
				m = &next
			case <-ctx.Done():
				return nil
			case <-ended:
				return nil
			}
		}
		s.unsent = nil
		if lost, err := s.sendOne(ctx, connection, m); lost || err != nil {
			return err
		}
	}
}

// maxLosses is how many connections may be lost with one message: it is probably the message that they are lost by.
const maxLosses = 3

// sendOne sends a message, and reports whether the connection was lost. Mistakes of somebody who types are reported; others are
// returned.
func (s *session) sendOne(ctx context.Context, connection *conn.Conn, m *outgoing) (lost bool, _ error) {
	err := m.err
	if err == nil {
		err = connection.Write(ctx, m.typ, m.data)
	}
	var closed *conn.CloseError
	var interrupted *conn.InterruptedError
	switch {
	case err == nil || errors.As(err, &interrupted) || ctx.Err() != nil:
		return false, nil
	case errors.As(err, &closed) && s.options.reconnect && m.losses+1 < maxLosses:
		m.losses++
		s.unsent = m
		s.console.note("the connection was lost while a message was sent; it is sent again")
		return true, nil
	case errors.As(err, &closed):
		if s.options.reconnect {
			s.console.note("not sent: %d connections were lost with this message of %d bytes", maxLosses, len(m.data))
		}
		return true, nil
	case errors.Is(err, conn.ErrInvalidUTF8):
		err = errors.New("the text is not UTF-8; -binary sends any bytes")
	}
	if s.console.inIsTerminal && !s.options.whole {
		s.console.note("not sent: %v", err)
		return false, nil
	}
	return false, err
}

// wait waits for messages when the input has ended.
func (s *session) wait(ctx context.Context, ended <-chan struct{}) {
	var timeout <-chan time.Time
	if s.options.wait >= 0 {
		timeout = time.After(s.options.wait)
	}
	select {
	case <-ctx.Done():
	case <-ended:
	case <-timeout:
	}
}

// ping sends pings until the connection ends.
func (s *session) ping(connection *conn.Conn) {
	ticker := time.NewTicker(s.options.ping)
	defer ticker.Stop()
	for connection.Context().Err() == nil {
		ctx, cancel := context.WithTimeout(connection.Context(), max(s.options.ping, 10*time.Second))
		roundTrip, err := connection.Ping(ctx)
		cancel()
		switch {
		case err == nil:
			s.console.note("ping: %v", roundTrip.Round(time.Microsecond))
		case connection.Context().Err() == nil:
			s.console.note("ping: no answer: %v", err)
		}
		select {
		case <-ticker.C:
		case <-connection.Context().Done():
		}
	}
}

// maxAnswer is how many bytes of an answer are shown that is no WebSocket's.
const maxAnswer = 500

// explainRefusal adds to the error of a dial what the server has answered.
func explainRefusal(err error, response *http.Response) error {
	if response == nil || response.Body == nil {
		return err
	}
	body, _ := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if text := strings.TrimSpace(string(body)); text != "" {
		return fmt.Errorf("%w\nthe server's answer, %s:\n%s", err, response.Status, text)
	}
	return fmt.Errorf("%w; the server answered %s", err, response.Status)
}

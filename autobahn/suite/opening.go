package suite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/seed-c4549abd/wss/autobahn/report"
	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/handshake"
	"github.com/seed-c4549abd/wss/mask"
)

// Opening is an opening handshake that a case is about: it takes the place of the usual one. The side that is tested sees a
// head that was edited, and either agrees or refuses.
type Opening struct {
	// Subprotocols and Extensions are offered, by the suite as a client.
	Subprotocols []string
	Extensions   []handshake.Extension
	// Edit changes the lines of a correct head: that of our request, or of our response. nil: it is left as it is.
	Edit func(lines []string) []string
	// Chop writes so many octets of the head at a time. 0: all at once.
	Chop int
	// Refuse says that the other side must not agree. A server then has to answer with an HTTP error (RFC 6455 §4.2.1), and a
	// client to end the connection (§4.1).
	Refuse bool
	// Either says that to agree and to refuse are both right.
	Either bool
	// Decline says that the server must agree, and to nothing of what was offered.
	Decline bool
	// Field is one that a server's refusal must hold, with a value in which FieldValue stands.
	Field, FieldValue string
}

// refusalWait is how long the suite looks at what comes after an opening handshake that had to fail.
const refusalWait = time.Second

// head applies Edit to a head.
func (o *Opening) head(correct []byte) string {
	lines := strings.Split(strings.TrimSuffix(string(correct), "\r\n\r\n"), "\r\n")
	if o.Edit != nil {
		lines = o.Edit(lines)
	}
	return strings.Join(lines, "\r\n") + "\r\n\r\n"
}

// write sends a head, in pieces where that is asked for.
func (o *Opening) write(conn net.Conn, head string) error {
	chop := len(head)
	if o.Chop > 0 {
		chop = o.Chop
	}
	for piece := range slices.Chunk([]byte(head), chop) {
		if _, err := conn.Write(piece); err != nil {
			return err
		}
	}
	return nil
}

// askFor performs the opening handshake of a case as a client. It returns nil if the case has its verdict already, and an error if there
// was no connection.
func askFor(ctx context.Context, o *Options, c *Case, r *Result) (*opened, error) {
	at, err := c.Opening.ask(ctx, o)
	r.HTTPRequest, r.HTTPResponse = at.request, at.response
	if at.conn == nil {
		r.Result = err.Error()
		return nil, err
	}
	if r.judgeOpening(c.Opening, at, err) {
		return at, nil
	}
	defer at.conn.Close()
	if r.Behavior == report.OK {
		r.probe(at, pace{o.Slowness, o.Latency})
	}
	return nil, nil
}

// ask sends the request and reads an answer. at.conn is nil if there is no connection.
func (g *Opening) ask(ctx context.Context, o *Options) (*opened, error) {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	at := &opened{}
	u, err := url.Parse(o.URL)
	if err != nil {
		return at, err
	}
	request, err := handshake.NewRequest(u, &handshake.ClientOptions{
		Subprotocols: g.Subprotocols, Extensions: g.Extensions, Header: o.fields(),
	})
	if err != nil {
		return at, err
	}
	if at.conn, err = connect(ctx, u, o.TLS); err != nil {
		at.conn = nil
		return at, err
	}
	stop := context.AfterFunc(ctx, func() { _ = at.conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	head := g.head(request.Append(nil))
	at.request = o.shown(head)
	if err := g.write(at.conn, head); err != nil {
		return at, err
	}
	return at, at.readResponse(request)
}

// judgeOpening judges a server's answer. It is true if the case goes on with the connection.
func (r *Result) judgeOpening(g *Opening, at *opened, err error) (goesOn bool) {
	refusal, _ := errors.AsType[*handshake.Error](err)
	switch {
	case err == nil && g.Decline && (at.agreement.Subprotocol != "" || len(at.agreement.Extensions) > 0):
		r.Result = "The server agreed to an offer that it had to decline."
		return false
	case err == nil && !g.Refuse:
		return true
	case err == nil:
		r.Result = "The server agreed to what it had to refuse."
		return false
	case refusal == nil || refusal.Response == nil:
		r.Result = fmt.Sprintf("There was no HTTP response: %v.", err)
		return false
	case refusal.Response.StatusCode < 300:
		r.Result = fmt.Sprintf("The response is no good answer: %v.", err)
		return false
	case !g.Refuse && !g.Either:
		r.Result = fmt.Sprintf("The server refused with status %d what it had to agree to.", refusal.Response.StatusCode)
		return false
	case g.Field != "" && !strings.Contains(strings.Join(refusal.Response.Header.Values(g.Field), ","), g.FieldValue):
		r.Result = fmt.Sprintf("The refusal has no %s: %s.", g.Field, g.FieldValue)
		return false
	}
	r.Behavior, r.Result = report.OK, fmt.Sprintf("The server refused with status %d.", refusal.Response.StatusCode)
	r.BehaviorClose, r.ResultClose = report.OK, "There was no connection to close."
	return false
}

// probe sends a text frame behind a refusal: who takes it for one speaks WebSocket with somebody who was refused, or lets
// others smuggle messages past whoever stands in between.
func (r *Result) probe(at *opened, w pace) {
	const secret = "behind a refusal"
	h := frame.Header{Fin: true, Opcode: frame.Text, Length: int64(len(secret)), Masked: true, Key: mask.NewKey()}
	octets := append(h.Append(nil), secret...)
	mask.XOR(octets[len(octets)-len(secret):], h.Key, 0)
	_, _ = at.conn.Write(octets)
	came := at.rest(w.of(refusalWait/4, 1))
	if bytes.Contains(came, []byte(secret)) {
		r.Behavior, r.Result = report.Failed, "The server refused, and then echoed a frame."
	}
}

// rest reads until the end of the stream, or for a time.
func (at *opened) rest(d time.Duration) []byte {
	_ = at.conn.SetReadDeadline(time.Now().Add(d))
	came, err := io.ReadAll(io.LimitReader(at.conn, 1<<20))
	at.ended = err == nil || !errors.Is(err, os.ErrDeadlineExceeded)
	return append(at.early, came...)
}

// judgeClient judges what a client does after a response that it must not accept.
func (r *Result) judgeClient(at *opened, w pace) {
	r.BehaviorClose, r.ResultClose = report.OK, "There was no connection to close."
	h := frame.Header{Fin: true, Opcode: frame.Text, Length: int64(len(greeting))}
	_, _ = at.conn.Write(append(h.Append(nil), greeting...))
	came := at.rest(w.of(refusalWait, 1))
	switch {
	case !at.ended:
		r.Result = "The client kept the connection that it had to give up."
	case len(came) > 0:
		r.Result = "The client sent something before it gave the connection up, though it was never open."
		r.Behavior = report.NonStrict
		if came[0]&0xf != byte(frame.Close) {
			r.Behavior = report.Failed
		}
	default:
		r.Behavior, r.Result = report.OK, "The client gave the connection up."
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strconv"
	"time"

	"github.com/seed-c4549abd/wss/conn"
)

// behaviour is what a client does with its connection, from the first message to the end.
type behaviour struct {
	name   string
	weight int // of 100

	mode         conn.CompressionMode
	policy       string // of the server's queue
	raw          bool   // writes into the TLS connection itself
	httpOnly     bool   // its path needs options that only Accept is given
	subscribes   bool
	keepsReading bool

	path func(*client) (path string, query url.Values)
	run  func(*client)
}

// behaviours are all that there are.
var behaviours = []*behaviour{
	{name: "echo", weight: 20, path: echoPath, run: chatting(40, 4<<10)},
	{name: "compressed", weight: 8, mode: conn.CompressionNoTakeover, path: echoPath, run: chatting(40, 16<<10)},
	{name: "takeover", weight: 10, mode: conn.CompressionTakeover, path: echoPath, run: chatting(40, 16<<10)},
	{name: "fragmented", weight: 8, mode: conn.CompressionTakeover, path: echoPath, run: fragmenting},
	{name: "large", weight: 3, path: echoPath, run: large},
	{name: "subscriber", weight: 14, subscribes: true, keepsReading: true, path: fixed("/subscribe"), run: subscribe},
	{name: "cancelled", weight: 5, mode: conn.CompressionTakeover, path: fixed("/sink"), run: cancelling},
	{name: "pinger", weight: 4, path: echoPath, run: pinging},
	{name: "idle", weight: 6, path: echoPath, run: idle},
	{name: "stalled, drop", weight: 2, policy: "drop", httpOnly: true, keepsReading: true, path: feedPath, run: stalled},
	{name: "stalled, close", weight: 2, policy: "close", httpOnly: true, keepsReading: true, path: feedPath, run: stalled},
	{name: "stalled, block", weight: 2, policy: "block", httpOnly: true, keepsReading: true, path: feedPath, run: stalled},
	{name: "stalled, lost", weight: 1, policy: "close", httpOnly: true, path: hastyFeedPath, run: lost},
	{name: "reset", weight: 3, path: echoPath, run: vanishing((*client).reset)},
	{name: "cut off", weight: 3, path: echoPath, run: vanishing((*client).cutOff)},
	{name: "half a frame", weight: 2, raw: true, path: echoPath, run: vanishing((*client).stopInFrame)},
	{name: "closed by server", weight: 4, keepsReading: true, path: closePath, run: closedByServer},
	{name: "aborted by server", weight: 1, path: abortPath, run: closedByServer},
	{name: "violator", weight: 2, raw: true, keepsReading: true, path: echoPath, run: violating},
}

// pick draws a behaviour by weight.
func pick(r *rand.Rand) *behaviour {
	n := r.IntN(100)
	for _, b := range behaviours {
		if n -= b.weight; n < 0 {
			return b
		}
	}
	panic("the weights of the behaviours are less than 100 in all")
}

// compression is what the client offers.
func (b *behaviour) compression(r *rand.Rand) conn.Compression {
	o := conn.Compression{Mode: b.mode}
	if b.mode != conn.CompressionOff {
		o.WindowBits, o.PeerWindowBits = 9+r.IntN(7), 9+r.IntN(7)
	}
	return o
}

func fixed(path string) func(*client) (string, url.Values) {
	return func(*client) (string, url.Values) { return path, url.Values{} }
}

// echoPath draws the way in which the server echoes.
func echoPath(k *client) (string, url.Values) {
	return []string{"/go", "/go", "/serve", "/read", "/stream"}[k.r.IntN(5)], url.Values{}
}

// closeCodes are those that clients close with; all may be sent (RFC 6455 §7.4).
var closeCodes = []conn.StatusCode{
	conn.StatusNormalClosure, conn.StatusNormalClosure, conn.StatusGoingAway, conn.StatusInternalError, conn.StatusNoStatus, 3000, 4000, 4999,
}

// close ends the life in an orderly way.
func (k *client) close() {
	code := closeCodes[k.r.IntN(len(closeCodes))]
	reason := "enough"
	if code == conn.StatusNoStatus {
		reason = ""
	}
	k.closeWith(code, reason)
}

// chatting sends up to n messages of up to most bytes.
func chatting(n, most int) func(*client) {
	return func(k *client) {
		if k.chat(1+k.r.IntN(n), func() error { return k.write(k.size(most)) }) == nil {
			k.close()
		}
	}
}

func fragmenting(k *client) {
	most := 20 + k.r.IntN(3000)
	if k.chat(1+k.r.IntN(25), func() error { return k.writePieces(k.size(24<<10), most) }) == nil {
		k.close()
	}
}

func large(k *client) {
	if k.chat(1+k.r.IntN(4), func() error { return k.writePieces(k.r.IntN(maxBody), 64<<10) }) == nil {
		k.close()
	}
}

// subscribe stays and listens.
func subscribe(k *client) {
	for range 1 + k.r.IntN(20) {
		if k.pause(2*time.Second) != nil {
			return
		}
	}
	k.close()
}

// cancelling gives up many of its writes, whole or in part, while the peer reads slowly.
func cancelling(k *client) {
	_ = k.tcp.SetWriteBuffer(sendBuffer)
	most := 128 << 10
	for range 1 + k.r.IntN(30) {
		if err := k.writeHastily(k.r.IntN(1+k.r.IntN(most)), time.Duration(k.r.IntN(3000))*time.Microsecond); err != nil {
			return
		}
		if k.r.IntN(3) == 0 && k.pause(300*time.Millisecond) != nil {
			return
		}
	}
	k.l.want([]string{"1000 peer"}, []string{"1000 local"})
	k.own.set(&k.own.closing)
	if err := k.c.Close(conn.StatusNormalClosure, "given up"); err != nil {
		k.own.fault("Close: %v", err)
	}
}

// writeHastily sends a message within some time, or not at all. The number of one that was
// not sent is used again: if the peer gets it twice, it was sent.
func (k *client) writeHastily(n int, within time.Duration) error {
	seq := k.own.number()
	k.buf = k.s.corpus.append(k.buf[:0], k.l.id, seq, n)
	ctx, cancel := context.WithTimeout(k.ctx, within)
	defer cancel()
	err := k.own.wrote(k.c.Write(ctx, typeOf(k.l.id, seq), k.buf))
	if errors.Is(err, context.DeadlineExceeded) && conn.CloseStatus(err) == 0 {
		return nil
	}
	return k.sent(err)
}

func pinging(k *client) {
	ping := func() error {
		if err := k.write(k.size(1000)); err != nil {
			return err
		}
		ctx, cancel := k.patient()
		defer cancel()
		_, err := k.c.Ping(ctx)
		return k.sent(err)
	}
	if k.chat(1+k.r.IntN(30), ping) == nil {
		k.close()
	}
}

// idle says nothing for a while; keepalive does.
func idle(k *client) {
	for range 1 + k.r.IntN(6) {
		if k.pause(10*time.Second) != nil {
			return
		}
	}
	k.close()
}

// feedLength is what the server feeds: more than the queue and the kernel hold.
const feedLength = 200 // messages of 8 KiB

func feedPath(k *client) (string, url.Values) {
	return "/feed", url.Values{"n": {strconv.Itoa(feedLength)}, "policy": {k.l.b.policy}}
}

func hastyFeedPath(k *client) (string, url.Values) {
	path, query := feedPath(k)
	query.Set("hasty", "")
	return path, query
}

// stall reads nothing for a while.
func (k *client) stall(d time.Duration) {
	wait(k.ctx, time.Duration(k.s.pace*float64(d)))
}

// stalled does not read for a while, and then gets what the policy has left.
func stalled(k *client) {
	if k.l.b.policy == "close" {
		k.l.want([]string{"1013 queue_full"}, []string{"1013 peer"})
		// It has to be full before we read.
		for k.ctx.Err() == nil && !k.l.server.overflowed() {
			k.stall(50 * time.Millisecond)
		}
	} else {
		k.l.want([]string{"1000 local"}, []string{"1000 peer"})
		k.stall(time.Duration(k.r.IntN(3000)) * time.Millisecond)
	}
	k.listen()
	k.awaitEnd()
}

// lost does not read until the server has given up: because of the queue or, if the group's
// shutdown comes first, of the close frame that is left without an answer.
func lost(k *client) {
	k.l.want([]string{"1013 queue_full", "1006 close_timeout"}, []string{"1006 *", "1013 peer"})
	select {
	case <-k.l.server.over:
	case <-k.ctx.Done():
	}
	k.listen()
	k.awaitEnd()
}

// vanishing chats and then goes without a word.
func vanishing(vanish func(*client)) func(*client) {
	return func(k *client) {
		if k.chat(k.r.IntN(20), func() error { return k.write(k.size(16 << 10)) }) == nil {
			k.l.want([]string{"1006 truncated", "1006 network"}, []string{"1006 *"})
			vanish(k)
			k.awaitServer()
		}
	}
}

// reset makes the kernel send RST.
func (k *client) reset() {
	_ = k.tcp.SetLinger(0)
	_ = k.tcp.Close()
}

// cutOff ends the socket's stream without TLS's close_notify (RFC 8446 §6.1).
func (k *client) cutOff() { _ = k.tcp.Close() }

// stopInFrame ends the stream, with close_notify, within a frame.
func (k *client) stopInFrame() {
	if k.echoed() == nil { // then the library is not writing
		_, _ = k.tls.Write(halfFrame())
		_ = k.tls.Close()
	}
}

// serverCodes are those that the server closes with.
var serverCodes = []conn.StatusCode{conn.StatusNormalClosure, conn.StatusGoingAway, conn.StatusPolicyViolation, conn.StatusServiceRestart, 4001}

// closePath has the server close after some messages, in one of the ways that there are.
func closePath(k *client) (string, url.Values) {
	code := serverCodes[k.r.IntN(len(serverCodes))]
	how := []string{"close", "return", "fail"}[k.r.IntN(3)]
	if how == "fail" {
		code = conn.StatusInternalError
	}
	k.l.want([]string{fmt.Sprintf("%d local", code)}, []string{fmt.Sprintf("%d peer", code)})
	return "/close", url.Values{"how": {how}, "code": {strconv.Itoa(int(code))}, "n": {strconv.Itoa(1 + k.r.IntN(20))}}
}

// abortPath has the server end the connection without a close frame.
func abortPath(k *client) (string, url.Values) {
	k.l.want([]string{"1006 local"}, []string{"1006 *"})
	return "/close", url.Values{"how": {"abort"}, "n": {strconv.Itoa(1 + k.r.IntN(20))}}
}

// closedByServer talks until the server has had enough.
func closedByServer(k *client) {
	if k.chat(25, func() error { return k.write(k.size(4 << 10)) }) == nil {
		k.awaitEnd()
	}
}

// awaitServer waits until the server has noticed; then we may forget the connection.
func (k *client) awaitServer() {
	t := time.NewTimer(patience)
	defer t.Stop()
	select {
	case <-k.l.server.over:
	case <-k.ctx.Done():
	case <-t.C:
		k.own.fault("the server did not notice within %v", patience)
	}
	_ = k.c.CloseNow()
}

// violating breaks a rule.
func violating(k *client) {
	if k.chat(k.r.IntN(10), func() error { return k.write(k.size(4 << 10)) }) != nil || k.echoed() != nil {
		return
	}
	v := violations[k.r.IntN(len(violations))]
	k.l.want([]string{fmt.Sprintf("%d %s", v.code, v.token)}, []string{fmt.Sprintf("%d peer", v.code)})
	_, _ = k.tls.Write(v.frame)
	k.awaitEnd()
}

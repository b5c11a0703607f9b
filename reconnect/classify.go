package reconnect

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/frame"
	"github.com/seed-c4549abd/wss/tlsconf"
)

// Verdict says what a client does after an error. The zero value is Undecided.
type Verdict uint8

const (
	// Undecided: the error is unknown. If it is that of a dial, the client comes back; if it is the application's, Run returns it.
	Undecided Verdict = iota
	// ComeBack: wait and dial again.
	ComeBack
	// Refresh: the credentials were refused. Come back once, if there is a Prepare hook to get new ones; stop if they are refused
	// again before a connection has lived for ResetAfter.
	Refresh
	// Stop: dialing again would not help. Run returns the error.
	Stop
	// Finished: the application is finished. Run returns nil.
	Finished
)

// String returns "undecided", "come back", "refresh", "stop" or "finished".
func (v Verdict) String() string {
	names := [...]string{"undecided", "come back", "refresh", "stop", "finished"}
	if int(v) < len(names) {
		return names[v]
	}
	return "unknown verdict"
}

// Classify returns the verdict on an error, where Options.Classify does not decide. It looks for these errors in err's tree, in
// this order:
//
//	marked by Again                               ComeBack
//	*conn.CloseError with the code
//	  1000                                        Finished
//	  1001, 1005, 1006, 1011 to 1014, 3008        ComeBack
//	  3000 (unauthorized)                         Refresh
//	  any other, 3000 to 4999 included            Stop
//	*conn.ProxyError
//	  proxy_auth                                  Refresh
//	  proxy_config                                Stop
//	  with a *tlsconf.VerifyError                 Stop
//	  proxy_refused with a status                 as for *conn.HandshakeError; 407 is Refresh
//	  any other                                   ComeBack
//	*conn.HandshakeError with the status
//	  401                                         Refresh
//	  408, 425, 429, 5xx but for 501 and 505      ComeBack
//	  any other, and without a status             Stop
//	*tlsconf.VerifyError,                         Stop
//	*tls.CertificateVerificationError
//	net.Error, io.EOF, io.ErrUnexpectedEOF,       ComeBack
//	net.ErrClosed, context.DeadlineExceeded
//	nil                                           Finished
//	any other                                     Undecided
//
// A name that cannot be resolved is ComeBack, even if the resolver says that it does not exist: a computer without its network or
// VPN gets that answer too. A *conn.HandshakeError without a status means that the URL or the options cannot be used, or that the
// response is not that of a WebSocket server. Classify may be called by any number of goroutines.
func Classify(err error) Verdict {
	if err == nil {
		return Finished
	}
	if has[*againError](err) {
		return ComeBack
	}
	if e, ok := errors.AsType[*conn.CloseError](err); ok {
		return classifyCode(e.Code)
	}
	if e, ok := errors.AsType[*conn.ProxyError](err); ok {
		return classifyProxy(e)
	}
	if e, ok := errors.AsType[*conn.HandshakeError](err); ok {
		return classifyHandshake(e)
	}
	if refusedCertificate(err) {
		return Stop
	}
	if has[net.Error](err) {
		return ComeBack
	}
	for _, known := range []error{io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, context.DeadlineExceeded} {
		if errors.Is(err, known) {
			return ComeBack
		}
	}
	return Undecided
}

// Close codes that were registered after RFC 6455.
const (
	statusUnauthorized conn.StatusCode = 3000
	statusTimeout      conn.StatusCode = 3008
)

func classifyCode(code conn.StatusCode) Verdict {
	switch code {
	case conn.StatusNormalClosure:
		return Finished
	case conn.StatusGoingAway, conn.StatusNoStatus, conn.StatusAbnormal, conn.StatusInternalError, conn.StatusServiceRestart,
		conn.StatusTryAgainLater, frame.BadGateway, statusTimeout:
		return ComeBack
	case statusUnauthorized:
		return Refresh
	}
	return Stop
}

func classifyHandshake(e *conn.HandshakeError) Verdict {
	if e.Token != "bad_status" {
		return Stop // the URL or the options are wrong, or the response is no WebSocket server's
	}
	return classifyStatus(e.Status)
}

func classifyStatus(status int) Verdict {
	switch status {
	case http.StatusUnauthorized:
		return Refresh
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return ComeBack
	case http.StatusNotImplemented, http.StatusHTTPVersionNotSupported:
		return Stop
	}
	if status >= 500 && status <= 599 {
		return ComeBack
	}
	return Stop
}

func classifyProxy(e *conn.ProxyError) Verdict {
	switch {
	case e.Token == "proxy_auth":
		return Refresh
	case e.Token == "proxy_config", refusedCertificate(e.Err):
		return Stop
	case e.Token == "proxy_refused" && e.Response != nil:
		return classifyStatus(e.Response.StatusCode)
	}
	return ComeBack
}

func refusedCertificate(err error) bool {
	return has[*tlsconf.VerifyError](err) || has[*tls.CertificateVerificationError](err)
}

// has reports whether an error of a type is in err's tree.
func has[T error](err error) bool {
	_, ok := errors.AsType[T](err)
	return ok
}

// Again returns an error that wraps err and makes the client come back, whatever err is: for a feed that has lost its position,
// or that was silent for too long. A nil err stands for an error of this package.
func Again(err error) error {
	if err == nil {
		err = errAgain
	}
	return &againError{err}
}

var errAgain = errors.New("reconnect: come back")

type againError struct{ err error }

func (e *againError) Error() string { return e.err.Error() }
func (e *againError) Unwrap() error { return e.err }

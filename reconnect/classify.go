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

// Verdict says what to do after an error. The zero value is Undecided.
type Verdict uint8

const (
	// Undecided: the error is not known. After a dial a client comes back then; an error of the application ends Run.
	Undecided Verdict = iota
	// ComeBack: wait and dial again.
	ComeBack
	// Refresh: the credentials were refused. Come back if there is a Prepare hook to get others, and if the
	// attempt before was not refused too; else stop. A connection that lives for ResetAfter begins the count again.
	Refresh
	// Stop: coming back is of no use. Run returns the error.
	Stop
	// Finished: the application is done. Run returns nil.
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

// Classify is the default of Options.Classify. It looks for these errors in err's tree, in this order:
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
//	*tlsconf.VerifyError, and what crypto/tls     Stop
//	says of certificates
//	net.Error, io.EOF, io.ErrUnexpectedEOF,       ComeBack
//	net.ErrClosed, context.DeadlineExceeded
//	nil                                           Finished
//	any other                                     Undecided
//
// So a host whose name cannot be resolved is ComeBack, whether the resolver fails or knows no such name: a computer that
// is without its network or VPN gets that answer, too. A *conn.HandshakeError without a status is a URL or options that
// cannot be used, or an answer that is not a WebSocket server's. It may be called by any number of goroutines.
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

// Registered since RFC 6455.
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
		return Stop // no answer of a server that knows what we want
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

// Again marks an error after which a client is to come back, whatever it is: for a feed that has lost its place, or that
// has been silent for too long. The mark is found by Classify, and the error by errors.Is and errors.As. A nil err is an
// error of its own.
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

package frame

import "strconv"

// StatusCode tells why a connection was closed (RFC 6455 §7.4 and the IANA
// registry "WebSocket Close Code Number"). Codes 3000–3999 are registered by
// libraries and frameworks, 4000–4999 are the application's own.
type StatusCode uint16

// Registered status codes. NoStatus, Abnormal and TLSHandshake never travel in
// a frame: they name what an endpoint saw (§7.4.1).
const (
	NormalClosure      StatusCode = 1000
	GoingAway          StatusCode = 1001
	ProtocolError      StatusCode = 1002
	UnsupportedData    StatusCode = 1003
	NoStatus           StatusCode = 1005
	Abnormal           StatusCode = 1006
	InvalidPayload     StatusCode = 1007
	PolicyViolation    StatusCode = 1008
	MessageTooBig      StatusCode = 1009
	MandatoryExtension StatusCode = 1010
	InternalError      StatusCode = 1011
	ServiceRestart     StatusCode = 1012
	TryAgainLater      StatusCode = 1013
	BadGateway         StatusCode = 1014
	TLSHandshake       StatusCode = 1015
)

var statusNames = map[StatusCode]string{
	NormalClosure:      "normal closure",
	GoingAway:          "going away",
	ProtocolError:      "protocol error",
	UnsupportedData:    "unsupported data",
	NoStatus:           "no status received",
	Abnormal:           "abnormal closure",
	InvalidPayload:     "invalid payload",
	PolicyViolation:    "policy violation",
	MessageTooBig:      "message too big",
	MandatoryExtension: "mandatory extension",
	InternalError:      "internal error",
	ServiceRestart:     "service restart",
	TryAgainLater:      "try again later",
	BadGateway:         "bad gateway",
	TLSHandshake:       "TLS handshake failed",
}

// Sendable reports whether c may stand in a close frame (§7.4.1, §7.4.2). The
// codes 1012–1014, registered since, are accepted too.
func (c StatusCode) Sendable() bool {
	switch {
	case c >= 3000 && c <= 4999:
		return true
	case c >= 1007 && c <= 1014:
		return true
	}
	return c >= 1000 && c <= 1003
}

// String returns the number, with the registered name where there is one.
func (c StatusCode) String() string {
	s := strconv.Itoa(int(c))
	if name, ok := statusNames[c]; ok {
		s += " (" + name + ")"
	}
	return s
}

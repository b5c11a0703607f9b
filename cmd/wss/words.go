package main

import (
	"fmt"

	"github.com/seed-c4549abd/wss/conn"
)

// closeWords says what the status codes mean (RFC 6455 §7.4.1 and IANA's registry).
var closeWords = map[conn.StatusCode]string{
	1000: "normal closure",
	1001: "going away",
	1002: "protocol error",
	1003: "this type of data is not accepted",
	1005: "no code was given",
	1006: "the connection was lost",
	1007: "the data does not fit the type of the message, such as text that is not UTF-8",
	1008: "a policy was violated",
	1009: "the message is too big",
	1010: "an extension is missing",
	1011: "the server met an error",
	1012: "the service restarts",
	1013: "try again later",
	1014: "a gateway got an invalid answer",
	3000: "unauthorized",
	3003: "forbidden",
	3008: "timeout",
}

// codeWords returns the meaning of a status code.
func codeWords(code conn.StatusCode) string {
	switch words, ok := closeWords[code]; {
	case ok:
		return words
	case code >= 4000 && code < 5000:
		return "a code of the application"
	}
	return "an unknown code"
}

// describeClose says who closed a connection, with which code and why. peer names the other side.
func describeClose(e *conn.CloseError, peer string) string {
	who := "closed"
	switch {
	case e.Code == conn.StatusAbnormal:
		return fmt.Sprintf("lost without a closing handshake (1006): %v", e.Err)
	case e.Remote:
		who = "closed by " + peer
	}
	text := fmt.Sprintf("%s: %d, %s", who, e.Code, codeWords(e.Code))
	if e.Code == conn.StatusGoingAway {
		text += goingAway(e.Remote == (peer == theServer))
	}
	if e.Reason != "" {
		text += fmt.Sprintf("; reason: %q", e.Reason)
	}
	return text
}

// The sides of a connection, as the other one calls them.
const (
	theServer = "the server"
	theClient = "the client"
)

// goingAway says what 1001 means from a side (RFC 6455 §7.4.1).
func goingAway(server bool) string {
	if server {
		return ": it shuts down"
	}
	return ": the program ends, or the page was left"
}

// isNormal reports whether a code is that of a connection that has served its purpose.
func isNormal(code conn.StatusCode) bool {
	return code == conn.StatusNormalClosure || code == conn.StatusGoingAway || code == conn.StatusNoStatus
}

// Package suite is a conformance suite for RFC 6455 and RFC 7692: the cases of Autobahn|Testsuite by their numbers, with
// its verdicts, in Go. It is a client that drives a server's URL through one connection per case and judges what comes
// back; the server only has to echo messages.
//
// For most uses call [Run], or the command beside this package:
//
//	go run ./autobahn/suite/cmd -url wss://localhost:8443/echo -insecure
//
// Most cases are data: the frames to send, the sequences of events that are acceptable with the verdict of each, and how
// the connection should end. [Peer] carries them out. It is written on package frame and a bare connection, and sends
// what no endpoint may; it shares no code with package conn, which it is there to judge, and its permessage-deflate is its own. [Cases] lists what
// there is.
//
// Groups 12 and 13, which are about compression, differ from the original in the data, which is made here, in that a match
// farther back than the agreed window is noticed always, and in that an answer must grant what an offer asks of the server.
package suite

// Package reconnect keeps a client connected: it dials, hands the connection to the application, and comes back when the
// connection is lost.
//
//	err := reconnect.Run(ctx, "wss://example.com/feed", nil, func(ctx context.Context, c *conn.Conn) error {
//		return c.Serve(ctx, handle)
//	})
//
// For most uses [Run] is all. It returns when the application is finished, when the context ends, or when coming back is
// of no use: the URL is wrong, the certificate is not trusted, the server has said that the client does something wrong.
// [Classify] has the rules, and Options.Classify changes them.
//
// # Delays
//
// Before it comes back, a client waits for a random time, so that the clients of a server that was restarted do not all
// return at once (full jitter). The n-th wait in a row, from 0, is uniform between zero and
//
//	min(MaxDelay, MinDelay * 2^n)
//
// The count begins again when a connection has lived for ResetAfter. A connection that opens and is lost at once does
// not reset it. After the close codes 1012 and 1013, which every client of the server is told, the wait is uniform
// between zero and MaxDelay. A Retry-After of a refusal, at most MaxRetryAfter, is waited for in any case; what is
// added to it at random is then uniform between zero and the larger of the above and the Retry-After itself, at most
// MaxDelay. The first dial of Run does not wait.
//
// # One connection
//
// A client never has two connections: the old one has ended before Run dials again, and Run does not dial before the
// function that was given the old one has returned.
package reconnect

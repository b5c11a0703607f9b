// Package reconnect keeps a client connected: it dials, passes the connection to a function of the application, and comes back,
// which means that it dials again, when the connection is lost.
//
//	err := reconnect.Run(ctx, "wss://example.com/feed", nil, func(ctx context.Context, c *conn.Conn) error {
//		return c.Serve(ctx, handle)
//	})
//
// For most uses [Run] is enough. It returns when the application is finished, when the context ends, or when dialing again would
// not help: the URL is wrong, the certificate is not trusted, or the server has closed with a code that blames the client.
// [Classify] holds the rules, and Options.Classify changes them.
//
// # Delays
//
// Before each dial but the first, a client waits for a random time, so that the clients of a restarted server do not all
// return at once (full jitter). The n-th delay in a row, counted from 0, is uniform between zero and
//
//	min(MaxDelay, MinDelay * 2^n)
//
// The count begins again after a connection that has lived for ResetAfter; one that is lost sooner does not reset it. After the
// close codes 1012 and 1013, which a server sends to all its clients, the delay is uniform between zero and MaxDelay.
//
// If a refusal has a Retry-After, the client waits for that, at most MaxRetryAfter, and for a random time on top. The latter is
// uniform between zero and the larger of the bound above and the Retry-After, at most MaxDelay.
//
// # One connection
//
// A client never has two connections: Run dials again when the old connection has ended and the function that used it has
// returned.
package reconnect

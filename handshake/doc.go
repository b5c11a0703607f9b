// Package handshake is the opening handshake of the WebSocket protocol (RFC 6455
// §4) for both roles, without I/O: bytes or an http.Request go in, a decision
// comes out. For most uses package conn is what you want; it is built on this one.
//
// A server behind net/http calls Accept with its request, which may be an extended CONNECT
// of HTTP/2 or HTTP/3 as well (RFC 8441, RFC 9220). A server on a raw connection feeds a RequestReader first. A client makes a NewRequest, sends it,
// feeds the answer to a ResponseReader and asks ClientRequest.Check about it.
//
// # Refusals
//
// Every error is an *Error. A server sends it as the response and closes the
// connection, so that no later byte is parsed as a request. Its Token names the
// cause for metrics and never changes:
//
//	token                status  a server refuses because
//	bad_request_line     400     the first line is not "GET /path HTTP/1.1"
//	bad_target           400     the target is neither a path nor an http URL
//	bad_header           400     a line is not "name: value" CRLF: bare LF or CR, folding,
//	                             space before the colon, control characters, …
//	bad_host             400     Host is missing, there twice, or neither host[:port] nor empty
//	unexpected_body      400     Content-Length is not 0, or there is Transfer-Encoding; of a CONNECT, there is one at all
//	unexpected_end       400     the stream of an extended CONNECT ends with it
//	missing_key          400     there is no Sec-WebSocket-Key
//	bad_key              400     it is there twice, or is not the base64 of 16 bytes
//	missing_version      400     there is no Sec-WebSocket-Version; the response names 13
//	bad_version          400     there are several; the response names 13
//	bad_version          426     it is not 13; the response names 13 (RFC 6455 §4.4)
//	bad_origin           400     there are several Origin fields
//	bad_subprotocol      400     Sec-WebSocket-Protocol is not a list of distinct tokens; empty
//	                             elements, and an empty field, are ignored (RFC 7230 §7)
//	bad_extensions       400     Sec-WebSocket-Extensions is not valid (RFC 6455 §9.1)
//	origin               403     the page's origin is not allowed (RFC 6455 §10.2)
//	rejected             403     Check or SelectSubprotocol returned an error of another type
//	bad_method           405     the method is not GET; the response has Allow
//	start_line_too_long  414     the first line exceeds Limits (RFC 7230 §3.1.1)
//	bad_http_version     426     the protocol is HTTP/1.0, or HTTP/2 without an extended CONNECT;
//	                             the response has Upgrade, and its body a hint about proxies
//	missing_upgrade      426     there is no Upgrade; the response has it (RFC 7231 §6.5.15)
//	bad_upgrade          426     it does not list websocket
//	missing_connection   426     there is no Connection
//	bad_connection       426     it does not list Upgrade
//	header_too_large     431     a line, the number of lines or the whole exceeds Limits (RFC 6585 §5)
//	bad_protocol         501     :protocol of an extended CONNECT is not websocket (RFC 9220 §3)
//	server_bug           500     ServerOptions are at fault; Error.Reason, which the client does
//	                             not see, tells how and what to do
//
// A client finds these, with the server's status in the error, or 0 where no
// response was read:
//
//	token                a client refuses because
//	bad_url              the URL cannot be parsed or dialed; the text has no user, password and query
//	bad_options          ClientOptions are at fault
//	bad_status_line      the first line is not "HTTP/1.1 101 Switching Protocols"
//	bad_header           as above, or Content-Length is not one number
//	start_line_too_long  the first line exceeds Limits
//	header_too_large     as above
//	bad_status           the status is not 101, or for a stream not 2xx; the error holds the response
//	bad_http_version     the status is 101, but not in HTTP/1.1
//	bad_upgrade          there is not exactly one "Upgrade: websocket"
//	bad_connection       Connection does not list Upgrade
//	bad_accept           Sec-WebSocket-Accept is missing, there twice, or does not fit the key
//	bad_subprotocol      a subprotocol was selected that was not offered, or several
//	bad_extensions       an extension was accepted that was not offered, or twice, or is not valid
//
// # Origins
//
// A browser lets any page open a WebSocket to any server, with the cookies of
// that server, and leaves it to the server to look at Origin. Accept lets pages
// of the same origin in, and no others unless ServerOptions says so. Same means
// that host and port of Origin equal those of Host, default ports being filled
// in. A request that came over TLS needs an https origin; without TLS both http
// and https will do, as a proxy in front may have ended the TLS. A request
// without Origin does not come from a browser and is let in. An empty Host is the origin
// of no page.
package handshake

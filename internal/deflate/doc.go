// Package deflate transforms message payloads as permessage-deflate wants them
// (RFC 7692 §7.2), without I/O and without goroutines.
//
// A connection has a Compressor for what it sends and a Decompressor for what it
// receives, each with the parameters of its own direction:
//
//	                 on a server             on a client
//	Compressor       server_max_window_bits  client_max_window_bits
//	                 server_no_context_…     client_no_context_…
//	Decompressor     client_…                server_…
//
// Both hold nothing but the bytes of the LZ77 window while no message is in
// progress, and not even those without context takeover. The machinery, about a
// megabyte for compression and ten kilobytes for inflation, is lent by pools.
//
// Compression is github.com/klauspost/compress/flate. Inflation is our own: a
// payload arrives in pieces that are cut anywhere, and neither compress/flate nor
// its fork can go on after it ran out of input.
package deflate

// Package frame is the WebSocket frame codec (RFC 6455 §5): headers, opcodes,
// status codes, close payloads, incremental UTF-8 and the rules that a receiver
// holds its peer to. It does no I/O: bytes in, events or errors out.
//
// For most uses package conn is what you want; it is built on this one. Use
// frame for tools that look at or produce frames themselves: proxies, sniffers,
// load generators, conformance tests.
//
//   - [Header] parses and appends a frame header without allocating.
//   - [Receiver] is the receive side of one connection as a state machine: it
//     takes bytes as they are received, unmasks them in place and reports message
//     chunks and control frames, or the first broken rule as an [*Error].
//   - [ParseClose] and [AppendClose] handle the body of a close frame.
//   - [UTF8] validates text that arrives in pieces.
//
// Sending is deliberately lenient: [Header.Append] writes whatever it is given,
// so that a test can send what no endpoint may.
package frame

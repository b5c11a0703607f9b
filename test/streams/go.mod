module github.com/seed-c4549abd/wss/test/streams

go 1.26.0

require (
	github.com/quic-go/quic-go v0.65.0
	github.com/seed-c4549abd/wss v0.0.0
	github.com/seed-c4549abd/wss/http3 v0.0.0
)

require (
	github.com/klauspost/compress v1.20.3 // indirect
	github.com/quic-go/qpack v0.6.0 // indirect
	golang.org/x/crypto v0.58.0 // indirect
	golang.org/x/net v0.62.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/text v0.43.0 // indirect
)

replace (
	github.com/seed-c4549abd/wss => ../..
	github.com/seed-c4549abd/wss/http3 => ../../http3
)

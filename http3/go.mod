module github.com/seed-c4549abd/wss/http3

go 1.26.0

require (
	github.com/quic-go/quic-go v0.65.0
	github.com/seed-c4549abd/wss v0.0.0
)

replace github.com/seed-c4549abd/wss => ../

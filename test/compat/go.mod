module github.com/seed-c4549abd/wss/test/compat

go 1.26.0

replace github.com/seed-c4549abd/wss => ../..

require (
	github.com/google/go-cmp v0.7.0
	github.com/gorilla/websocket v1.5.3
	github.com/seed-c4549abd/wss v0.0.0
)

require (
	github.com/klauspost/compress v1.20.3 // indirect
	golang.org/x/net v0.62.0 // indirect
	golang.org/x/text v0.43.0 // indirect
)

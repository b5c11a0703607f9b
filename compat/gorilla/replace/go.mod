module github.com/gorilla/websocket

go 1.26.0

require github.com/seed-c4549abd/wss v0.0.0

require (
	github.com/klauspost/compress v1.20.3 // indirect
	golang.org/x/net v0.62.0 // indirect
	golang.org/x/text v0.43.0 // indirect
)

replace github.com/seed-c4549abd/wss => ../../..

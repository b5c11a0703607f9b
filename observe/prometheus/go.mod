module github.com/seed-c4549abd/wss/observe/prometheus

go 1.26.0

require (
	github.com/prometheus/client_golang v1.25.0
	github.com/seed-c4549abd/wss v0.0.0
)

replace github.com/seed-c4549abd/wss => ../..

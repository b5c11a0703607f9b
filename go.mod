module github.com/seed-c4549abd/wss

go 1.26.0

require github.com/google/go-cmp v0.7.0

require github.com/klauspost/compress v1.20.3

require golang.org/x/net v0.62.0

require golang.org/x/text v0.43.0 // indirect

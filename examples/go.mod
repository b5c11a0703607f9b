module github.com/seed-c4549abd/wss/examples

go 1.26

require github.com/seed-c4549abd/wss v0.0.0

replace github.com/seed-c4549abd/wss => ../

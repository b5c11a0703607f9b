module github.com/seed-c4549abd/wss/test/compat

go 1.26.0

replace github.com/seed-c4549abd/wss => ../..

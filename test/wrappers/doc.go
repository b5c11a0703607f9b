// Package wrappers tests this library with wrappers of connections that others have written: the PROXY protocol's
// (github.com/pires/go-proxyproto), in both orders with conn.NewListener. It is a module of its own, so that the library does
// not depend on them. Wrappers that tests can write themselves are in conn's wrapper_test.go.
package wrappers

// Package stack makes room on a goroutine's stack before it is needed.
//
// A goroutine begins with 2 KiB; reading a record takes more than that, and a TLS handshake
// more than 8. Left alone, a stack doubles on the way, each time as deep in calls as it has
// got, and every frame that is there has to be found and adjusted. Grown at once, before the
// calls, it costs a third of that (BenchmarkGrow). The collector takes back what is not used
// any more, as ever.
package stack

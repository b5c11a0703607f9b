package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"time"

	"github.com/seed-c4549abd/wss/conn"
)

// showProgress prints a line each second, where stderr is a terminal. It returns the function that ends it.
func (b *bench) showProgress(began time.Time) (stop func()) {
	if !b.console.errIsTerminal {
		return func() {}
	}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(time.Second)
		defer ticker.Stop()
		last := uint64(0)
		for {
			select {
			case <-ticker.C:
				n := b.latencies.count()
				fmt.Fprintf(b.console.err, "\r%3.0f s: %d connections, %d messages/s, p50 %v, p99 %v      ", time.Since(began).Seconds(), b.open.Load(),
					n-last, round(b.latencies.quantile(0.5)), round(b.latencies.quantile(0.99)))
				last = n
			case <-done:
				fmt.Fprintln(b.console.err)
				return
			}
		}
	}()
	return func() { close(done); <-ended }
}

// write prints the results.
func (b *bench) write(w io.Writer, elapsed time.Duration) {
	n := b.latencies.count()
	fmt.Fprintf(w, "messages  %d of %d bytes in %v: %.0f a second\n", n, b.options.size, elapsed.Round(time.Millisecond), float64(n)/max(elapsed.Seconds(), 1e-3))
	if n > 0 {
		fmt.Fprintf(w, "latency   p50 %v, p90 %v, p99 %v, p99.9 %v, max %v\n", round(b.latencies.quantile(0.5)), round(b.latencies.quantile(0.9)),
			round(b.latencies.quantile(0.99)), round(b.latencies.quantile(0.999)), round(time.Duration(b.latencies.longest.Load())))
	}
	if len(b.errors) == 0 {
		fmt.Fprintln(w, "errors    none")
	}
	for _, code := range slices.Sorted(maps.Keys(b.errors)) {
		fmt.Fprintf(w, "errors    %d of %d connections: %s\n", b.errors[code], b.options.conns, escapeControls(code))
	}
}

// round makes a duration readable: three digits, roughly.
func round(d time.Duration) time.Duration {
	unit := time.Duration(1)
	for d/unit >= 1000 {
		unit *= 10
	}
	return d.Round(unit)
}

// errorCode returns what errors are counted by: the same for all connections that fail in the same way.
func errorCode(err error) string {
	var closed *conn.CloseError
	var refused *conn.HandshakeError
	var proxy *conn.ProxyError
	var network *net.OpError
	switch {
	case errors.As(err, &closed):
		return fmt.Sprintf("closed with %d (%s)", closed.Code, closed.Token())
	case errors.As(err, &proxy):
		return "the proxy failed (" + proxy.Token + ")"
	case errors.As(err, &refused) && refused.Status != 0:
		return fmt.Sprintf("refused with status %d (%s)", refused.Status, refused.Token)
	case errors.As(err, &network):
		return network.Op + ": " + network.Err.Error()
	}
	return err.Error()
}

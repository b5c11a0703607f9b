package main

import (
	"context"
	"crypto/tls"
	"net/http/httptrace"
	"sync"
	"time"
)

// timesReport are durations in milliseconds. Zero means that the step did not happen.
type timesReport struct {
	Lookup  float64   `json:"lookup,omitempty"`
	Connect float64   `json:"connect,omitempty"`
	TLS     float64   `json:"tls,omitempty"`
	Opening float64   `json:"opening,omitempty"` // from the request to the response
	Pings   []float64 `json:"pings,omitempty"`
}

func milliseconds(d time.Duration) float64 { return float64(d.Round(time.Microsecond)) / 1e6 }

// clock takes the times of a dial. The hooks may be called by several goroutines.
type clock struct {
	mu                          sync.Mutex
	lookup, connect, tls, write span
	state                       *tls.ConnectionState // nil if there was no complete TLS handshake
}

// span is the time between two events.
type span struct{ began, ended time.Time }

func (s span) length() time.Duration {
	if s.began.IsZero() || s.ended.IsZero() {
		return 0
	}
	return s.ended.Sub(s.began)
}

// begin keeps the first of several beginnings: with IPv4 and IPv6, there may be two connections.
func (k *clock) begin(s *span) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if s.began.IsZero() {
		s.began = time.Now()
	}
}

func (k *clock) end(s *span) {
	k.mu.Lock()
	defer k.mu.Unlock()
	s.ended = time.Now()
}

// trace returns a context with hooks that take the times.
func (k *clock) trace(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		DNSStart:     func(httptrace.DNSStartInfo) { k.begin(&k.lookup) },
		DNSDone:      func(httptrace.DNSDoneInfo) { k.end(&k.lookup) },
		ConnectStart: func(string, string) { k.begin(&k.connect) },
		ConnectDone: func(_, _ string, err error) {
			if err == nil {
				k.end(&k.connect)
			}
		},
		TLSHandshakeStart: func() { k.begin(&k.tls) },
		TLSHandshakeDone: func(state tls.ConnectionState, err error) {
			k.end(&k.tls)
			if err == nil {
				k.state = &state
			}
		},
		WroteRequest:         func(httptrace.WroteRequestInfo) { k.begin(&k.write) },
		GotFirstResponseByte: func() { k.end(&k.write) },
	})
}

func (k *clock) times() timesReport {
	k.mu.Lock()
	defer k.mu.Unlock()
	return timesReport{
		Lookup: milliseconds(k.lookup.length()), Connect: milliseconds(k.connect.length()), TLS: milliseconds(k.tls.length()),
		Opening: milliseconds(k.write.length()),
	}
}

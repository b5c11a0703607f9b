// Package child runs the measured side in a process of its own, and talks to it in lines
// of JSON over its standard input and output.
package child

import (
	"crypto/tls"
	"crypto/x509"
	"time"

	"github.com/seed-c4549abd/wss/bench/shares"
)

// Setup is the first line that a child reads: what it is to be.
type Setup struct {
	Lib  string `json:"lib"`
	TLS  bool   `json:"tls"`
	Cert []byte `json:"cert"` // DER
	Key  []byte `json:"key"`  // PKCS #8
	// Addr is where a client connects to; empty for a server.
	Addr string `json:"addr,omitempty"`

	Message    int  `json:"message,omitempty"`
	Many       bool `json:"many,omitempty"`
	Deflate    bool `json:"deflate,omitempty"`
	WindowBits int  `json:"windowBits,omitempty"`
	// Limit is the most bytes of a message that the server accepts. 0: 16 MiB.
	Limit int64 `json:"limit,omitempty"`
	// Profile is a file that the child writes a CPU profile to. Empty: none.
	Profile string `json:"profile,omitempty"`
	// Speaks says that the server speaks first and has to know its connections.
	Speaks bool `json:"speaks,omitempty"`
}

// Request is a line that a running child reads.
type Request struct {
	Op string `json:"op"`
	// Goroutines, Count and Size are for "write": each goroutine writes Count
	// messages of Size bytes to the one connection. "prepare" takes Size, and
	// "publish" hands that message over Count times to every connection.
	Goroutines int `json:"goroutines,omitempty"`
	Count      int `json:"count,omitempty"`
	Size       int `json:"size,omitempty"`
}

// The operations.
const (
	OpBegin   = "begin"   // usage before a round
	OpEnd     = "end"     // usage after it
	OpMemory  = "memory"  // what is live after a collection
	OpWrite   = "write"   // concurrent writes
	OpPrepare = "prepare" // make a message ready
	OpPublish = "publish" // hand it to all connections
	OpConns   = "conns"   // the number of connections
	OpProfile = "profile" // begin to look where the time goes
	OpShares  = "shares"  // stop, and tell
)

// Reply is a line that a child writes.
type Reply struct {
	Error string `json:"error,omitempty"`
	Addr  string `json:"addr,omitempty"`

	CPU        time.Duration `json:"cpu,omitempty"` // user and system
	Mallocs    uint64        `json:"mallocs,omitempty"`
	TotalAlloc uint64        `json:"totalAlloc,omitempty"`
	GCs        uint32        `json:"gcs,omitempty"`

	HeapInuse  uint64 `json:"heapInuse,omitempty"`
	HeapAlloc  uint64 `json:"heapAlloc,omitempty"`
	StackInuse uint64 `json:"stackInuse,omitempty"`
	Goroutines int    `json:"goroutines,omitempty"`

	Conns int `json:"conns,omitempty"`

	Shares shares.Shares `json:"shares,omitzero"`
}

// ServerTLS is the configuration of all servers: TLS 1.3, and so the same cipher on the
// same machine, and full-sized records from the first byte.
func ServerTLS(cert, key []byte) (*tls.Config, error) {
	k, err := x509.ParsePKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{cert}, PrivateKey: k}},
		MinVersion:   tls.VersionTLS13, NextProtos: []string{"http/1.1"}, DynamicRecordSizingDisabled: true,
	}, nil
}

// ClientTLS is the configuration of all clients, the load included.
func ClientTLS(cert []byte) (*tls.Config, error) {
	leaf, err := x509.ParseCertificate(cert)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return &tls.Config{
		RootCAs: pool, ServerName: "localhost", MinVersion: tls.VersionTLS13,
		NextProtos: []string{"http/1.1"}, DynamicRecordSizingDisabled: true,
	}, nil
}

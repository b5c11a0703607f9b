// Package enable has net/http offer WebSockets over HTTP/2 (RFC 8441): a blank import is all.
//
//	import _ "github.com/seed-c4549abd/wss/http2/enable"
//
// It adds http2xconnect=1 to the environment variable GODEBUG of this program, before net/http reads it, unless it has that setting
// already. So every HTTP/2 server of the program sends SETTINGS_ENABLE_CONNECT_PROTOCOL, and browsers open their WebSockets over the
// connection of the page: their handlers must accept CONNECT. With http2xconnect=0 in the environment nothing changes.
//
// The package imports only os, and so is initialised before net/http: Go initialises packages in the order of their import paths
// as soon as all that they import is initialised.
package enable

import "os"

const setting = "http2xconnect="

func init() {
	old := os.Getenv("GODEBUG")
	if contains(old, setting) {
		return
	}
	if old != "" {
		old += ","
	}
	_ = os.Setenv("GODEBUG", old+setting+"1")
}

// contains is strings.Contains, without its package.
func contains(s, part string) bool {
	for i := 0; i+len(part) <= len(s); i++ {
		if s[i:i+len(part)] == part {
			return true
		}
	}
	return false
}

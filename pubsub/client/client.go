// Package client has the client of package pubsub's protocol for browsers, so that a server can serve it itself. For most uses this is all:
//
//	mux.Handle("GET /pubsub.js", client.Script())
//
// It is a module: import { PubSub } from "/pubsub.js". For those who build their pages with TypeScript there is pubsub.ts, of
// which it is made.
package client

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"net/http"
	"time"
)

//go:embed pubsub.js
var script []byte

// Script returns a handler that serves the client as a module of JavaScript. Browsers ask again each time whether it has changed.
func Script() http.Handler {
	sum := sha256.Sum256(script)
	tag := `"` + hex.EncodeToString(sum[:8]) + `"`
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
		w.Header().Set("Cache-Control", "no-cache")
		w.Header().Set("ETag", tag)
		http.ServeContent(w, r, "pubsub.js", time.Time{}, bytes.NewReader(script))
	})
}

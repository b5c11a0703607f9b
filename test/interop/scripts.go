package main

import (
	"embed"
	"os"
	"path/filepath"
)

// The peers' programs. Clients take our URL and the authority's file, print a line of
// JSON for each check, and one more when they are done; servers take the file of
// their certificate and key, and print where they listen and how connections ended.
// Those for compression take the file of a plan besides, and print a line for each
// connection.
//
//go:embed python_client.py python_server.py node_client.mjs node_server.js
//go:embed python_compression_client.py python_compression_server.py
//go:embed node_compression_client.mjs node_compression_server.js
//go:embed compression.mjs compression.html wasm.html
var scripts embed.FS

// sharedScript is what Node's client and the browser's page have in common.
const sharedScript = "compression.mjs"

// writeScript writes a script into a directory and returns its path.
func writeScript(dir, name string) (string, error) {
	text, err := scripts.ReadFile(name)
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, name)
	return path, os.WriteFile(path, text, 0o644)
}

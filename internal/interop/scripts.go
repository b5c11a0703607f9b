package main

import (
	"embed"
	"os"
	"path/filepath"
)

// The peers' programs. Clients take our URL and the authority's file, print a line of
// JSON for each check, and one more when they are done; servers take the file of
// their certificate and key, and print where they listen and how connections ended.
//
//go:embed python_client.py python_server.py node_client.mjs node_server.js
var scripts embed.FS

// writeScript writes a script into a directory and returns its path.
func writeScript(dir, name string) (string, error) {
	text, err := scripts.ReadFile(name)
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, name)
	return path, os.WriteFile(path, text, 0o644)
}

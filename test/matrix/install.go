package main

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strings"
)

// fingerprint names what is installed together.
func fingerprint(list []string) string {
	sum := sha256.Sum256([]byte(strings.Join(list, "\n")))
	return hex.EncodeToString(sum[:6])
}

// withEnv returns this program's environment with more variables.
func withEnv(more ...string) []string { return append(os.Environ(), more...) }

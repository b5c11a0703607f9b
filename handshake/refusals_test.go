package handshake

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// Metrics depend on tokens: each must be documented, and none renamed unseen.
func TestEveryTokenIsDocumented(t *testing.T) {
	source, err := os.ReadFile("refusals.go")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	tokens := regexp.MustCompile(`(?m)^\ttoken\w+\s+= "([a-z_]+)"$`).FindAllStringSubmatch(string(source), -1)
	if len(tokens) < 20 {
		t.Fatalf("only %d tokens found in refusals.go", len(tokens))
	}
	for _, m := range tokens {
		if !strings.Contains(string(doc), "//\t"+m[1]+" ") {
			t.Errorf("doc.go does not explain the token %s", m[1])
		}
	}
}

func TestOwnedFields(t *testing.T) {
	for name, want := range map[string]bool{
		"Host": true, "host": true, "CONNECTION": true, "Upgrade": true, "Content-Length": true, "trailer": true,
		"Transfer-Encoding": true, "Sec-WebSocket-Key": true, "sec-websocket-": true,
		"Sec-Websocket": false, "Origin": false, "Cookie": false, "X-Host": false, "": false,
	} {
		if got := owned(name); got != want {
			t.Errorf("owned(%q) = %v, want %v", name, got, want)
		}
	}
}

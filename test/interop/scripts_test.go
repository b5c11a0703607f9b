package main

import (
	"os"
	"strings"
	"testing"
)

func TestScriptsAreWritten(t *testing.T) {
	for _, name := range []string{
		"python_client.py", "python_server.py", "node_client.mjs", "node_server.js", sharedScript,
		"python_compression_client.py", "python_compression_server.py", "node_compression_client.mjs", "node_compression_server.js",
	} {
		path, err := writeScript(t.TempDir(), name)
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(path)
		if err != nil || !strings.Contains(string(text), name) {
			t.Errorf("%s does not begin with what it is (%v)", name, err)
		}
	}
	if _, err := writeScript(t.TempDir(), "other"); err == nil {
		t.Error("want an error for a script that does not exist")
	}
}

// The checks are the same in both directions, so a name that is missing is an
// oversight. What cannot be the same is named differently.
func TestClientsMakeTheSameChecksAsOurs(t *testing.T) {
	for _, name := range []string{"python_client.py", "node_client.mjs"} {
		script, err := scripts.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range clientChecks {
			check := strings.Replace(c.name, "beyond our limit", "beyond the limit", 1)
			if !strings.Contains(string(script), `"`+check+`"`) {
				t.Errorf("%s lacks %q", name, check)
			}
		}
	}
}

func TestServersBehaveAsOurs(t *testing.T) {
	for _, name := range []string{"python_server.py", "node_server.js"} {
		script, err := scripts.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for path := range behaviours {
			if !strings.Contains(string(script), `"`+path+`"`) {
				t.Errorf("%s lacks %s", name, path)
			}
		}
	}
}

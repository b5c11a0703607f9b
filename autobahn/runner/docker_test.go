package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDockerCommandLines(t *testing.T) {
	dir := installFakes(t, "docker")
	t.Setenv(fakeEngine, "up")
	s, err := findDocker(t.Context(), "crossbario/autobahn-testsuite")
	if err != nil {
		t.Fatal(err)
	}
	c := s.wstest("/reports/shard-1", "--mode", "fuzzingclient", "--spec", "spec.json")
	line := strings.Join(c.Args, " ")
	name, _, _ := strings.Cut(line[strings.Index(line, "--name ")+len("--name "):], " ")
	want := fmt.Sprintf("%s run --rm --init --name %s --network host --volume /reports/shard-1:/work --workdir /work "+
		"--env PYTHONUNBUFFERED=1 --user %d:%d crossbario/autobahn-testsuite wstest --mode fuzzingclient --spec spec.json",
		filepath.Join(dir, "docker"), name, os.Getuid(), os.Getgid())
	if diff := cmp.Diff(want, line); diff != "" {
		t.Errorf("command (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{filepath.Join(dir, "docker"), "rm", "--force", name}, c.Undo); diff != "" {
		t.Errorf("undo (-want +got):\n%s", diff)
	}
	if other := s.wstest("/reports/shard-2"); other.Undo[3] == name || !strings.HasPrefix(name, "wss-autobahn-") {
		t.Errorf("two containers are called %s", name)
	}
}

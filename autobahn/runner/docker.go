package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/seed-c4549abd/wss/test/process"
)

// defaultImage is the image of the suite's authors.
const defaultImage = "crossbario/autobahn-testsuite"

// dockerSuite runs wstest in containers.
type dockerSuite struct {
	program string
	image   string
	user    string // uid:gid that owns the reports; empty for the image's own
}

// findDocker succeeds if a Docker engine answers. The client alone is no use.
func findDocker(ctx context.Context, image string) (suite, error) {
	program, err := exec.LookPath("docker")
	if err != nil {
		return nil, errors.New("there is no docker command: install Docker Engine, see https://docs.docker.com/engine/install")
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if _, err := process.Run(ctx, process.Command{Args: []string{program, "info", "--format", "{{.ServerVersion}}"}}, io.Discard); err != nil {
		return nil, fmt.Errorf("no Docker engine answers: start it, or allow this user to reach it: %w", err)
	}
	d := &dockerSuite{program: program, image: image}
	if uid := os.Getuid(); uid >= 0 {
		d.user = fmt.Sprintf("%d:%d", uid, os.Getgid())
	}
	return d, nil
}

func (d *dockerSuite) String() string { return "container image " + d.image }

// wstest shares this machine's network, so that a free port here is the same port there. The container gets a name to be
// removed by: the docker command may be gone before its container is.
func (d *dockerSuite) wstest(dir string, args ...string) process.Command {
	name := "wss-autobahn-" + strings.ToLower(rand.Text())
	line := []string{
		d.program, "run", "--rm", "--init", "--name", name, "--network", "host",
		"--volume", dir + ":/work", "--workdir", "/work", "--env", "PYTHONUNBUFFERED=1",
	}
	if d.user != "" {
		line = append(line, "--user", d.user)
	}
	line = append(line, d.image, "wstest")
	return process.Command{
		Args: append(line, args...),
		Undo: []string{d.program, "rm", "--force", name},
	}
}

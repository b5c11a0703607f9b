package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"time"
)

// defaultTestee is this library's own.
const defaultTestee = "github.com/seed-c4549abd/wss/autobahn/testee"

// startTime is how long a testee or wstest may take until it listens.
const startTime = time.Minute

// buildTestee returns the path of the testee's executable, built into a directory unless the options name one.
func buildTestee(ctx context.Context, o *options, dir string) (string, error) {
	if info, err := os.Stat(o.testee); err == nil && info.Mode().IsRegular() {
		return filepath.Abs(o.testee)
	}
	path := filepath.Join(dir, "testee")
	args := []string{"go", "build", "-o", path}
	if o.race {
		args = append(args, "-race")
	}
	if _, err := runCommand(ctx, command{args: append(args, o.testee)}, io.Discard); err != nil {
		return "", fmt.Errorf("cannot build the testee: %w", err)
	}
	return path, nil
}

func (r *runner) serverCommand(scheme string) command {
	return command{args: r.testeeFlags([]string{r.testee, roleServer, "-listen", "127.0.0.1:0"}, scheme == "wss", "-tls")}
}

func (r *runner) clientCommand(url string, secure bool) command {
	return command{args: r.testeeFlags([]string{r.testee, roleClient, "-url", url, "-agent", agent}, secure, "-insecure")}
}

func (r *runner) testeeFlags(args []string, secure bool, flag string) []string {
	if secure {
		args = append(args, flag)
	}
	if r.o.compress {
		args = append(args, "-compress")
	}
	return args
}

var urlPattern = regexp.MustCompile(`\bwss?://\S+`)

// startServer starts the testee as a server, and returns the URL in the first line of its standard output. What it says
// on standard error before, is for the log alone.
func (r *runner) startServer(ctx context.Context, scheme string, log io.Writer) (*process, string, error) {
	log = &syncWriter{w: log}
	first := make(chan string, 1)
	stdout := &lineWriter{next: log, line: func(line string) {
		select {
		case first <- line:
		default: // only the first line counts
		}
	}}
	p, err := start(ctx, r.serverCommand(scheme), stdout, log)
	if err != nil {
		return nil, "", err
	}
	timer := time.NewTimer(startTime)
	defer timer.Stop()
	select {
	case line := <-first:
		if url := urlPattern.FindString(line); url != "" {
			return p, url, nil
		}
		err = fmt.Errorf("the testee's first line is %q: want its URL in it", line)
	case <-p.done:
		err = errors.Join(errors.New("the testee ended before it listened"), p.wait())
	case <-timer.C:
		err = fmt.Errorf("the testee printed no URL in %v", startTime)
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	p.stop()
	return nil, "", err
}

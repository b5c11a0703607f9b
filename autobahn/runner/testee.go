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

	"github.com/seed-c4549abd/wss/test/process"
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
	if _, err := process.Run(ctx, process.Command{Args: append(args, o.testee)}, io.Discard); err != nil {
		return "", fmt.Errorf("cannot build the testee: %w", err)
	}
	return path, nil
}

func (r *runner) serverCommand(scheme string) process.Command {
	return process.Command{Args: r.testeeFlags([]string{r.testee, roleServer, "-listen", "127.0.0.1:0"}, scheme == "wss", "-tls")}
}

func (r *runner) clientCommand(url string, secure bool) process.Command {
	return process.Command{Args: r.testeeFlags([]string{r.testee, roleClient, "-url", url, "-agent", agent}, secure, "-insecure")}
}

func (r *runner) testeeFlags(args []string, secure bool, flag string) []string {
	if secure {
		args = append(args, flag)
	}
	if r.o.compress {
		args = append(args, "-compress")
	}
	return append(args, r.o.flags...)
}

var urlPattern = regexp.MustCompile(`\bwss?://\S+`)

// startServer starts the testee as a server, and returns the URL in the first line of its standard output. What it says
// on standard error before, is for the log alone.
func (r *runner) startServer(ctx context.Context, scheme string, log io.Writer) (*process.Process, string, error) {
	log = &process.Shared{W: log}
	first := make(chan string, 1)
	stdout := &process.Lines{Next: log, Line: func(line string) {
		select {
		case first <- line:
		default: // only the first line counts
		}
	}}
	p, err := process.Start(ctx, r.serverCommand(scheme), stdout, log)
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
	case <-p.Done():
		err = errors.Join(errors.New("the testee ended before it listened"), p.Wait())
	case <-timer.C:
		err = fmt.Errorf("the testee printed no URL in %v", startTime)
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	p.Stop()
	return nil, "", err
}

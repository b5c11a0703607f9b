package main

import (
	"context"
	"fmt"
	"io"

	"github.com/seed-c4549abd/wss/test/process"
)

// The values of -suite.
const (
	suiteAuto   = "auto"
	suiteDocker = "docker"
	suitePython = "python"
)

// suite makes command lines for wstest.
type suite interface {
	// wstest is a command that runs wstest in a directory of this machine, on this machine's network.
	wstest(dir string, args ...string) process.Command
	// String says where wstest comes from.
	String() string
}

// findSuite returns the suite that the options ask for. It may take a minute, to install it.
func findSuite(ctx context.Context, o *options, log io.Writer) (suite, error) {
	switch o.suite {
	case suiteDocker:
		return findDocker(ctx, o.image)
	case suitePython:
		return findPythonSuite(ctx, o.cache, log)
	}
	docker, dockerErr := findDocker(ctx, o.image)
	if dockerErr == nil {
		return docker, nil
	}
	python, pythonErr := findPythonSuite(ctx, o.cache, log)
	if pythonErr == nil {
		return python, nil
	}
	return nil, fmt.Errorf("Autobahn|Testsuite can be had in two ways, and neither works here:\n  with Docker: %w\n  with Python: %w",
		dockerErr, pythonErr)
}

// Command wss talks to WebSocket servers, serves, and examines them:
//
//	wss connect wss://example.com/feed      send lines, print messages
//	wss serve -echo                         an echo server at wss://localhost:8443
//	wss serve -- COMMAND ARGS               a process for each connection
//	wss probe wss://example.com/            TLS, certificate and what the server agrees to
//	wss bench -conns 100 wss://localhost:8443/
//	wss conform wss://localhost:8443/       the conformance suite
//
// "wss help" lists the commands, and "wss help connect" has examples of one. The exit status is 0 if all went well, 1 if not, and
// 2 if the command line is wrong. docs/how-to/command.md is its manual.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

const (
	exitFailed = 1
	exitUsage  = 2
)

// console is what a command reads from and writes to.
type console struct {
	in       io.Reader
	out, err io.Writer

	inIsTerminal, outIsTerminal, errIsTerminal bool
}

// note writes a line for the user to stderr. Control characters are escaped, since parts of it may come from a peer.
func (c *console) note(format string, args ...any) {
	fmt.Fprintln(c.err, escapeControls(fmt.Sprintf(format, args...)))
}

// action is what a command does when its flags are parsed, with the other arguments.
type action func(ctx context.Context, c *console, args []string) error

// usageError is a mistake in the command line: the exit status is 2.
type usageError struct{ reason string }

func (e *usageError) Error() string { return e.reason }

func usagef(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// errReported is a failure of which the user has been told: the exit status is 1, and nothing more is printed.
var errReported = errors.New("failed")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second ctrl-C ends the process at once
	c := &console{in: os.Stdin, out: os.Stdout, err: os.Stderr,
		inIsTerminal: isTerminal(os.Stdin), outIsTerminal: isTerminal(os.Stdout), errIsTerminal: isTerminal(os.Stderr)}
	os.Exit(run(ctx, os.Args[1:], c))
}

// run is main with its arguments, inputs and outputs as parameters.
func run(ctx context.Context, args []string, c *console) int {
	if len(args) == 0 {
		writeOverview(c.err)
		return exitUsage
	}
	name := args[0]
	switch name {
	case "-h", "-help", "--help":
		name = "help"
	case "-version", "--version":
		name = "version"
	}
	cmd := find(name)
	if cmd == nil {
		c.note("wss: there is no command %q; wss help lists them", name)
		return exitUsage
	}
	err := cmd.run(ctx, c, args[1:])
	var usage *usageError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &usage):
		c.note("wss %s: %v\nwss help %s has examples", cmd.name, err, cmd.name)
		return exitUsage
	case errors.Is(err, errReported):
		return exitFailed
	}
	if notRun, ok := errors.AsType[*notRunError](err); ok {
		c.note("wss %s: %v", cmd.name, notRun)
		return exitUsage
	}
	c.note("wss %s: %v", cmd.name, err)
	return exitFailed
}

// run parses the arguments of a command, and runs it.
func (cmd *command) run(ctx context.Context, c *console, args []string) error {
	flags, act := cmd.flags()
	rest, err := cmd.parse(flags, args)
	if errors.Is(err, flag.ErrHelp) {
		cmd.writeHelp(c.out)
		return nil
	}
	if err != nil {
		return usagef("%v", err)
	}
	return act(ctx, c, rest)
}

// parse returns the arguments that are no flags. Flags may stand behind them, unless the command's arguments are a command line of
// their own.
func (cmd *command) parse(flags *flag.FlagSet, args []string) (rest []string, err error) {
	for {
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		args = flags.Args()
		if len(args) == 0 || cmd.passesOn {
			return append(rest, args...), nil
		}
		rest, args = append(rest, args[0]), args[1:]
	}
}

// oneURL returns the only argument of a command.
func oneURL(args []string) (string, error) {
	switch len(args) {
	case 0:
		return "", usagef("the URL is missing, such as wss://localhost:8443/")
	case 1:
		return args[0], nil
	}
	return "", usagef("there is one URL, and then %q", args[1:])
}

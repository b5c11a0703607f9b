package main

import (
	"context"
	"errors"
	"flag"
	"strings"

	"github.com/seed-c4549abd/wss/handshake"
	"github.com/seed-c4549abd/wss/internal/suitecmd"
)

func conformCommand() *command {
	return &command{
		name: "conform", arguments: "URL [FLAGS] | -listen ADDRESS [FLAGS]", summary: "run the conformance suite against an echo server, or for clients that connect",
		examples: `wss conform wss://localhost:8443/                                # all cases against an echo server
wss conform -cases '1.*,6.4.1' -out report wss://localhost:8443/ # some, with a report to read
wss conform -wait 30s -H @token.txt wss://localhost:8443/        # when the server is up, with a field in each request
wss conform -listen localhost:9001                               # for clients, at wss://localhost:9001/runCase?casetuple=1.1.1&agent=NAME`,
		details: `The cases are those of the Autobahn|Testsuite, and more; docs/suite.md says what they are. The exit status is 0 if all passed, 1 if
one did not, and 2 if they could not be run.`,
		declare: declareConform,
	}
}

func declareConform(flags *flag.FlagSet) action {
	o := suitecmd.Declare(flags)
	return func(ctx context.Context, c *console, args []string) error {
		if err := conformTarget(o, args); err != nil {
			return err
		}
		if err := o.Check(); err != nil {
			return usagef("%v", withoutPrefix(err))
		}
		err := o.Run(ctx, c.out, c.err)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, suitecmd.ErrFailed):
			return errReported
		case errors.Is(err, suitecmd.ErrHeader):
			return usagef("%v", err)
		}
		return &notRunError{withoutPrefix(err)}
	}
}

// notRunError says why the cases could not be run: the exit status is 2, although the command line is right.
type notRunError struct{ reason string }

func (e *notRunError) Error() string { return e.reason }

// withoutPrefix returns the text of an error of the suite without the name of its package.
func withoutPrefix(err error) string { return strings.TrimPrefix(err.Error(), "suite: ") }

// conformTarget completes the flags: the URL is the argument, and the certificate for localhost the default. A server of this machine
// that uses the development authority is trusted.
func conformTarget(o *suitecmd.Options, args []string) error {
	if len(args) > 0 {
		if o.URL != "" {
			return usagef("there is one URL, and then %q", args)
		}
		url, err := oneURL(args)
		if err != nil {
			return err
		}
		o.URL = url
	}
	if u, err := handshake.ParseURL(o.URL); err == nil && o.CA == "" && !o.Insecure && onThisMachine(u.Hostname()) {
		o.CA = developmentAuthority()
	}
	if o.Listen != "" && !o.Plain && o.Cert == "" {
		o.Development = true
	}
	return nil
}

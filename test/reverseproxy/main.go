// Command reverseproxy runs nginx, haproxy, Caddy, Apache and nghttpx between this library's client and server, with the
// configurations that docs/how-to/reverse-proxy.md prints, and fails if one does not do what the page says.
//
//	cd test/reverseproxy && go run . [-only nginx] [-timeout TIME] [-v]
//
// Each proxy ends TLS, and speaks to the server with TLS and without. It is used over HTTP/1.1 and, where it can, over HTTP/2 (RFC
// 8441). The symptoms of the page's table are produced, and cured. Proxies that are missing are installed from Debian if we are root
// there, without starting them as services. The exit status is 0 if every check passed, 1 if one failed or could not be made, and
// 2 for a wrong use of the flags.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	exitFailed = 1
	exitUsage  = 2
)

// page is the documentation with the configurations, from this directory.
const page = "../../docs/how-to/reverse-proxy.md"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// run is main with its surroundings as arguments.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parseOptions(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(stderr, "reverseproxy:", err)
		return exitUsage
	}
	ctx, cancel := context.WithTimeoutCause(ctx, o.timeout, fmt.Errorf("not done after %v", o.timeout))
	defer cancel()
	r := &report{w: stdout}
	if err := runAll(ctx, o, r, stderr); err != nil {
		r.add("preparation", err)
	}
	if !r.close() {
		return exitFailed
	}
	return 0
}

// runAll installs what is missing and goes through the proxies, all at once.
func runAll(ctx context.Context, o *options, r *report, log io.Writer) error {
	chosen := slices.DeleteFunc(proxies(), func(p *proxy) bool { return o.only != "" && o.only != p.name })
	if err := installMissing(ctx, chosen, log); err != nil {
		return err
	}
	l, err := newLaboratory(r)
	if err != nil {
		return err
	}
	defer l.close()
	if o.verbose {
		l.log = log
	}
	r.add("without a proxy: what a client writes is not believed", l.checkStranger(ctx))
	var wg sync.WaitGroup
	for _, p := range chosen {
		wg.Go(func() { l.tryProxy(ctx, p) })
	}
	wg.Wait()
	return nil
}

// options are the flags, checked.
type options struct {
	only    string
	timeout time.Duration
	verbose bool
}

func parseOptions(args []string, output io.Writer) (*options, error) {
	var names []string
	for _, p := range proxies() {
		names = append(names, p.name)
	}
	o := &options{}
	fs := flag.NewFlagSet("reverseproxy", flag.ContinueOnError)
	fs.SetOutput(output)
	fs.StringVar(&o.only, "only", "", "the one `proxy` to try: "+strings.Join(names, ", "))
	fs.DurationVar(&o.timeout, "timeout", 10*time.Minute, "limit for everything")
	fs.BoolVar(&o.verbose, "v", false, "print what the proxies print")
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	switch {
	case fs.NArg() > 0:
		return nil, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	case o.only != "" && !slices.Contains(names, o.only):
		return nil, fmt.Errorf("-only %s: want one of %s", o.only, strings.Join(names, ", "))
	case o.timeout <= 0:
		return nil, fmt.Errorf("-timeout %v: want more than nothing", o.timeout)
	}
	return o, nil
}

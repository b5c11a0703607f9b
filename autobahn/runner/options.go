package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/seed-c4549abd/wss/autobahn/report"
)

// agent is the testee's name in the reports. The suite makes file names of it, of which only letters and digits stay.
const agent = "wss"

const (
	roleServer = "server"
	roleClient = "client"
	both       = "both"
)

// options are the flags, checked.
type options struct {
	roles, schemes []string
	cases          []string
	out, cache     string
	parallel       int
	suite, image   string
	testee         string
	flags          []string // more of them, for the testee
	race, compress bool
	timeout        time.Duration
	read           bool
}

func parseOptions(args []string, output io.Writer) (*options, error) {
	o := &options{}
	fs := flag.NewFlagSet("runner", flag.ContinueOnError)
	fs.SetOutput(output)
	role := fs.String("role", both, "role of the testee: server, client or both")
	scheme := fs.String("scheme", both, "ws, wss or both")
	cases := fs.String("cases", "*", "cases to run: ids or patterns such as 7.13.*, with commas between")
	fs.StringVar(&o.out, "out", filepath.Join("autobahn", "reports"), "`directory` for reports, specs and logs")
	fs.StringVar(&o.cache, "cache", "", "`directory` for the installed suite (default: wss/autobahn in the user's cache)")
	fs.IntVar(&o.parallel, "parallel", runtime.NumCPU(), "number of wstest processes at once")
	fs.StringVar(&o.suite, "suite", suiteAuto, "where wstest comes from: docker, python, or auto for the first that works")
	fs.StringVar(&o.image, "image", defaultImage, "container image for -suite docker")
	fs.StringVar(&o.testee, "testee", defaultTestee, "Go package of the testee, or an executable with the same flags")
	flags := fs.String("flags", "", "further `flags` for the testee, with blanks between")
	fs.BoolVar(&o.race, "race", false, "build the testee with the race detector")
	fs.BoolVar(&o.compress, "compress", true, "let the testee negotiate permessage-deflate, which groups 12 and 13 need")
	fs.DurationVar(&o.timeout, "timeout", time.Hour, "limit for each pass of one role over one scheme")
	fs.BoolVar(&o.read, "read", false, "run nothing; judge the reports of the last run again")
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	if fs.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	o.flags = strings.Fields(*flags)
	var err error
	if o.roles, err = choose("role", *role, roleServer, roleClient); err != nil {
		return nil, err
	}
	if o.schemes, err = choose("scheme", *scheme, "ws", "wss"); err != nil {
		return nil, err
	}
	if o.cases, err = report.Match(strings.Split(*cases, ",")); err != nil {
		return nil, err
	}
	return o, o.check()
}

func (o *options) check() (err error) {
	if !slices.Contains([]string{suiteAuto, suiteDocker, suitePython}, o.suite) {
		return fmt.Errorf("-suite %s: want %s, %s or %s", o.suite, suiteAuto, suiteDocker, suitePython)
	}
	if o.parallel < 1 {
		return fmt.Errorf("-parallel %d: want 1 or more", o.parallel)
	}
	if o.timeout <= 0 {
		return fmt.Errorf("-timeout %v: want more than nothing", o.timeout)
	}
	if o.cache == "" {
		o.cache = defaultCache()
	}
	// wstest runs in other directories than this program.
	if o.cache, err = filepath.Abs(o.cache); err != nil {
		return err
	}
	o.out, err = filepath.Abs(o.out)
	return err
}

// choose returns the values that a flag stands for.
func choose(name, value string, all ...string) ([]string, error) {
	if value == both {
		return all, nil
	}
	if slices.Contains(all, value) {
		return []string{value}, nil
	}
	return nil, fmt.Errorf("-%s %s: want %s or %s", name, value, strings.Join(all, ", "), both)
}

func defaultCache() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return filepath.Join(".cache", "autobahn")
	}
	return filepath.Join(dir, "wss", "autobahn")
}

// passes are the runs of one role over one scheme that the options ask for.
func (o *options) passes() []*pass {
	var all []*pass
	for _, role := range o.roles {
		for _, scheme := range o.schemes {
			all = append(all, newPass(o, role, scheme))
		}
	}
	return all
}

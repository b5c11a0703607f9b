// Command attack measures what a hostile peer costs a server: processor time and memory for each byte that the peer sends,
// beside gorilla and coder, over TLS.
//
//	go run ./attack            from bench: every row, in less than two minutes
//	go run ./attack -quick     the same with less
//	go run ./attack -rows pings,records
//
// It prints a table with the ratio of this library to the better of its peers. A row whose ratio is above 1.5 is marked. The
// servers are processes of their own: this program again, with -server.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/seed-c4549abd/wss/bench/child"
	"github.com/seed-c4549abd/wss/bench/rows"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "attack:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("attack", flag.ContinueOnError)
	server := flags.String("server", "", "be the server of a library; used by the program itself")
	quick := flags.Bool("quick", false, "one round with a tenth of the bytes and connections")
	rounds := flags.Int("rounds", 0, "rounds of each row, of which the median counts; 0: 3, or 1 with -quick")
	list := flags.String("rows", "", "`keys` of the rows to measure, as pings,records; none: all")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *server != "" {
		return child.Run(os.Stdin, stdout)
	}
	if err := rows.RaiseFileLimit(); err != nil {
		return err
	}
	wanted, err := choose(*list)
	if err != nil {
		return err
	}
	b := &bench{scale: 1, rounds: 3, settle: 300 * time.Millisecond, log: stderr}
	if *quick {
		b.scale, b.rounds = 0.1, 1
	}
	if *rounds > 0 {
		b.rounds = *rounds
	}
	if b.cert, b.key, err = child.NewCert(); err != nil {
		return err
	}
	var results []result
	for _, r := range wanted {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		results = append(results, b.measure(r))
	}
	return write(stdout, results)
}

// choose returns the rows with these keys.
func choose(list string) ([]row, error) {
	all := attacks()
	if list == "" {
		return all, nil
	}
	var chosen []row
	for _, key := range strings.Split(list, ",") {
		found := false
		for _, r := range all {
			if r.key == key {
				chosen, found = append(chosen, r), true
			}
		}
		if !found {
			var keys []string
			for _, r := range all {
				keys = append(keys, r.key)
			}
			return nil, fmt.Errorf("-rows: no row has the key %q, there are %s", key, strings.Join(keys, ", "))
		}
	}
	return chosen, nil
}

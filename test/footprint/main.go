// Command footprint measures a server for docs/how-to/operations.md: memory and descriptors of active and idle wss connections,
// garbage collections with a memory limit, and how long silent peers prevent others from connecting.
//
//	go run ./test/footprint [-conns 3000]
//
// The server is a separate process, which this one starts and connects to over loopback. Linux only.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"sync"
	"time"

	"github.com/seed-c4549abd/wss/conn"
)

func main() {
	if mode := os.Getenv(serverEnv); mode != "" {
		if err := serve(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "footprint: server:", err)
			os.Exit(1)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	status := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// run is main with its arguments and outputs as parameters.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("footprint", flag.ContinueOnError)
	flags.SetOutput(stderr)
	conns := flags.Int("conns", 3000, "connections")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	case *conns < 1 || flags.NArg() > 0:
		fmt.Fprintln(stderr, "footprint: -conns is at least 1, and there are no arguments")
		return 2
	}
	for _, measure := range []func(context.Context, int, io.Writer) error{memory, limited, keptOut} {
		if err := measure(ctx, *conns, stdout); err != nil {
			fmt.Fprintln(stderr, "footprint:", err)
			return 1
		}
	}
	return 0
}

// idleAfter is longer than the time after which an idle connection returns its stack.
const idleAfter = 6 * time.Second

// memory prints the memory and descriptors of a connection: active, idle, and after the heap was returned to the system.
func memory(ctx context.Context, n int, w io.Writer) error {
	s, err := start(ctx)
	if err != nil {
		return err
	}
	defer s.stop()
	before, err := s.report("")
	if err != nil {
		return err
	}
	clients, err := s.dialMany(ctx, n)
	defer closeAll(clients)
	if err != nil {
		return err
	}
	if err := echo(ctx, clients, 10); err != nil {
		return err
	}
	each := func(what string, u usage) {
		fmt.Fprintf(w, "%-40s %6.1f kB RSS a connection, %6.1f kB heap, %.2f descriptors\n", what,
			float64(u.RSS-before.RSS)/float64(n)/1000, float64(u.Heap-before.Heap)/float64(n)/1000, float64(u.Descriptors-before.Descriptors)/float64(n))
	}
	u, err := s.report("")
	if err != nil {
		return err
	}
	each(fmt.Sprintf("%d wss connections, active", n), u)
	if err := sleep(ctx, idleAfter); err != nil {
		return err
	}
	if u, err = s.report(""); err != nil {
		return err
	}
	each(fmt.Sprintf("silent for %v", idleAfter), u)
	if u, err = s.report("free"); err != nil {
		return err
	}
	each("and the heap returned to the system", u)
	return nil
}

// limited prints the number of garbage collections without a memory limit, with one, and with one that is too low.
func limited(ctx context.Context, n int, w io.Writer) error {
	for _, limit := range []string{"", "200MiB", "40MiB"} {
		s, err := start(ctx, "GOMEMLIMIT="+limit)
		if err != nil {
			return err
		}
		clients, err := s.dialMany(ctx, n)
		if err == nil {
			err = echo(ctx, clients, 20)
		}
		var u usage
		if err == nil {
			u, err = s.report("")
		}
		closeAll(clients)
		s.stop()
		if err != nil {
			return err
		}
		name := "no limit"
		if limit != "" {
			name = "GOMEMLIMIT=" + limit
		}
		fmt.Fprintf(w, "%-40s %6d collections for %d connections and 20 messages on each, %.1f s CPU, %.0f MB RSS\n", name, u.Collections, n, u.CPU, float64(u.RSS)/1e6)
	}
	return nil
}

const (
	fewDescriptors = 200
	silentPeers    = 300
)

// keptOut prints whether other clients can connect while silent peers hold all descriptors.
func keptOut(ctx context.Context, _ int, w io.Writer) error {
	for _, timeout := range []time.Duration{0, 2 * time.Second} {
		s, err := start(ctx, fmt.Sprintf("%s=%d", descriptorsEnv, fewDescriptors), fmt.Sprintf("%s=%v", timeoutEnv, timeout))
		if err != nil {
			return err
		}
		var silent []net.Conn
		for range silentPeers {
			if nc, err := net.DialTimeout("tcp", s.address, time.Second); err == nil {
				silent = append(silent, nc)
			}
		}
		began := time.Now()
		outcome := "nobody else gets in within 15 s"
		for time.Since(began) < 15*time.Second {
			attempt, cancel := context.WithTimeout(ctx, time.Second)
			c, err := s.dial(attempt)
			cancel()
			if err == nil {
				outcome = fmt.Sprintf("another client gets in after %.1f s", time.Since(began).Seconds())
				_ = c.CloseNow()
				break
			}
			if ctx.Err() != nil {
				break
			}
		}
		for _, nc := range silent {
			_ = nc.Close()
		}
		s.stop()
		if err := ctx.Err(); err != nil {
			return err
		}
		fmt.Fprintf(w, "%-40s %d silent peers, %d descriptors: %s\n", fmt.Sprintf("ReadHeaderTimeout %v", timeout), silentPeers, fewDescriptors, outcome)
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// dialMany opens n connections.
func (s *server) dialMany(ctx context.Context, n int) (clients []*conn.Conn, err error) {
	for range n {
		c, err := s.dial(ctx)
		if err != nil {
			return clients, err
		}
		clients = append(clients, c)
	}
	return clients, nil
}

func closeAll(clients []*conn.Conn) {
	for _, c := range clients {
		_ = c.CloseNow()
	}
}

// echo sends messages on every connection and reads their answers.
func echo(ctx context.Context, clients []*conn.Conn, rounds int) error {
	message := make([]byte, 128)
	var wg sync.WaitGroup
	failed := make(chan error, 64)
	for worker := range 64 {
		wg.Go(func() {
			var buf []byte
			for range rounds {
				for i := worker; i < len(clients); i += 64 {
					err := clients[i].Write(ctx, conn.Binary, message)
					if err == nil {
						_, buf, err = clients[i].ReadInto(ctx, buf)
					}
					if err != nil {
						failed <- err
						return
					}
				}
			}
		})
	}
	wg.Wait()
	close(failed)
	return <-failed
}

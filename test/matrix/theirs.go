package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/seed-c4549abd/wss/test/ports"
	"github.com/seed-c4549abd/wss/test/process"
	"github.com/seed-c4549abd/wss/tlsconf"
)

// Limits of a peer.
const (
	startTime = time.Minute      // until it serves, or has connected
	endTime   = 15 * time.Second // until it says how a connection has ended
)

// foreignClient runs a peer's client against our servers. If a check goes so wrong that the client does not come to the
// next one, it is started again with those that are left.
func (m *matrix) foreignClient(ctx context.Context, s *servers, p *peer, command process.Command) error {
	for left := m.possible(p, "client"); len(left) > 0; {
		select {
		case late := <-s.accepted: // of the program before
			close(late.over)
		default:
		}
		args := []string{"client", s.ca.CAFile()}
		for _, n := range left {
			args = append(args, s.url[checks[n].with]+"/"+strconv.Itoa(n))
		}
		r, err := start(ctx, with(command, args...))
		if err != nil {
			return err
		}
		for goesOn := true; goesOn && len(left) > 0; {
			n := left[0]
			k := &checks[n]
			err := s.arrived(ctx, r, k)
			e, endErr := r.end(ctx)
			if endErr != nil {
				goesOn = false
				err = errors.Join(err, endErr)
			} else if err == nil || k.run == nil {
				err = k.judge(e)
			}
			if m.record(p, "client", k.name, err) {
				break // the client goes through its list once
			}
			left = left[1:]
		}
		r.Stop()
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	return nil
}

// record reports the result of a check, or returns true if the check is to be repeated: once, after a failure, since
// foreign programs have races of their own. That it failed at first is reported, too.
func (m *matrix) record(p *peer, role, check string, err error) (repeat bool) {
	if m.first == nil {
		m.first = map[[3]string]error{}
	}
	key := [3]string{p.name, role, check}
	first, repeated := m.first[key]
	if err != nil && !repeated && !errors.Is(err, errNotOffered) && p.fault(role, check, err) == "" {
		m.first[key] = err
		return true
	}
	if err == nil && repeated {
		err = secondTry{first}
	}
	m.report.add(p, role, check, err)
	return false
}

// secondTry is the error of a check that passed when it was repeated.
type secondTry struct{ error }

// arrived runs a check on the connection that the peer's client opens for it.
func (s *servers) arrived(ctx context.Context, r *running, k *check) error {
	if k.run == nil {
		return nil // the client cannot connect, and says so
	}
	limit := time.NewTimer(startTime)
	defer limit.Stop()
	for {
		select {
		case a := <-s.accepted:
			if n, _ := strconv.Atoi(strings.TrimPrefix(a.path, "/")); &checks[n] != k {
				close(a.over) // a late one
				continue
			}
			defer close(a.over)
			return k.runOn(ctx, a.c)
		case <-r.Done():
			return fmt.Errorf("the program has ended:\n%s", r.out.Tail())
		case <-limit.C:
			return fmt.Errorf("no connection within %v:\n%s", startTime, r.out.Tail())
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// foreignServer runs our client against a peer's server.
func (m *matrix) foreignServer(ctx context.Context, s *servers, p *peer, command process.Command) error {
	for left := m.possible(p, "server"); len(left) > 0; {
		port, err := ports.Free()
		if err != nil {
			return err
		}
		r, err := start(ctx, with(command, "server", strconv.Itoa(port), s.certFile, s.certFile))
		if err != nil {
			return err
		}
		startCtx, cancel := context.WithTimeoutCause(ctx, startTime, fmt.Errorf("it does not listen after %v", startTime))
		_, err = r.out.Await(startCtx, r.Done(), regexp.MustCompile(`"listening"`))
		cancel()
		if err != nil {
			r.Stop()
			return fmt.Errorf("%w:\n%s", err, r.out.Tail())
		}
		for goesOn := true; goesOn && len(left) > 0; {
			n := left[0]
			k := &checks[n]
			var err error
			if err, goesOn = s.visit(ctx, r, k, fmt.Sprintf("wss://localhost:%d/%d", port, n)); err == nil && ctx.Err() != nil {
				err = context.Cause(ctx)
			}
			if !m.record(p, "server", k.name, err) {
				left = left[1:]
			}
		}
		r.Stop()
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	return nil
}

// visit runs a check on a connection of our client's. The server can be used for the next one if goesOn.
func (s *servers) visit(ctx context.Context, r *running, k *check, url string) (err error, goesOn bool) {
	c, err := s.dial(ctx, k, url)
	if k.run == nil {
		if err == nil {
			_ = c.CloseNow()
			_, endErr := r.end(ctx)
			return errors.New("we had a connection"), endErr == nil
		}
		if v, ok := errors.AsType[*tlsconf.VerifyError](tlsconf.Explain(err)); !ok || v.Reason != tlsconf.Untrusted {
			return fmt.Errorf("we saw %w, want an untrusted authority", err), true
		}
		r.seen = len(r.out.All()) // a server may tell of the handshake that failed
		return nil, true
	}
	if err != nil {
		return err, !r.Ended()
	}
	err = k.runOn(ctx, c)
	e, endErr := r.end(ctx)
	if endErr != nil {
		return errors.Join(err, endErr), false
	}
	if err == nil {
		err = k.judge(e)
	}
	return err, true
}

// possible are the indices of the checks that a peer's API allows in a role; the others are reported.
func (m *matrix) possible(p *peer, role string) (possible []int) {
	for n := range checks {
		if why := p.cannot[checks[n].name]; why != "" {
			m.report.cannot(p, role, checks[n].name, why)
		} else {
			possible = append(possible, n)
		}
	}
	return possible
}

// end waits for the next line of the peer's about the end of a connection.
func (r *running) end(ctx context.Context) (end, error) {
	limit := time.Now().Add(endTime)
	for {
		ended := r.Ended()
		lines := r.out.All()
		for ; r.seen < len(lines); r.seen++ {
			var e end
			if json.Unmarshal([]byte(lines[r.seen]), &e) == nil && (e.Closed != nil || e.Failed != "") {
				r.seen++
				return e, nil
			}
		}
		switch {
		case ended:
			return end{}, fmt.Errorf("the program has ended:\n%s", r.out.Tail())
		case time.Now().After(limit):
			return end{}, fmt.Errorf("it does not say how the connection has ended:\n%s", r.out.Tail())
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			return end{}, context.Cause(ctx)
		}
	}
}

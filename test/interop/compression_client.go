package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/seed-c4549abd/wss/conn"
)

// declined is the note on a server that goes on without compression, as it may
// (RFC 7692 §5.1).
const declined = "it declined server_max_window_bits=8, and echoed without compression"

// foreignServer runs our client against another implementation's server.
func (z *compressionBench) foreignServer(ctx context.Context, lib *library, links []*link) error {
	ctx, cancel := context.WithTimeoutCause(ctx, compressionTime, fmt.Errorf("not done after %v", compressionTime))
	defer cancel()
	path, err := z.writePlan(lib.name+"-server", links)
	if err != nil {
		return err
	}
	cmd := lib.server
	cmd.Args = append(cmd.Args[:len(cmd.Args):len(cmd.Args)], z.cert, path)
	p, err := start(ctx, cmd)
	if err != nil {
		return err
	}
	defer p.Stop()
	ports, err := awaitPorts(ctx, p, len(links))
	if err != nil {
		return err
	}
	t := &tally{name: "compression, " + lib.name + " server", began: time.Now()}
	eachAbreast(links, func(l *link) { z.dialLink(ctx, t, p, l, ports[l.ID], lib.not8) })
	t.report(z.report)
	return nil
}

// awaitPorts waits until a server listens: on one port for all links, or on one for
// each.
func awaitPorts(ctx context.Context, p *running, links int) ([]int, error) {
	ctx, cancel := context.WithTimeout(ctx, foreignStartTime)
	defer cancel()
	line, err := p.await(ctx, `^\{"listening": ?(\[.*\])`)
	if err != nil {
		return nil, err
	}
	var ports []int
	if err := json.Unmarshal([]byte(line[1]), &ports); err != nil {
		return nil, err
	}
	if len(ports) == 1 {
		ports = slices.Repeat(ports, links)
	}
	if len(ports) != links {
		return nil, fmt.Errorf("the server listens on %d ports, want one or %d", len(ports), links)
	}
	return ports, nil
}

// eachAbreast calls do for each link, for a few at once.
func eachAbreast(links []*link, do func(*link)) {
	queue := make(chan *link)
	var workers sync.WaitGroup
	for range abreast {
		workers.Go(func() {
			for l := range queue {
				do(l)
			}
		})
	}
	for _, l := range links {
		queue <- l
	}
	close(queue)
	workers.Wait()
}

// dialLink makes one connection, and compares what both sides say of it.
func (z *compressionBench) dialLink(ctx context.Context, t *tally, p *running, l *link, port int, not8 bool) {
	ctx, cancel := context.WithTimeoutCause(ctx, checkTime, fmt.Errorf("not done after %v", checkTime))
	defer cancel()
	messages := z.sets[l.Set].count()
	may8 := not8 && l.serverHas8()
	var header string
	var err error
	if port != 0 { // else the server has said why it does not have this link
		header, err = z.useLink(ctx, l, port, may8)
	}
	if err != nil {
		t.add(l, 0, err)
		return
	}
	line, err := p.await(ctx, fmt.Sprintf(`^\{"connection": ?%d,.*`, l.ID))
	if err != nil {
		t.add(l, messages, fmt.Errorf("the server says nothing of it: %w", err))
		return
	}
	theirs := outcomes(line)[l.ID]
	switch {
	case theirs != nil && theirs.Cannot != "" && may8:
		t.skip(theirs.Cannot)
	case theirs != nil && theirs.Extensions == "" && header == "" && may8:
		t.skip(declined)
	default:
		t.add(l, messages, theirs.agrees(l.want, messages))
	}
}

// useLink has our client make a connection, and returns the field of the response
// that says what was agreed on.
func (z *compressionBench) useLink(ctx context.Context, l *link, port int, mayDecline bool) (header string, err error) {
	c, res, err := conn.Dial(ctx, fmt.Sprintf("wss://localhost:%d%s?id=%d", port, linkPath, l.ID), &conn.DialOptions{
		TLS:          clientConfig(z.ca),
		Compression:  l.ours,
		MessageLimit: messageLimit,
	})
	if err != nil {
		return "", err
	}
	defer c.CloseNow()
	header = res.Header.Get("Sec-WebSocket-Extensions")
	uncompressed := header == "" && mayDecline
	if !uncompressed {
		if err := l.want.matches(header); err != nil {
			return header, err
		}
	}
	if c.Compressed() == uncompressed {
		return header, fmt.Errorf("our connection has compression %t, but the response is %q", c.Compressed(), header)
	}
	set := &z.sets[l.Set]
	for n, e := range set.Messages {
		if err := z.exchange(ctx, c, []excerpt{e}); err != nil {
			return header, fmt.Errorf("message %d: %w", n, err)
		}
	}
	if err := z.exchange(ctx, c, set.Burst); err != nil {
		return header, fmt.Errorf("burst: %w", err)
	}
	stats := c.Stats()
	if err := c.Close(conn.StatusNormalClosure, ""); err != nil || uncompressed {
		return header, err
	}
	return header, smaller(stats, set.count())
}

// exchange sends messages without waiting, and expects each back.
func (z *compressionBench) exchange(ctx context.Context, c *conn.Conn, messages []excerpt) error {
	sent := make(chan error, 1)
	go func() {
		var err error
		for n := 0; n < len(messages) && err == nil; n++ {
			m := z.data.message(messages[n])
			err = c.Write(ctx, m.Type, m.Data)
		}
		sent <- err
	}()
	for n, e := range messages {
		if err := expect(ctx, c, z.data.message(e)); err != nil {
			_ = c.CloseNow() // so that sending ends
			return errors.Join(fmt.Errorf("echo %d of %d: %w", n, len(messages), err), <-sent)
		}
	}
	return <-sent
}

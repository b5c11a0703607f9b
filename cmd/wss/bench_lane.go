package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"github.com/seed-c4549abd/wss/conn"
)

// Errors of a lane.
var (
	errWrongEcho = errors.New("the server has sent something else than an echo")
	errNoAnswer  = errors.New("no answer in time")
)

// lane is the load on one connection.
type lane struct {
	conn      *conn.Conn
	latencies *histogram
	message   []byte // random, but for the number at its beginning
	buffer    []byte
}

// runInTurn sends a message when the one before is answered.
func (l *lane) runInTurn(timed, answered context.Context) error {
	for n := uint64(0); timed.Err() == nil; n++ {
		began := time.Now()
		if err := l.send(answered, n); err != nil {
			return err
		}
		if err := l.receive(answered, l.message, began); err != nil {
			return err
		}
	}
	return nil
}

// runAtRate sends messages at their times, and receives beside.
func (l *lane) runAtRate(timed, answered context.Context, interval, delay time.Duration) error {
	due := make(chan time.Time, 1<<10) // when those that are not answered were due
	expected := slices.Clone(l.message)
	failed, stop := context.WithCancel(timed)
	defer stop()
	received := make(chan error, 1)
	go func() {
		defer stop()
		n := uint64(0)
		for began := range due {
			binary.BigEndian.PutUint64(expected, n)
			if err := l.receive(answered, expected, began); err != nil {
				received <- err
				return
			}
			n++
		}
		received <- nil
	}()
	sendErr := l.sendAtRate(failed, answered, interval, time.Now().Add(delay), due)
	close(due)
	if err := <-received; err != nil {
		return err
	}
	return sendErr
}

// sendAtRate sends until ctx ends. A message that could not be sent at its time is sent as soon as possible.
func (l *lane) sendAtRate(ctx, answered context.Context, interval time.Duration, at time.Time, due chan<- time.Time) error {
	timer := time.NewTimer(time.Until(at))
	defer timer.Stop()
	end, bounded := ctx.Deadline() // a context may end later than that
	for n := uint64(0); !bounded || at.Before(end); n++ {
		select {
		case <-timer.C:
		case <-ctx.Done():
			return nil
		}
		select {
		case due <- at:
		case <-ctx.Done():
			return nil
		}
		if err := l.send(answered, n); err != nil {
			return err
		}
		at = at.Add(interval)
		timer.Reset(time.Until(at))
	}
	return nil
}

// send sends the message with a number.
func (l *lane) send(ctx context.Context, n uint64) error {
	binary.BigEndian.PutUint64(l.message, n)
	return noAnswer(l.conn.Write(ctx, conn.Binary, l.message))
}

// receive receives the echo of a message, and counts its latency.
func (l *lane) receive(ctx context.Context, expected []byte, began time.Time) error {
	typ, data, err := l.conn.ReadInto(ctx, l.buffer)
	if err != nil {
		return noAnswer(err)
	}
	l.buffer = data
	if typ != conn.Binary || !bytes.Equal(data, expected) {
		return errWrongEcho
	}
	l.latencies.add(time.Since(began))
	return nil
}

// noAnswer replaces the error of the context, which says that the time for answers is over.
func noAnswer(err error) error {
	if errors.Is(err, context.Canceled) {
		return errNoAnswer
	}
	return err
}

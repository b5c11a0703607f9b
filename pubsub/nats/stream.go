package nats

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

func (e *Engine) streamName() string { return e.options.Prefix + "_topics" }
func (e *Engine) storedSubject(topic string) string {
	return e.options.Prefix + ".topic." + escape(topic)
}
func (e *Engine) liveSubject(topic string) string { return e.options.Prefix + ".live." + escape(topic) }
func (e *Engine) storedSubjectOf(live string) string {
	return e.options.Prefix + ".topic." + live[len(e.liveSubject("")):]
}

// streamConfig returns the configuration of the stream. RePublish sends each message on when it is stored, with the number of the
// one before it.
func (e *Engine) streamConfig() jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:        e.streamName(),
		Description: "messages of package pubsub",
		Subjects:    []string{e.storedSubject("") + "*"},
		Storage:     jetstream.FileStorage, Replicas: e.options.Replicas,
		MaxMsgsPerSubject: int64(e.options.MaxHistory), MaxBytes: e.options.MaxBytes, MaxAge: e.options.MaxAge, Duplicates: deduplicateFor,
		Discard:     jetstream.DiscardNew, // at MaxBytes, refuse new messages rather than delete old ones
		AllowDirect: true, AllowMsgTTL: true,
		RePublish: &jetstream.RePublish{Source: e.storedSubject("") + "*", Destination: e.liveSubject("") + "{{wildcard(1)}}"},
	}
}

// maintain checks the stream and compares the followed topics with it, every maintainEvery, until the engine ends.
func (e *Engine) maintain() {
	looked := time.Now()
	for configured := false; ; {
		epoch, err := e.checkStream(&configured)
		e.noteStream(epoch, err)
		if err == nil {
			e.compare()
		}
		period := maintainEvery
		if err != nil || time.Since(e.lastSuspicion()) < 3*maintainEvery {
			period = retryEvery
		}
		select {
		case <-e.ctx.Done():
			return
		case <-e.wake:
			// Wait for more signs of trouble, since they come together.
			select {
			case <-e.ctx.Done():
				return
			case <-time.After(retryEvery / 4):
			}
		case <-time.After(period):
		}
		if time.Since(looked) > 3*maintainEvery {
			e.suspectLoss("this process has stood still", nil)
		}
		looked = time.Now()
	}
}

// checkStream creates the stream if there is none, opens the bucket of members, and returns the epoch of the stream.
func (e *Engine) checkStream(configured *bool) (epoch string, err error) {
	ctx, cancel := context.WithTimeout(e.ctx, requestTimeout)
	defer cancel()
	nc, js := e.connection()
	if nc.IsClosed() {
		if err := e.connect(); err != nil {
			return "", err
		}
		nc, js = e.connection()
	}
	defer func() {
		// The connection knows better why nobody answers.
		if why := nc.LastError(); err != nil && why != nil {
			err = fmt.Errorf("%w: %w", err, why)
		}
	}()
	var s jetstream.Stream
	if *configured {
		s, err = js.Stream(ctx, e.streamName())
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			*configured = false
		}
	}
	if !*configured {
		s, err = js.CreateOrUpdateStream(ctx, e.streamConfig())
	}
	if err != nil {
		return "", err
	}
	if err := e.members.open(ctx, js); err != nil {
		return "", err
	}
	*configured = true
	info := s.CachedInfo()
	if info.Cluster != nil && info.Cluster.Leader == "" {
		return "", errors.New("the stream of topics has no leader")
	}
	return epochOf(info), nil
}

// noteStream takes the result of checkStream.
func (e *Engine) noteStream(epoch string, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	before := e.streamErr
	e.streamErr = err
	if err != nil {
		e.lossSuspected = time.Now()
		if before == nil {
			e.errSince = time.Now()
			e.options.Logger.Warn("nats: topics are out of reach", slog.Any("error", err))
			e.wakeWaiters()
		}
		return
	}
	if before != nil {
		e.options.Logger.Info("nats: topics can be reached")
	}
	e.epoch = epoch
	if before != nil {
		e.members.refresh()
		e.wakeWaiters()
	}
}

// suspectLoss notes that messages from the stream may have been lost, so that all topics are compared with it. A non-nil err is logged.
func (e *Engine) suspectLoss(what string, err error) {
	e.mu.Lock()
	e.lossSuspected = time.Now()
	e.mu.Unlock()
	if err != nil {
		e.options.Logger.Warn("nats: "+what, slog.Any("error", err))
	}
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// lastSuspicion returns when messages were last suspected to be lost.
func (e *Engine) lastSuspicion() time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.lossSuspected
}

// givenUp reports whether the stream has been out of reach for giveUpAfter, so that publishing fails at once.
func (e *Engine) givenUp() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.givenUpLocked()
}

// givenUpLocked is givenUp with the lock held.
func (e *Engine) givenUpLocked() bool {
	return e.streamErr != nil && time.Since(e.errSince) > giveUpAfter
}

// knownEpoch returns the last known epoch of the stream; "" if there is none.
func (e *Engine) knownEpoch() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.epoch
}

// epochOf returns the epoch of a stream: it changes when the stream is created anew.
func epochOf(info *jetstream.StreamInfo) string {
	return strconv.FormatInt(info.Created.UnixNano(), 36)
}

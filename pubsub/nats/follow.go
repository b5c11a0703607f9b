package nats

import (
	"context"
	"fmt"
	"hash/maphash"
	"log/slog"
	"sync"
	"time"

	natsgo "github.com/nats-io/nats.go"

	"github.com/seed-c4549abd/wss/pubsub"
)

// follower reads one topic for the hub. Messages come by core NATS, each with the offset of the one before it: if that is not the
// last one that was delivered, the follower reads the stream.
type follower struct {
	engine  *Engine
	topic   string
	subject string // in the stream
	options pubsub.TopicOptions
	to      pubsub.Follower
	begunAt time.Time

	subMu sync.Mutex
	sub   *natsgo.Subscription // nil before subscribe
	ended bool

	mu      sync.Mutex
	stopped bool
	epoch   string
	last    uint64 // offset up to which messages were delivered, or are too old
	reading bool   // a goroutine reads the stream; messages that arrive meanwhile wait
	waiting []arrival
}

// arrival is a message that the stream has sent on.
type arrival struct {
	pubsub.Message
	previous uint64 // offset of the one before it in its topic; 0 if that is not stored any more
}

// maxWaiting is how many messages of a topic wait while the stream is read. Those beyond it are read from the stream later.
const maxWaiting = 1024

// Follow implements pubsub.Engine. It waits until the stream was found once and, for a topic with Presence, until members at other
// engines are known. The error is pubsub.ErrUnavailable with its cause, or that the topic is followed already.
func (e *Engine) Follow(ctx context.Context, topic string, o pubsub.TopicOptions, to pubsub.Follower) error {
	if o.History > e.options.MaxHistory {
		e.options.Logger.Warn("nats: a topic should keep more messages than Options.MaxHistory", slog.String("topic", topic), slog.Int("History", o.History))
		o.History = e.options.MaxHistory
	}
	if err := e.wait(ctx, func() bool { return e.epoch != "" }); err != nil {
		return unavailable(err)
	}
	f := &follower{engine: e, topic: topic, subject: e.storedSubject(topic), options: o, to: to, begunAt: time.Now(), reading: true}
	e.mu.Lock()
	known := e.followers[f.subject]
	if known == nil {
		e.followers[f.subject] = f
		f.epoch = e.epoch
	}
	e.mu.Unlock()
	if known != nil {
		return fmt.Errorf("nats: the topic %q is followed already; an engine is for one hub", topic)
	}
	if o.Presence {
		if err := e.wait(ctx, func() bool { return e.members.complete() }); err != nil {
			e.Unfollow(topic)
			return unavailable(err)
		}
	}
	if err := f.begin(ctx); err != nil {
		e.Unfollow(topic)
		return unavailable(err)
	}
	if o.Presence {
		e.members.follow(topic, to)
	}
	return nil
}

// Unfollow implements pubsub.Engine.
func (e *Engine) Unfollow(topic string) {
	subject := e.storedSubject(topic)
	e.mu.Lock()
	f := e.followers[subject]
	delete(e.followers, subject)
	e.mu.Unlock()
	if f == nil {
		return
	}
	e.members.unfollow(topic)
	// Not under the follower's lock, which is held while the hub is called.
	f.subMu.Lock()
	f.ended = true
	if f.sub != nil {
		_ = f.sub.Unsubscribe()
	}
	f.subMu.Unlock()
	go f.stop()
}

// subscribe subscribes to the messages that the stream sends on.
func (f *follower) subscribe(nc *natsgo.Conn) (err error) {
	f.subMu.Lock()
	defer f.subMu.Unlock()
	if f.ended {
		return nil
	}
	e := f.engine
	queue := e.queues[maphash.String(seed, f.subject)%uint64(len(e.queues))]
	f.sub, err = nc.ChanSubscribe(e.liveSubject(f.topic), queue)
	return err
}

// stop has the follower ignore what still arrives.
func (f *follower) stop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stopped, f.waiting = true, nil
}

// begin subscribes, reads the stored messages, and calls the hub's Begin.
func (f *follower) begin(ctx context.Context) (err error) {
	nc, _ := f.engine.connection()
	if err := f.subscribe(nc); err != nil {
		return err
	}
	messages, err := f.readAll(ctx)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.restart(f.epoch, messages)
	f.deliverWaiting()
	if f.reading = len(f.waiting) > 0; f.reading {
		go f.catchUp()
	}
	return nil
}

var seed = maphash.MakeSeed()

// readAll returns the stored messages of the topic, or only the last one if the hub keeps no history.
func (f *follower) readAll(ctx context.Context) ([]pubsub.Message, error) {
	if f.options.History > 0 {
		return f.engine.read(ctx, f.subject, 1)
	}
	last, err := f.engine.readLast(ctx, []string{f.subject})
	if err != nil || len(last) == 0 {
		return nil, err
	}
	return []pubsub.Message{last[f.subject]}, nil
}

// restart calls the hub's Begin with these messages, which are all that is stored. The lock is held.
func (f *follower) restart(epoch string, messages []pubsub.Message) {
	f.epoch, f.last = epoch, 0
	if n := len(messages); n > 0 {
		f.last = messages[n-1].Offset
	}
	if f.options.History <= 0 {
		messages = nil
	}
	whole := f.options.History > 0 && f.engine.retention(f.options) == 0 && len(messages) < f.engine.options.MaxHistory
	f.to.Begin(pubsub.Start{Epoch: epoch, Last: f.last, Messages: messages, Whole: whole})
}

// receive passes messages from a queue to their followers, until the engine ends.
func (e *Engine) receive(queue <-chan *natsgo.Msg) {
	for {
		select {
		case <-e.ctx.Done():
			return
		case msg := <-queue:
			a, err := arrivalOf(msg)
			if err != nil {
				e.options.Logger.Warn("nats: dropped a message that the stream has not sent on: " + err.Error())
				continue
			}
			e.mu.Lock()
			f := e.followers[e.storedSubjectOf(msg.Subject)]
			e.mu.Unlock()
			if f != nil {
				f.arrive(a)
			}
		}
	}
}

// arrive takes a message that the stream has sent on.
func (f *follower) arrive(a arrival) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.stopped || a.Offset <= f.last && !f.reading:
	case f.reading:
		if len(f.waiting) < maxWaiting {
			f.waiting = append(f.waiting, a)
		}
	case f.isNext(a):
		f.deliver(a.Message)
	default:
		f.waiting = append(f.waiting, a)
		f.reading = true
		go f.catchUp()
	}
}

// isNext reports whether nothing is missing before a message. The lock is held.
func (f *follower) isNext(a arrival) bool {
	return a.previous == f.last || a.previous == 0 && !f.mayHaveMissed()
}

// mayHaveMissed reports whether messages after the last one that was delivered may have been stored and become too old meanwhile. They
// have not if no loss was suspected for as long as messages are stored. The lock is held.
func (f *follower) mayHaveMissed() bool {
	kept := f.engine.retention(f.options)
	doubted := f.engine.lastSuspicion()
	return kept > 0 && f.begunAt.Before(doubted) && time.Since(doubted) < kept
}

// deliver gives a message to the hub. The lock is held.
func (f *follower) deliver(m pubsub.Message) {
	f.last = m.Offset
	f.to.Deliver(m)
}

// deliverWaiting delivers the waiting messages up to the first gap, and drops those that were delivered. The lock is held.
func (f *follower) deliverWaiting() {
	for len(f.waiting) > 0 {
		a := f.waiting[0]
		switch {
		case a.Offset <= f.last:
		case f.isNext(a):
			f.deliver(a.Message)
		default:
			return
		}
		f.waiting = f.waiting[1:]
	}
	f.waiting = nil
}

// catchUp reads the missing messages from the stream, until none is missing. The caller has set reading.
func (f *follower) catchUp() {
	for try := 1; ; try++ {
		f.mu.Lock()
		last, epoch := f.last, f.epoch
		f.mu.Unlock()
		// Read the last delivered one too: if it is still stored, everything after it is.
		ctx, cancel := context.WithTimeout(f.engine.ctx, requestTimeout)
		messages, err := f.engine.read(ctx, f.subject, max(last, 1))
		cancel()
		if f.applyRead(epoch, messages, err, try) {
			return
		}
		select {
		case <-f.engine.ctx.Done():
			return
		case <-time.After(min(time.Duration(try)*100*time.Millisecond, maintainEvery)):
		}
	}
}

// applyRead delivers messages that were read, and reports whether none is missing any more. try counts from 1.
func (f *follower) applyRead(epoch string, messages []pubsub.Message, err error, try int) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.stopped:
		f.reading = false
		return true
	case err != nil || epoch != f.epoch:
		return false
	}
	anchored := len(messages) > 0 && messages[0].Offset == f.last
	lost := len(messages) > 0 && !anchored && (f.mayHaveMissed() || len(messages) >= f.engine.options.MaxHistory)
	if lost && messages[len(messages)-1].Offset > f.last {
		f.restart(f.epoch, messages)
	}
	for _, m := range messages {
		if m.Offset > f.last {
			f.deliver(m)
		}
	}
	f.deliverWaiting()
	if len(f.waiting) > 0 && try >= 12 {
		// The messages before this one are not stored any more.
		f.restart(f.epoch, []pubsub.Message{f.waiting[0].Message})
		f.deliverWaiting()
	}
	f.reading = len(f.waiting) > 0
	return !f.reading
}

// compare asks the stream for the last message of each topic, and catches up with the topics that have newer ones.
func (e *Engine) compare() {
	e.mu.Lock()
	epoch := e.epoch
	all := make([]*follower, 0, len(e.followers))
	for _, f := range e.followers {
		all = append(all, f)
	}
	e.mu.Unlock()
	const most = 256 // topics in one request
	for len(all) > 0 && e.ctx.Err() == nil {
		some := all[:min(len(all), most)]
		all = all[len(some):]
		bySubject := map[string]*follower{}
		var subjects []string
		for _, f := range some {
			if f.renew(epoch) {
				continue
			}
			bySubject[f.subject] = f
			subjects = append(subjects, f.subject)
		}
		if len(subjects) == 0 {
			continue
		}
		ctx, cancel := context.WithTimeout(e.ctx, requestTimeout)
		last, err := e.readLast(ctx, subjects)
		cancel()
		if err != nil {
			e.suspectLoss("topics cannot be compared", err)
			return
		}
		for subject, m := range last {
			if f := bySubject[subject]; f != nil {
				f.catchUpIfBehind(m.Offset)
			}
		}
	}
}

// catchUpIfBehind catches up if the stream is beyond the last message that was delivered.
func (f *follower) catchUpIfBehind(offset uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if offset > f.last && !f.reading && !f.stopped {
		f.reading = true
		go f.catchUp()
	}
}

// renew begins the topic again if the stream was created anew, and reports whether it was.
func (f *follower) renew(epoch string) bool {
	f.mu.Lock()
	if f.epoch == epoch || f.reading {
		f.mu.Unlock()
		return false
	}
	f.reading = true
	f.epoch = epoch
	f.mu.Unlock()
	ctx, cancel := context.WithTimeout(f.engine.ctx, requestTimeout)
	defer cancel()
	messages, err := f.readAll(ctx)
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil {
		f.epoch, f.reading = "", false // compare tries again
		return true
	}
	f.restart(epoch, messages)
	f.deliverWaiting()
	if f.reading = len(f.waiting) > 0; f.reading {
		go f.catchUp()
	}
	return true
}

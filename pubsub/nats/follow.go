package nats

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"strconv"
	"sync"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/synadia-io/orbit.go/jetstreamext"

	"github.com/seed-c4549abd/wss/pubsub"
)

// follower reads one topic for the hub. Messages come by core NATS, each with the offset of the one before it: if that is not the last one
// that was delivered, the follower reads the stream.
type follower struct {
	engine  *Engine
	topic   string
	subject string // in the stream
	options pubsub.TopicOptions
	to      pubsub.Follower
	begun   time.Time

	subMu sync.Mutex
	sub   *natsgo.Subscription // nil when the topic is not followed any more
	ended bool

	mu      sync.Mutex
	stopped bool
	epoch   string
	last    uint64 // offset of the last message that was delivered, or is older
	reading bool   // somebody reads the stream: what comes meanwhile waits
	waiting []arrival
}

// arrival is a message with the offset of the one before it in its topic; 0 if the stream has none any more.
type arrival struct {
	pubsub.Message
	before uint64
}

// maxWaiting is how many messages wait while the stream is read. What is left out is read.
const maxWaiting = 1024

// batch is how many messages are asked for at once.
const batch = 500

// Follow is for the hub.
func (e *Engine) Follow(ctx context.Context, topic string, o pubsub.TopicOptions, to pubsub.Follower) error {
	if o.History > e.options.MaxHistory {
		e.options.Logger.Warn("nats: a topic should keep more messages than Options.MaxHistory", slog.String("topic", topic), slog.Int("History", o.History))
		o.History = e.options.MaxHistory
	}
	if err := e.wait(ctx, func() bool { return e.epoch != "" }); err != nil {
		return unavailable(err)
	}
	f := &follower{engine: e, topic: topic, subject: e.stored(topic), options: o, to: to, begun: time.Now(), reading: true}
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

// Unfollow is for the hub.
func (e *Engine) Unfollow(topic string) {
	subject := e.stored(topic)
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

// subscribe subscribes to what the stream sends on.
func (f *follower) subscribe(nc *natsgo.Conn) (err error) {
	f.subMu.Lock()
	defer f.subMu.Unlock()
	if f.ended {
		return nil
	}
	e := f.engine
	lane := e.lanes[maphash.String(seed, f.subject)%uint64(len(e.lanes))]
	f.sub, err = nc.ChanSubscribe(e.live(f.topic), lane)
	return err
}

func (f *follower) stop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stopped, f.waiting = true, nil
}

// begin subscribes, reads what the stream has, and tells the hub.
func (f *follower) begin(ctx context.Context) (err error) {
	nc, _ := f.engine.link()
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
		go f.mend()
	}
	return nil
}

var seed = maphash.MakeSeed()

// readAll returns what the stream has of the topic, or only the last message if the hub keeps no history.
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

// restart tells the hub what there is. The lock is held.
func (f *follower) restart(epoch string, messages []pubsub.Message) {
	f.epoch, f.last = epoch, 0
	if n := len(messages); n > 0 {
		f.last = messages[n-1].Offset
	}
	if f.options.History <= 0 {
		messages = nil
	}
	whole := f.options.History > 0 && f.engine.keptFor(f.options) == 0 && len(messages) < f.engine.options.MaxHistory
	f.to.Begin(pubsub.Start{Epoch: epoch, Last: f.last, Messages: messages, Whole: whole})
}

// receive takes messages out of a lane.
func (e *Engine) receive(lane <-chan *natsgo.Msg) {
	for {
		select {
		case <-e.ctx.Done():
			return
		case msg := <-lane:
			a, err := arrivalOf(msg)
			if err != nil {
				e.options.Logger.Warn("nats: a message that the stream has not sent on was left out: " + err.Error())
				continue
			}
			e.mu.Lock()
			f := e.followers[e.storedOf(msg.Subject)]
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
	case f.follows(a):
		f.deliver(a.Message)
	default:
		f.waiting = append(f.waiting, a)
		f.reading = true
		go f.mend()
	}
}

// follows reports whether nothing is missing before a message. The lock is held.
func (f *follower) follows(a arrival) bool {
	return a.before == f.last || a.before == 0 && !f.mayHaveMissed()
}

// mayHaveMissed reports whether messages may have come and become too old unseen, since the last one that was delivered. It
// takes time to become too old, so they have not if all messages came for that time. The lock is held.
func (f *follower) mayHaveMissed() bool {
	kept := f.engine.keptFor(f.options)
	doubted := f.engine.lastDoubt()
	return kept > 0 && f.begun.Before(doubted) && time.Since(doubted) < kept
}

// deliver gives a message to the hub. The lock is held.
func (f *follower) deliver(m pubsub.Message) {
	f.last = m.Offset
	f.to.Deliver(m)
}

// deliverWaiting delivers those that wait and follow what was delivered, and forgets those that were. The lock is held.
func (f *follower) deliverWaiting() {
	for len(f.waiting) > 0 {
		a := f.waiting[0]
		switch {
		case a.Offset <= f.last:
		case f.follows(a):
			f.deliver(a.Message)
		default:
			return
		}
		f.waiting = f.waiting[1:]
	}
	f.waiting = nil
}

// mend reads from the stream what is missing. It is begun with reading set.
func (f *follower) mend() {
	for try := 1; ; try++ {
		f.mu.Lock()
		last, epoch := f.last, f.epoch
		f.mu.Unlock()
		// The last one too: if it is there, so is all that came behind it.
		ctx, cancel := context.WithTimeout(f.engine.ctx, requestWait)
		messages, err := f.engine.read(ctx, f.subject, max(last, 1))
		cancel()
		if f.mended(epoch, messages, err, try) {
			return
		}
		select {
		case <-f.engine.ctx.Done():
			return
		case <-time.After(min(time.Duration(try)*100*time.Millisecond, tendEvery)):
		}
	}
}

// mended takes what was read, and returns whether that was all.
func (f *follower) mended(epoch string, messages []pubsub.Message, err error, try int) bool {
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
		// The stream has no more what was before this one.
		f.restart(f.epoch, []pubsub.Message{f.waiting[0].Message})
		f.deliverWaiting()
	}
	f.reading = len(f.waiting) > 0
	return !f.reading
}

// compare looks whether the stream has messages of topics that were not delivered, and mends that.
func (e *Engine) compare() {
	e.mu.Lock()
	epoch := e.epoch
	all := make([]*follower, 0, len(e.followers))
	for _, f := range e.followers {
		all = append(all, f)
	}
	e.mu.Unlock()
	const most = 256 // of one request
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
		ctx, cancel := context.WithTimeout(e.ctx, requestWait)
		last, err := e.readLast(ctx, subjects)
		cancel()
		if err != nil {
			e.doubt("topics cannot be compared", err)
			return
		}
		for subject, m := range last {
			if f := bySubject[subject]; f != nil {
				f.behind(m.Offset)
			}
		}
	}
}

// behind mends a topic if the stream has more of it.
func (f *follower) behind(offset uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if offset > f.last && !f.reading && !f.stopped {
		f.reading = true
		go f.mend()
	}
}

// renew begins a topic again if the stream was made anew.
func (f *follower) renew(epoch string) bool {
	f.mu.Lock()
	if f.epoch == epoch || f.reading {
		f.mu.Unlock()
		return false
	}
	f.reading = true
	f.epoch = epoch
	f.mu.Unlock()
	ctx, cancel := context.WithTimeout(f.engine.ctx, requestWait)
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
		go f.mend()
	}
	return true
}

// read returns the messages of a subject from an offset on.
func (e *Engine) read(ctx context.Context, subject string, from uint64) (messages []pubsub.Message, err error) {
	for {
		_, js := e.link()
		all, err := jetstreamext.GetBatch(ctx, js, e.stream(), batch, jetstreamext.GetBatchSeq(from), jetstreamext.GetBatchSubject(subject))
		if err != nil {
			return nil, err
		}
		// A batch that is cut off by time ends without an error.
		pending := "unknown"
		for raw, err := range all {
			if errors.Is(err, jetstreamext.ErrNoMessages) {
				return messages, nil
			}
			if err != nil {
				return nil, err
			}
			messages = append(messages, messageOf(raw.Sequence, raw.Time, raw.Header, raw.Data))
			from, pending = raw.Sequence+1, raw.Header.Get("Nats-Num-Pending")
		}
		switch pending {
		case "0":
			return messages, nil
		case "unknown":
			return nil, errors.Join(context.Cause(ctx), natsgo.ErrTimeout)
		}
	}
}

// readLast returns the last message of each of some subjects.
func (e *Engine) readLast(ctx context.Context, subjects []string) (map[string]pubsub.Message, error) {
	_, js := e.link()
	all, err := jetstreamext.GetLastMsgsFor(ctx, js, e.stream(), subjects)
	if err != nil {
		return nil, err
	}
	last := map[string]pubsub.Message{}
	pending := "unknown"
	for raw, err := range all {
		if errors.Is(err, jetstreamext.ErrNoMessages) {
			return last, nil
		}
		if err != nil {
			return nil, err
		}
		last[raw.Subject] = messageOf(raw.Sequence, raw.Time, raw.Header, raw.Data)
		pending = raw.Header.Get("Nats-Num-Pending")
	}
	if pending != "0" {
		return nil, errors.Join(context.Cause(ctx), natsgo.ErrTimeout)
	}
	return last, nil
}

// arrivalOf reads a message that the stream has sent on.
func arrivalOf(msg *natsgo.Msg) (arrival, error) {
	offset, err := strconv.ParseUint(msg.Header.Get(jetstream.SequenceHeader), 10, 64)
	if err != nil {
		return arrival{}, err
	}
	before, err := strconv.ParseUint(msg.Header.Get(jetstream.LastSequenceHeader), 10, 64)
	if err != nil {
		return arrival{}, err
	}
	at, err := time.Parse(time.RFC3339Nano, msg.Header.Get(jetstream.TimeStampHeaer))
	if err != nil {
		return arrival{}, err
	}
	return arrival{messageOf(offset, at, msg.Header, msg.Data), before}, nil
}

func messageOf(offset uint64, at time.Time, header natsgo.Header, data []byte) pubsub.Message {
	key, _ := text(header.Get(keyHeader))
	origin, _ := text(header.Get(originHeader))
	return pubsub.Message{Offset: offset, Time: at, Key: key, Origin: origin, Data: data}
}

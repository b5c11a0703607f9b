package nats

import (
	"sync"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-c4549abd/wss/pubsub"
)

// roster is the members of all topics at all engines. Each engine writes its own members into a key-value bucket, under a key for
// each topic, engine and member, and watches the keys of the others. Engines send each other heartbeats by core NATS: the members
// of an engine that is silent count as gone.
type roster struct {
	engine  *Engine
	rewatch chan struct{} // signals that the bucket is to be watched from the beginning
	write   chan struct{} // signals that there is something in dirty
	notify  chan struct{} // signals that there is something in unnotified

	beats chan *natsgo.Msg

	mu         sync.Mutex
	bucket     jetstream.KeyValue
	seen       bool // the whole bucket has been read once
	peers      map[string]*peer
	topics     map[string]*topicMembers
	own        map[membership][]byte // what the bucket should say of this engine
	dirty      map[membership]bool   // where it may say something else
	unnotified map[membership]bool   // of which followers were not told yet

	notifying sync.Mutex // taken before mu: followers are told of one change at a time
}

// membership is a member of a topic.
type membership struct{ topic, member string }

// topicMembers is the members of one topic at other engines, and the follower that is told of them.
type topicMembers struct {
	to     pubsub.Follower              // nil: the topic is not followed
	remote map[string]map[string][]byte // by member and engine: Member.Info
}

func newRoster(e *Engine) *roster {
	return &roster{
		engine: e, beats: make(chan *natsgo.Msg, 256), rewatch: make(chan struct{}, 1), write: make(chan struct{}, 1), notify: make(chan struct{}, 1),
		peers: map[string]*peer{}, topics: map[string]*topicMembers{}, own: map[membership][]byte{}, dirty: map[membership]bool{}, unnotified: map[membership]bool{},
	}
}

// start starts the goroutines of the roster, which run until the engine ends. The bucket is watched once it is open.
func (r *roster) start() error {
	e := r.engine
	e.tasks.Go(func() { r.beat(r.beats) })
	e.tasks.Go(r.watchAlways)
	e.tasks.Go(r.writeAlways)
	e.tasks.Go(r.notifyAlways)
	return nil
}

// listen receives the heartbeats of other engines by a connection. The bucket is opened anew, by the same connection.
func (r *roster) listen(nc *natsgo.Conn) error {
	r.mu.Lock()
	r.bucket = nil
	r.mu.Unlock()
	_, err := nc.ChanSubscribe(r.engine.options.Prefix+".engines", r.beats)
	return err
}

// complete reports whether the members that other engines had at the start are known.
func (r *roster) complete() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.seen
}

// signal wakes the receiver of a channel with room for one signal. Signals that it has not received yet count as one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// memberChanged schedules that the follower of a topic is told whether a member is there. The lock is held.
func (r *roster) memberChanged(topic, member string) {
	if a := r.topics[topic]; a != nil && a.to != nil {
		r.unnotified[membership{topic, member}] = true
		signal(r.notify)
	}
}

// notifyAlways tells followers of the members that have changed, until the engine ends.
func (r *roster) notifyAlways() {
	for {
		select {
		case <-r.engine.ctx.Done():
			return
		case <-r.notify:
		}
		r.mu.Lock()
		changed := r.unnotified
		r.unnotified = map[membership]bool{}
		r.mu.Unlock()
		for p := range changed {
			r.notifyNow(p.topic, p.member)
		}
	}
}

// notifyNow tells the follower of a topic whether a member is there at the moment.
func (r *roster) notifyNow(topic, member string) {
	r.notifying.Lock()
	defer r.notifying.Unlock()
	r.mu.Lock()
	a := r.topics[topic]
	if a == nil || a.to == nil {
		r.mu.Unlock()
		return
	}
	to := a.to
	info, there := r.elsewhere(topic, member)
	r.mu.Unlock()
	if there {
		to.Joined(pubsub.Member{ID: member, Info: info})
	} else {
		to.Left(member)
	}
}

// elsewhere returns whether a member is connected to another engine that is alive, and its Info. The lock is held.
func (r *roster) elsewhere(topic, member string) (info []byte, there bool) {
	if a := r.topics[topic]; a != nil {
		for name, info := range a.remote[member] {
			if l := r.peers[name]; l != nil && !l.dead {
				return info, true
			}
		}
	}
	return nil, false
}

// follow tells a follower of the members at other engines, and from then on of each that joins or leaves.
func (r *roster) follow(topic string, to pubsub.Follower) {
	r.mu.Lock()
	a := r.membersOf(topic)
	a.to = to
	var members []string
	for member := range a.remote {
		members = append(members, member)
	}
	r.mu.Unlock()
	for _, member := range members {
		r.notifyNow(topic, member)
	}
}

func (r *roster) unfollow(topic string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if a := r.topics[topic]; a != nil {
		a.to = nil
		r.removeIfEmpty(topic)
	}
}

// membersOf returns the members of a topic, and makes the entry if there is none. The lock is held.
func (r *roster) membersOf(topic string) *topicMembers {
	a := r.topics[topic]
	if a == nil {
		a = &topicMembers{remote: map[string]map[string][]byte{}}
		r.topics[topic] = a
	}
	return a
}

// removeIfEmpty removes a topic that has neither a follower nor members. The lock is held.
func (r *roster) removeIfEmpty(topic string) {
	if a := r.topics[topic]; a != nil && a.to == nil && len(a.remote) == 0 {
		delete(r.topics, topic)
	}
}

// Join implements pubsub.Engine: it has the member written into the bucket.
func (e *Engine) Join(topic string, m pubsub.Member) {
	r := e.members
	r.mu.Lock()
	defer r.mu.Unlock()
	info := m.Info
	if info == nil {
		info = []byte{}
	}
	p := membership{topic, m.ID}
	r.own[p] = info
	r.dirty[p] = true
	signal(r.write)
}

// Leave implements pubsub.Engine: it has the member removed from the bucket.
func (e *Engine) Leave(topic, member string) (elsewhere bool) {
	r := e.members
	r.mu.Lock()
	defer r.mu.Unlock()
	p := membership{topic, member}
	delete(r.own, p)
	r.dirty[p] = true
	signal(r.write)
	_, elsewhere = r.elsewhere(topic, member)
	return elsewhere
}

package nats

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-c4549abd/wss/pubsub"
)

// roster is who is where. Each engine writes its own members into a key-value bucket, a key for each topic, engine and member, and
// watches those of all others. Engines tell each other by core NATS that they live: the members of one that is silent are not there.
type roster struct {
	engine *Engine
	again  chan struct{} // watch from the beginning
	write  chan struct{} // there is something in dirty
	tell   chan struct{} // there is something in changed

	beats chan *natsgo.Msg

	mu      sync.Mutex
	bucket  jetstream.KeyValue
	seen    bool // all that was in the bucket, once
	lives   map[string]*life
	topics  map[string]*attendance
	own     map[place][]byte // what the bucket should say of this engine
	dirty   map[place]bool   // where it may not
	changed map[place]bool   // what followers were not told yet

	telling sync.Mutex // taken before mu: followers are told one at a time, what is true by then
}

// life is one engine, from its start to its end.
type life struct {
	heard time.Time
	dead  bool
}

// place is a member in a topic.
type place struct{ topic, member string }

// attendance is the members of one topic with other engines, and who wants to know.
type attendance struct {
	to    pubsub.Follower // nil: nobody
	where map[string]map[string][]byte
}

func newRoster(e *Engine) *roster {
	return &roster{
		engine: e, beats: make(chan *natsgo.Msg, 256), again: make(chan struct{}, 1), write: make(chan struct{}, 1), tell: make(chan struct{}, 1),
		lives: map[string]*life{}, topics: map[string]*attendance{}, own: map[place][]byte{}, dirty: map[place]bool{}, changed: map[place]bool{},
	}
}

// start begins to listen to the other engines. The bucket is watched when it was opened.
func (r *roster) start() error {
	e := r.engine
	e.tasks.Go(func() { r.beat(r.beats) })
	e.tasks.Go(r.watchAlways)
	e.tasks.Go(r.writeAlways)
	e.tasks.Go(r.tellAlways)
	return nil
}

// listen lets the other engines be heard by a connection, and the bucket be opened by it.
func (r *roster) listen(nc *natsgo.Conn) error {
	r.mu.Lock()
	r.bucket = nil
	r.mu.Unlock()
	_, err := nc.ChanSubscribe(r.engine.options.Prefix+".engines", r.beats)
	return err
}

// complete reports whether the members of other engines are known, as far as they were there at the start.
func (r *roster) complete() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.seen
}

// open opens the bucket, and makes it if it is not there.
func (r *roster) open(ctx context.Context, js jetstream.JetStream) error {
	r.mu.Lock()
	known := r.bucket != nil
	r.mu.Unlock()
	if known {
		return nil
	}
	b, err := js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{
		Bucket: r.engine.options.Prefix + "_members", Description: "who is there, of package pubsub", History: 1,
		Storage: jetstream.FileStorage, Replicas: r.engine.options.Replicas, LimitMarkerTTL: purgeAfter,
	})
	if err != nil {
		return err
	}
	r.mu.Lock()
	r.bucket = b
	r.mu.Unlock()
	r.refresh()
	return nil
}

// refresh lets the bucket be read from its beginning, and written where it may be wrong.
func (r *roster) refresh() {
	r.mu.Lock()
	for p := range r.own {
		r.dirty[p] = true
	}
	r.mu.Unlock()
	signal(r.again)
	signal(r.write)
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// nodes is how many engines live.
func (r *roster) nodes() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 1
	for _, l := range r.lives {
		if !l.dead {
			n++
		}
	}
	return n
}

// beat tells the others that this engine lives, and notes which of them do.
func (r *roster) beat(beats <-chan *natsgo.Msg) {
	e := r.engine
	ticker := time.NewTicker(beatEvery)
	defer ticker.Stop()
	for {
		r.sayAlive()
		select {
		case <-e.ctx.Done():
			return
		case <-ticker.C:
			r.bury(time.Now())
			continue
		case msg := <-beats:
			r.hear(string(msg.Data))
		}
		for more := true; more; { // without a beat of our own for each
			select {
			case msg := <-beats:
				r.hear(string(msg.Data))
			case <-ticker.C:
				more = false
			case <-e.ctx.Done():
				return
			}
		}
		r.bury(time.Now())
	}
}

// sayAlive tells the others that this engine lives.
func (r *roster) sayAlive() {
	nc, _ := r.engine.link()
	_ = nc.Publish(r.engine.options.Prefix+".engines", []byte(r.engine.life))
}

const lastWord = "end "

// leave tells the others that this engine ends.
func (r *roster) leave() {
	e := r.engine
	nc, _ := e.link()
	if nc == nil {
		return
	}
	_ = nc.Publish(e.options.Prefix+".engines", []byte(lastWord+e.life))
	_ = nc.FlushTimeout(time.Second)
}

// hear notes what an engine has said.
func (r *roster) hear(word string) {
	name, ends := strings.CutPrefix(word, lastWord)
	if name == r.engine.life {
		return
	}
	r.mu.Lock()
	l := r.lives[name]
	if l == nil {
		l = &life{dead: true}
		r.lives[name] = l
	}
	l.heard = time.Now()
	was := l.dead
	l.dead = ends
	r.mu.Unlock()
	if was && !ends {
		r.sayAlive() // it may be new, and know nobody yet
	}
	if was != ends {
		r.turned(name)
		if was {
			r.engine.doubt("another engine is there", nil) // perhaps again, and what it has sent meanwhile was lost
		}
	}
}

// bury notes which engines have been silent, and deletes what they have left.
func (r *roster) bury(now time.Time) {
	var died, old []string
	r.mu.Lock()
	for name, l := range r.lives {
		silent := now.Sub(l.heard)
		if !l.dead && silent > deadAfter {
			l.dead = true
			died = append(died, name)
		}
		if l.dead && silent > purgeAfter {
			old = append(old, name)
		}
	}
	r.mu.Unlock()
	for _, name := range died {
		r.engine.doubt("another engine is silent", nil)
		r.turned(name)
	}
	for _, name := range old {
		r.purge(name)
	}
}

// purge deletes what a dead engine has left, from here and from the bucket.
func (r *roster) purge(name string) {
	var keys []string
	r.mu.Lock()
	for topic, a := range r.topics {
		for member, lives := range a.where {
			if _, there := lives[name]; there {
				keys = append(keys, key(topic, name, member))
			}
		}
	}
	bucket := r.bucket
	if len(keys) == 0 {
		delete(r.lives, name)
	}
	r.mu.Unlock()
	if bucket == nil {
		return
	}
	for _, k := range keys { // the watcher takes them out
		ctx, cancel := context.WithTimeout(r.engine.ctx, requestWait)
		err := bucket.Purge(ctx, k, jetstream.PurgeTTL(purgeAfter))
		cancel()
		if err != nil {
			return // in a second again
		}
	}
}

// turned tells followers of the members of an engine that has died, or lives again.
func (r *roster) turned(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for topic, a := range r.topics {
		for member, lives := range a.where {
			if _, there := lives[name]; there {
				r.told(topic, member)
			}
		}
	}
}

// told lets the follower of a topic be told whether a member is there. The lock is held.
func (r *roster) told(topic, member string) {
	if a := r.topics[topic]; a != nil && a.to != nil {
		r.changed[place{topic, member}] = true
		signal(r.tell)
	}
}

// tellAlways tells followers of what has changed, until the engine ends.
func (r *roster) tellAlways() {
	for {
		select {
		case <-r.engine.ctx.Done():
			return
		case <-r.tell:
		}
		r.mu.Lock()
		changed := r.changed
		r.changed = map[place]bool{}
		r.mu.Unlock()
		for p := range changed {
			r.tellNow(p.topic, p.member)
		}
	}
}

// tellNow tells the follower of a topic whether a member is there, as it is now.
func (r *roster) tellNow(topic, member string) {
	r.telling.Lock()
	defer r.telling.Unlock()
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

// elsewhere returns whether a member is there by another engine that lives. The lock is held.
func (r *roster) elsewhere(topic, member string) (info []byte, there bool) {
	if a := r.topics[topic]; a != nil {
		for name, info := range a.where[member] {
			if l := r.lives[name]; l != nil && !l.dead {
				return info, true
			}
		}
	}
	return nil, false
}

// follow tells a follower who is there, and from then on who comes and goes.
func (r *roster) follow(topic string, to pubsub.Follower) {
	r.mu.Lock()
	a := r.attendance(topic)
	a.to = to
	var members []string
	for member := range a.where {
		members = append(members, member)
	}
	r.mu.Unlock()
	for _, member := range members {
		r.tellNow(topic, member)
	}
}

func (r *roster) unfollow(topic string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if a := r.topics[topic]; a != nil {
		a.to = nil
		r.tidy(topic)
	}
}

// attendance returns a topic's, which it makes if there is none. The lock is held.
func (r *roster) attendance(topic string) *attendance {
	a := r.topics[topic]
	if a == nil {
		a = &attendance{where: map[string]map[string][]byte{}}
		r.topics[topic] = a
	}
	return a
}

// tidy forgets a topic of which there is nothing. The lock is held.
func (r *roster) tidy(topic string) {
	if a := r.topics[topic]; a != nil && a.to == nil && len(a.where) == 0 {
		delete(r.topics, topic)
	}
}

// Join is for the hub.
func (e *Engine) Join(topic string, m pubsub.Member) {
	r := e.members
	r.mu.Lock()
	defer r.mu.Unlock()
	info := m.Info
	if info == nil {
		info = []byte{}
	}
	p := place{topic, m.ID}
	r.own[p] = info
	r.dirty[p] = true
	signal(r.write)
}

// Leave is for the hub.
func (e *Engine) Leave(topic, member string) (elsewhere bool) {
	r := e.members
	r.mu.Lock()
	defer r.mu.Unlock()
	p := place{topic, member}
	delete(r.own, p)
	r.dirty[p] = true
	signal(r.write)
	_, elsewhere = r.elsewhere(topic, member)
	return elsewhere
}

// writeAlways writes into the bucket what has changed, until the engine ends.
func (r *roster) writeAlways() {
	for {
		select {
		case <-r.engine.ctx.Done():
			return
		case <-r.write:
		}
		for r.writeOne() {
		}
	}
}

// writeOne writes one key, and reports whether there may be more.
func (r *roster) writeOne() bool {
	r.mu.Lock()
	var p place
	found := false
	for p = range r.dirty {
		found = true
		break
	}
	info, there := r.own[p]
	bucket := r.bucket
	if found && bucket != nil {
		delete(r.dirty, p)
	}
	r.mu.Unlock()
	if !found || bucket == nil {
		return false
	}
	ctx, cancel := context.WithTimeout(r.engine.ctx, requestWait)
	defer cancel()
	k := key(p.topic, r.engine.life, p.member)
	var err error
	if there {
		_, err = bucket.Put(ctx, k, info)
	} else {
		err = bucket.Purge(ctx, k, jetstream.PurgeTTL(purgeAfter))
	}
	if err == nil {
		return true
	}
	r.mu.Lock()
	r.dirty[p] = true
	r.mu.Unlock()
	select {
	case <-r.engine.ctx.Done():
		return false
	case <-time.After(tendInDoubt):
		return true
	}
}

// watchAlways watches the bucket, from its beginning whenever refresh says so.
func (r *roster) watchAlways() {
	e := r.engine
	var watcher jetstream.KeyWatcher
	var updates <-chan jetstream.KeyValueEntry
	var seen map[string]bool // keys, until all that are in the bucket were seen
	stop := func() {
		if watcher != nil {
			_ = watcher.Stop()
		}
		watcher, updates = nil, nil
	}
	defer stop()
	for {
		select {
		case <-e.ctx.Done():
			return
		case <-r.again:
			stop()
			w, err := r.watch()
			if err != nil {
				time.AfterFunc(tendInDoubt, func() { signal(r.again) })
				continue
			}
			watcher, updates, seen = w, w.Updates(), map[string]bool{}
		case entry, ok := <-updates:
			switch {
			case !ok:
				updates = nil
				time.AfterFunc(tendInDoubt, func() { signal(r.again) })
			case entry == nil:
				r.keepOnly(seen)
				seen = nil
				e.membersAreKnown()
			default:
				if seen != nil {
					seen[entry.Key()] = true
				}
				r.update(entry)
			}
		}
	}
}

func (r *roster) watch() (jetstream.KeyWatcher, error) {
	r.mu.Lock()
	bucket := r.bucket
	r.mu.Unlock()
	if bucket == nil {
		return nil, errors.New("the bucket is not open yet")
	}
	return bucket.WatchAll(r.engine.ctx)
}

// update takes a change of the bucket.
func (r *roster) update(entry jetstream.KeyValueEntry) {
	topic, name, member, ok := splitKey(entry.Key())
	if !ok {
		return
	}
	there := entry.Operation() == jetstream.KeyValuePut
	r.mu.Lock()
	defer r.mu.Unlock()
	if name == r.engine.life {
		if _, want := r.own[place{topic, member}]; want != there { // others took this engine for dead
			r.dirty[place{topic, member}] = true
			signal(r.write)
		}
		return
	}
	if there {
		r.put(topic, name, member, entry.Value())
	} else {
		r.remove(topic, name, member)
	}
}

// put notes a member of another engine. The lock is held.
func (r *roster) put(topic, name, member string, info []byte) {
	a := r.attendance(topic)
	if a.where[member] == nil {
		a.where[member] = map[string][]byte{}
	}
	if len(info) == 0 {
		info = nil
	}
	a.where[member][name] = info
	if r.lives[name] == nil {
		r.lives[name] = &life{heard: time.Now(), dead: true} // if it lives, it says so within a second
	}
	r.told(topic, member)
}

// remove notes that a member of another engine is not there. The lock is held.
func (r *roster) remove(topic, name, member string) {
	a := r.topics[topic]
	if a == nil || a.where[member] == nil {
		return
	}
	delete(a.where[member], name)
	if len(a.where[member]) == 0 {
		delete(a.where, member)
	}
	r.told(topic, member)
	r.tidy(topic)
}

// keepOnly removes what is not in the bucket any more.
func (r *roster) keepOnly(seen map[string]bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen = true
	for topic, a := range r.topics {
		for member, lives := range a.where {
			for name := range lives {
				if !seen[key(topic, name, member)] {
					r.remove(topic, name, member)
				}
			}
		}
	}
}

// key is the bucket's for a member in a topic by an engine.
func key(topic, life, member string) string { return token(topic) + "." + life + "." + token(member) }

func splitKey(k string) (topic, life, member string, ok bool) {
	parts := strings.Split(k, ".")
	if len(parts) != 3 {
		return "", "", "", false
	}
	topic, ok1 := text(parts[0])
	member, ok2 := text(parts[2])
	return topic, parts[1], member, ok1 && ok2
}

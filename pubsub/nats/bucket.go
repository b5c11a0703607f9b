package nats

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// open opens the bucket, and creates it if there is none.
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

// refresh has the whole bucket read, and all members of this engine written again.
func (r *roster) refresh() {
	r.mu.Lock()
	for p := range r.own {
		r.dirty[p] = true
	}
	r.mu.Unlock()
	signal(r.rewatch)
	signal(r.write)
}

// writeAlways writes changed members of this engine into the bucket, until the engine ends.
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

// writeOne writes one key, and reports whether there may be more. After an error it waits for retryEvery.
func (r *roster) writeOne() bool {
	r.mu.Lock()
	var p membership
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
	ctx, cancel := context.WithTimeout(r.engine.ctx, requestTimeout)
	defer cancel()
	k := key(p.topic, r.engine.id, p.member)
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
	case <-time.After(retryEvery):
		return true
	}
}

// watchAlways watches the bucket until the engine ends, from its beginning again after each refresh.
func (r *roster) watchAlways() {
	e := r.engine
	var watcher jetstream.KeyWatcher
	var updates <-chan jetstream.KeyValueEntry
	var seen map[string]bool // the keys so far; nil once the whole bucket was read
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
		case <-r.rewatch:
			stop()
			w, err := r.watch()
			if err != nil {
				time.AfterFunc(retryEvery, func() { signal(r.rewatch) })
				continue
			}
			watcher, updates, seen = w, w.Updates(), map[string]bool{}
		case entry, ok := <-updates:
			switch {
			case !ok:
				updates = nil
				time.AfterFunc(retryEvery, func() { signal(r.rewatch) })
			case entry == nil:
				r.keepOnly(seen)
				seen = nil
				e.membersComplete()
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
		return nil, errors.New("the bucket of members is not open yet")
	}
	return bucket.WatchAll(r.engine.ctx)
}

// update applies a change of the bucket.
func (r *roster) update(entry jetstream.KeyValueEntry) {
	topic, name, member, ok := splitKey(entry.Key())
	if !ok {
		return
	}
	there := entry.Operation() == jetstream.KeyValuePut
	r.mu.Lock()
	defer r.mu.Unlock()
	if name == r.engine.id {
		if _, want := r.own[membership{topic, member}]; want != there { // others have deleted the keys of this engine, taking it for dead
			r.dirty[membership{topic, member}] = true
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

// put adds a member at another engine. The lock is held.
func (r *roster) put(topic, name, member string, info []byte) {
	a := r.membersOf(topic)
	if a.remote[member] == nil {
		a.remote[member] = map[string][]byte{}
	}
	if len(info) == 0 {
		info = nil
	}
	a.remote[member][name] = info
	if r.peers[name] == nil {
		r.peers[name] = &peer{lastBeat: time.Now(), dead: true} // until its first heartbeat, within a second
	}
	r.memberChanged(topic, member)
}

// remove removes a member at another engine. The lock is held.
func (r *roster) remove(topic, name, member string) {
	a := r.topics[topic]
	if a == nil || a.remote[member] == nil {
		return
	}
	delete(a.remote[member], name)
	if len(a.remote[member]) == 0 {
		delete(a.remote, member)
	}
	r.memberChanged(topic, member)
	r.removeIfEmpty(topic)
}

// keepOnly removes the members whose keys are not in the bucket any more.
func (r *roster) keepOnly(seen map[string]bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen = true
	for topic, a := range r.topics {
		for member, engines := range a.remote {
			for name := range engines {
				if !seen[key(topic, name, member)] {
					r.remove(topic, name, member)
				}
			}
		}
	}
}

// key returns the key in the bucket of a member of a topic at an engine.
func key(topic, engine, member string) string {
	return escape(topic) + "." + engine + "." + escape(member)
}

// splitKey undoes key. ok is false for a key that key does not make.
func splitKey(k string) (topic, engine, member string, ok bool) {
	parts := strings.Split(k, ".")
	if len(parts) != 3 {
		return "", "", "", false
	}
	topic, ok1 := unescape(parts[0])
	member, ok2 := unescape(parts[2])
	return topic, parts[1], member, ok1 && ok2
}

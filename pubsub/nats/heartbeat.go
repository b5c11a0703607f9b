package nats

import (
	"context"
	"strings"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// peer is another engine, from its start to its end.
type peer struct {
	lastBeat time.Time
	dead     bool
}

// nodes returns how many engines are alive, this one included.
func (r *roster) nodes() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 1
	for _, p := range r.peers {
		if !p.dead {
			n++
		}
	}
	return n
}

// beat sends heartbeats, and receives those of the other engines, until the engine ends.
func (r *roster) beat(beats <-chan *natsgo.Msg) {
	e := r.engine
	ticker := time.NewTicker(beatEvery)
	defer ticker.Stop()
	for {
		r.sendBeat()
		select {
		case <-e.ctx.Done():
			return
		case <-ticker.C:
			r.expirePeers(time.Now())
			continue
		case msg := <-beats:
			r.noteBeat(string(msg.Data))
		}
		for more := true; more; { // until the next heartbeat of our own is due
			select {
			case msg := <-beats:
				r.noteBeat(string(msg.Data))
			case <-ticker.C:
				more = false
			case <-e.ctx.Done():
				return
			}
		}
		r.expirePeers(time.Now())
	}
}

// sendBeat tells the other engines that this one is alive.
func (r *roster) sendBeat() {
	nc, _ := r.engine.connection()
	_ = nc.Publish(r.engine.options.Prefix+".engines", []byte(r.engine.id))
}

// endMark is before the ID of an engine that ends.
const endMark = "end "

// sendEnd tells the other engines that this one ends.
func (r *roster) sendEnd() {
	e := r.engine
	nc, _ := e.connection()
	if nc == nil {
		return
	}
	_ = nc.Publish(e.options.Prefix+".engines", []byte(endMark+e.id))
	_ = nc.FlushTimeout(time.Second)
}

// noteBeat takes a heartbeat of another engine, or its end.
func (r *roster) noteBeat(word string) {
	name, ends := strings.CutPrefix(word, endMark)
	if name == r.engine.id {
		return
	}
	r.mu.Lock()
	p := r.peers[name]
	if p == nil {
		p = &peer{dead: true}
		r.peers[name] = p
	}
	p.lastBeat = time.Now()
	was := p.dead
	p.dead = ends
	r.mu.Unlock()
	if was && !ends {
		r.sendBeat() // it may have started just now, and know nobody yet
	}
	if was != ends {
		r.engineChanged(name)
		if was {
			r.engine.suspectLoss("another engine is there", nil) // it may have been cut off, so that messages were lost
		}
	}
}

// expirePeers notes which engines have been silent for deadAfter, and deletes the keys of those that were for purgeAfter.
func (r *roster) expirePeers(now time.Time) {
	var died, old []string
	r.mu.Lock()
	for name, p := range r.peers {
		silent := now.Sub(p.lastBeat)
		if !p.dead && silent > deadAfter {
			p.dead = true
			died = append(died, name)
		}
		if p.dead && silent > purgeAfter {
			old = append(old, name)
		}
	}
	r.mu.Unlock()
	for _, name := range died {
		r.engine.suspectLoss("another engine is silent", nil)
		r.engineChanged(name)
	}
	for _, name := range old {
		r.purge(name)
	}
}

// purge deletes the keys of a dead engine from the bucket, and forgets it when it has none.
func (r *roster) purge(name string) {
	var keys []string
	r.mu.Lock()
	for topic, a := range r.topics {
		for member, engines := range a.remote {
			if _, there := engines[name]; there {
				keys = append(keys, key(topic, name, member))
			}
		}
	}
	bucket := r.bucket
	if len(keys) == 0 {
		delete(r.peers, name)
	}
	r.mu.Unlock()
	if bucket == nil {
		return
	}
	for _, k := range keys { // watchAlways then removes the members
		ctx, cancel := context.WithTimeout(r.engine.ctx, requestTimeout)
		err := bucket.Purge(ctx, k, jetstream.PurgeTTL(purgeAfter))
		cancel()
		if err != nil {
			return // expirePeers tries again in a second
		}
	}
}

// engineChanged schedules that followers are told of the members of an engine that has died or is alive again.
func (r *roster) engineChanged(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for topic, a := range r.topics {
		for member, engines := range a.remote {
			if _, there := engines[name]; there {
				r.memberChanged(topic, member)
			}
		}
	}
}

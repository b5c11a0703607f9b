package pubsub_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/conntest"
	"github.com/seed-c4549abd/wss/pubsub"
)

// world is what the engines of a test share. The offsets of its topics are one series, and a message takes some time to followers.
type world struct {
	mu      sync.Mutex
	last    uint64
	kept    map[string][]pubsub.Message
	engines []*worldEngine
}

// worldEngine is one hub's.
type worldEngine struct {
	world     *world
	delay     time.Duration
	broken    error // what Follow and Publish return
	hangs     bool  // Follow waits for its context
	followers map[string]pubsub.Follower
	here      map[string]map[string]bool // members by topic
	unfollows int
}

func (w *world) engine(delay time.Duration) *worldEngine {
	e := &worldEngine{world: w, delay: delay, followers: map[string]pubsub.Follower{}, here: map[string]map[string]bool{}}
	w.engines = append(w.engines, e)
	return e
}

func (e *worldEngine) Follow(ctx context.Context, topic string, o pubsub.TopicOptions, to pubsub.Follower) error {
	w := e.world
	w.mu.Lock()
	if e.hangs {
		w.mu.Unlock()
		<-ctx.Done()
		return ctx.Err()
	}
	if e.broken != nil || e.followers[topic] != nil {
		defer w.mu.Unlock()
		return errors.Join(e.broken, ctx.Err())
	}
	e.followers[topic] = to
	messages := slices.Clone(w.kept[topic])
	var members []string
	for _, other := range w.engines {
		if other != e {
			members = append(members, slices.Collect(maps.Keys(other.here[topic]))...)
		}
	}
	w.mu.Unlock()
	s := pubsub.Start{Epoch: "E", Messages: messages, Whole: true}
	if len(messages) > 0 {
		s.Last = messages[len(messages)-1].Offset
	}
	to.Begin(s)
	for _, m := range members {
		to.Joined(pubsub.Member{ID: m})
	}
	return nil
}

func (e *worldEngine) Unfollow(topic string) {
	e.world.mu.Lock()
	defer e.world.mu.Unlock()
	delete(e.followers, topic)
	e.unfollows++
}

func (e *worldEngine) Publish(_ context.Context, topic string, _ pubsub.TopicOptions, m pubsub.Message) (pubsub.Position, error) {
	w := e.world
	w.mu.Lock()
	defer w.mu.Unlock()
	if e.broken != nil {
		return pubsub.Position{}, e.broken
	}
	w.last += 3 // others have the numbers between
	m.Offset, m.Time = w.last, time.Now()
	w.kept[topic] = append(w.kept[topic], m)
	for _, other := range w.engines {
		time.AfterFunc(other.delay, func() {
			w.mu.Lock()
			to := other.followers[topic]
			w.mu.Unlock()
			if to != nil {
				to.Deliver(m)
			}
		})
	}
	return pubsub.Position{Epoch: "E", Offset: m.Offset}, nil
}

func (e *worldEngine) Reached(_ context.Context, at pubsub.Position) (bool, error) {
	e.world.mu.Lock()
	defer e.world.mu.Unlock()
	return at.Offset <= e.world.last, e.broken
}

func (e *worldEngine) others(topic string, f func(pubsub.Follower)) {
	for _, other := range e.world.engines {
		if to := other.followers[topic]; to != nil && other != e {
			go f(to)
		}
	}
}

func (e *worldEngine) Join(topic string, m pubsub.Member) {
	e.world.mu.Lock()
	defer e.world.mu.Unlock()
	if e.here[topic] == nil {
		e.here[topic] = map[string]bool{}
	}
	e.here[topic][m.ID] = true
	e.others(topic, func(to pubsub.Follower) { to.Joined(m) })
}

func (e *worldEngine) Leave(topic, member string) (elsewhere bool) {
	e.world.mu.Lock()
	defer e.world.mu.Unlock()
	delete(e.here[topic], member)
	for _, other := range e.world.engines {
		elsewhere = elsewhere || other.here[topic][member]
	}
	if !elsewhere {
		e.others(topic, func(to pubsub.Follower) { to.Left(member) })
	}
	return elsewhere
}

// hubs are three that share a world: the second one hears of messages half a second later.
func hubs(t *testing.T, test func(t *testing.T, w *world, hubs []*pubsub.Hub, servers []*conntest.Server)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{kept: map[string][]pubsub.Message{}}
		var all []*pubsub.Hub
		var servers []*conntest.Server
		for _, delay := range []time.Duration{0, 500 * time.Millisecond, 0} {
			h := pubsub.New(&pubsub.Options{
				Engine: w.engine(delay), Authorize: pubsub.Anyone,
				Topic:  func(string) pubsub.TopicOptions { return pubsub.TopicOptions{History: 10, Presence: true} },
				Member: func(c *conn.Conn) pubsub.Member { return pubsub.Member{ID: userOf(c)} },
			})
			all = append(all, h)
			servers = append(servers, conntest.NewServer(t, h.Handler(&conn.AcceptOptions{ConnContext: withUser}), nil))
		}
		test(t, w, all, servers)
	})
}

// TestHubsShareTopics: messages, those who are left out, members, history, and who comes back by another hub.
func TestHubsShareTopics(t *testing.T) {
	hubs(t, func(t *testing.T, w *world, all []*pubsub.Hub, servers []*conntest.Server) {
		ann, bob := client{servers[0].Connect("/?user=ann", nil), t}, client{servers[1].Connect("/?user=bob", nil), t}
		if f := ann.ask(`{"type":"subscribe","topic":"a"}`); f.Epoch != "E" || f.Offset != 0 {
			t.Errorf("%+v", f)
		}
		if f := bob.ask(`{"type":"subscribe","topic":"a"}`); len(f.Members) != 1 || f.Members[0].ID != "ann" {
			t.Errorf("%+v", f)
		}
		ann.want("join a 0 bob")
		if f := bob.ask(`{"type":"publish","id":"1","topic":"a","data":1,"echo":false}`); f.Type != "published" || f.Offset != 3 {
			t.Errorf("%+v", f)
		}
		ann.want("message a 3 1")
		publish(t, all[2], "a", "2") // without subscribers there
		ann.want("message a 6 2")
		bob.want("message a 6 2")
		if n := len(w.engines[2].followers); n != 0 {
			t.Errorf("a hub that publishes follows %d topics", n)
		}
		if messages, at, complete, err := all[2].History(bg, "a", pubsub.Position{}, 0); len(messages) != 2 || at.Offset != 6 || !complete || err != nil {
			t.Errorf("%v, %v, %v, %v", messages, at, complete, err)
		}
		if members, err := all[2].Presence(bg, "a"); len(members) != 2 || err != nil {
			t.Errorf("%v, %v", members, err)
		}
		if e := w.engines[2]; len(e.followers) != 0 || e.unfollows != 2 {
			t.Errorf("a hub that was asked follows %d topics, and has unfollowed %d", len(e.followers), e.unfollows)
		}

		publish(t, all[0], "a", "3")
		ann.want("message a 9 3")
		_ = ann.CloseNow()
		bob.want("leave a 0 ann")
		// The second hub has not heard of the last message that she has, and does not send it twice.
		ann = client{servers[1].Connect("/?user=ann", nil), t}
		if f := ann.ask(`{"type":"subscribe","topic":"a","since":{"epoch":"E","offset":9}}`); !*f.Recovered || f.Offset != 9 {
			t.Errorf("%+v", f)
		}
		bob.want("join a 0 ann")
		bob.want("message a 9 3")
		publish(t, all[0], "a", "4")
		ann.want("message a 12 4")
		bob.want("message a 12 4")
		_ = ann.CloseNow()
		bob.want("leave a 0 ann")
		publish(t, all[0], "a", "5")
		bob.want("message a 15 5")
		ann = client{servers[2].Connect("/?user=ann", nil), t}
		if f := ann.ask(`{"type":"subscribe","topic":"a","since":{"epoch":"E","offset":6}}`); !*f.Recovered || f.Offset != 8 {
			t.Errorf("%+v", f)
		}
		for i := range 3 {
			ann.want(fmt.Sprintf("message a %d %d", 9+3*i, 3+i))
		}
		// Nobody can have had this one: the engine has lost some, or the client is mistaken.
		carl := client{servers[1].Connect("/?user=carl", nil), t}
		if f := carl.ask(`{"type":"subscribe","topic":"a","since":{"epoch":"E","offset":99}}`); *f.Recovered || f.Offset != 15 {
			t.Errorf("%+v", f)
		}
	})
}

// TestAMemberWithConnectionsToTwoHubs leaves with the last one.
func TestAMemberWithConnectionsToTwoHubs(t *testing.T) {
	hubs(t, func(t *testing.T, _ *world, _ []*pubsub.Hub, servers []*conntest.Server) {
		watch := client{servers[0].Connect("/", nil), t}
		watch.ask(`{"type":"subscribe","topic":"a"}`)
		first, second := client{servers[0].Connect("/?user=ann", nil), t}, client{servers[1].Connect("/?user=ann", nil), t}
		first.ask(`{"type":"subscribe","topic":"a"}`)
		watch.want("join a 0 ann")
		second.ask(`{"type":"subscribe","topic":"a"}`)
		watch.silent()
		_ = first.CloseNow()
		watch.silent()
		_ = second.CloseNow()
		watch.want("leave a 0 ann")
	})
}

// TestSubscribersAreToldOfWhatIsGone: a new beginning of an engine's, in the same epoch and in another.
func TestSubscribersAreToldOfWhatIsGone(t *testing.T) {
	hubs(t, func(t *testing.T, w *world, _ []*pubsub.Hub, servers []*conntest.Server) {
		c := client{servers[0].Connect("/", nil), t}
		c.ask(`{"type":"subscribe","topic":"a"}`)
		w.mu.Lock()
		to := w.engines[0].followers["a"]
		w.mu.Unlock()
		to.Deliver(pubsub.Message{Offset: 5, Data: []byte("1"), Time: time.Now()})
		to.Deliver(pubsub.Message{Offset: 5, Data: []byte("1"), Time: time.Now()}) // once more
		c.want("message a 5 1")
		for i, epoch := range []string{"E", "F"} {
			offset := uint64(40 - 20*i)
			to.Begin(pubsub.Start{Epoch: epoch, Last: offset, Messages: []pubsub.Message{{Offset: offset, Data: []byte("2"), Time: time.Now()}}})
			if f := c.next(); f.Type != "subscribed" || f.Topic != "a" || f.Recovered == nil || *f.Recovered || f.Offset != offset || f.Epoch != epoch {
				t.Errorf("%+v", f)
			}
			to.Deliver(pubsub.Message{Offset: offset + 1, Data: []byte("3"), Time: time.Now()})
			c.want(fmt.Sprintf("message a %d 3", offset+1))
		}
		late := client{servers[0].Connect("/", nil), t}
		if f := late.ask(`{"type":"subscribe","topic":"a","since":{"epoch":"F","offset":19}}`); *f.Recovered {
			t.Errorf("what was before the kept messages is not known: %+v", f)
		}
	})
}

// TestAnEngineThatFails: clients are told to try again, and a topic that could not begin can begin later.
func TestAnEngineThatFails(t *testing.T) {
	hubs(t, func(t *testing.T, w *world, _ []*pubsub.Hub, servers []*conntest.Server) {
		e := w.engines[0]
		c := client{servers[0].Connect("/", nil), t}
		requests := []string{`{"type":"subscribe","topic":"a"}`, `{"type":"publish","topic":"a","data":1}`, `{"type":"history","topic":"a"}`, `{"type":"presence","topic":"a"}`}
		set := func(broken error, hangs bool) {
			w.mu.Lock()
			defer w.mu.Unlock()
			e.broken, e.hangs = broken, hangs
		}
		set(fmt.Errorf("no cluster: %w", pubsub.ErrUnavailable), false)
		for _, request := range requests {
			if f := c.ask("%s", request); f.Type != "error" || f.Code != pubsub.CodeUnavailable {
				t.Errorf("%s: %+v", request, f)
			}
		}
		set(nil, true)
		for _, request := range requests[2:] {
			if f := c.ask("%s", request); f.Type != "error" || f.Code != pubsub.CodeUnavailable {
				t.Errorf("%s of an engine that hangs: %+v", request, f)
			}
		}
		set(nil, false)
		if f := c.ask(`{"type":"subscribe","topic":"a"}`); f.Type != "subscribed" {
			t.Errorf("%+v", f)
		}
		_ = c.CloseNow()
		time.Sleep(time.Second)
		w.mu.Lock()
		defer w.mu.Unlock()
		if len(e.followers) != 0 {
			t.Errorf("topics are followed that nobody needs: %v", e.followers)
		}
	})
}

// TestManyAskAtOnce for topics that begin and end all the time: every request is answered, and no topic remains.
func TestManyAskAtOnce(t *testing.T) {
	hubs(t, func(t *testing.T, w *world, all []*pubsub.Hub, servers []*conntest.Server) {
		var tasks sync.WaitGroup
		for i := range 20 {
			h, s := all[i%2], servers[i%2]
			tasks.Go(func() {
				c := client{s.Connect(fmt.Sprintf("/?user=u%d", i), nil), t}
				defer func() { _ = c.CloseNow() }()
				for n := range 50 {
					topic := fmt.Sprint("t", n%3)
					c.say(`{"type":"subscribe","id":"s","topic":%q}`, topic)
					for f := c.next(); f.ID != "s"; f = c.next() {
					}
					if _, err := h.Publish(bg, topic, []byte("1")); err != nil {
						t.Error(err)
					}
					c.say(`{"type":"unsubscribe","id":"u","topic":%q}`, topic)
					for f := c.next(); f.ID != "u"; f = c.next() {
					}
				}
			})
		}
		tasks.Wait()
		time.Sleep(time.Second)
		for i, h := range all {
			if s := h.Stats(); s.Topics != 0 || len(w.engines[i].followers) != 0 {
				t.Errorf("%+v, %v", s, w.engines[i].followers)
			}
		}
	})
}

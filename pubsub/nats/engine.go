package nats

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-c4549abd/wss/pubsub"
)

// Engine is a pubsub.Engine. Start makes one. Its methods may be called by many goroutines at once.
type Engine struct {
	options   Options
	life      string // a name that no other engine has or has had
	server    *server.Server
	temporary string   // a folder to remove
	password  string   // of the server in this process, if it has a port
	lock      *os.File // on the server's folder
	members   *roster
	lanes     []chan *natsgo.Msg // messages from the stream, those of one topic in one lane
	wake      chan struct{}
	ctx       context.Context // ends with Close
	cancel    context.CancelFunc
	tasks     sync.WaitGroup

	mu        sync.Mutex
	nc        *natsgo.Conn // made anew if NATS gives it up
	js        jetstream.JetStream
	closed    bool
	epoch     string    // of the stream; "" until it was seen
	trouble   error     // why there is no stream now
	since     time.Time // when the trouble began
	doubted   time.Time
	followers map[string]*follower // by subject
	changed   chan struct{}        // closed when epoch or trouble change
}

var _ pubsub.Engine = (*Engine)(nil)

// Start starts an engine. It does not wait for other servers: see [Engine.Ready]. The error is an *OptionError, or says why the server in this
// process cannot start.
func Start(o Options) (*Engine, error) {
	o, err := o.check()
	if err != nil {
		return nil, err
	}
	e := &Engine{
		options: o, life: rand.Text(), wake: make(chan struct{}, 1), followers: map[string]*follower{}, changed: make(chan struct{}),
		trouble: errors.New("the stream of topics was not found yet"), since: time.Now(), doubted: time.Now(),
	}
	e.ctx, e.cancel = context.WithCancel(context.Background())
	e.members = newRoster(e)
	if err := e.start(); err != nil {
		e.stop()
		return nil, err
	}
	return e, nil
}

// start starts what runs until Close.
func (e *Engine) start() (err error) {
	if e.options.URL == "" {
		if err := e.startServer(); err != nil {
			return err
		}
	}
	if err := e.connect(); err != nil {
		return &OptionError{"URL", "cannot be used: " + err.Error()}
	}
	for range 4 {
		lane := make(chan *natsgo.Msg, 16<<10)
		e.lanes = append(e.lanes, lane)
		e.tasks.Go(func() { e.receive(lane) })
	}
	e.tasks.Go(e.tend)
	return e.members.start()
}

// connect makes the connection to NATS. It makes connections again by itself, and this one is for when NATS gives it up.
func (e *Engine) connect() error {
	nc, err := natsgo.Connect(e.options.URL, e.connectOptions()...)
	if err != nil {
		return err
	}
	js, err := jetstream.New(nc)
	if err != nil {
		nc.Close()
		return err
	}
	e.mu.Lock()
	e.nc, e.js = nc, js
	followers := slices.Collect(maps.Values(e.followers))
	e.mu.Unlock()
	for _, f := range followers {
		if err := f.subscribe(nc); err != nil {
			nc.Close()
			return err
		}
	}
	return e.members.listen(nc)
}

// link is the connection to NATS.
func (e *Engine) link() (*natsgo.Conn, jetstream.JetStream) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.nc, e.js
}

// Status is how an engine is.
type Status struct {
	// Ready says that messages can be published.
	Ready bool
	// Err says why they cannot; nil if Ready.
	Err error
	// Nodes is how many engines there are that this one hears of, itself among them.
	Nodes int
	// Topics is how many topics this one follows.
	Topics int
}

// Status returns how the engine is, for a health check. It does not wait: what it says may be some seconds old.
func (e *Engine) Status() Status {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := Status{Ready: e.trouble == nil && !e.closed, Err: e.trouble, Nodes: e.members.nodes(), Topics: len(e.followers)}
	if e.closed {
		s.Err = ErrClosed
	}
	return s
}

// Ready waits until messages can be published, and members of other engines are known. The error is the context's, with what is wrong; or ErrClosed.
func (e *Engine) Ready(ctx context.Context) error {
	return e.wait(ctx, func() bool { return e.trouble == nil && e.members.complete() })
}

// Reached is for the hub: whether the stream is at an offset, or behind it.
func (e *Engine) Reached(ctx context.Context, at pubsub.Position) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, requestWait)
	defer cancel()
	_, js := e.link()
	s, err := js.Stream(ctx, e.stream()) // it asks the stream's leader
	if err != nil {
		return false, unavailable(err)
	}
	info := s.CachedInfo()
	return epochOf(info) == at.Epoch && at.Offset <= info.State.LastSeq, nil
}

// Delete forgets all messages of a topic, on all nodes' disks. Hubs that follow the topic keep their copies until nobody has
// subscribed any more.
func (e *Engine) Delete(ctx context.Context, topic string) error {
	_, js := e.link()
	s, err := js.Stream(ctx, e.stream())
	if err != nil {
		return unavailable(err)
	}
	return s.Purge(ctx, jetstream.WithPurgeSubject(e.stored(topic)))
}

func epochOf(info *jetstream.StreamInfo) string {
	return strconv.FormatInt(info.Created.UnixNano(), 36)
}

// wait waits for a condition, which is asked under the lock.
func (e *Engine) wait(ctx context.Context, done func() bool) error {
	for {
		e.mu.Lock()
		ok, closed, changed, trouble := done(), e.closed, e.changed, e.trouble
		e.mu.Unlock()
		switch {
		case closed:
			return ErrClosed
		case ok:
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), trouble)
		}
	}
}

// Close leaves the cluster: others are told that the members here are gone, and the server in this process stops. Close the connections of the
// hub first. More calls do nothing.
func (e *Engine) Close() error {
	e.mu.Lock()
	closed := e.closed
	e.closed = true
	e.change()
	e.mu.Unlock()
	if closed {
		return nil
	}
	e.members.leave()
	return e.stop()
}

// stop ends what start has started.
func (e *Engine) stop() error {
	e.cancel()
	if nc, _ := e.link(); nc != nil {
		nc.Close()
	}
	e.tasks.Wait()
	if e.server != nil {
		e.server.Shutdown()
		e.server.WaitForShutdown()
	}
	if e.lock != nil {
		_ = e.lock.Close()
	}
	if e.temporary != "" {
		return os.RemoveAll(e.temporary)
	}
	return nil
}

// membersAreKnown wakes those who wait for that.
func (e *Engine) membersAreKnown() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.change()
}

// change wakes those who wait. The lock is held.
func (e *Engine) change() {
	close(e.changed)
	e.changed = make(chan struct{})
}

// doubt notes that messages from the stream may have been lost, so that all topics are compared with it.
func (e *Engine) doubt(what string, err error) {
	e.mu.Lock()
	e.doubted = time.Now()
	e.mu.Unlock()
	if err != nil {
		e.options.Logger.Warn("nats: "+what, slog.Any("error", err))
	}
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// lastDoubt is when it was doubted last that all messages come.
func (e *Engine) lastDoubt() time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.doubted
}

func (e *Engine) stream() string             { return e.options.Prefix + "_topics" }
func (e *Engine) stored(topic string) string { return e.options.Prefix + ".topic." + token(topic) }
func (e *Engine) live(topic string) string   { return e.options.Prefix + ".live." + token(topic) }
func (e *Engine) storedOf(live string) string {
	return e.options.Prefix + ".topic." + live[len(e.live("")):]
}

// streamConfig is the stream's. A message is sent on when it is stored, with the number of the one before it.
func (e *Engine) streamConfig() jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:        e.stream(),
		Description: "messages of package pubsub",
		Subjects:    []string{e.stored("") + "*"},
		Storage:     jetstream.FileStorage, Replicas: e.options.Replicas,
		MaxMsgsPerSubject: int64(e.options.MaxHistory), MaxBytes: e.options.MaxBytes, MaxAge: e.options.MaxAge, Duplicates: rememberFor,
		Discard:     jetstream.DiscardNew, // when MaxBytes is reached, rather than to lose what others count on
		AllowDirect: true, AllowMsgTTL: true,
		RePublish: &jetstream.RePublish{Source: e.stored("") + "*", Destination: e.live("") + "{{wildcard(1)}}"},
	}
}

// tend looks after the stream, and after the topics that are followed, until the engine ends.
func (e *Engine) tend() {
	looked := time.Now()
	for configured := false; ; {
		epoch, err := e.lookAtStream(&configured)
		e.found(epoch, err)
		if err == nil {
			e.compare()
		}
		period := tendEvery
		if err != nil || time.Since(e.lastDoubt()) < 3*tendEvery {
			period = tendInDoubt
		}
		select {
		case <-e.ctx.Done():
			return
		case <-e.wake:
			// Not at once, for signs of trouble come in crowds.
			select {
			case <-e.ctx.Done():
				return
			case <-time.After(tendInDoubt / 4):
			}
		case <-time.After(period):
		}
		if time.Since(looked) > 3*tendEvery {
			e.doubt("this process has stood still", nil)
		}
		looked = time.Now()
	}
}

// lookAtStream makes the stream if it is not there, and returns its epoch.
func (e *Engine) lookAtStream(configured *bool) (epoch string, err error) {
	ctx, cancel := context.WithTimeout(e.ctx, requestWait)
	defer cancel()
	nc, js := e.link()
	if nc.IsClosed() {
		if err := e.connect(); err != nil {
			return "", err
		}
		nc, js = e.link()
	}
	defer func() {
		// NATS knows better why nobody answers.
		if why := nc.LastError(); err != nil && why != nil {
			err = fmt.Errorf("%w: %w", err, why)
		}
	}()
	var s jetstream.Stream
	if *configured {
		s, err = js.Stream(ctx, e.stream())
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

// found notes what lookAtStream has found.
func (e *Engine) found(epoch string, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	before := e.trouble
	e.trouble = err
	if err != nil {
		e.doubted = time.Now()
		if before == nil {
			e.since = time.Now()
			e.options.Logger.Warn("nats: topics are out of reach", slog.Any("error", err))
			e.change()
		}
		return
	}
	if before != nil {
		e.options.Logger.Info("nats: topics can be reached")
	}
	e.epoch = epoch
	if before != nil {
		e.members.refresh()
		e.change()
	}
}

// hopeless reports whether the stream has been out of reach for so long that nobody should wait for it.
func (e *Engine) hopeless() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.hopelessNow()
}

// hopelessNow is hopeless, with the lock held.
func (e *Engine) hopelessNow() bool {
	return e.trouble != nil && time.Since(e.since) > giveUpAfter
}

// knownEpoch returns the epoch that the engine knows.
func (e *Engine) knownEpoch() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.epoch
}

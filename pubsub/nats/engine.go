package nats

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-c4549abd/wss/pubsub"
)

// Engine is a pubsub.Engine for one hub. Start makes one, Close ends it. Its methods may be called by many goroutines at once.
// Publish, Follow, Unfollow, Reached, Join and Leave are for the hub.
type Engine struct {
	options   Options
	id        string // unique among all engines at all times
	server    *server.Server
	temporary string   // a directory to remove
	password  string   // of the server in this process, if it has a port
	lock      *os.File // on the server's directory
	members   *roster
	queues    []chan *natsgo.Msg // messages from the stream, those of one topic in one queue
	wake      chan struct{}
	ctx       context.Context // ends with Close
	cancel    context.CancelFunc
	tasks     sync.WaitGroup

	mu            sync.Mutex
	nc            *natsgo.Conn // replaced if NATS closes it for good
	js            jetstream.JetStream
	closed        bool
	epoch         string               // of the stream; "" until the stream was found
	streamErr     error                // why messages cannot be published; nil if they can
	errSince      time.Time            // when streamErr was last set from nil
	lossSuspected time.Time            // when messages from the stream were last suspected to be lost
	followers     map[string]*follower // by subject
	changed       chan struct{}        // closed and replaced by wakeWaiters
}

var _ pubsub.Engine = (*Engine)(nil)

// Start starts an engine, which Close ends. It does not wait for other servers: see [Engine.Ready]. The error is an *OptionError, or
// says why the server in this process cannot start.
func Start(o Options) (*Engine, error) {
	o, err := o.check()
	if err != nil {
		return nil, err
	}
	e := &Engine{
		options: o, id: rand.Text(), wake: make(chan struct{}, 1), followers: map[string]*follower{}, changed: make(chan struct{}),
		streamErr: errors.New("the stream of topics was not found yet"), errSince: time.Now(), lossSuspected: time.Now(),
	}
	e.ctx, e.cancel = context.WithCancel(context.Background())
	e.members = newRoster(e)
	if err := e.start(); err != nil {
		e.stop()
		return nil, err
	}
	return e, nil
}

// start starts the server, the connection and the goroutines that run until Close.
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
		queue := make(chan *natsgo.Msg, 16<<10)
		e.queues = append(e.queues, queue)
		e.tasks.Go(func() { e.receive(queue) })
	}
	e.tasks.Go(e.maintain)
	return e.members.start()
}

// Status is the state of an engine.
type Status struct {
	// Ready says that messages can be published.
	Ready bool
	// Err says why they cannot; nil if Ready.
	Err error
	// Nodes is how many engines this one receives heartbeats of, itself included.
	Nodes int
	// Topics is how many topics the hub follows.
	Topics int
}

// Status returns the state of the engine, for a health check. It does not wait: the state may be some seconds old.
func (e *Engine) Status() Status {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := Status{Ready: e.streamErr == nil && !e.closed, Err: e.streamErr, Nodes: e.members.nodes(), Topics: len(e.followers)}
	if e.closed {
		s.Err = ErrClosed
	}
	return s
}

// Ready waits until messages can be published and members at other engines are known. The error is ErrClosed, or the context's
// joined with the reason why the engine is not ready.
func (e *Engine) Ready(ctx context.Context) error {
	return e.wait(ctx, func() bool { return e.streamErr == nil && e.members.complete() })
}

// Reached implements pubsub.Engine: it reports whether the stream has given a message this offset. It waits six seconds at most.
// The error is pubsub.ErrUnavailable with its cause.
func (e *Engine) Reached(ctx context.Context, at pubsub.Position) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*requestTimeout)
	defer cancel()
	_, js := e.connection()
	s, err := js.Stream(ctx, e.streamName()) // it asks the stream's leader
	if err != nil {
		return false, unavailable(err)
	}
	info := s.CachedInfo()
	if epochOf(info) != at.Epoch || at.Offset <= info.State.LastSeq {
		return epochOf(info) == at.Epoch, nil
	}
	// A leader that was paused, or is cut off, may not know yet that there is another one. It cannot store a message, which
	// takes most replicas, so a message tells how far the stream is.
	msg := natsgo.NewMsg(e.storedSubject("") + "=probe") // which is no topic's: see escape
	ack, err := e.publishOnce(ctx, msg, []jetstream.PublishOpt{jetstream.WithRetryAttempts(0), jetstream.WithMsgTTL(minRetention)})
	if err != nil {
		return false, unavailable(err)
	}
	return at.Offset < ack.Sequence, nil
}

// Delete deletes all stored messages of a topic on all servers. Hubs that follow the topic keep their copies in memory until it has no
// subscribers any more. If the stream cannot be reached the error is pubsub.ErrUnavailable with its cause.
func (e *Engine) Delete(ctx context.Context, topic string) error {
	_, js := e.connection()
	s, err := js.Stream(ctx, e.streamName())
	if err != nil {
		return unavailable(err)
	}
	return s.Purge(ctx, jetstream.WithPurgeSubject(e.storedSubject(topic)))
}

// wait waits until a condition is true, which is called with the lock held. The error is ErrClosed, or the context's joined with streamErr.
func (e *Engine) wait(ctx context.Context, done func() bool) error {
	for {
		e.mu.Lock()
		ok, closed, changed, trouble := done(), e.closed, e.changed, e.streamErr
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

// Close ends the engine: it tells the others that its members are gone, closes the connection to NATS, and stops the server in this
// process. Close the hub's connections first. The error is of removing the temporary directory. Later calls do nothing and return nil.
func (e *Engine) Close() error {
	e.mu.Lock()
	closed := e.closed
	e.closed = true
	e.wakeWaiters()
	e.mu.Unlock()
	if closed {
		return nil
	}
	e.members.sendEnd()
	return e.stop()
}

// stop ends everything that start has started.
func (e *Engine) stop() error {
	e.cancel()
	if nc, _ := e.connection(); nc != nil {
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

// membersComplete wakes the callers of wait, since roster.complete may be true now.
func (e *Engine) membersComplete() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.wakeWaiters()
}

// wakeWaiters has the callers of wait look at their conditions again. The lock is held.
func (e *Engine) wakeWaiters() {
	close(e.changed)
	e.changed = make(chan struct{})
}

package nats

import (
	"maps"
	"slices"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// connect connects to NATS. The client library reconnects by itself; checkStream calls connect again if that has closed the
// connection for good.
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

// connection returns the connection to NATS, and JetStream by it. Both are nil before connect.
func (e *Engine) connection() (*natsgo.Conn, jetstream.JetStream) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.nc, e.js
}

// connectOptions returns the options of the connection to NATS.
func (e *Engine) connectOptions() []natsgo.Option {
	o := e.options
	options := []natsgo.Option{
		natsgo.Name("wss pubsub " + e.id),
		natsgo.MaxReconnects(-1),
		natsgo.IgnoreAuthErrorAbort(), // credentials may be valid again later
		natsgo.ReconnectWait(250 * time.Millisecond),
		natsgo.RetryOnFailedConnect(true),
		natsgo.ReconnectBufSize(-1), // nothing is buffered while disconnected: Publish retries itself
		natsgo.Timeout(requestTimeout),
		natsgo.PingInterval(5 * time.Second), natsgo.MaxPingsOutstanding(2),
		natsgo.DisconnectErrHandler(func(_ *natsgo.Conn, err error) { e.suspectLoss("the connection to NATS has ended", err) }),
		natsgo.ReconnectHandler(func(*natsgo.Conn) { e.suspectLoss("NATS is connected again", nil) }),
		natsgo.ClosedHandler(func(*natsgo.Conn) { e.suspectLoss("NATS has closed the connection for good", nil) }), // checkStream connects again
		natsgo.ErrorHandler(func(_ *natsgo.Conn, _ *natsgo.Subscription, err error) { e.suspectLoss("NATS", err) }),
	}
	if e.server != nil {
		if e.password != "" {
			options = append(options, natsgo.UserInfo(clusterUser, e.password))
		}
		return append(options, natsgo.InProcessServer(e.server))
	}
	if o.Credentials != "" {
		options = append(options, natsgo.UserCredentials(o.Credentials))
	}
	if o.TLS != nil {
		options = append(options, natsgo.Secure(o.TLS))
	}
	return options
}
